use std::cmp::Reverse;
use std::net::IpAddr;

use api::{ApiError, CallerProblems, Client, ListBody, NotFoundProblem, Path, Query, RoleProblem, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{Device, SecurityEventKind, SessionId};
use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use store::{Ending, Session};
use utoipa::ToSchema;

use crate::Login;
use crate::events::{device_name, event};

/// A log-in on one device.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionBody {
    #[schema(value_type = Uuid)]
    id: SessionId,
    /// What it was started with, as far as that can be told from `user_agent`.
    #[schema(required, example = "Firefox on Linux")]
    device: Option<String>,
    /// What the client called itself: anybody's text.
    user_agent: String,
    /// From where it was started.
    #[schema(required, value_type = Option<String>, example = "192.0.2.7")]
    network_address: Option<IpAddr>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    /// When it ends unless it is used before, and at the latest.
    expires_at: Timestamp,
    /// Whether it is the one that asks.
    current: bool,
}

/// Lists the caller's sessions, the one used last first.
#[utoipa::path(
    get, path = "/v1/me/sessions", tag = "sessions", security(("bearer" = [])),
    responses((status = 200, description = "All there are", body = ListBody<SessionBody>), CallerProblems, RoleProblem),
)]
pub(crate) async fn list_sessions(
    State(login): State<Login>,
    caller: SessionCaller,
    query: Query,
) -> Result<Json<ListBody<SessionBody>>, ApiError> {
    let sessions = live_sessions(&login, &caller).await?;
    query.parse_none()?;
    let items = sessions.into_iter().map(|it| body(it, caller.session, login.0.session_idle)).collect();
    Ok(Json(ListBody { items, next_cursor: None }))
}

/// Ends a session of the caller's, also the one that asks.
#[utoipa::path(
    delete, path = "/v1/me/sessions/{session}", tag = "sessions", security(("bearer" = [])), params(("session" = Uuid, Path)),
    responses((status = 204, description = "It is over"), CallerProblems, RoleProblem, NotFoundProblem),
)]
pub(crate) async fn end_session(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    Path((session,)): Path<(SessionId,)>,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let sessions = live_sessions(&login, &caller).await?;
    if !sessions.iter().any(|it| it.id == session) {
        return Err(ApiError::NotFound);
    }
    query.parse_none()?;
    end(&login, &caller, &[session], device).await
}

/// Ends all sessions of the caller but the one that asks.
#[utoipa::path(
    delete, path = "/v1/me/sessions", tag = "sessions", security(("bearer" = [])),
    responses((status = 204, description = "All others are over"), CallerProblems, RoleProblem),
)]
pub(crate) async fn end_other_sessions(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    query: Query,
) -> Result<StatusCode, ApiError> {
    let sessions = live_sessions(&login, &caller).await?;
    query.parse_none()?;
    let others: Vec<SessionId> = sessions.iter().map(|it| it.id).filter(|it| *it != caller.session).collect();
    if others.is_empty() {
        return Ok(StatusCode::NO_CONTENT);
    }
    end(&login, &caller, &others, device).await
}

/// The live sessions of a caller whose own is among them, the one used last first.
///
/// # Errors
/// 401, where the caller's own is over.
pub(crate) async fn live_sessions(login: &Login, caller: &SessionCaller) -> Result<Vec<Session>, ApiError> {
    let mut sessions = login.0.accounts.sessions(caller.user).await?;
    let now = Timestamp::now();
    sessions.retain(|it| it.is_live(now, login.0.session_idle));
    if !sessions.iter().any(|it| it.id == caller.session) {
        return Err(ApiError::Unauthorized);
    }
    sessions.sort_by_key(|it| Reverse((it.refreshed_at, it.id)));
    Ok(sessions)
}

async fn end(login: &Login, caller: &SessionCaller, sessions: &[SessionId], device: Device) -> Result<StatusCode, ApiError> {
    let (user, now) = (caller.user, Timestamp::now());
    let event = event(user, SecurityEventKind::SessionsEnded, device, now);
    let ending = Ending::Recorded(&event);
    login.0.accounts.end_sessions(&login.0.work, &login.0.mail, user, sessions, ending, now).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) fn body(session: Session, current: SessionId, idle: SignedDuration) -> SessionBody {
    let expires_at = session.ends_at(idle);
    let Session { user: _, id, refresh_hash: _, previous_hash: _, device, created_at, refreshed_at, expires_at: _ } = session;
    SessionBody {
        id,
        device: device_name(&device),
        user_agent: device.user_agent.as_str().to_owned(),
        network_address: device.network_address,
        created_at,
        last_used_at: refreshed_at,
        expires_at,
        current: id == current,
    }
}
