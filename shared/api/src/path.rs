use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use http::request::Parts;

use crate::ApiError;

/// The parameters of a route in their order: `Path((project, task)): Path<(ProjectId, TaskId)>`, one as `Path((project,))`.
/// What cannot be an id names nothing: 404.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<S: Send + Sync, T: FromSegments> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ApiError::NotFound)?;
        let segments: Vec<&str> = params.iter().map(|(_, value)| value).collect();
        T::from_segments(&segments).map(Self).ok_or(ApiError::NotFound)
    }
}

/// What the parameters of a path can be read as.
pub trait FromSegments: Sized {
    /// Nothing, where one of them does not fit, or there are more or fewer.
    fn from_segments(segments: &[&str]) -> Option<Self>;
}

impl<A: FromStr> FromSegments for (A,) {
    fn from_segments(segments: &[&str]) -> Option<Self> {
        let [a] = segments else { return None };
        Some((a.parse().ok()?,))
    }
}

impl<A: FromStr, B: FromStr> FromSegments for (A, B) {
    fn from_segments(segments: &[&str]) -> Option<Self> {
        let [a, b] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?))
    }
}

impl<A: FromStr, B: FromStr, C: FromStr> FromSegments for (A, B, C) {
    fn from_segments(segments: &[&str]) -> Option<Self> {
        let [a, b, c] = segments else { return None };
        Some((a.parse().ok()?, b.parse().ok()?, c.parse().ok()?))
    }
}
