use std::borrow::Cow;
use std::error::Error;
use std::iter::successors;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::Locale;
use http::header::{ACCEPT_LANGUAGE, CONTENT_LANGUAGE, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::{korean, language, request_id};

/// Why a request is not answered as asked, a variant for each thing a client does differently.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 401: no access token, or one that is not valid (any more).
    #[error("there is no valid access token")]
    Unauthorized,
    /// 401: an e-mail address and password, or a refresh token, that do not log in.
    #[error("the credentials do not log in")]
    CredentialsRefused,
    /// 404: there is no such thing, or the caller is not allowed to know of it.
    #[error("there is no such thing")]
    NotFound,
    /// 403: the caller knows it and may not do this to it. The text says who may.
    #[error("forbidden: {0}")]
    Forbidden(Cow<'static, str>),
    /// 400: not to be parsed: a body, a header, a query parameter. The text says what.
    #[error("bad request: {0}")]
    BadRequest(Cow<'static, str>),
    /// 415: a body of another type than `expected`.
    #[error("the content type is not {expected}")]
    UnsupportedMediaType {
        /// What the route takes.
        expected: &'static str,
    },
    /// 413: a body over [`crate::BODY_LIMIT`].
    #[error("the body is too large")]
    TooLarge,
    /// 422: a rule is broken, each with the place in the body.
    #[error("the body breaks a rule")]
    Invalid(Vec<FieldProblem>),
    /// 428: `If-Match` is missing where an edit needs it.
    #[error("If-Match is missing")]
    PreconditionRequired,
    /// 412: `If-Match` names another version than the current one.
    #[error("the version in If-Match is not the current one")]
    Stale {
        /// The resource as it is, in the shape the route answers it in.
        current: serde_json::Value,
    },
    /// 409: what is asked for does not go with the state things are in. The text says why.
    #[error("conflict: {0}")]
    Conflict(Cow<'static, str>),
    /// 429: too often.
    #[error("too many requests")]
    TooManyRequests {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: too many are waiting for the same thing ahead of this one.
    #[error("too many are waiting")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// 503: something this needs does not answer; trying again can help.
    #[error("something needed is unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// 500: a fault of ours; trying again will not help.
    #[error("an internal fault")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
}

impl ApiError {
    /// One broken rule at one place; `pointer` is a JSON Pointer (RFC 6901) into the body, `/title` for one.
    #[must_use]
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldProblem { pointer: pointer.into(), detail: detail.into() }])
    }

    /// 400 with what could not be read.
    #[must_use]
    pub fn bad_request(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::BadRequest(detail.into())
    }

    /// 403 with who may.
    #[must_use]
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Forbidden(detail.into())
    }

    /// 409 with what stands against it.
    #[must_use]
    pub fn conflict(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Conflict(detail.into())
    }

    /// 412 with the resource as it is.
    ///
    /// # Panics
    /// Never for bodies of ours: they have text keys only, which is all that JSON asks for.
    #[must_use]
    pub fn stale(current: &impl Serialize) -> Self {
        Self::Stale { current: serde_json::to_value(current).expect("a body of ours is JSON") }
    }

    /// 500; the source is logged and never shown.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// 503; the source is logged and never shown.
    #[must_use]
    pub fn unavailable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(source.into())
    }

    /// The one place that knows status codes.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Unauthorized | Self::CredentialsRefused => StatusCode::UNAUTHORIZED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::UnsupportedMediaType { .. } => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::Stale { .. } => StatusCode::PRECONDITION_FAILED,
            Self::Conflict(_) => StatusCode::CONFLICT,
            Self::TooManyRequests { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy { .. } | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn detail(&self) -> Cow<'static, str> {
        match self {
            Self::Unauthorized => "Log in, and send the access token as \"Authorization: Bearer ...\".".into(),
            Self::CredentialsRefused => "These credentials do not log in.".into(),
            Self::NotFound => "There is nothing here, or nothing that you may see.".into(),
            Self::Forbidden(detail) | Self::BadRequest(detail) | Self::Conflict(detail) => detail.clone(),
            Self::UnsupportedMediaType { expected } => format!("Send the body as {expected}.").into(),
            Self::TooLarge => format!("A body has at most {} octets.", crate::BODY_LIMIT).into(),
            Self::Invalid(_) => "What was sent breaks a rule; see errors.".into(),
            Self::PreconditionRequired => "Send If-Match with the ETag of what you edit, or * for whatever it is now.".into(),
            Self::Stale { .. } => "It was changed since you read it; see current.".into(),
            Self::TooManyRequests { .. } => "Too often; try again later.".into(),
            Self::Busy { .. } => "Too many ask for this at the moment; try again later.".into(),
            Self::Unavailable(_) => "Something this needs does not answer just now. Trying again is safe.".into(),
            Self::Internal(_) => "Something went wrong on our side. It has been noted under this request id.".into(),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict { .. } => Self::conflict("Somebody else changed this at the same moment; read it again."),
            StoreError::AssigneeNotMember => Self::invalid("/assignee", "is not a member of this project"),
            StoreError::LastOwner => Self::conflict("A project keeps at least one owner; make somebody else one first."),
            StoreError::InvalidPosition => Self::bad_request("The cursor is not of this list."),
            StoreError::Unavailable { .. } => Self::unavailable(error),
            StoreError::Refused { .. } | StoreError::Corrupt { .. } => Self::internal(error),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = self.status();
        if status.is_server_error() {
            match self {
                // Expected under load, and a flood of them is what somebody would send on purpose.
                Self::Busy { .. } => tracing::warn!("turned away, as too many are waiting"),
                _ => tracing::error!(error = chain(&self), "could not answer"),
            }
        }
        let locale = language::current();
        let mut problem = match locale {
            Locale::En => Problem::new(status, status.canonical_reason().unwrap_or("Error"), self.detail()),
            Locale::Ko => Problem::new(status, korean::title(status), korean::detail(&self)),
        };
        let mut header = None;
        match self {
            Self::Unauthorized | Self::CredentialsRefused => {
                header = Some((WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")));
            }
            Self::TooManyRequests { retry_after } | Self::Busy { retry_after } => {
                header = Some((RETRY_AFTER, whole_seconds(retry_after).into()));
            }
            Self::Unavailable(_) => header = Some((RETRY_AFTER, HeaderValue::from_static("1"))),
            Self::Invalid(mut errors) => {
                if locale == Locale::Ko {
                    errors.iter_mut().for_each(|it| it.detail = korean::field(&it.detail));
                }
                problem.errors = errors;
            }
            Self::Stale { current } => problem.current = Some(current),
            _ => {}
        }
        let mut response = problem.into_response();
        let headers = response.headers_mut();
        headers.extend(header);
        headers.insert(
            CONTENT_LANGUAGE,
            HeaderValue::from_static(match locale {
                Locale::En => "en",
                Locale::Ko => "ko",
            }),
        );
        headers.append(VARY, ACCEPT_LANGUAGE.into());
        response
    }
}

/// Rounded up: whoever waits as long as they are told is not early.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).max(1)
}

/// An error and all its sources, outermost first, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let texts: Vec<String> = successors(Some(error), |it| (*it).source()).map(ToString::to_string).collect();
    texts.join(": ")
}

