//! Accounts, sessions and access tokens over HTTP: the only function that sees a password or holds a key that signs.
//!
//! Of projects and tasks it knows only what a person has there, for whoever takes their data along or leaves.

mod accounts;
mod browser;
mod change_password;
mod delete;
mod device;
mod email;
mod events;
mod export;
mod forgot;
#[doc(hidden)]
pub mod fuzzing;
mod guess;
mod keys;
mod log_in;
mod me;
mod password;
mod proof;
mod random;
mod refresh;
mod refresh_token;
mod schema;
mod second_factor;
mod secrets;
mod sessions;
mod settings;
mod start;
mod ticket;
mod tokens;
mod unsubscribe;
mod verify;

use std::fmt;
use std::sync::Arc;

use api::{ApiError, Hints, TokenVerifier};
use axum::Router;
use axum::extract::FromRef;
use jiff::{SignedDuration, Timestamp};
use store::{Accounts, Mail, Work, client};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use settings::Settings;

use crate::browser::Origins;
use crate::keys::SigningKeys;
use crate::password::PasswordHasher;
use crate::refresh::Turns;
use crate::second_factor::enrolment;
use crate::secrets::Secrets;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Login(Arc<Parts>);

struct Parts {
    accounts: Accounts,
    work: Work,
    mail: Mail,
    hints: Hints,
    verifier: TokenVerifier,
    signing_keys: SigningKeys,
    secrets: Secrets,
    refreshing: Turns,
    hasher: PasswordHasher,
    origins: Origins,
    /// However often it is refreshed.
    session_lifetime: SignedDuration,
    /// Without being refreshed.
    session_idle: SignedDuration,
}

impl Login {
    /// A function with clients of its own.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let Settings { aws, accounts_table, work_table, mail_table, event_bus, .. } = settings;
        let Settings { issuer, audience, web_origin, session_lifetime, session_idle, .. } = settings;
        let dynamodb = client::dynamodb(aws);
        let accounts = Accounts::new(dynamodb.clone(), accounts_table);
        Self(Arc::new(Parts {
            work: Work::new(dynamodb.clone(), work_table),
            mail: Mail::new(dynamodb, mail_table),
            hints: Hints::new(aws_sdk_eventbridge::Client::new(aws), event_bus),
            verifier: TokenVerifier::new(accounts.clone(), issuer, audience),
            signing_keys: SigningKeys::new(accounts.clone(), issuer, audience),
            secrets: Secrets::new(accounts.clone()),
            refreshing: Turns::new(),
            hasher: PasswordHasher::new(),
            origins: Origins::new([web_origin, issuer]),
            session_lifetime: *session_lifetime,
            session_idle: *session_idle,
            accounts,
        }))
    }

    /// Makes and publishes the current signing key where there is none, and reads the public ones: before the first request, which
    /// then finds the connection open, and before another function could read the keys and miss this one.
    ///
    /// # Errors
    /// When the table does not answer. Serving can begin all the same.
    pub async fn warm_up(&self) -> Result<(), ApiError> {
        self.0.signing_keys.ensure(Timestamp::now()).await?;
        self.0.secrets.keys().await?;
        Ok(self.0.verifier.load().await?)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Login").finish_non_exhaustive()
    }
}

impl FromRef<Login> for TokenVerifier {
    fn from_ref(login: &Login) -> Self {
        login.0.verifier.clone()
    }
}

/// The function as it is served.
pub fn app(login: Login) -> Router {
    let verifier = login.0.verifier.clone();
    api::finish(routes(login), verifier.issuer())
}

/// The routes alone, to be merged with other functions' before [`api::finish`].
pub fn routes(login: Login) -> Router {
    api::routes(router(), login)
}

/// This function's part of the HTTP contract.
#[must_use]
pub fn openapi() -> OpenApi {
    router().into_openapi()
}

fn router() -> OpenApiRouter<Login> {
    OpenApiRouter::with_openapi(api::document())
        .routes(routes!(accounts::create_account))
        .routes(routes!(verify::verify_account))
        .routes(routes!(log_in::log_in))
        .routes(routes!(log_in::log_in_with_second_factor))
        .routes(routes!(refresh::refresh_session))
        .routes(routes!(refresh::log_out))
        .routes(routes!(me::read_me, me::update_me, delete::delete_me))
        .routes(routes!(export::export_me))
        .routes(routes!(change_password::change_password))
        .routes(routes!(forgot::forgot_password))
        .routes(routes!(forgot::reset_password))
        .routes(routes!(email::change_email))
        .routes(routes!(email::confirm_email))
        .routes(routes!(sessions::list_sessions, sessions::end_other_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(enrolment::read_second_factor, enrolment::enrol_second_factor, enrolment::remove_second_factor))
        .routes(routes!(enrolment::confirm_second_factor))
        .routes(routes!(enrolment::renew_recovery_codes))
        .routes(routes!(tokens::list_tokens, tokens::create_token))
        .routes(routes!(tokens::revoke_token))
        .routes(routes!(events::list_events))
        .routes(routes!(keys::list_keys))
        .routes(routes!(unsubscribe::show_unsubscribe, unsubscribe::unsubscribe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_of_the_contract_is_described() {
        let paths: Vec<String> = openapi().paths.paths.into_keys().collect();
        let expected = [
            "/.well-known/jwks.json",
            "/v1/accounts",
            "/v1/accounts/verify",
            "/v1/email/confirm",
            "/v1/login",
            "/v1/login/refresh",
            "/v1/login/second-factor",
            "/v1/logout",
            "/v1/me",
            "/v1/me/email",
            "/v1/me/events",
            "/v1/me/export",
            "/v1/me/password",
            "/v1/me/second-factor",
            "/v1/me/second-factor/confirm",
            "/v1/me/second-factor/recovery-codes",
            "/v1/me/sessions",
            "/v1/me/sessions/{session}",
            "/v1/me/tokens",
            "/v1/me/tokens/{token}",
            "/v1/password/forgot",
            "/v1/password/reset",
            "/v1/unsubscribe/{token}",
        ];
        assert_eq!(paths, expected);
    }
}
