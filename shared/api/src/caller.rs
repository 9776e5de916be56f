use axum::extract::{FromRef, FromRequestParts};
use domain::{ApiTokenId, SessionId, UserId};
use http::header::AUTHORIZATION;
use http::request::Parts;
use jiff::Timestamp;

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

impl<S> FromRequestParts<S> for Caller
where
    S: Send + Sync,
    TokenVerifier: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let mut values = parts.headers.get_all(AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return Err(ApiError::Unauthorized) };
        let (scheme, token) = value.to_str().ok().and_then(|it| it.split_once(' ')).ok_or(ApiError::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(ApiError::Unauthorized);
        }
        TokenVerifier::from_ref(state).verify(token.trim()).await
    }
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