/// One broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where in the body, as a JSON Pointer (RFC 6901); empty for the body as a whole.
    #[schema(example = "/title")]
    pub pointer: String,
    /// What is wrong there.
    #[schema(example = "is empty")]
    pub detail: String,
}

/// The body of every error (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: the status says it all.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub type_uri: &'static str,
    /// The status in words. The words of a problem are English, or Korean where `Accept-Language` prefers that.
    #[schema(example = "Unprocessable Entity")]
    pub title: &'static str,
    /// The status code.
    #[schema(example = 422)]
    pub status: u16,
    /// What to do about it.
    pub detail: Cow<'static, str>,
    /// Names this request in the logs; also in the header `x-request-id`.
    pub request_id: String,
    /// With 422: what is wrong, and where.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldProblem>,
    /// With 412: the resource as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<serde_json::Value>,
}

impl Problem {
    fn new(status: StatusCode, title: &'static str, detail: Cow<'static, str>) -> Self {
        Self {
            type_uri: "about:blank",
            title,
            status: status.as_u16(),
            detail,
            request_id: request_id::current(),
            errors: Vec::new(),
            current: None,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_told_to_wait_is_told_how_long_in_whole_seconds() {
        let check = |milliseconds, expected: &str| {
            let retry_after = Duration::from_millis(milliseconds);
            for (error, status) in [
                (ApiError::TooManyRequests { retry_after }, StatusCode::TOO_MANY_REQUESTS),
                (ApiError::Busy { retry_after }, StatusCode::SERVICE_UNAVAILABLE),
            ] {
                let response = error.into_response();
                assert_eq!(response.status(), status);
                assert_eq!(response.headers()[RETRY_AFTER], expected, "{milliseconds} ms");
            }
        };
        check(0, "1");
        check(999, "1");
        check(1_000, "1");
        check(1_001, "2");
        check(3_600_000, "3600");
    }
}
