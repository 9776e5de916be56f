use std::collections::BTreeSet;

use api::{ApiError, BodyProblems, Caller, CallerProblems, ListBody, NotFoundProblem, Paging, Path, Query, RawBody};
use axum::Json;
use axum::extract::State;
use domain::{
    FieldName, NetKind, Notification, NotificationContent, NotificationId, ProjectId, Reason, TaskId, Title, UserId, Version,
};
use http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use store::{Page, StoreError};
use utoipa::ToSchema;

use crate::TasksState;
use crate::access::{judged, require_session};
use crate::schema::FieldNameSchema;

/// How often a page of notifications is filled up.
const MOST_READS: usize = 10;

/// How far unread notifications are counted.
const MOST_COUNTED: usize = 1_000;

/// Something that the caller is told of in the product, whatever mails they want.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Notification)]
pub struct NotificationBody {
    #[schema(value_type = Uuid)]
    pub id: NotificationId,
    #[schema(inline)]
    pub kind: Kind,
    #[schema(value_type = Uuid)]
    pub project: ProjectId,
    /// Not where the kind is `undeliverable`; so are the title and the versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub task: Option<TaskId>,
    /// The task's title after these changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub title: Option<Title>,
    /// The first of the task's versions that this tells of.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, minimum = 1, required = false)]
    pub from_version: Option<Version>,
    /// The last of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = u64, minimum = 1, required = false)]
    pub to_version: Option<Version>,
    /// What is another than before, over all these versions together.
    #[schema(value_type = Vec<FieldNameSchema>)]
    pub fields: Vec<FieldName>,
    /// Who did it.
    #[schema(value_type = Vec<Uuid>)]
    pub actors: Vec<UserId>,
    #[schema(inline)]
    pub reason: Why,
    /// Whose mails come back, where the kind is `undeliverable` and it is somebody with an account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Uuid, required = false)]
    pub user: Option<UserId>,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    pub read: bool,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationKind, rename_all = "snake_case")]
pub enum Kind {
    Created,
    Updated,
    Deleted,
    /// Mails to a member, or to somebody invited, come back.
    Undeliverable,
}

/// Why the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = NotificationReason, rename_all = "snake_case")]
pub enum Why {
    Assignee,
    FormerAssignee,
    Creator,
    Watcher,
    Owner,
}

/// How many notifications are unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Unread)]
pub struct UnreadBody {
    #[schema(maximum = 1_000)]
    pub unread: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

/// What to mark as read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadThrough {
    /// This one and all that are older; every one, where nothing is said.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub through: Option<NotificationId>,
}

/// Lists the caller's notifications of the projects they are a member of: unread ones first, each newest first.
///
/// A page can be shorter than its limit; only `next_cursor` says whether there is more. Kept for 90 days.
#[utoipa::path(
    get,
    path = "/v1/notifications",
    tag = "notifications",
    security(("bearer" = [])),
    params(Paging),
    responses((status = 200, description = "A page of notifications.", body = ListBody<NotificationBody>), CallerProblems)
)]
pub(crate) async fn list_notifications(
    State(state): State<TasksState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ListBody<NotificationBody>>, ApiError> {
    let (paging, session) = judged(query.parse::<Paging>(), require_session(&state.work, caller)).await?;
    let (session, page) = tokio::join!(session, of_current_projects(&state, caller.user, &paging));
    session?;
    Ok(Json(ListBody::new(page?, NotificationBody::from)))
}

async fn of_current_projects(state: &TasksState, user: UserId, paging: &Paging) -> Result<Page<Notification>, StoreError> {
    let limit = paging.limit.get();
    let mut position = paging.position();
    let (projects, page) = tokio::join!(current_projects(state, user), state.mail.notifications(user, limit, position.as_ref()));
    let (projects, mut page) = (projects?, page?);
    let mut items = Vec::new();
    // What is of a project left behind is left out, so a page can fall short of its limit and not be the last: then it is filled up,
    // within bounds.
    for _ in 1..MOST_READS {
        items.extend(page.items.into_iter().filter(|it| projects.contains(&project_of(it))));
        position = page.next;
        if position.is_none() || items.len() >= limit {
            return Ok(Page { items, next: position });
        }
        page = state.mail.notifications(user, limit - items.len(), position.as_ref()).await?;
    }
    items.extend(page.items.into_iter().filter(|it| projects.contains(&project_of(it))));
    Ok(Page { items, next: page.next })
}

/// Counts the caller's unread notifications, up to a thousand.
#[utoipa::path(
    get,
    path = "/v1/notifications/unread",
    tag = "notifications",
    security(("bearer" = [])),
    responses((status = 200, description = "How many.", body = UnreadBody), CallerProblems)
)]
pub(crate) async fn count_unread(
    State(state): State<TasksState>,
    caller: Caller,
    query: Query,
) -> Result<Json<UnreadBody>, ApiError> {
    let (session, projects, counted) = tokio::join!(
        require_session(&state.work, caller),
        current_projects(&state, caller.user),
        state.mail.unread(caller.user, MOST_COUNTED + 1),
    );
    session?;
    query.parse_none()?;
    let (projects, counted) = (projects?, counted?);
    let more = counted.values().sum::<usize>() > MOST_COUNTED;
    let unread: usize = counted.into_iter().filter(|(project, _)| projects.contains(project)).map(|(_, unread)| unread).sum();
    Ok(Json(UnreadBody { unread: unread.min(MOST_COUNTED), more }))
}

