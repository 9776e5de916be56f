use api::{
    ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, IdempotencyKey, NotFoundProblem, Path, RawBody, RoleProblem,
    etag,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{
    Change, Description, FieldChange, Labels, NewTask, Priority, ProjectId, Status, Task, TaskId, TaskSummary, Version,
};
use http::StatusCode;
use http::header::{ETAG, LOCATION};
use serde_json::json;
use store::{RequestHash, TaskCreation};

use super::body::{NewTaskSchema, TaskBody};
use crate::TasksState;
use crate::access::Access;

/// Creates a task.
///
/// With an `Idempotency-Key` a repeated request finds what the first one made: the same body gets the same answer, another body
/// 422, and 409 when the task was deleted since.
#[utoipa::path(
    post,
    path = "/v1/projects/{project}/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, description = "A name the client gives to this create: 1 to 255 visible ASCII characters.", min_length = 1, max_length = 255, pattern = "^[!#-~]+$")),
    request_body = NewTaskSchema,
    responses(
        (status = 201, description = "The task.", body = TaskBody, headers(
            ("Location" = String, description = "The path of the task."),
            ("ETag" = String, description = "`\"1\"`"),
        )),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, ConflictProblem
    )
)]
pub(crate) async fn create_task(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    key: IdempotencyKey,
    body: RawBody,
) -> Result<Response, ApiError> {
    let access = Access::load(&state.work, project, caller).await?;
    access.require_editor()?;
    let new: NewTask = body.parse()?;
    let id = TaskId(key.id(caller.user, "tasks", Some(project))?);
    let request_hash = key.is_given().then(|| request_hash(&new));
    let (task, change) = Task::create(new, id, project, caller.user, state.clock.now());
    match state.work.create_task(&state.changes, &task, &change, request_hash.as_ref()).await? {
        TaskCreation::Created => Ok(created(task)),
        TaskCreation::Replayed { request_hash: before, .. } if before != request_hash => {
            Err(ApiError::invalid("", "is not what was sent under this Idempotency-Key before"))
        }
        TaskCreation::Replayed { exists: false, .. } => {
            Err(ApiError::conflict("The task that was made under this Idempotency-Key was deleted since."))
        }
        TaskCreation::Replayed { first, .. } => {
            let description = match first.has_description() {
                true => state.changes.description(project, id, Version::FIRST).await?,
                false => None,
            };
            Ok(created(as_created(*first, description.unwrap_or_default())))
        }
    }
}

/// A task as its first change tells of it.
fn as_created(first: Change, text: Description) -> Task {
    let Change { project, task: id, version, kind: _, title, actor, creator, assignee, priority: _, at, fields } = first;
    let mut summary = TaskSummary {
        id,
        project,
        title,
        status: Status::default(),
        assignee: assignee.after,
        priority: Priority::default(),
        due_on: None,
        labels: Labels::default(),
        created_by: creator,
        created_at: at,
        updated_by: actor,
        updated_at: at,
        version,
    };
    for field in fields {
        match field {
            FieldChange::Title { to, .. } => summary.title = to,
            FieldChange::Description => {}
            FieldChange::Status { to, .. } => summary.status = to,
            FieldChange::Assignee { to, .. } => summary.assignee = to,
            FieldChange::Priority { to, .. } => summary.priority = to,
            FieldChange::DueOn { to, .. } => summary.due_on = to,
            FieldChange::Labels { to, .. } => summary.labels = to,
        }
    }
    Task { summary, description: text }
}

/// What tells one body from another: white space, the order of fields, and fields at their default make no difference.
fn request_hash(new: &NewTask) -> RequestHash {
    let NewTask { title, description, status, assignee, priority, due_on, labels } = new;
    // An array keeps its order, whatever the JSON library does with the order of names.
    RequestHash::of(json!([title, description, status, assignee, priority, due_on, labels]).to_string().as_bytes())
}

fn created(task: Task) -> Response {
    let TaskSummary { project, id, version, .. } = task.summary;
    let location = format!("/v1/projects/{project}/tasks/{id}");
    (StatusCode::CREATED, [(LOCATION, location)], [(ETAG, etag(version))], Json(TaskBody::from(task))).into_response()
}

#[cfg(test)]
mod tests {
    use domain::UserId;
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn new_task(body: serde_json::Value) -> NewTask {
        serde_json::from_value(body).expect("a valid task")
    }

    #[test]
    fn a_repeated_create_shows_the_task_as_it_was_made() {
        let (id, project, user) = (TaskId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)));
        for body in [
            json!({"title": "Fix the pump"}),
            json!({
                "title": "Fix the pump", "description": "It drips", "status": "in_progress", "assignee": user,
                "priority": "high", "due_on": "2026-12-01", "labels": ["water", "urgent"],
            }),
        ] {
            let (task, change) = Task::create(new_task(body), id, project, user, Timestamp::UNIX_EPOCH);
            assert_eq!(as_created(change, task.description.clone()), task);
        }
    }

    #[test]
    fn the_same_body_written_otherwise_is_the_same_body() {
        let short = new_task(json!({"title": "Fix the pump", "labels": ["a"]}));
        let long = new_task(json!({"labels": ["a", "a"], "status": "waiting", "assignee": null, "title": " Fix the pump "}));
        assert_eq!(request_hash(&short), request_hash(&long));
    }

    #[test]
    fn every_field_tells_one_body_from_another() {
        let plain = request_hash(&new_task(json!({"title": "a"})));
        for other in [
            json!({"title": "b"}),
            json!({"title": "a", "description": "b"}),
            json!({"title": "a", "status": "done"}),
            json!({"title": "a", "assignee": Uuid::from_u128(1)}),
            json!({"title": "a", "priority": "low"}),
            json!({"title": "a", "due_on": "2026-11-20"}),
            json!({"title": "a", "labels": ["b"]}),
        ] {
            assert_ne!(plain, request_hash(&new_task(other.clone())), "{other}");
        }
    }
}
