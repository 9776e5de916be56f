use api::{ApiError, Caller, CallerProblems, Cursor, Limit, ListBody, NotFoundProblem, Path, Query};
use axum::Json;
use axum::extract::State;
use domain::{ProjectId, Status, TaskSummary, UserId};
use serde::Deserialize;
use store::{Page, Position, StoreError, Work};
use utoipa::{IntoParams, ToSchema};

use super::body::TaskSummaryBody;
use crate::TasksState;
use crate::access::{Access, judged, require_session};
use crate::schema::StatusSchema;

/// How often a page of one's own tasks is filled up.
const MOST_READS: usize = 10;

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
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<ListBody<TaskSummaryBody>>, ApiError> {
    let access = Access::load(&state.work, project, caller);
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
    caller: Caller,
    query: Query,
) -> Result<Json<ListBody<TaskSummaryBody>>, ApiError> {
    let (query, session) = judged(query.parse(), require_session(&state.work, caller)).await?;
    let MyTasksQuery { assignee: Me::Me, status, limit, cursor } = query;
    let (session, page) = tokio::join!(session, my_tasks(&state.work, caller.user, status, limit, cursor));
    session?;
    Ok(Json(ListBody::new(page?, TaskSummaryBody::from)))
}

async fn my_tasks(
    work: &Work,
    user: UserId,
    status: Option<Status>,
    limit: Limit,
    cursor: Option<Cursor>,
) -> Result<Page<TaskSummary>, StoreError> {
    let mut tasks: Vec<TaskSummary> = Vec::new();
    let mut next = cursor.map(Position::from);
    // Tasks of projects left behind are left out, so a page can fall short of its limit and not be the last: then it is filled up,
    // within bounds, as somebody may have left a project with thousands of their tasks.
    for _ in 0..MOST_READS {
        let page = work.person_tasks(user, status, limit.get() - tasks.len(), next.as_ref()).await?;
        tasks.extend(page.items);
        next = page.next;
        if next.is_none() || tasks.len() >= limit.get() {
            break;
        }
    }
    Ok(Page { items: tasks, next })
}
