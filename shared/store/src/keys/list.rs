use aws_sdk_dynamodb::types::AttributeValue;
use domain::{InvitationId, ProjectId, Status, TaskId, UserId, Version};
use jiff::Timestamp;

use super::{
    AddressHash, BY_PERSON, BY_PROJECT, BY_STATUS, BY_TIME, EVENTS_PREFIX, Key, NOTIFICATIONS_PREFIX, RecipientKey, change,
    event, invitation, invited, log_partition, member, notification, notification_of_key, person_partition, person_tasks_prefix,
    project_partition, recipient_partition, status_partition, task,
};
use crate::item::{Attributes, Item};
use crate::{Position, StoreError};

/// A list that is read page by page.
#[derive(Clone, Debug)]
pub(crate) enum List {
    ProjectTasks(ProjectId),
    ProjectTasksOfStatus(ProjectId, Status),
    PersonTasks(UserId, Option<Status>),
    PersonProjects(UserId),
    Members(ProjectId),
    Invitations(ProjectId),
    InvitationsFor(AddressHash),
    TaskChanges(ProjectId, TaskId),
    ProjectChanges(ProjectId),
    Events(UserId),
    /// Backward.
    Notifications(UserId),
}

impl List {
    pub(crate) fn index(&self) -> Option<&'static str> {
        match self {
            Self::ProjectTasks(_) => Some(BY_TIME),
            Self::ProjectTasksOfStatus(..) => Some(BY_STATUS),
            Self::PersonTasks(..) | Self::PersonProjects(_) => Some(BY_PERSON),
            Self::ProjectChanges(_) => Some(BY_PROJECT),
            Self::Members(_)
            | Self::Invitations(_)
            | Self::InvitationsFor(_)
            | Self::TaskChanges(..)
            | Self::Events(_)
            | Self::Notifications(_) => None,
        }
    }

    pub(crate) fn partition_attribute(&self) -> &'static str {
        match self {
            Self::ProjectTasks(_) => "time_pk",
            Self::ProjectTasksOfStatus(..) => "status_pk",
            Self::PersonTasks(..) | Self::PersonProjects(_) => "person_pk",
            Self::ProjectChanges(_) => "project_pk",
            Self::Members(_)
            | Self::Invitations(_)
            | Self::InvitationsFor(_)
            | Self::TaskChanges(..)
            | Self::Events(_)
            | Self::Notifications(_) => "pk",
        }
    }

    pub(crate) fn sort_attribute(&self) -> &'static str {
        match self {
            Self::ProjectTasks(_) | Self::ProjectTasksOfStatus(..) => "time_sk",
            Self::PersonTasks(..) | Self::PersonProjects(_) => "person_sk",
            Self::ProjectChanges(_) => "project_sk",
            Self::Members(_) | Self::Invitations(_) | Self::InvitationsFor(_) | Self::Events(_) | Self::Notifications(_) => "sk",
            Self::TaskChanges(..) => "version",
        }
    }

    pub(crate) fn partition(&self) -> String {
        match self {
            Self::ProjectTasks(project) | Self::Members(project) | Self::Invitations(project) | Self::ProjectChanges(project) => {
                project_partition(*project)
            }
            Self::ProjectTasksOfStatus(project, status) => status_partition(*project, *status),
            Self::PersonTasks(user, _) | Self::PersonProjects(user) | Self::Events(user) => person_partition(*user),
            Self::InvitationsFor(address) => format!("INVITED#{address}"),
            Self::TaskChanges(project, task) => log_partition(*project, *task),
            Self::Notifications(user) => recipient_partition(&RecipientKey::User(*user)),
        }
    }

    /// With what the sort positions of this list begin, where its partition holds others too.
    pub(crate) fn prefix(&self) -> Option<String> {
        match self {
            Self::PersonTasks(_, status) => Some(person_tasks_prefix(*status)),
            Self::PersonProjects(_) | Self::InvitationsFor(_) => Some("PROJECT#".to_owned()),
            Self::Members(_) => Some("MEMBER#".to_owned()),
            Self::Invitations(_) => Some("INVITATION#".to_owned()),
            Self::Events(_) => Some(EVENTS_PREFIX.to_owned()),
            Self::Notifications(_) => Some(NOTIFICATIONS_PREFIX.to_owned()),
            Self::ProjectTasks(_) | Self::ProjectTasksOfStatus(..) | Self::TaskChanges(..) | Self::ProjectChanges(_) => None,
        }
    }

    /// The place of an item in this list.
    pub(crate) fn position(&self, item: &Item) -> Result<Position, StoreError> {
        match self {
            Self::TaskChanges(..) => Ok(Position::new(item.number::<u64>("version")?.to_string())),
            _ => Ok(Position::new(item.text(self.sort_attribute())?)),
        }
    }

    /// The exclusive start key of a position: this list's own partition, and what the position says within it.
    pub(crate) fn start(&self, position: &Position) -> Result<Attributes, StoreError> {
        let sort_position = position.sort_position();
        let key = self.key_at(sort_position).ok_or(StoreError::InvalidPosition)?;
        let mut start = Attributes::from(key);
        if self.index().is_some() {
            start.insert(self.partition_attribute().to_owned(), AttributeValue::S(self.partition()));
            start.insert(self.sort_attribute().to_owned(), AttributeValue::S(sort_position.to_owned()));
        }
        Ok(start)
    }

    /// The primary key of the item at a sort position; nothing where it does not fit this list.
    fn key_at(&self, sort_position: &str) -> Option<Key> {
        let prefix = self.prefix().unwrap_or_default();
        let parts: Vec<&str> = sort_position.strip_prefix(&prefix)?.split('#').collect();
        match (self, parts.as_slice()) {
            (Self::ProjectTasks(project) | Self::ProjectTasksOfStatus(project, _), [at, id]) => {
                is_time(at).then(|| id.parse().ok())?.map(|id| task(*project, id))
            }
            (Self::PersonTasks(_, None), [rank, due_on, at, id, project]) => {
                let fits = matches!(*rank, "0" | "1" | "2") && is_date(due_on) && is_time(at);
                fits.then(|| Some(task(project.parse().ok()?, id.parse().ok()?)))?
            }
            (Self::PersonTasks(_, Some(_)), [due_on, at, id, project]) => {
                (is_date(due_on) && is_time(at)).then(|| Some(task(project.parse().ok()?, id.parse().ok()?)))?
            }
            (Self::PersonProjects(user), [at, project]) => is_time(at).then(|| Some(member(project.parse().ok()?, *user)))?,
            (Self::Members(project), [user]) => Some(member(*project, user.parse().ok()?)),
            (Self::Invitations(project), [id]) => Some(invitation(*project, id.parse::<InvitationId>().ok()?)),
            (Self::InvitationsFor(address), [project]) => Some(invited(address, project.parse().ok()?)),
            (Self::TaskChanges(project, task), [version]) => {
                let number: u64 = version.parse().ok()?;
                (number.to_string() == *version).then(|| change(*project, *task, Version(number)))
            }
            (Self::ProjectChanges(project), [at, task, version]) => {
                let fits = is_time(at) && version.len() == 10 && version.bytes().all(|it| it.is_ascii_digit());
                fits.then(|| Some(change(*project, task.parse().ok()?, Version(version.parse().ok()?))))?
            }
            (Self::Events(user), [time, id]) => {
                let at = is_time(time).then(|| time.parse().ok())??;
                Some(event(*user, at, id.parse().ok()?))
            }
            (Self::Notifications(user), [_, _]) => {
                let (id, read) = notification_of_key(sort_position)?;
                Some(notification(*user, id, read))
            }
            _ => None,
        }
    }
}

