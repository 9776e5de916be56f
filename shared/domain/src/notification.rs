use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{FieldChange, FieldName, NetChange, NetKind, NotificationId, ProjectId, Reason, TaskId, Title, UserId, Version};

/// What a person finds in the product itself, whatever they chose about mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    pub id: NotificationId,
    /// Whose it is.
    pub user: UserId,
    /// When the last of what it tells of happened.
    pub at: Timestamp,
    pub read: bool,
    pub content: NotificationContent,
}

/// What a notification says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "content", rename_all = "snake_case")]
pub enum NotificationContent {
    /// A task changed, on the whole, over a span of its log.
    Task {
        project: ProjectId,
        task: TaskId,
        /// The first version of the span.
        from: Version,
        /// The last version of the span.
        to: Version,
        kind: NetKind,
        title: Title,
        fields: Vec<FieldName>,
        actors: Vec<UserId>,
        reason: Reason,
    },
    /// Mail to a member, or to somebody invited, cannot be delivered any more. For owners.
    Undeliverable {
        project: ProjectId,
        /// The member; nobody, where the address has no account.
        user: Option<UserId>,
    },
}

impl NotificationContent {
    /// What a span of a task's log, from this version on, comes to.
    #[must_use]
    pub fn task(net: &NetChange, from: Version) -> Self {
        let NetChange { project, task, version, kind, title, actors, at: _, fields, reason } = net;
        Self::Task {
            project: *project,
            task: *task,
            from,
            to: *version,
            kind: *kind,
            title: title.clone(),
            fields: fields.iter().map(FieldChange::field).collect(),
            actors: actors.clone(),
            reason: *reason,
        }
    }
}
