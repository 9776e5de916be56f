use api::{ApiError, BodyProblems, BusyProblem, PublicProblems, RawBody};
use axum::extract::State;
use domain::{Notify, Profile, UserId};
use http::StatusCode;
use jiff::Timestamp;
use serde::Deserialize;
use store::{Credential, StoreError, TokenHash, TokenPurpose};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::password::{Owner, WantedPassword};
use crate::{Login, random};

/// The proof of an address, and the password from now on.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verification {
    /// As in the link that was mailed.
    token: String,
    #[schema(value_type = String, format = "password", min_length = 15, max_length = 128)]
    password: WantedPassword,
}

/// Proves an address and makes its account.
#[utoipa::path(
    post, path = "/v1/accounts/verify", tag = "accounts", request_body = Verification,
    responses((status = 204, description = "The account exists"), PublicProblems, BodyProblems, BusyProblem),
)]
pub(crate) async fn verify_account(State(login): State<Login>, body: RawBody) -> Result<StatusCode, ApiError> {
    let Verification { token, password } = body.parse()?;
    let hash = TokenHash::of(&token);
    let found = login.0.accounts.token(&hash, Timestamp::now()).await?;
    let TokenPurpose::VerifyAddress { email, name, locale, time_zone } = found.ok_or_else(bad_token)?.purpose else {
        return Err(bad_token());
    };
    let password = password.accept("/password", &Owner { email: &email, name: &name }, false)?;
    let password = login.0.hasher.hash(password).await?;
    let (id, now) = (UserId(Uuid::now_v7()), Timestamp::now());
    let unsubscribe_secret = random::octets()?;
    let profile = Profile { id, email: email.clone(), name, locale, time_zone, notify: Notify::default(), unsubscribe_secret };
    let credential = Credential::new(id, email, password, now);
    match login.0.accounts.verify(&login.0.work, &hash, &credential, &profile, now).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        // Used in the same moment, or for an address whose account came by another link.
        Err(StoreError::Conflict { .. }) => Err(bad_token()),
        Err(error) => Err(error.into()),
    }
}

fn bad_token() -> ApiError {
    ApiError::invalid("/token", "is not known, was used, or has expired; sign up again for a new one")
}
