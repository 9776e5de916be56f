use api::{ApiError, BodyProblems, BusyProblem, CallerProblems, Client, ConflictProblem, RawBody, SessionCaller};
use axum::extract::State;
use domain::{SecurityEventKind, SessionId, UserId};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use store::{Notice, StoreError};
use utoipa::ToSchema;

use crate::events::event;
use crate::me::asked;
use crate::password::{Attempt, Owner, WantedPassword};
use crate::proof::{Proven, as_proven, prove};
use crate::second_factor::Code;
use crate::{Login, Parts};

/// How often it is tried while somebody logs in at the same moment.
pub(crate) const MOST_ATTEMPTS: usize = 5;

/// The password from now on, and the proof that it is its owner who wants it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PasswordChange {
    /// The password until now.
    #[schema(value_type = String, format = "password", max_length = 128)]
    current: Attempt,
    /// At least 15 characters, or 8 where a second factor is on.
    #[schema(value_type = String, format = "password", min_length = 8, max_length = 128)]
    new: WantedPassword,
    /// Of the second factor, where it is on: six digits, or a recovery code.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code: Option<Code>,
}

/// Changes the password. Every other session ends, and so does a change of address or a second factor that was only begun.
#[utoipa::path(
    put, path = "/v1/me/password", tag = "credentials", security(("bearer" = [])), request_body = PasswordChange,
    responses((status = 204, description = "Changed"), CallerProblems, BodyProblems, ConflictProblem, BusyProblem),
)]
pub(crate) async fn change_password(
    State(login): State<Login>,
    caller: SessionCaller,
    Client(device): Client,
    body: RawBody,
) -> Result<StatusCode, ApiError> {
    let PasswordChange { current, new, code } = asked(&login, &caller, &body).await?;
    let profile = login.0.work.profile(caller.user).await?.ok_or(ApiError::Unauthorized)?;
    // Judged before the proof, which uses a code up.
    let new = new.accept("/new", &Owner { email: &profile.email, name: &profile.name }, code.is_some())?;
    let Proven { credential, .. } = prove(&login, &caller, current, "/current", code, &device).await?;
    new.fits("/new", credential.second_factor.is_some())?;
    let new = login.0.hasher.hash(new).await?;
    let now = Timestamp::now();
    let notice = Notice::of(event(caller.user, SecurityEventKind::PasswordChanged, device, now));
    let Parts { accounts, work, mail, hints, .. } = &*login.0;
    let mut read = credential;
    for _ in 0..MOST_ATTEMPTS {
        let others = sessions_but(&login, caller.user, Some(caller.session)).await?;
        match accounts.change_password(work, mail, &read, &new, &others, &notice, now).await {
            Ok(()) => {
                hints.letter_due(notice.recipient()).await;
                return Ok(StatusCode::NO_CONTENT);
            }
            Err(StoreError::Conflict { .. }) => read = as_proven(&login, &read).await?.ok_or_else(changed_meanwhile)?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(changed_meanwhile())
}

/// The sessions of a person, but for one.
pub(crate) async fn sessions_but(login: &Login, user: UserId, kept: Option<SessionId>) -> Result<Vec<SessionId>, ApiError> {
    let sessions = login.0.accounts.sessions(user).await?;
    Ok(sessions.into_iter().map(|it| it.id).filter(|it| Some(*it) != kept).collect())
}

fn changed_meanwhile() -> ApiError {
    ApiError::conflict("The password or the second factor was changed at the same moment.")
}
