use api::{
    ApiError, BodyProblems, Caller, CallerProblems, ConflictProblem, Cursor, IdempotencyKey, IfMatch, Limit, ListBody,
    NotFoundProblem, Path, Query, RawBody, RoleProblem, VersionProblems, etag,
};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use domain::{
    Change, Description, FieldChange, Labels, NewTask, Priority, ProjectId, Status, Task, TaskId, TaskPatch, TaskSummary, Title,
    UserId, Version,
};
use http::header::{ETAG, IF_NONE_MATCH, LOCATION};
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Page, Position, RequestHash, StoreError, TaskContext, TaskCreation};
use utoipa::{IntoParams, ToSchema};

use crate::TasksState;
use crate::access::{Access, MOST_ATTEMPTS, TOO_BUSY, judged};
use crate::schema::{PrioritySchema, StatusSchema};

/// How often a page of one's own tasks is filled up.
const MOST_READS: usize = 10;

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

/// Which of a project's tasks to list.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProjectTasksQuery {
    /// Only tasks that stand here.
    #[param(value_type = Option<StatusSchema>)]
    pub status: Option<Status>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 50, required = false)]
    pub limit: Limit,
    /// Where to go on: the `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// Whose tasks to list over all projects.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MyTasksQuery {
    /// Only `me` can be asked for.
    #[param(inline)]
    pub assignee: Me,
    /// Only tasks that stand here.
    #[param(value_type = Option<StatusSchema>)]
    pub status: Option<Status>,
    /// How many at most.
    #[serde(default)]
    #[param(value_type = u32, minimum = 1, maximum = 100, default = 50, required = false)]
    pub limit: Limit,
    /// Where to go on: the `next_cursor` of the page before.
    #[param(value_type = Option<String>)]
    pub cursor: Option<Cursor>,
}

/// The only assignee whose tasks can be listed over all projects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Me {
    Me,
}

/// Lists a project's tasks, newest first.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ProjectTasksQuery),
    responses((status = 200, description = "A page of tasks.", body = ListBody<TaskSummaryBody>), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn list_project_tasks(
    State(state): State<TasksState>,
    Caller(user): Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ListBody<TaskSummaryBody>>, ApiError> {
    let access = Access::load(&state.work, project, user);
    let (ProjectTasksQuery { status, limit, cursor }, access) = judged(query.parse(), access).await?;
    let cursor = cursor.map(Position::from);
    let (access, page) = tokio::join!(access, state.work.project_tasks(project, status, limit.get(), cursor.as_ref()));
    access?;
    Ok(Json(ListBody::new(page?, TaskSummaryBody::from)))
}

/// Lists the caller's tasks over all projects they are a member of: by status, then due date, then age.
///
/// A page can be shorter than its limit; only `next_cursor` says whether there is more.
#[utoipa::path(
    get,
    path = "/v1/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(MyTasksQuery),
    responses((status = 200, description = "A page of tasks.", body = ListBody<TaskSummaryBody>), CallerProblems)
)]
pub(crate) async fn list_my_tasks(
    State(state): State<TasksState>,
    Caller(user): Caller,
    query: Query,
) -> Result<Json<ListBody<TaskSummaryBody>>, ApiError> {
    let MyTasksQuery { assignee: Me::Me, status, limit, cursor } = query.parse()?;
    let mut tasks: Vec<TaskSummary> = Vec::new();
    let mut next = cursor.map(Position::from);
    // Tasks of projects left behind are left out, so a page can fall short of its limit and not be the last: then it is filled up,
    // within bounds, as somebody may have left a project with thousands of their tasks.
    for _ in 0..MOST_READS {
        let page = state.work.person_tasks(user, status, limit.get() - tasks.len(), next.as_ref()).await?;
        tasks.extend(page.items);
        next = page.next;
        if next.is_none() || tasks.len() >= limit.get() {
            break;
        }
    }
    Ok(Json(ListBody::new(Page { items: tasks, next }, TaskSummaryBody::from)))
}

