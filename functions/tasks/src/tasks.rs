mod body;
pub(crate) mod creation;
pub(crate) mod lists;

use api::{
    ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, IfMatch, NotFoundProblem, Path, Query, RawBody, RoleProblem,
    VersionProblems, etag,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{ProjectId, Task, TaskId, TaskPatch, Version};
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use store::{StoreError, TaskContext};

use crate::TasksState;
use crate::access::{Access, MOST_ATTEMPTS, TOO_BUSY};

pub use body::{NewTaskSchema, TaskBody, TaskPatchSchema, TaskSummaryBody};
pub use lists::{Me, MyTasksQuery, ProjectTasksQuery};

/// Shows a task.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks/{task}",
    tag = "tasks",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path), ("If-None-Match" = Option<String>, Header, description = "An ETag.")),
    responses(
        (status = 200, description = "The task.", body = TaskBody, headers(("ETag" = String, description = "The version, quoted."))),
        (status = 304, description = "The task is still at the version named."),
        CallerProblems, NotFoundProblem
    )
)]
pub(crate) async fn get_task(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (_, task) = load(&state, project, caller, task).await?;
    query.parse_none()?;
    let version = task.summary.version;
    if names(&headers, version) {
        return Ok((StatusCode::NOT_MODIFIED, [(ETAG, etag(version))]).into_response());
    }
    Ok(shown(task))
}

/// Changes a task. What changes nothing is answered with the task as it is, at the same version.
#[utoipa::path(
    patch,
    path = "/v1/projects/{project}/tasks/{task}",
    tag = "tasks",
    security(("bearer" = [])),
    params(
        ("project" = Uuid, Path), ("task" = Uuid, Path),
        ("If-Match" = String, Header, description = "The ETag of the task as it was read, or `*` for whatever it is now."),
    ),
    request_body(content((TaskPatchSchema = "application/json"), (TaskPatchSchema = "application/merge-patch+json"))),
    responses(
        (status = 200, description = "The task.", body = TaskBody, headers(("ETag" = String, description = "The version, quoted."))),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, VersionProblems, ConflictProblem
    )
)]
pub(crate) async fn update_task(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    if_match: IfMatch,
    body: RawBody,
) -> Result<Response, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, before) = load(&state, project, caller, task).await?;
        access.require_editor()?;
        let patch: TaskPatch = body.parse_patch()?;
        if_match.check(before.summary.version, || TaskBody::from(before.clone()))?;
        let Some((after, change)) = before.apply(patch, caller.user, state.clock.now()) else { return Ok(shown(before)) };
        match state.work.save_task(&state.changes, &before, &after, &change).await {
            // Somebody was faster: what is there now is read again, and refused if a version was named.
            Err(StoreError::Conflict { .. }) => {}
            saved => return saved.map(|()| shown(after)).map_err(ApiError::from),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

/// Deletes a task. Its log stays.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/tasks/{task}",
    tag = "tasks",
    security(("bearer" = [])),
    params(
        ("project" = Uuid, Path), ("task" = Uuid, Path),
        ("If-Match" = String, Header, description = "The ETag of the task as it was read, or `*` for whatever it is now."),
    ),
    responses((status = 204, description = "It is gone; its log stays."), CallerProblems, NotFoundProblem, RoleProblem, VersionProblems, ConflictProblem)
)]
pub(crate) async fn delete_task(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, before) = load(&state, project, caller, task).await?;
        access.require_editor()?;
        query.parse_none()?;
        if_match.check(before.summary.version, || TaskBody::from(before.clone()))?;
        let change = before.delete(caller.user, state.clock.now());
        match state.work.delete_task(&state.changes, &before, &change).await {
            Err(StoreError::Conflict { .. }) => {}
            deleted => return deleted.map(|()| StatusCode::NO_CONTENT).map_err(ApiError::from),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

pub(crate) async fn load(
    state: &TasksState,
    project: ProjectId,
    caller: Caller,
    task: TaskId,
) -> Result<(Access, Task), ApiError> {
    let context = state.work.task_context(project, caller.user, task).await?;
    let TaskContext { project, membership, task, ended_sessions } = context;
    caller.check_session(&ended_sessions)?;
    let access = Access::of(project, membership)?;
    Ok((access, task.ok_or(ApiError::NotFound)?))
}

/// Whether `If-None-Match` names the version: compared weakly, as RFC 9110, section 13.1.2 has it.
fn names(headers: &HeaderMap, version: Version) -> bool {
    let etag = etag(version);
    let lists = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|it| it.to_str().ok());
    lists.flat_map(|it| it.split(',')).map(str::trim).any(|it| it == "*" || etag == *it.strip_prefix("W/").unwrap_or(it))
}

fn shown(task: Task) -> Response {
    ([(ETAG, etag(task.summary.version))], Json(TaskBody::from(task))).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_version_is_not_sent_again() {
        let check = |header: &'static str, expected| {
            let headers = HeaderMap::from_iter([(IF_NONE_MATCH, http::HeaderValue::from_static(header))]);
            assert_eq!(names(&headers, Version(3)), expected, "{header}");
        };
        check("\"3\"", true);
        check("\"1\", W/\"3\"", true);
        check("*", true);
        check("\"31\"", false);
        check("3", false);
    }
}
