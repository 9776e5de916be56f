use axum::extract::FromRequestParts;
use domain::Version;
use http::header::IF_MATCH;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};
use serde::Serialize;

use crate::ApiError;

/// The version of a resource as its ETag: strong, quoted.
///
/// # Panics
/// Never: digits in quotes are a header value.
#[must_use]
pub fn etag(version: Version) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes are a header value")
}

/// What `If-Match` says (RFC 9110, section 13.1.1). Taking it never fails: it is judged last, by [`check`](Self::check).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// Not sent.
    Absent,
    /// `*`: whatever the version is now.
    Any,
    /// One of these. A weak tag never matches, and what is no tag of ours matches nothing, so both are left out.
    Versions(Vec<Version>),
}

impl IfMatch {
    /// Whether the edit goes ahead on the current version.
    ///
    /// # Errors
    /// 428 without the header; 412 with the resource as it is, if the header does not name its version.
    pub fn check<B: Serialize>(&self, current: Version, body: impl FnOnce() -> B) -> Result<(), ApiError> {
        match self {
            Self::Absent => Err(ApiError::PreconditionRequired),
            Self::Any => Ok(()),
            Self::Versions(versions) if versions.contains(&current) => Ok(()),
            Self::Versions(_) => Err(ApiError::stale(&body())),
        }
    }

    fn from_headers(headers: &HeaderMap) -> Self {
        let mut lines = headers.get_all(IF_MATCH).iter().peekable();
        if lines.peek().is_none() {
            return Self::Absent;
        }
        let texts: Option<Vec<&str>> = lines.map(|it| it.to_str().ok()).collect();
        // Several lines of a list are one list (RFC 9110, section 5.3).
        let list = texts.unwrap_or_default().join(",");
        if list.trim() == "*" { Self::Any } else { Self::Versions(list.split(',').filter_map(version).collect()) }
    }
}

/// The version a strong tag of ours stands for. Ours have no commas, so splitting the list at them loses none of ours.
fn version(tag: &str) -> Option<Version> {
    tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok()
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_headers(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: &IfMatch) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, line.parse().expect("a header"));
        }
        assert_eq!(IfMatch::from_headers(&headers), *expected, "{lines:?}");
    }

    fn versions(versions: &[u64]) -> IfMatch {
        IfMatch::Versions(versions.iter().copied().map(Version).collect())
    }

    #[test]
    fn only_strong_tags_of_ours_can_match() {
        check(&[], &IfMatch::Absent);
        check(&["*"], &IfMatch::Any);
        check(&["\"3\""], &versions(&[3]));
        check(&["\"3\", \"4\"", "\"5\""], &versions(&[3, 4, 5]));
        check(&["W/\"3\"", "\"x\"", "3", "\"03\"", "\"+3\"", ""], &versions(&[]));
        check(&["*, \"3\""], &versions(&[3]));
        check(&["\"99999999999999999999999\""], &versions(&[]));
    }

    #[test]
    fn an_etag_is_what_if_match_takes() {
        let tag = etag(Version(12));
        check(&[tag.to_str().expect("ASCII")], &versions(&[12]));
    }
}
