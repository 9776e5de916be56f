use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::{Labels, NoticeKind, NoticeKinds, Priority, ProjectId, Status, TaskId, Title, UserId, Version};

/// What became of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    Created,
    Updated,
    Deleted,
}

impl ChangeKind {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Deleted => "deleted",
        }
    }
}

/// Whose task it was, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignee {
    pub before: Option<UserId>,
    pub after: Option<UserId>,
}

/// One field, from what to what. A description is named only: its text stands beside the change.
/// In a `created` change `from` is null or empty, and only what was given is listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum FieldChange {
    Title { from: Option<Title>, to: Title },
    Description,
    Status { from: Option<Status>, to: Status },
    Assignee { from: Option<UserId>, to: Option<UserId> },
    Priority { from: Option<Priority>, to: Priority },
    DueOn { from: Option<Date>, to: Option<Date> },
    Labels { from: Labels, to: Labels },
}

/// A field of a task, by its name in JSON; in the order in which a mail tells of them: who has it, how it stands, then the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldName {
    Assignee,
    Status,
    Title,
    DueOn,
    Priority,
    Labels,
    Description,
}

impl FieldName {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assignee => "assignee",
            Self::Status => "status",
            Self::Title => "title",
            Self::DueOn => "due_on",
            Self::Priority => "priority",
            Self::Labels => "labels",
            Self::Description => "description",
        }
    }
}

impl FieldChange {
    /// Which field it is.
    #[must_use]
    pub fn field(&self) -> FieldName {
        match self {
            Self::Title { .. } => FieldName::Title,
            Self::Description => FieldName::Description,
            Self::Status { .. } => FieldName::Status,
            Self::Assignee { .. } => FieldName::Assignee,
            Self::Priority { .. } => FieldName::Priority,
            Self::DueOn { .. } => FieldName::DueOn,
            Self::Labels { .. } => FieldName::Labels,
        }
    }

    /// The field's name as in the task's JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.field().as_str()
    }

    /// The preference that decides whether a reader hears of this field.
    #[must_use]
    pub fn notice_kind(&self) -> NoticeKind {
        match self {
            Self::Assignee { .. } => NoticeKind::Assigned,
            Self::Status { .. } => NoticeKind::Status,
            Self::Title { .. } | Self::Description | Self::Priority { .. } | Self::DueOn { .. } | Self::Labels { .. } => {
                NoticeKind::Edited
            }
        }
    }
}

/// One entry of a task's log: everything the mailer will ever need to know about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    pub project: ProjectId,
    pub task: TaskId,
    /// The task's version after this change; without a gap from 1.
    pub version: Version,
    pub kind: ChangeKind,
    /// The title after this change.
    pub title: Title,
    pub actor: UserId,
    pub creator: UserId,
    pub assignee: Assignee,
    /// How pressing the task is after this change.
    pub priority: Priority,
    pub at: Timestamp,
    pub fields: Vec<FieldChange>,
}

impl Change {
    /// `<task>:<version>`, unique for ever.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}:{}", self.task, self.version)
    }

    /// Whether the description's text after this change stands beside it.
    #[must_use]
    pub fn has_description(&self) -> bool {
        self.fields.contains(&FieldChange::Description)
    }

    /// The preferences this change falls under. A new task is news to its assignee only as an assignment.
    #[must_use]
    pub fn notice_kinds(&self) -> NoticeKinds {
        match self.kind {
            ChangeKind::Created => NoticeKinds::from_iter([NoticeKind::Assigned]),
            ChangeKind::Deleted => NoticeKinds::from_iter([NoticeKind::Deleted]),
            ChangeKind::Updated => self.fields.iter().map(FieldChange::notice_kind).collect(),
        }
    }
}
