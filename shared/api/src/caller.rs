use axum::extract::{FromRef, FromRequestParts};
use domain::UserId;
use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::{ApiError, TokenVerifier};

/// Who asks, proven by the access token. As 401 goes before all else, it is the first argument of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller(pub UserId);

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
        TokenVerifier::from_ref(state).verify(token.trim()).await.map(Self)
    }
}