/// Marks a notification as read.
#[utoipa::path(
    post,
    path = "/v1/notifications/{notification}/read",
    tag = "notifications",
    security(("bearer" = [])),
    params(("notification" = Uuid, Path)),
    responses((status = 204, description = "It is read."), CallerProblems, NotFoundProblem)
)]
pub(crate) async fn read_notification(
    State(state): State<TasksState>,
    caller: Caller,
    Path((notification,)): Path<(NotificationId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    require_session(&state.work, caller).await?;
    query.parse_none()?;
    match state.mail.mark_read(caller.user, notification).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(ApiError::NotFound),
    }
}

/// Marks all notifications as read, or all up to one of them.
#[utoipa::path(
    post,
    path = "/v1/notifications/read",
    tag = "notifications",
    security(("bearer" = [])),
    request_body(content = Option<ReadThrough>, description = "Absent or `{}` for all of them."),
    responses((status = 204, description = "They are read."), CallerProblems, BodyProblems)
)]
pub(crate) async fn read_notifications(
    State(state): State<TasksState>,
    caller: Caller,
    body: RawBody,
) -> Result<StatusCode, ApiError> {
    require_session(&state.work, caller).await?;
    let ReadThrough { through } = body.parse_optional()?.unwrap_or_default();
    if let Some(through) = through
        && !state.mail.mark_read(caller.user, through).await?
    {
        return Err(ApiError::invalid("/through", "is not one of your notifications"));
    }
    state.mail.mark_all_read(caller.user, through).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn current_projects(state: &TasksState, user: UserId) -> Result<BTreeSet<ProjectId>, StoreError> {
    Ok(state.work.memberships_of(user).await?.into_iter().map(|(project, _)| project.id).collect())
}

fn project_of(notification: &Notification) -> ProjectId {
    match &notification.content {
        NotificationContent::Task { project, .. } | NotificationContent::Undeliverable { project, .. } => *project,
    }
}

impl From<Notification> for NotificationBody {
    fn from(notification: Notification) -> Self {
        let Notification { id, user: _, at, read, content } = notification;
        match content {
            NotificationContent::Task { project, task, from, to, kind, title, fields, actors, reason } => Self {
                id,
                kind: kind.into(),
                project,
                task: Some(task),
                title: Some(title),
                from_version: Some(from),
                to_version: Some(to),
                fields,
                actors,
                reason: reason.into(),
                user: None,
                at,
                read,
            },
            NotificationContent::Undeliverable { project, user } => Self {
                id,
                kind: Kind::Undeliverable,
                project,
                task: None,
                title: None,
                from_version: None,
                to_version: None,
                fields: Vec::new(),
                actors: Vec::new(),
                reason: Why::Owner,
                user,
                at,
                read,
            },
        }
    }
}

impl From<NetKind> for Kind {
    fn from(kind: NetKind) -> Self {
        match kind {
            NetKind::Created => Self::Created,
            NetKind::Updated => Self::Updated,
            NetKind::Deleted => Self::Deleted,
        }
    }
}

impl From<Reason> for Why {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Assignee => Self::Assignee,
            Reason::FormerAssignee => Self::FormerAssignee,
            Reason::Creator => Self::Creator,
            Reason::Watcher => Self::Watcher,
        }
    }
}
