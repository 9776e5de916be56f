use std::net::IpAddr;

use api::{ApiError, CallerProblems, ListBody, Paging, Query, SessionCaller};
use axum::Json;
use axum::extract::State;
use domain::{Device, EventId, SecurityEvent, SecurityEventKind, UserId};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Login;
use crate::proof::live_session;
use crate::schema::EventKindSchema;

/// Something that bore on who can get into the caller's account.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[schema(as = SecurityEvent)]
pub(crate) struct EventBody {
    #[schema(value_type = Uuid)]
    id: EventId,
    #[schema(value_type = EventKindSchema)]
    kind: &'static str,
    at: Timestamp,
    /// What it was done with, as far as that can be told from `user_agent`.
    #[schema(required, example = "Firefox on Linux")]
    device: Option<String>,
    /// What the client called itself: anybody's text.
    user_agent: String,
    /// From where it was done.
    #[schema(required, value_type = Option<String>, example = "192.0.2.7")]
    network_address: Option<IpAddr>,
    /// The API token it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
}

impl From<SecurityEvent> for EventBody {
    fn from(event: SecurityEvent) -> Self {
        let SecurityEvent { id, user: _, at, kind, device } = event;
        Self {
            id,
            kind: kind.as_str(),
            at,
            device: device_name(&device),
            user_agent: device.user_agent.as_str().to_owned(),
            network_address: device.network_address,
            name: kind.token_name().map(ToString::to_string),
        }
    }
}

/// Lists what bore on who can get into the caller's account, newest first, for a year.
#[utoipa::path(
    get, path = "/v1/me/events", tag = "credentials", security(("bearer" = [])), params(Paging),
    responses((status = 200, description = "A page of events", body = ListBody<EventBody>), CallerProblems),
)]
pub(crate) async fn list_events(
    State(login): State<Login>,
    caller: SessionCaller,
    query: Query,
) -> Result<Json<ListBody<EventBody>>, ApiError> {
    live_session(&login, &caller).await?;
    let paging: Paging = query.parse()?;
    let page = login.0.accounts.events(caller.user, paging.limit.get(), paging.position().as_ref()).await?;
    Ok(Json(ListBody::new(page, EventBody::from)))
}

/// Something that happens to an account now.
pub(crate) fn event(user: UserId, kind: SecurityEventKind, device: Device, now: Timestamp) -> SecurityEvent {
    SecurityEvent { id: EventId(Uuid::now_v7()), user, at: now, kind, device }
}

/// A device in words of a closed set; nothing, if it is none that is known.
pub(crate) fn device_name(device: &Device) -> Option<String> {
    match (device.browser(), device.system()) {
        (Some(browser), Some(system)) => Some(format!("{browser} on {system}")),
        (Some(name), None) | (None, Some(name)) => Some(name.to_owned()),
        (None, None) => None,
    }
}
