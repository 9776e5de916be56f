use api::{ApiError, Caller, Grant};
use domain::{Membership, Project, ProjectId, Role};
use store::{ProjectContext, Work};

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

    /// One consistent read, which also tells whether the caller's session has ended.
    pub(crate) async fn load(work: &Work, project: ProjectId, caller: Caller) -> Result<Self, ApiError> {
        let ProjectContext { project, membership, ended_sessions } = work.project_context(project, caller.user).await?;
        caller.check_session(&ended_sessions)?;
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

/// That the caller's session has not ended, where there is no project whose [`Access`] would say it. An API token has no session, and was
/// looked up just now.
///
/// # Errors
/// 401 where it has.
pub(crate) async fn require_session(work: &Work, caller: Caller) -> Result<(), ApiError> {
    match caller.grant {
        Grant::Session { .. } => caller.check_session(&work.ended_sessions(caller.user).await?),
        Grant::Token(_) => Ok(()),
    }
}

/// What was asked for, if it could be read. If not, whoever may not ask at all is told 401 or 404 and not 400, so this is looked up
/// first; otherwise the look-up is handed back, to run beside the query.
pub(crate) async fn judged<Q, A, L>(asked: Result<Q, ApiError>, access: L) -> Result<(Q, L), ApiError>
where
    L: Future<Output = Result<A, ApiError>>,
{
    match asked {
        Ok(asked) => Ok((asked, access)),
        Err(error) => {
            access.await?;
            Err(error)
        }
    }
}
