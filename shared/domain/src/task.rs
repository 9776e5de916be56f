use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{
    Assignee, Change, ChangeKind, Description, FieldChange, Labels, NewTask, ProjectId, TaskId, TaskPatch, Title, UserId, Version,
};

/// Where a task stands. The order is the order of work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Status {
    #[default]
    Waiting,
    InProgress,
    Done,
}

words_only!(Status);

impl Status {
    /// Every status, in the order of work.
    pub const ALL: [Self; 3] = [Self::Waiting, Self::InProgress, Self::Done];

    /// As written in JSON and in keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }
}

/// How pressing a task is, least first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Priority {
    #[default]
    None,
    Low,
    Medium,
    High,
    Urgent,
}

words_only!(Priority);

impl Priority {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Urgent => "urgent",
        }
    }
}

/// A task as lists show it: everything but the description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    pub id: TaskId,
    pub project: ProjectId,
    pub title: Title,
    pub status: Status,
    pub assignee: Option<UserId>,
    pub priority: Priority,
    pub due_on: Option<Date>,
    pub labels: Labels,
    pub created_by: UserId,
    pub created_at: Timestamp,
    pub updated_by: UserId,
    pub updated_at: Timestamp,
    pub version: Version,
}

/// A task, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    pub summary: TaskSummary,
    pub description: Description,
}

impl Task {
    /// A new task at version 1 and the change that announces it.
    #[must_use]
    pub fn create(new: NewTask, id: TaskId, project: ProjectId, actor: UserId, now: Timestamp) -> (Self, Change) {
        let NewTask { title, description, status, assignee, priority, due_on, labels } = new;
        let summary = TaskSummary {
            id,
            project,
            title,
            status,
            assignee,
            priority,
            due_on,
            labels,
            created_by: actor,
            created_at: now,
            updated_by: actor,
            updated_at: now,
            version: Version::FIRST,
        };
        let task = Self { summary, description };
        let change = task.change(ChangeKind::Created, None, task.fields_since(None));
        (task, change)
    }

    /// What the patch makes of this task, with the change that says so; nothing, if it changes nothing.
    ///
    /// The time of a change is never before that of the change it follows, whatever the clocks of two machines say.
    #[must_use]
    pub fn apply(&self, patch: TaskPatch, actor: UserId, now: Timestamp) -> Option<(Self, Change)> {
        let TaskPatch { title, description, status, assignee, priority, due_on, labels } = patch;
        let mut task = self.clone();
        set_if_given(&mut task.summary.title, title);
        set_if_given(&mut task.description, description);
        set_if_given(&mut task.summary.status, status);
        set_if_given(&mut task.summary.assignee, assignee);
        set_if_given(&mut task.summary.priority, priority);
        set_if_given(&mut task.summary.due_on, due_on);
        set_if_given(&mut task.summary.labels, labels);
        if task == *self {
            return None;
        }
        task.stamp(actor, now);
        let change = task.change(ChangeKind::Updated, self.summary.assignee, task.fields_since(Some(self)));
        Some((task, change))
    }

    /// The change that says this task is gone.
    #[must_use]
    pub fn delete(&self, actor: UserId, now: Timestamp) -> Change {
        let mut last = self.clone();
        last.stamp(actor, now);
        last.change(ChangeKind::Deleted, self.summary.assignee, Vec::new())
    }

    fn stamp(&mut self, actor: UserId, now: Timestamp) {
        self.summary.updated_by = actor;
        self.summary.updated_at = now.max(self.summary.updated_at);
        self.summary.version = self.summary.version.next();
    }

    fn change(&self, kind: ChangeKind, assignee_before: Option<UserId>, fields: Vec<FieldChange>) -> Change {
        let summary = &self.summary;
        Change {
            project: summary.project,
            task: summary.id,
            version: summary.version,
            kind,
            title: summary.title.clone(),
            actor: summary.updated_by,
            creator: summary.created_by,
            assignee: Assignee { before: assignee_before, after: summary.assignee },
            priority: summary.priority,
            at: summary.updated_at,
            fields,
        }
    }

    fn fields_since(&self, before: Option<&Self>) -> Vec<FieldChange> {
        let Self { summary: now, description } = self;
        let was = before.map(|it| &it.summary);
        let mut fields = Vec::new();
        if was.is_none_or(|it| it.title != now.title) {
            fields.push(FieldChange::Title { from: was.map(|it| it.title.clone()), to: now.title.clone() });
        }
        if before.map_or(!description.is_empty(), |it| it.description != *description) {
            fields.push(FieldChange::Description);
        }
        if was.is_none_or(|it| it.status != now.status) {
            fields.push(FieldChange::Status { from: was.map(|it| it.status), to: now.status });
        }
        let assignee = was.and_then(|it| it.assignee);
        if assignee != now.assignee {
            fields.push(FieldChange::Assignee { from: assignee, to: now.assignee });
        }
        let priority = was.map_or(Priority::None, |it| it.priority);
        if priority != now.priority {
            fields.push(FieldChange::Priority { from: was.map(|it| it.priority), to: now.priority });
        }
        let due_on = was.and_then(|it| it.due_on);
        if due_on != now.due_on {
            fields.push(FieldChange::DueOn { from: due_on, to: now.due_on });
        }
        let labels = was.map(|it| it.labels.clone()).unwrap_or_default();
        if labels != now.labels {
            fields.push(FieldChange::Labels { from: labels, to: now.labels.clone() });
        }
        fields
    }
}

fn set_if_given<T>(field: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *field = given;
    }
}
