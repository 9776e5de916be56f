use std::time::Duration;

use api::{ApiError, BodyProblems, Client, Problem, PublicProblems, RawBody};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum_extra::extract::CookieJar;
use domain::{Device, SecurityEventKind, SessionId};
use http::{HeaderMap, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use store::{Ending, Notice, Session, StoreError};
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::timeout;
use utoipa::ToSchema;

use crate::Login;
use crate::browser::Cookie;
use crate::events::event;
use crate::keys::expires_in;
use crate::refresh_token::RefreshToken;
use crate::secrets::Keys;

/// How long after a rotation the token that was used up still gets the same answer: whoever asks again lost it (RFC 9700, section 4.14.2,
/// leaves it to the server how to tell them from a thief).
const GRACE: SignedDuration = SignedDuration::from_secs(10);
/// How often a session is read again that another use of the same token has just rotated: the second time it is known by whom.
const MOST_ROUNDS: usize = 3;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Which session to go on with, or to end; without a token here the cookie says it.
#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Refresh {
    refresh_token: Option<String>,
}

/// A pair of tokens.
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

/// Goes on with a session: a new pair of tokens for the refresh token, which is used up.
///
/// For ten seconds the same token gets the same pair again, so that an answer may be lost. A refresh token that is used later than that
/// was copied: its session ends, and its owner is told.
#[utoipa::path(
    post, path = "/v1/login/refresh", tag = "sessions",
    params(("__Host-baton-refresh" = Option<String>, Cookie,
        description = "The refresh token, where the body has none. Honoured where `Sec-Fetch-Site` or `Origin` names Baton's own pages.")),
    request_body(content = Option<Refresh>, description = "Absent or `{}` with the cookie"),
    responses(
        (status = 200, description = "A new pair", body = TokensBody, headers(("set-cookie" = String, description = "With the cookie"))),
        (status = 401, description = "Not a session, or over", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "By cookie, and not from Baton's own pages", body = Problem, content_type = "application/problem+json"),
        PublicProblems, BodyProblems,
    ),
)]
pub(crate) async fn refresh_session(
    State(login): State<Login>,
    Client(device): Client,
    jar: CookieJar,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Response, ApiError> {
    let sent = Sent::read(&login, &jar, &headers, &body).await?;
    match refresh(&login, &sent, device).await {
        Ok(tokens) => Ok(tokens.into_response()),
        Err(ApiError::CredentialsRefused) if sent.by_cookie => {
            Ok((Cookie::Refresh.forget()?, ApiError::CredentialsRefused).into_response())
        }
        Err(error) => Err(error),
    }
}

/// Ends a session. One that is over already stays so.
#[utoipa::path(
    post, path = "/v1/logout", tag = "sessions",
    params(("__Host-baton-refresh" = Option<String>, Cookie,
        description = "The refresh token, where the body has none. Honoured where `Sec-Fetch-Site` or `Origin` names Baton's own pages.")),
    request_body(content = Option<Refresh>, description = "Absent or `{}` with the cookie"),
    responses(
        (status = 204, description = "The session is over", headers(("set-cookie" = String, description = "With the cookie: forgets it"))),
        (status = 403, description = "By cookie, and not from Baton's own pages", body = Problem, content_type = "application/problem+json"),
        PublicProblems, BodyProblems,
    ),
)]
pub(crate) async fn log_out(
    State(login): State<Login>,
    jar: CookieJar,
    headers: HeaderMap,
    body: RawBody,
) -> Result<(HeaderMap, StatusCode), ApiError> {
    let sent = Sent::read(&login, &jar, &headers, &body).await?;
    if let Some(token) = sent.token {
        // Also for a refresh token that is used up: whoever holds one of the session's may end it.
        let (accounts, ends, now) = (&login.0.accounts, [token.session], Timestamp::now());
        accounts.end_sessions(&login.0.work, &login.0.mail, token.user, &ends, Ending::Quiet, now).await?;
    }
    // A cookie that was not asked about may be of another session, which goes on.
    let headers = if sent.by_cookie { Cookie::Refresh.forget()? } else { HeaderMap::new() };
    Ok((headers, StatusCode::NO_CONTENT))
}

/// The refresh token as sent; the body's goes before the cookie's.
struct Sent {
    /// Nothing, where it was never one of ours.
    token: Option<RefreshToken>,
    by_cookie: bool,
}

impl Sent {
    async fn read(login: &Login, jar: &CookieJar, headers: &HeaderMap, body: &RawBody) -> Result<Self, ApiError> {
        let Refresh { refresh_token } = body.parse_optional()?.unwrap_or_default();
        let cookie = if refresh_token.is_none() { Cookie::Refresh.read(jar) } else { None };
        let by_cookie = cookie.is_some();
        if by_cookie {
            login.0.origins.check(headers)?;
        }
        let keys = login.0.secrets.keys().await?;
        Ok(Self { token: refresh_token.or(cookie).and_then(|it| RefreshToken::read(&it, keys)), by_cookie })
    }
}

async fn refresh(login: &Login, sent: &Sent, device: Device) -> Result<(HeaderMap, Json<TokensBody>), ApiError> {
    let presented = sent.token.as_ref().ok_or(ApiError::CredentialsRefused)?;
    let (keys, now, idle) = (login.0.secrets.keys().await?, Timestamp::now(), login.0.session_idle);
    let Rotated { next, at, session } = rotate(login, presented, device, keys, now).await?;
    // Counted from the rotation, so that whoever asks again is told the same.
    let lasts = session.expires_at.duration_since(at).min(idle);
    let access_token = login.0.signing_keys.access_token(&next, at, lasts).await?;
    let (headers, tokens) = pair(access_token, next, lasts, sent.by_cookie)?;
    Ok((headers, Json(tokens)))
}