fn is_time(text: &str) -> bool {
    text.parse().is_ok_and(|at: Timestamp| super::timestamp(at) == text)
}

fn is_date(text: &str) -> bool {
    text.parse().is_ok_and(|day: jiff::civil::Date| day.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{PROJECT, TASK, USER, at, summary};
    use super::super::{change_by_time, membership_by_person, task_by_person, task_by_time};
    use domain::{EventId, NotificationId};

    use super::*;
    use crate::item::text;

    fn lists() -> [(List, String, Key); 11] {
        let time = at("2026-11-20T11:00:00Z");
        let (by_time, by_person) = (task_by_time(&summary()), task_by_person(&summary()));
        let address = AddressHash::from(&"ada@example.com".parse().expect("an address"));
        let id = InvitationId(PROJECT.0);
        [
            (List::ProjectTasks(PROJECT), by_time.clone(), task(PROJECT, TASK)),
            (List::ProjectTasksOfStatus(PROJECT, Status::Done), by_time, task(PROJECT, TASK)),
            (List::PersonTasks(USER, Some(Status::InProgress)), by_person, task(PROJECT, TASK)),
            (List::PersonProjects(USER), membership_by_person(time, PROJECT), member(PROJECT, USER)),
            (List::Members(PROJECT), format!("MEMBER#{USER}"), member(PROJECT, USER)),
            (List::Invitations(PROJECT), format!("INVITATION#{PROJECT}"), invitation(PROJECT, id)),
            (List::InvitationsFor(address.clone()), format!("PROJECT#{PROJECT}"), invited(&address, PROJECT)),
            (List::TaskChanges(PROJECT, TASK), "7".to_owned(), change(PROJECT, TASK, Version(7))),
            (
                List::Events(USER),
                format!("EVENT#2026-11-20T11:00:00.000000000Z#{PROJECT}"),
                event(USER, time, EventId(PROJECT.0)),
            ),
            (List::Notifications(USER), format!("NOTE#UNREAD#{PROJECT}"), notification(USER, NotificationId(PROJECT.0), false)),
            (List::ProjectChanges(PROJECT), change_by_time(time, TASK, Version(7)), change(PROJECT, TASK, Version(7))),
        ]
    }

    #[test]
    fn a_start_key_is_rebuilt_from_partition_and_position() {
        for (list, sort_position, key) in lists() {
            let start = list.start(&Position::new(&sort_position)).expect("a position of this list");
            let wanted = Attributes::from(key);
            assert!(wanted.iter().all(|(name, value)| start.get(name) == Some(value)), "{list:?}: {start:?}");
            assert_eq!(start.get(list.partition_attribute()), Some(&text(list.partition())), "{list:?}");
            assert_eq!(start.len(), if list.index().is_some() { 4 } else { 2 }, "{list:?}");
        }
    }

    #[test]
    fn a_position_carries_nothing_of_its_partition_and_is_found_again() {
        for (list, sort_position, key) in lists() {
            let item = Item::from(Attributes::from(key));
            let item = if list.index().is_some() { item.with(list.sort_attribute(), text(&sort_position)) } else { item };
            let position = list.position(&item).expect("a sort position");
            assert_eq!(position.sort_position(), sort_position);
            assert!(!sort_position.contains(&list.partition()), "{list:?}");
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_invalid() {
        let all = lists();
        for (list, ..) in &all {
            let foreign = all.iter().filter(|(other, ..)| list.sort_attribute() != other.sort_attribute());
            for (other, sort_position, _) in foreign {
                let refused = list.start(&Position::new(sort_position));
                assert!(matches!(refused, Err(StoreError::InvalidPosition)), "{other:?} in {list:?}");
            }
            for nonsense in ["MEMBER#x", "PROJECT#", "07", "2026-11-20T11:00:00Z#x", "TASK#9"] {
                assert!(list.start(&Position::new(nonsense)).is_err(), "{nonsense} in {list:?}");
            }
        }
    }
}
