use api::{ApiError, BodyProblems, BusyProblem, Problem, PublicProblems, RawBody};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use domain::{EmailAddress, SessionId, UserId};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Session, StoreError};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Login;
use crate::keys::ACCESS_TOKEN_LIFETIME;
use crate::password::{Attempt, Verdict};
use crate::refresh_token::RefreshToken;

/// However often it is refreshed.
const SESSION_LIFETIME: SignedDuration = SignedDuration::from_hours(30 * 24);
const COOKIE: &str = "__Host-baton-refresh";

/// What somebody logs in with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogIn {
    #[schema(value_type = String, format = "email")]
    email: EmailAddress,
    #[schema(value_type = String, format = "password")]
    password: Attempt,
    /// Whether the refresh token is to travel as a cookie that no script can read, and not in the body.
    #[serde(default)]
    cookie: bool,
}

/// Which session to go on with, or to end; without a token here the cookie says it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Refresh {
    refresh_token: Option<String>,
}

/// A new pair of tokens.
#[derive(Serialize, ToSchema)]
#[schema(as = Tokens)]
pub(crate) struct TokensBody {
    /// A JWT (RFC 9068), to be sent as `Authorization: Bearer ...`.
    access_token: String,
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// How long the access token is good for, in seconds.
    #[schema(example = 600)]
    expires_in: i64,
    /// Good for one use; absent where it travels as a cookie.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

/// A new pair of tokens, and who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = LoggedIn)]
pub(crate) struct LoggedInBody {
    #[serde(flatten)]
    tokens: TokensBody,
    user: UserBody,
}

/// Who logged in.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub(crate) struct UserBody {
    #[schema(value_type = Uuid)]
    id: UserId,
    name: String,
    email: String,
}

/// Logs in.
#[utoipa::path(
    post, path = "/v1/login", tag = "sessions", request_body = LogIn,
    responses(
        (status = 200, description = "Logged in", body = LoggedInBody, headers(("set-cookie" = String, description = "With `cookie: true`"))),
        (status = 401, description = "Wrong or unknown", body = Problem, content_type = "application/problem+json"),
        PublicProblems, BodyProblems, BusyProblem,
    ),
)]
pub(crate) async fn log_in(State(login): State<Login>, body: RawBody) -> Result<(HeaderMap, Json<LoggedInBody>), ApiError> {
    let LogIn { email, password, cookie } = body.parse()?;
    let credential = login.0.accounts.credential(&email).await?;
    let stored = credential.as_ref().map(|it| it.password_hash.clone());
    let verdict = login.0.hasher.check(password, stored).await?;
    let (Some(credential), true) = (credential, verdict != Verdict::Wrong) else { return Err(ApiError::CredentialsRefused) };
    if let Verdict::RightButWeak { new_hash } = verdict {
        match login.0.accounts.set_password_hash(&credential, &new_hash).await {
            // Whoever changed it meanwhile hashed it with today's parameters.
            Ok(()) | Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let profile = login.0.work.profile(credential.user).await?;
    let profile = profile.ok_or_else(|| ApiError::internal("a credential has no profile"))?;
    let now = Timestamp::now();
    let expires_at = now.checked_add(SESSION_LIFETIME).map_err(ApiError::internal)?;
    let token = RefreshToken::new(profile.id, SessionId(Uuid::now_v7()))?;
    let access_token = login.0.signing_keys.access_token(profile.id, now).await?;
    let (user, id, refresh_hash) = (token.user, token.session, token.hash());
    login.0.accounts.create_session(&Session { user, id, refresh_hash, created_at: now, refreshed_at: now, expires_at }).await?;
    let (headers, tokens) = pair(access_token, token, cookie.then_some(expires_at), now)?;
    let user = UserBody { id: profile.id, name: profile.name.to_string(), email: profile.email.to_string() };
    Ok((headers, Json(LoggedInBody { tokens, user })))
}

/// Goes on with a session: a new pair of tokens for the refresh token, which is used up.
///
/// A refresh token that is used a second time was copied: its session ends.
#[utoipa::path(
    post, path = "/v1/login/refresh", tag = "sessions",
    params(("__Host-baton-refresh" = Option<String>, Cookie, description = "The refresh token, where the body has none.")),
    request_body(content = Option<Refresh>, description = "Absent or `{}` with the cookie"),
    responses(
        (status = 200, description = "A new pair", body = TokensBody, headers(("set-cookie" = String, description = "With the cookie"))),
        (status = 401, description = "Not a session, or over", body = Problem, content_type = "application/problem+json"),
        PublicProblems, BodyProblems,
    ),
)]
pub(crate) async fn refresh_session(State(login): State<Login>, jar: CookieJar, body: RawBody) -> Result<Response, ApiError> {
    let sent = Sent::read(&jar, &body)?;
    match rotate(&login, &sent).await {
        Ok(tokens) => Ok(tokens.into_response()),
        Err(ApiError::CredentialsRefused) if sent.by_cookie => Ok((forget()?, ApiError::CredentialsRefused).into_response()),
        Err(error) => Err(error),
    }
}