/// Gives the uses of a session's token their turns within this process: the first rotates it, and those at the same moment read that,
/// where all of them at once would try and fail to write. A courtesy: it is the condition of the write that lets one win.
pub(crate) struct Turns([Mutex<()>; 64]);

impl Turns {
    pub(crate) fn new() -> Self {
        Self(std::array::from_fn(|_| Mutex::default()))
    }

    /// Nothing for whoever waited long enough: where the table does not answer, they are not to wait for each other too.
    async fn of(&self, session: SessionId) -> Option<MutexGuard<'_, ()>> {
        // The last octet of a UUID is random in every version we make.
        let turn = self.0[usize::from(session.0.as_bytes()[15]) % self.0.len()].lock();
        timeout(LONGEST_WAIT, turn).await.ok()
    }
}

/// A session that goes on with the next token since a time.
struct Rotated {
    next: RefreshToken,
    at: Timestamp,
    session: Session,
}

/// Rotates the session's token, once for however many uses of it within the grace: the successor follows from the token presented, so
/// whoever finds it rotated already knows the successor too.
async fn rotate(
    login: &Login,
    presented: &RefreshToken,
    device: Device,
    keys: &Keys,
    now: Timestamp,
) -> Result<Rotated, ApiError> {
    let (accounts, idle) = (&login.0.accounts, login.0.session_idle);
    let (hash, next) = (presented.hash(), presented.successor(keys));
    let _turn = login.0.refreshing.of(presented.session).await;
    for _ in 0..MOST_ROUNDS {
        let session = accounts.session(presented.user, presented.session).await?;
        let session = session.filter(|it| it.is_live(now, idle)).ok_or(ApiError::CredentialsRefused)?;
        match judge(&session, &hash, now) {
            Use::First => match accounts.rotate_session(&session, &next.hash(), now, idle).await {
                Ok(session) => return Ok(Rotated { next, at: session.refreshed_at, session }),
                // Used at the same moment: whoever was faster has rotated it, or it has ended.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            },
            Use::Again => return Ok(Rotated { next, at: session.refreshed_at, session }),
            Use::Copied => return Err(end_copied(login, &session, device, now).await?),
        }
    }
    Err(ApiError::unavailable("a session is rotated by too many at once"))
}

/// What it means that a refresh token of a live session is used.
#[derive(Debug, PartialEq, Eq)]
enum Use {
    First,
    /// Within the grace.
    Again,
    Copied,
}

fn judge(session: &Session, presented: &store::TokenHash, now: Timestamp) -> Use {
    if session.refresh_hash == *presented {
        return Use::First;
    }
    let is_previous = session.previous_hash.as_ref() == Some(presented);
    if is_previous && now.duration_since(session.refreshed_at) <= GRACE { Use::Again } else { Use::Copied }
}

/// Ends a session of whose token there are two holders, whoever of them is the thief (RFC 9700, section 4.14.2).
async fn end_copied(login: &Login, session: &Session, device: Device, now: Timestamp) -> Result<ApiError, ApiError> {
    let Session { user, id, .. } = session;
    let notice = Notice::of(event(*user, SecurityEventKind::RefreshTokenReused, device, now));
    let ending = Ending::Told(&notice);
    match login.0.accounts.end_sessions(&login.0.work, &login.0.mail, *user, &[*id], ending, now).await {
        Ok(()) => {
            tracing::warn!(user.id = %user, session.id = %id, "ended a session whose refresh token was used again");
            login.0.hints.letter_due(notice.recipient()).await;
        }
        // Over already, and told already.
        Err(StoreError::Conflict { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(ApiError::CredentialsRefused)
}

/// The pair in the shape it is sent in, the refresh token as a cookie for as long as the session lasts unused, where one is wanted.
///
/// # Errors
/// 500, for a token that cannot stand in a header.
pub(crate) fn pair(
    access_token: String,
    refresh: RefreshToken,
    lasts: SignedDuration,
    as_cookie: bool,
) -> Result<(HeaderMap, TokensBody), ApiError> {
    let mut headers = HeaderMap::new();
    let refresh_token = if as_cookie {
        Cookie::Refresh.set(&refresh.into_text(), lasts, &mut headers)?;
        None
    } else {
        Some(refresh.into_text())
    };
    Ok((headers, TokensBody { access_token, token_type: "Bearer", expires_in: expires_in(lasts), refresh_token }))
}

#[cfg(test)]
mod tests {
    use domain::UserId;
    use store::TokenHash;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn a_token_used_again_within_ten_seconds_lost_its_answer_and_later_it_was_copied() {
        let refreshed_at: Timestamp = "2026-11-20T11:00:00Z".parse().expect("a time");
        let session = Session {
            user: UserId(Uuid::from_u128(1)),
            id: SessionId(Uuid::from_u128(2)),
            refresh_hash: TokenHash::of("third"),
            previous_hash: Some(TokenHash::of("second")),
            device: Device::default(),
            created_at: refreshed_at,
            refreshed_at,
            expires_at: refreshed_at + SignedDuration::from_hours(1),
        };
        let check = |token: &str, seconds: i64, expected: Use| {
            let now = refreshed_at + SignedDuration::from_secs(seconds);
            assert_eq!(judge(&session, &TokenHash::of(token), now), expected, "{token} after {seconds} s");
        };
        check("third", 0, Use::First);
        check("third", 3_000, Use::First);
        check("second", -1, Use::Again);
        check("second", 10, Use::Again);
        check("second", 11, Use::Copied);
        check("first", 0, Use::Copied);
    }
}