/// Creates a task.
///
/// With an `Idempotency-Key` a repeated request finds what the first one made: the same body gets the same answer, another body
/// 422, and 409 when the task was deleted since.
#[utoipa::path(
    post,
    path = "/v1/projects/{project}/tasks",
    tag = "tasks",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("Idempotency-Key" = Option<String>, Header, description = "A name the client gives to this create: 1 to 255 visible ASCII characters.")),
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
    Caller(user): Caller,
    Path((project,)): Path<(ProjectId,)>,
    key: IdempotencyKey,
    body: RawBody,
) -> Result<Response, ApiError> {
    let access = Access::load(&state.work, project, user).await?;
    access.require_editor()?;
    let new: NewTask = body.parse()?;
    let id = TaskId(key.id(user, "tasks", Some(project))?);
    let request_hash = key.is_given().then(|| request_hash(&new));
    let (task, change) = Task::create(new, id, project, user, Timestamp::now());
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
    Caller(user): Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let (_, task) = load(&state, project, user, task).await?;
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
    request_body = TaskPatchSchema,
    responses(
        (status = 200, description = "The task.", body = TaskBody, headers(("ETag" = String, description = "The version, quoted."))),
        CallerProblems, NotFoundProblem, BodyProblems, RoleProblem, VersionProblems, ConflictProblem
    )
)]
pub(crate) async fn update_task(
    State(state): State<TasksState>,
    Caller(user): Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    if_match: IfMatch,
    body: RawBody,
) -> Result<Response, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, before) = load(&state, project, user, task).await?;
        access.require_editor()?;
        let patch: TaskPatch = body.parse_patch()?;
        if_match.check(before.summary.version, || TaskBody::from(before.clone()))?;
        let Some((after, change)) = before.apply(patch, user, Timestamp::now()) else { return Ok(shown(before)) };
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
    Caller(user): Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
    if_match: IfMatch,
) -> Result<StatusCode, ApiError> {
    for _ in 0..MOST_ATTEMPTS {
        let (access, before) = load(&state, project, user, task).await?;
        access.require_editor()?;
        query.parse_none()?;
        if_match.check(before.summary.version, || TaskBody::from(before.clone()))?;
        let change = before.delete(user, Timestamp::now());
        match state.work.delete_task(&state.changes, &before, &change).await {
            Err(StoreError::Conflict { .. }) => {}
            deleted => return deleted.map(|()| StatusCode::NO_CONTENT).map_err(ApiError::from),
        }
    }
    Err(ApiError::conflict(TOO_BUSY))
}

async fn load(state: &TasksState, project: ProjectId, user: UserId, task: TaskId) -> Result<(Access, Task), ApiError> {
    let TaskContext { project, membership, task } = state.work.task_context(project, user, task).await?;
    let access = Access::of(project, membership)?;
    Ok((access, task.ok_or(ApiError::NotFound)?))
}

/// A task as its first change tells of it.
fn as_created(first: Change, text: Description) -> Task {
    let Change { project, task: id, version, kind: _, title, actor, creator, assignee, at, fields } = first;
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

/// Whether `If-None-Match` names the version: compared weakly, as RFC 9110, section 13.1.2 has it.
fn names(headers: &HeaderMap, version: Version) -> bool {
    let etag = etag(version);
    let lists = headers.get_all(IF_NONE_MATCH).into_iter().filter_map(|it| it.to_str().ok());
    lists.flat_map(|it| it.split(',')).map(str::trim).any(|it| it == "*" || etag == *it.strip_prefix("W/").unwrap_or(it))
}

fn shown(task: Task) -> Response {
    ([(ETAG, etag(task.summary.version))], Json(TaskBody::from(task))).into_response()
}

fn created(task: Task) -> Response {
    let TaskSummary { project, id, version, .. } = task.summary;
    let location = format!("/v1/projects/{project}/tasks/{id}");
    (StatusCode::CREATED, [(LOCATION, location)], [(ETAG, etag(version))], Json(TaskBody::from(task))).into_response()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn new_task(body: serde_json::Value) -> NewTask {
        serde_json::from_value(body).expect("a valid task")
    }

    fn ids() -> (TaskId, ProjectId, UserId) {
        (TaskId(Uuid::from_u128(1)), ProjectId(Uuid::from_u128(2)), UserId(Uuid::from_u128(3)))
    }

    #[test]
    fn a_repeated_create_shows_the_task_as_it_was_made() {
        let (id, project, user) = ids();
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

    #[test]
    fn a_task_is_shown_with_every_field_and_none_more() {
        let (id, project, user) = ids();
        let (task, _) = Task::create(new_task(json!({"title": "Fix the pump"})), id, project, user, Timestamp::UNIX_EPOCH);
        let shown = serde_json::to_value(TaskBody::from(task)).expect("a task is JSON");
        let expected = json!({
            "id": id, "project": project, "title": "Fix the pump", "description": "", "status": "waiting", "assignee": null,
            "priority": "none", "due_on": null, "labels": [], "created_by": user, "created_at": "1970-01-01T00:00:00Z",
            "updated_by": user, "updated_at": "1970-01-01T00:00:00Z", "version": 1,
        });
        assert_eq!(shown, expected);
    }

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
