use axum::extract::{FromRef, FromRequestParts, MatchedPath, RawPathParams};
use domain::{ApiTokenId, SessionId, UserId};
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;
use store::EndedSessions;

use crate::api_token::is_api_token;
use crate::scope::{Asked, Scope};
use crate::{ApiError, TokenVerifier};

/// Who asks, and by what right. As 401 goes before all else, it is the first argument of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub user: UserId,
    pub grant: Grant,
}

/// What somebody asks by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The access token of a session. It outlives its session by minutes, so whoever takes it looks whether the session has ended.
    Session {
        session: SessionId,
        /// When the access token was made, to the second.
        issued_at: Timestamp,
    },
    /// A personal API token, whose scope was judged already.
    Token(ApiTokenId),
}

/// Somebody who logged in: as [`Caller`], but API tokens are refused with 403. For whatever makes, changes or shows credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionCaller {
    pub user: UserId,
    pub session: SessionId,
}

impl Caller {
    /// Judges an access token by the sessions of its user that ended while it may still be good (OWASP ASVS 5.0, 7.4.1).
    ///
    /// # Errors
    /// 401 where its session is among them.
    pub fn check_session(&self, ended: &EndedSessions) -> Result<(), ApiError> {
        match self.grant {
            Grant::Session { session, issued_at } if ended.contains(session, issued_at) => {
                tracing::info!(session.id = %session, reason = "its session has ended", "refused an access token");
                Err(ApiError::Unauthorized)
            }
            Grant::Session { .. } | Grant::Token(_) => Ok(()),
        }
    }
}

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let token = bearer(parts).ok_or(ApiError::Unauthorized)?;
        let verifier = TokenVerifier::from_ref(state);
        if !is_api_token(token) {
            return verifier.verify(token).await;
        }
        let token = verifier.api_token(token).await?;
        let route = parts.extensions.get::<MatchedPath>().cloned();
        let params = RawPathParams::from_request_parts(parts, state).await.ok();
        let project = params.as_ref().and_then(|it| it.iter().find(|(name, _)| *name == "project"));
        let asked = Asked {
            method: &parts.method,
            route: route.as_ref().map_or("", MatchedPath::as_str),
            project: project.map(|(_, value)| value),
        };
        Scope { access: token.access, projects: token.projects.as_ref() }.check(asked)?;
        verifier.touch(&token).await;
        Ok(Self { user: token.user, grant: Grant::Token(token.id) })
    }
}

/// The token of `Authorization: Bearer ...` (RFC 6750, section 2.1); the only way to send one, as a URL ends up in logs.
fn bearer(parts: &Parts) -> Option<&str> {
    let mut values = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl<S> FromRequestParts<S> for SessionCaller
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Caller { user, grant } = Caller::from_request_parts(parts, state).await?;
        match grant {
            Grant::Session { session, .. } => Ok(Self { user, session }),
            Grant::Token(_) => Err(ApiError::forbidden("This needs a log-in; an API token does not reach it.")),
        }
    }
}
