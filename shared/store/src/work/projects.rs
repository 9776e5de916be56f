use std::collections::{BTreeMap, BTreeSet};

use domain::{Membership, Project, ProjectId, Role, UserId};
use jiff::Timestamp;

use super::ended::{EndedSessions, ended_sessions};
use super::members::{check_person, membership, membership_item};
use crate::item::{Item, number, text};
use crate::keys::List;
use crate::table::query::Query;
use crate::table::write::{Transacted, Write, transact};
use crate::{Page, Position, RequestHash, StoreError, Work, keys};

/// What became of the wish for a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProjectCreation {
    Created,
    /// It was made before, by a request of this hash; the project as it is now, also a deleted one.
    Replayed {
        project: Project,
        request_hash: Option<RequestHash>,
    },
}

/// All that deciding about one project takes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProjectContext {
    /// Absent also where it was deleted.
    pub project: Option<Project>,
    /// The person's current membership.
    pub membership: Option<Membership>,
    /// Those of the person.
    pub ended_sessions: EndedSessions,
}

impl Work {
    /// Stores a project and its first owner, once per id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the owner's account is not there any more.
    pub async fn create_project(
        &self,
        project: &Project,
        owner: &Membership,
        request_hash: Option<&RequestHash>,
    ) -> Result<ProjectCreation, StoreError> {
        let step = "store the project";
        let item = project_item(project, 1).with_some("request_hash", request_hash.map(|it| text(it.as_str())));
        let membership = Write::create(&self.table, membership_item(owner)?);
        let writes = vec![Write::create(&self.table, item), membership, check_person(self, owner.user)];
        if transact(step, writes).await? == Transacted::Done {
            return Ok(ProjectCreation::Created);
        }
        let item = self.table.get("read the project made before", keys::project(project.id)).await?;
        let item = item.ok_or(StoreError::Conflict { step })?;
        Ok(ProjectCreation::Replayed { project: stored_project(&item)?, request_hash: item.some_word("request_hash")? })
    }

    /// A project that was not deleted and the person's current membership, in one consistent read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn project_and_member(
        &self,
        project: ProjectId,
        user: UserId,
    ) -> Result<(Option<Project>, Option<Membership>), StoreError> {
        let keys = vec![keys::project(project), keys::member(project, user)];
        let items = self.table.get_many("read the project and the membership", keys).await?;
        let (mut project, mut member) = (None, None);
        for item in items {
            match item.text("sk")? {
                "PROJECT" => project = open_project(&item)?,
                _ => member = Some(membership(&item)?).filter(Membership::is_current),
            }
        }
        Ok((project, member))
    }

    /// A project that was not deleted, the person's current membership and which of their sessions ended just now, in one consistent
    /// read.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn project_context(&self, project: ProjectId, user: UserId) -> Result<ProjectContext, StoreError> {
        let keys = vec![keys::project(project), keys::member(project, user), keys::ended(user)];
        let items = self.table.get_many("read the project and who asks for it", keys).await?;
        let mut context = ProjectContext::default();
        for item in items {
            match item.text("sk")? {
                "PROJECT" => context.project = open_project(&item)?,
                "ENDED" => context.ended_sessions = ended_sessions(&item)?,
                _ => context.membership = Some(membership(&item)?).filter(Membership::is_current),
            }
        }
        Ok(context)
    }

    /// The projects a person is a member of, in order of joining, with their role in each.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn projects_of(
        &self,
        user: UserId,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<(Project, Role)>, StoreError> {
        let list = List::PersonProjects(user);
        let step = "list the person's projects";
        let page = Query::list(&self.table, &list, after)?.page(step, &list, limit).await?;
        let Page { items: memberships, next } = page.try_map(|it| membership(&it))?;
        let projects = self.open_projects(memberships.iter().map(|it| it.project)).await?;
        let shown = memberships.iter().filter_map(|it| Some((projects.get(&it.project)?.clone(), it.role)));
        Ok(Page { items: shown.collect(), next })
    }

    /// Those of the projects that were not deleted.
    pub(crate) async fn open_projects(
        &self,
        projects: impl Iterator<Item = ProjectId>,
    ) -> Result<BTreeMap<ProjectId, Project>, StoreError> {
        let unique: BTreeSet<ProjectId> = projects.collect();
        let items = self.table.get_many("read the projects", unique.into_iter().map(keys::project).collect()).await?;
        let projects: Vec<Option<Project>> = items.iter().map(open_project).collect::<Result<_, _>>()?;
        Ok(projects.into_iter().flatten().map(|it| (it.id, it)).collect())
    }

    /// Renames a project, where its name is still the one that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not, or the project was deleted.
    pub async fn update_project(&self, before: &Project, after: &Project) -> Result<(), StoreError> {
        Write::update(&self.table, keys::project(before.id), "SET #name = :after")
            .when("#name = :before AND attribute_not_exists(#deleted_at)")
            .value(":before", text(&before.name))
            .value(":after", text(&after.name))
            .run("store the project")
            .await
    }

    /// Marks a project as deleted, which hides everything under it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it was deleted already.
    pub async fn delete_project(&self, project: ProjectId, at: Timestamp) -> Result<(), StoreError> {
        Write::update(&self.table, keys::project(project), "SET #deleted_at = :at")
            .when("attribute_exists(#pk) AND attribute_not_exists(#deleted_at)")
            .value(":at", text(keys::timestamp(at)))
            .run("delete the project")
            .await
    }
}

/// A new project's item. `owners` is how many there are: counted in every transaction that changes it.
fn project_item(project: &Project, owners: u64) -> Item {
    let Project { id, name, created_by, created_at, deleted_at } = project;
    Item::new(keys::project(*id))
        .with("project", text(id))
        .with("name", text(name))
        .with("created_by", text(created_by))
        .with("created_at", text(keys::timestamp(*created_at)))
        .with_some("deleted_at", deleted_at.map(|it| text(keys::timestamp(it))))
        .with("owners", number(owners))
}

fn stored_project(item: &Item) -> Result<Project, StoreError> {
    Ok(Project {
        id: item.word("project")?,
        name: item.word("name")?,
        created_by: item.word("created_by")?,
        created_at: item.word("created_at")?,
        deleted_at: item.some_word("deleted_at")?,
    })
}

/// The project, unless it was deleted.
pub(crate) fn open_project(item: &Item) -> Result<Option<Project>, StoreError> {
    Ok(Some(stored_project(item)?).filter(|it| it.deleted_at.is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, USER, at};

    #[test]
    fn a_project_survives_storage_and_a_deleted_one_is_hidden() {
        let before = Project {
            id: PROJECT,
            name: "Pumps".parse().expect("a name"),
            created_by: USER,
            created_at: at("2026-11-20T11:00:00Z"),
            deleted_at: None,
        };
        let deleted = Project { deleted_at: Some(before.created_at), ..before.clone() };
        assert_eq!(open_project(&project_item(&deleted, 1)).ok(), Some(None));
        assert_eq!(stored_project(&project_item(&deleted, 1)).ok(), Some(deleted));
        assert_eq!(open_project(&project_item(&before, 1)).ok(), Some(Some(before)));
    }
}