/// Ends a session. One that is over already stays so.
#[utoipa::path(
    post, path = "/v1/logout", tag = "sessions",
    params(("__Host-baton-refresh" = Option<String>, Cookie, description = "The refresh token, where the body has none.")),
    request_body(content = Option<Refresh>, description = "Absent or `{}` with the cookie"),
    responses(
        (status = 204, description = "The session is over", headers(("set-cookie" = String, description = "With the cookie: forgets it"))),
        PublicProblems, BodyProblems,
    ),
)]
pub(crate) async fn log_out(
    State(login): State<Login>,
    jar: CookieJar,
    body: RawBody,
) -> Result<(HeaderMap, StatusCode), ApiError> {
    let sent = Sent::read(&jar, &body)?;
    if let Some(token) = sent.token {
        // Also for a refresh token that is used up: whoever holds one of the session's may end it.
        login.0.accounts.end_session(token.user, token.session).await?;
    }
    // A cookie that was not asked about may be of another session, which goes on.
    let headers = if sent.by_cookie { forget()? } else { HeaderMap::new() };
    Ok((headers, StatusCode::NO_CONTENT))
}

/// The refresh token as sent; the body's goes before the cookie's.
struct Sent {
    token: Option<RefreshToken>,
    by_cookie: bool,
}

impl Sent {
    fn read(jar: &CookieJar, body: &RawBody) -> Result<Self, ApiError> {
        let Refresh { refresh_token } = body.parse_optional()?.unwrap_or_default();
        let by_cookie = refresh_token.is_none() && jar.get(COOKIE).is_some();
        let text = refresh_token.or_else(|| jar.get(COOKIE).map(|it| it.value().to_owned()));
        Ok(Self { token: text.and_then(|it| RefreshToken::read(&it)), by_cookie })
    }
}

async fn rotate(login: &Login, sent: &Sent) -> Result<(HeaderMap, Json<TokensBody>), ApiError> {
    let old = sent.token.as_ref().ok_or(ApiError::CredentialsRefused)?;
    let now = Timestamp::now();
    let session = login.0.accounts.session(old.user, old.session, now).await?.ok_or(ApiError::CredentialsRefused)?;
    let new = RefreshToken::new(old.user, old.session)?;
    // Before the old refresh token is used up: where signing fails, the client tries again with it.
    let access_token = login.0.signing_keys.access_token(old.user, now).await?;
    // The condition is on the token, so it is the same write that finds a second use and a lost race.
    let rotated = login.0.accounts.rotate_session(old.user, old.session, &old.hash(), &new.hash(), now, session.expires_at).await;
    match rotated {
        Ok(()) => {
            let (headers, tokens) = pair(access_token, new, sent.by_cookie.then_some(session.expires_at), now)?;
            Ok((headers, Json(tokens)))
        }
        Err(StoreError::Conflict { .. }) => {
            login.0.accounts.end_session(old.user, old.session).await?;
            tracing::warn!(user.id = %old.user, session.id = %old.session, "ended a session whose refresh token was used again");
            Err(ApiError::CredentialsRefused)
        }
        Err(error) => Err(error.into()),
    }
}

/// The pair in the shape it is sent in: with the time a session ends, the refresh token goes into a cookie until then.
fn pair(
    access_token: String,
    refresh: RefreshToken,
    cookie_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(HeaderMap, TokensBody), ApiError> {
    let body =
        TokensBody { access_token, token_type: "Bearer", expires_in: ACCESS_TOKEN_LIFETIME.as_secs(), refresh_token: None };
    match cookie_until {
        Some(until) => Ok((cookie(&refresh.into_text(), until.duration_since(now))?, body)),
        None => Ok((HeaderMap::new(), TokensBody { refresh_token: Some(refresh.into_text()), ..body })),
    }
}

/// Makes a browser forget the refresh token.
fn forget() -> Result<HeaderMap, ApiError> {
    cookie("", SignedDuration::ZERO)
}

/// `__Host-` makes a browser hold us to `Secure`, `Path=/` and no `Domain` (RFC 6265bis, section 4.1.3.2).
fn cookie(value: &str, lifetime: SignedDuration) -> Result<HeaderMap, ApiError> {
    let seconds = lifetime.as_secs();
    let cookie = format!("{COOKIE}={value}; Max-Age={seconds}; Path=/; HttpOnly; Secure; SameSite=Strict");
    Ok(HeaderMap::from_iter([(SET_COOKIE, HeaderValue::from_str(&cookie).map_err(ApiError::internal)?)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_is_for_this_host_only_and_out_of_reach_of_scripts() {
        let headers = cookie("abc", SESSION_LIFETIME).expect("a header");
        let expected = "__Host-baton-refresh=abc; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Strict";
        assert_eq!(headers["set-cookie"], expected);
        let headers = forget().expect("a header");
        assert_eq!(headers["set-cookie"], expected.replace("abc", "").replace("2592000", "0"));
    }
}
