use std::collections::{BTreeMap, BTreeSet};

use domain::{Membership, Project, ProjectId, Role, UserId};
use jiff::Timestamp;

use crate::item::{Item, number, text, word};
use crate::keys::List;
use crate::table::query::Query;
use crate::table::write::{Transacted, Write, transact};
use crate::{Page, Position, StoreError, Work, keys};

/// A current membership in the role that was read.
const AS_READ: &str = "#role = :before AND attribute_not_exists(#left_at)";
/// A project that was not deleted.
pub(crate) const OPEN: &str = "attribute_exists(#pk) AND attribute_not_exists(#deleted_at)";
/// A membership that has not ended.
pub(crate) const CURRENT: &str = "attribute_exists(#pk) AND attribute_not_exists(#left_at)";

impl Work {
    /// A project's members, also those who left, by user id.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn members(
        &self,
        project: ProjectId,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<Membership>, StoreError> {
        let list = List::Members(project);
        Query::list(&self.table, &list, after)?.page("list the members", &list, limit).await?.try_map(|it| membership(&it))
    }

    /// The memberships of some people in a project, also of those who left; read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn memberships(&self, project: ProjectId, users: &[UserId]) -> Result<BTreeMap<UserId, Membership>, StoreError> {
        let unique: BTreeSet<UserId> = users.iter().copied().collect();
        let keys = unique.into_iter().map(|user| keys::member(project, user)).collect();
        let items = self.table.get_many("read the memberships", keys).await?;
        items.iter().map(|it| membership(it).map(|member| (member.user, member))).collect()
    }

    /// A project's current members, all of them; read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn current_members(&self, project: ProjectId) -> Result<Vec<Membership>, StoreError> {
        let items = Query::list(&self.table, &List::Members(project), None)?.all("read the members").await?;
        let members: Vec<Membership> = items.iter().map(membership).collect::<Result<_, _>>()?;
        Ok(members.into_iter().filter(Membership::is_current).collect())
    }

    /// Who owns a project at present; read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owners(&self, project: ProjectId) -> Result<Vec<UserId>, StoreError> {
        let members = self.current_members(project).await?;
        Ok(members.into_iter().filter(|it| it.role == Role::Owner).map(|it| it.user).collect())
    }

    /// Every open project a person is a member of, with that membership, in order of joining. Which there are says an index, which lags
    /// by moments; what they are is read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn memberships_of(&self, user: UserId) -> Result<Vec<(Project, Membership)>, StoreError> {
        let list = List::PersonProjects(user);
        let items = Query::list(&self.table, &list, None)?.all("list the person's memberships").await?;
        let listed: BTreeSet<ProjectId> = items.iter().map(|it| it.word("project")).collect::<Result<_, _>>()?;
        let keys = listed.iter().map(|it| keys::member(*it, user)).collect();
        let (projects, items) = tokio::try_join!(
            self.open_projects(listed.iter().copied()),
            self.table.get_many("read the person's memberships", keys),
        )?;
        let members: Vec<Membership> = items.iter().map(membership).collect::<Result<_, _>>()?;
        let current = members.into_iter().filter(Membership::is_current);
        let mut open: Vec<(Project, Membership)> =
            current.filter_map(|it| Some((projects.get(&it.project)?.clone(), it))).collect();
        open.sort_by_key(|(_, it)| (it.joined_at, it.project));
        Ok(open)
    }

    /// A change of one membership, with the project's owners counted in the same transaction where it makes or unmakes one.
    async fn change_member(
        &self,
        step: &'static str,
        change: Write,
        before: &Membership,
        becomes_owner_of: Option<ProjectId>,
    ) -> Result<(), StoreError> {
        let count = match (before.role == Role::Owner, becomes_owner_of) {
            (false, Some(project)) => count_owner(self, project),
            (true, None) => Write::update(&self.table, keys::project(before.project), "SET #owners = #owners - :one")
                .when("#owners > :one")
                .value(":one", number(1)),
            (true, Some(_)) | (false, None) => return change.run(step).await,
        };
        match transact(step, vec![change, count]).await? {
            Transacted::Done => Ok(()),
            Transacted::Refused(places) if places == [1] && becomes_owner_of.is_none() => Err(StoreError::LastOwner),
            Transacted::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }

    /// Gives a current member another role, where they still have the one that was read.
    ///
    /// # Errors
    /// [`StoreError::LastOwner`]; [`StoreError::Conflict`], where the membership is not as read.
    pub async fn set_role(&self, before: &Membership, role: Role) -> Result<(), StoreError> {
        let change = Write::update(&self.table, keys::member(before.project, before.user), "SET #role = :after")
            .when(AS_READ)
            .value(":before", word(&before.role)?)
            .value(":after", word(&role)?);
        self.change_member("change the role", change, before, (role == Role::Owner).then_some(before.project)).await
    }

    /// Ends a current membership, where it is still as it was read.
    ///
    /// # Errors
    /// [`StoreError::LastOwner`]; [`StoreError::Conflict`], where the membership is not as read.
    pub async fn leave(&self, before: &Membership, at: Timestamp) -> Result<(), StoreError> {
        let end = "SET #left_at = :at REMOVE #person_pk, #person_sk";
        let change = Write::update(&self.table, keys::member(before.project, before.user), end)
            .when(AS_READ)
            .value(":before", word(&before.role)?)
            .value(":at", text(keys::timestamp(at)));
        self.change_member("end the membership", change, before, None).await
    }
}

pub(crate) fn membership_item(membership: &Membership) -> Result<Item, StoreError> {
    let Membership { project, user, role, joined_at, left_at } = membership;
    let item = Item::new(keys::member(*project, *user))
        .with("project", text(project))
        .with("user", text(user))
        .with("role", word(role)?)
        .with("joined_at", text(keys::timestamp(*joined_at)));
    Ok(match left_at {
        Some(left_at) => item.with("left_at", text(keys::timestamp(*left_at))),
        None => item
            .with("person_pk", text(keys::person_partition(*user)))
            .with("person_sk", text(keys::membership_by_person(*joined_at, *project))),
    })
}

pub(crate) fn membership(item: &Item) -> Result<Membership, StoreError> {
    Ok(Membership {
        project: item.word("project")?,
        user: item.word("user")?,
        role: item.word("role")?,
        joined_at: item.word("joined_at")?,
        left_at: item.some_word("left_at")?,
    })
}

/// A person whose account is there: one that goes leaves its projects, so it must not join another one meanwhile.
pub(crate) fn check_person(work: &Work, user: UserId) -> Write {
    Write::check(&work.table, keys::profile(user)).when("attribute_exists(#pk)")
}

/// One owner more in an open project.
pub(crate) fn count_owner(work: &Work, project: ProjectId) -> Write {
    let write = Write::update(&work.table, keys::project(project), "SET #owners = #owners + :one");
    write.when(OPEN).value(":one", number(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, USER, at};

    #[test]
    fn a_membership_survives_storage_and_leaves_the_index_when_it_ends() {
        let joined_at = at("2026-11-20T11:00:00Z");
        let current = Membership { project: PROJECT, user: USER, role: Role::Editor, joined_at, left_at: None };
        let item = membership_item(&current).expect("an item");
        assert!(item.has("person_pk"));
        let ended = Membership { left_at: Some(joined_at), ..current.clone() };
        assert_eq!(membership(&item).ok(), Some(current));
        let item = membership_item(&ended).expect("an item");
        assert!(!item.has("person_pk") && !item.has("person_sk"));
        assert_eq!(membership(&item).ok(), Some(ended));
    }
}
