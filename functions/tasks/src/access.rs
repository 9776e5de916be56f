use api::ApiError;
use domain::{Membership, Project, ProjectId, Role, UserId};
use store::Work;

/// How often a change that names no version is tried again when others are faster.
pub(crate) const MOST_ATTEMPTS: usize = 10;

/// What is said when all of them were.
pub(crate) const TOO_BUSY: &str = "Others were faster, again and again; try again.";

/// A project seen through the eyes of one of its current members.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) project: Project,
    pub(crate) membership: Membership,
}

impl Access {
    /// Whoever is not a current member of a project that was not deleted is not told that it exists.
    pub(crate) fn of(project: Option<Project>, membership: Option<Membership>) -> Result<Self, ApiError> {
        match (project, membership) {
            (Some(project), Some(membership)) if project.deleted_at.is_none() && membership.is_current() => {
                Ok(Self { project, membership })
            }
            _ => Err(ApiError::NotFound),
        }
    }

    /// One consistent read.
    pub(crate) async fn load(work: &Work, project: ProjectId, user: UserId) -> Result<Self, ApiError> {
        let (project, membership) = work.project_and_member(project, user).await?;
        Self::of(project, membership)
    }

    pub(crate) fn role(&self) -> Role {
        self.membership.role
    }

    /// Viewers read, editors also write tasks.
    pub(crate) fn require_editor(&self) -> Result<(), ApiError> {
        if self.role() < Role::Editor {
            Err(ApiError::forbidden("Only editors and owners of the project may do this."))
        } else {
            Ok(())
        }
    }

    /// Owners also keep the members and the project.
    pub(crate) fn require_owner(&self) -> Result<(), ApiError> {
        if self.role() < Role::Owner { Err(ApiError::forbidden("Only owners of the project may do this.")) } else { Ok(()) }
    }
}

/// What was asked for, if it could be read. If not, whoever may not know of the project is told 404 and not 400, so this is
/// looked up first; otherwise the look-up is handed back, to run beside the query.
pub(crate) async fn judged<Q, L>(asked: Result<Q, ApiError>, access: L) -> Result<(Q, L), ApiError>
where
    L: Future<Output = Result<Access, ApiError>>,
{
    match asked {
        Ok(asked) => Ok((asked, access)),
        Err(error) => {
            access.await?;
            Err(error)
        }
    }
}
