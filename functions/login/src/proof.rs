#![cfg(any())]
//! Not compiled until the types it names have landed; the signatures stand.

use api::{ApiError, SessionCaller};
use domain::Profile;
use store::{Credential, Session};

use crate::Login;
use crate::password::Attempt;
use crate::second_factor::Code;

/// Who proved once more that it is them: as read after the code was spent.
pub(crate) struct Proven {
    pub(crate) profile: Profile,
    pub(crate) credential: Credential,
}

/// Asks somebody who is logged in for all their factors again (ASVS 7.5.1). Judges the session first.
///
/// # Errors
/// 401, where the session is over; 429, where too many were wrong; 422 at `password_field` or at `/code`.
pub(crate) async fn prove(
    login: &Login,
    caller: &SessionCaller,
    password: Attempt,
    password_field: &'static str,
    code: Option<Code>,
) -> Result<Proven, ApiError> {
}

/// The session of the caller, which every authenticated route asks for: an access token outlives its session by minutes.
///
/// # Errors
/// 401, where it is over or idle.
pub(crate) async fn live_session(login: &Login, caller: &SessionCaller) -> Result<Session, ApiError> {
}
