use api::{ApiError, CallerProblems, Query, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{Labels, Membership, Priority, Project, ProjectId, ProjectName, Role, Status, Subscription, TaskId, Title};
use domain::{TaskSummary, UserId};
use http::header::CONTENT_DISPOSITION;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use store::{Credential, Page, Position, StoreError};
use utoipa::ToSchema;

use crate::events::EventBody;
use crate::me::MeBody;
use crate::sessions::{SessionBody, body, live_sessions};
use crate::tokens::ApiTokenBody;
use crate::{Login, Parts};

/// How many entries of a list are read at a time.
const PAGE: usize = 1_000;

/// Everything Baton keeps about a person. What they wrote belongs to the projects it is in and is read there.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Export)]
pub(crate) struct ExportBody {
    #[schema(value_type = String, format = DateTime)]
    exported_at: Timestamp,
    profile: MeBody,
    account: AccountBody,
    sessions: Vec<SessionBody>,
    tokens: Vec<ApiTokenBody>,
    /// Newest first, of the last year.
    events: Vec<EventBody>,
    projects: Vec<ExportedProjectBody>,
    /// What the person watches or mutes in these.
    subscriptions: Vec<ExportedSubscriptionBody>,
    /// Those assigned to the person, without their descriptions.
    tasks: Vec<ExportedTaskBody>,
}

/// What the person logs in with, but for its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedAccount)]
pub(crate) struct AccountBody {
    #[schema(format = Email)]
    email: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    password_changed_at: Timestamp,
    /// Null where none is on.
    #[schema(value_type = Option<String>, format = DateTime, required)]
    second_factor_since: Option<Timestamp>,
}

/// A project the person is a member of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedProject)]
pub(crate) struct ExportedProjectBody {
    #[schema(value_type = Uuid)]
    id: ProjectId,
    #[schema(value_type = String)]
    name: ProjectName,
    #[schema(value_type = String, example = "editor")]
    role: Role,
    #[schema(value_type = String, format = DateTime)]
    joined_at: Timestamp,
}

/// A project, or a task in it, that the person watches or mutes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedSubscription)]
pub(crate) struct ExportedSubscriptionBody {
    #[schema(value_type = Uuid)]
    project: ProjectId,
    /// Null where it is the whole project.
    #[schema(value_type = Option<Uuid>, required)]
    task: Option<TaskId>,
    #[schema(value_type = String, example = "watch")]
    mode: Subscription,
}

/// A task assigned to the person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExportedTask)]
pub(crate) struct ExportedTaskBody {
    #[schema(value_type = Uuid)]
    id: TaskId,
    #[schema(value_type = Uuid)]
    project: ProjectId,
    #[schema(value_type = String)]
    title: Title,
    #[schema(value_type = String, example = "in_progress")]
    status: Status,
    #[schema(value_type = String, example = "high")]
    priority: Priority,
    #[schema(value_type = Option<String>, format = Date, required)]
    due_on: Option<Date>,
    #[schema(value_type = Vec<String>)]
    labels: Labels,
    #[schema(value_type = Uuid)]
    created_by: UserId,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Shows the caller all that Baton keeps about them, in one file.
#[utoipa::path(
    get, path = "/v1/me/export", tag = "me", security(("bearer" = [])),
    responses(
        (
            status = 200, description = "All of it", body = ExportBody,
            headers(("content-disposition" = String, description = "Has a browser keep it as a file")),
        ),
        CallerProblems,
    ),
)]
pub(crate) async fn export_me(
    State(login): State<Login>,
    caller: SessionCaller,
    query: Query,
) -> Result<(HeaderMap, Json<ExportBody>), ApiError> {
    let sessions = live_sessions(&login, &caller).await?;
    query.parse_none()?;
    let Parts { accounts, work, session_idle, .. } = &*login.0;
    let profile = work.profile(caller.user).await?.ok_or(ApiError::Unauthorized)?;
    let (credential, tokens, events, memberships, tasks) = tokio::try_join!(
        accounts.credential(&profile.email),
        accounts.api_tokens(caller.user),
        all(|after| async move { accounts.events(caller.user, PAGE, after.as_ref()).await }),
        work.memberships_of(caller.user),
        all(|after| async move { work.person_tasks(caller.user, None, PAGE, after.as_ref()).await }),
    )?;
    let subscriptions = subscriptions(&login, caller.user, &memberships).await?;
    let credential = credential.filter(|it| it.user == caller.user).ok_or(ApiError::Unauthorized)?;
    let body = ExportBody {
        exported_at: Timestamp::now(),
        profile: profile.into(),
        account: credential.into(),
        sessions: sessions.into_iter().map(|it| body(it, caller.session, *session_idle)).collect(),
        tokens: tokens.into_iter().map(ApiTokenBody::from).collect(),
        events: events.into_iter().map(EventBody::from).collect(),
        tasks: tasks.into_iter().map(ExportedTaskBody::from).collect(),
        subscriptions,
        projects: memberships.into_iter().map(ExportedProjectBody::from).collect(),
    };
    let file = HeaderValue::from_static("attachment; filename=\"baton.json\"");
    Ok((HeaderMap::from_iter([(CONTENT_DISPOSITION, file)]), Json(body)))
}

async fn subscriptions(
    login: &Login,
    user: UserId,
    memberships: &[(Project, Membership)],
) -> Result<Vec<ExportedSubscriptionBody>, StoreError> {
    let mut all = Vec::new();
    for (project, _) in memberships {
        let of_project = login.0.mail.subscriptions_of(project.id, user).await?;
        all.extend(of_project.into_iter().map(|(task, mode)| ExportedSubscriptionBody { project: project.id, task, mode }));
    }
    Ok(all)
}

/// All of a list that is read page by page.
async fn all<T, R>(read: impl Fn(Option<Position>) -> R) -> Result<Vec<T>, StoreError>
where
    R: Future<Output = Result<Page<T>, StoreError>>,
{
    let mut all = Vec::new();
    let mut after = None;
    loop {
        let Page { items, next } = read(after).await?;
        all.extend(items);
        if next.is_none() {
            return Ok(all);
        }
        after = next;
    }
}

impl From<Credential> for AccountBody {
    fn from(credential: Credential) -> Self {
        let Credential { email, created_at, password_changed_at, second_factor, .. } = credential;
        Self { email: email.to_string(), created_at, password_changed_at, second_factor_since: second_factor.map(|it| it.since) }
    }
}

impl From<(Project, Membership)> for ExportedProjectBody {
    fn from((project, membership): (Project, Membership)) -> Self {
        let Membership { project: id, user: _, role, joined_at, left_at: _ } = membership;
        Self { id, name: project.name, role, joined_at }
    }
}

impl From<TaskSummary> for ExportedTaskBody {
    fn from(task: TaskSummary) -> Self {
        let TaskSummary { id, project, title, status, priority, due_on, labels, created_by, created_at, updated_at, .. } = task;
        Self { id, project, title, status, priority, due_on, labels, created_by, created_at, updated_at }
    }
}
