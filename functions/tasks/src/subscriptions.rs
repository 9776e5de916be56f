use api::{ApiError, BodyProblems, Caller, CallerProblems, NotFoundProblem, Path, Query, RawBody};
use axum::Json;
use axum::extract::State;
use domain::{ProjectId, Subscription, TaskId};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::TasksState;
use crate::access::Access;
use crate::schema::SubscriptionSchema;
use crate::tasks::load;

/// How a member follows a project or a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = SubscriptionMode, rename_all = "snake_case")]
pub enum Mode {
    /// As if concerned by every change.
    Watch,
    /// No mail; notifications are filed as already read.
    Mute,
    /// What concerns the member, and nothing else.
    Default,
}

impl From<Option<Subscription>> for Mode {
    fn from(subscription: Option<Subscription>) -> Self {
        match subscription {
            Some(Subscription::Watch) => Self::Watch,
            Some(Subscription::Mute) => Self::Mute,
            None => Self::Default,
        }
    }
}

/// How the caller follows a project or a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Subscription)]
pub struct SubscriptionBody {
    #[schema(inline)]
    pub mode: Mode,
}

/// How the caller wants to follow a project or a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSubscription {
    #[schema(value_type = SubscriptionSchema)]
    pub mode: Subscription,
}

/// Shows how the caller follows a project.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 200, description = "The mode.", body = SubscriptionBody), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn get_project_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<Json<SubscriptionBody>, ApiError> {
    let (access, subscription) =
        tokio::join!(Access::load(&state.work, project, caller), state.mail.subscription(project, None, caller.user));
    access?;
    query.parse_none()?;
    Ok(shown(subscription?))
}

/// Watches a project, or mutes it: for all of its tasks, but for those with a mode of their own.
///
/// Whoever watches is told of every change but their own, by their preferences; whoever mutes gets no mail, and finds what concerns them
/// among their notifications, as already read. It ends when they leave the project.
#[utoipa::path(
    put,
    path = "/v1/projects/{project}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    request_body = NewSubscription,
    responses((status = 200, description = "The mode.", body = SubscriptionBody), CallerProblems, NotFoundProblem, BodyProblems)
)]
pub(crate) async fn set_project_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    body: RawBody,
) -> Result<Json<SubscriptionBody>, ApiError> {
    Access::load(&state.work, project, caller).await?;
    let NewSubscription { mode } = body.parse()?;
    state.mail.subscribe(project, None, caller.user, mode).await?;
    Ok(shown(Some(mode)))
}

/// Follows a project by concern only, as at first.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path)),
    responses((status = 204, description = "Neither watched nor muted."), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn end_project_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project,)): Path<(ProjectId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    Access::load(&state.work, project, caller).await?;
    query.parse_none()?;
    state.mail.unsubscribe(project, None, caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows how the caller follows a task: `default` where the project's mode decides.
#[utoipa::path(
    get,
    path = "/v1/projects/{project}/tasks/{task}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path)),
    responses((status = 200, description = "The mode.", body = SubscriptionBody), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn get_task_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
) -> Result<Json<SubscriptionBody>, ApiError> {
    let (context, subscription) =
        tokio::join!(load(&state, project, caller, task), state.mail.subscription(project, Some(task), caller.user));
    context?;
    query.parse_none()?;
    Ok(shown(subscription?))
}

/// Watches a task, or mutes it, whatever the mode of its project.
#[utoipa::path(
    put,
    path = "/v1/projects/{project}/tasks/{task}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path)),
    request_body = NewSubscription,
    responses((status = 200, description = "The mode.", body = SubscriptionBody), CallerProblems, NotFoundProblem, BodyProblems)
)]
pub(crate) async fn set_task_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    body: RawBody,
) -> Result<Json<SubscriptionBody>, ApiError> {
    load(&state, project, caller, task).await?;
    let NewSubscription { mode } = body.parse()?;
    state.mail.subscribe(project, Some(task), caller.user, mode).await?;
    Ok(shown(Some(mode)))
}

/// Follows a task as its project says.
#[utoipa::path(
    delete,
    path = "/v1/projects/{project}/tasks/{task}/subscription",
    tag = "subscriptions",
    security(("bearer" = [])),
    params(("project" = Uuid, Path), ("task" = Uuid, Path)),
    responses((status = 204, description = "The task has no mode of its own."), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn end_task_subscription(
    State(state): State<TasksState>,
    caller: Caller,
    Path((project, task)): Path<(ProjectId, TaskId)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    load(&state, project, caller, task).await?;
    query.parse_none()?;
    state.mail.unsubscribe(project, Some(task), caller.user).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(subscription: Option<Subscription>) -> Json<SubscriptionBody> {
    Json(SubscriptionBody { mode: subscription.into() })
}
