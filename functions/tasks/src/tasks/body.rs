use domain::{Description, Labels, Priority, ProjectId, Status, Task, TaskId, TaskSummary, Title, UserId, Version};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use crate::schema::{PrioritySchema, StatusSchema};

/// A task as lists show it: everything but the description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TaskSummary)]
pub struct TaskSummaryBody {
    #[schema(value_type = Uuid)]
    pub id: TaskId,
    #[schema(value_type = Uuid)]
    pub project: ProjectId,
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub title: Title,
    #[schema(value_type = StatusSchema)]
    pub status: Status,
    /// Whose task it is.
    #[schema(value_type = Option<Uuid>, required)]
    pub assignee: Option<UserId>,
    #[schema(value_type = PrioritySchema)]
    pub priority: Priority,
    /// A date without a time, the same in every time zone.
    #[schema(value_type = Option<String>, format = Date, required)]
    pub due_on: Option<Date>,
    #[schema(value_type = Vec<String>, max_items = 20)]
    pub labels: Labels,
    #[schema(value_type = Uuid)]
    pub created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    #[schema(value_type = Uuid)]
    pub updated_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// From 1, one more with every change; the ETag is this number.
    #[schema(value_type = u64, minimum = 1)]
    pub version: Version,
}

impl From<TaskSummary> for TaskSummaryBody {
    fn from(summary: TaskSummary) -> Self {
        let TaskSummary {
            id,
            project,
            title,
            status,
            assignee,
            priority,
            due_on,
            labels,
            created_by,
            created_at,
            updated_by,
            updated_at,
            version,
        } = summary;
        Self {
            id,
            project,
            title,
            status,
            assignee,
            priority,
            due_on,
            labels,
            created_by,
            created_at,
            updated_by,
            updated_at,
            version,
        }
    }
}

/// A task, whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Task)]
pub struct TaskBody {
    #[serde(flatten)]
    #[schema(inline)]
    pub summary: TaskSummaryBody,
    #[schema(value_type = String, max_length = 10_000)]
    pub description: Description,
}

impl From<Task> for TaskBody {
    fn from(task: Task) -> Self {
        let Task { summary, description } = task;
        Self { summary: summary.into(), description }
    }
}

/// A task as asked for; only the title has to be there.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = NewTask)]
pub struct NewTaskSchema {
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    #[schema(required = false, max_length = 10_000)]
    pub description: String,
    #[schema(required = false)]
    pub status: StatusSchema,
    /// A current member of the project.
    pub assignee: Option<uuid::Uuid>,
    #[schema(required = false)]
    pub priority: PrioritySchema,
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// Each of 1 to 40 characters.
    #[schema(required = false, max_items = 20)]
    pub labels: Vec<String>,
}

/// A change as asked for: an absent field keeps, `null` clears.
#[derive(Clone, Debug, ToSchema)]
#[schema(as = TaskPatch)]
pub struct TaskPatchSchema {
    #[schema(required = false, min_length = 1, max_length = 200)]
    pub title: String,
    #[schema(max_length = 10_000)]
    pub description: Option<String>,
    #[schema(required = false)]
    pub status: StatusSchema,
    /// Whoever it is given to is a current member of the project.
    pub assignee: Option<uuid::Uuid>,
    pub priority: Option<PrioritySchema>,
    #[schema(format = Date)]
    pub due_on: Option<String>,
    /// Each of 1 to 40 characters.
    #[schema(max_items = 20)]
    pub labels: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use domain::NewTask;
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_task_is_shown_with_every_field_and_none_more() {
        let (id, project, user) = (TaskId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
        let new: NewTask = serde_json::from_value(json!({"title": "Fix the pump"})).expect("a valid task");
        let (task, _) = Task::create(new, id, project, user, Timestamp::UNIX_EPOCH);
        let shown = serde_json::to_value(TaskBody::from(task)).expect("a task is JSON");
        let expected = json!({
            "id": id, "project": project, "title": "Fix the pump", "description": "", "status": "waiting", "assignee": null,
            "priority": "none", "due_on": null, "labels": [], "created_by": user, "created_at": "1970-01-01T00:00:00Z",
            "updated_by": user, "updated_at": "1970-01-01T00:00:00Z", "version": 1,
        });
        assert_eq!(shown, expected);
    }
}
