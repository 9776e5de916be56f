use axum::extract::FromRequestParts;
use domain::{ProjectId, UserId};
use http::HeaderMap;
use http::request::Parts;
use uuid::Uuid;

use crate::ApiError;

/// Under which ids of repeatable requests are made. Changing it would turn repeats into new requests.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d0c_57f0_3a55_4f2f_9d5e_2f6a_1f0b_7c11);

/// The header `Idempotency-Key`: a name the client gives to a create, so that sending it again finds what the first time made.
/// Taking it never fails; a bad one is said by [`id`](Self::id).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IdempotencyKey {
    /// Not sent.
    Absent,
    /// As sent, without quotes.
    Given(String),
    /// Sent more than once, empty, over 255 characters, or with other characters than visible ASCII.
    Malformed,
}

impl IdempotencyKey {
    /// The id of what is to be made: with a key the same for the same caller, route and project; without, a new one.
    ///
    /// # Errors
    /// 400 for a malformed key.
    pub fn id(&self, caller: UserId, route: &str, project: Option<ProjectId>) -> Result<Uuid, ApiError> {
        match self {
            Self::Absent => Ok(Uuid::now_v7()),
            Self::Given(key) => {
                let project = project.map(|it| it.to_string()).unwrap_or_default();
                // No part but the last can hold a line feed, so that two requests never share a name.
                Ok(Uuid::new_v5(&NAMESPACE, format!("{caller}\n{route}\n{project}\n{key}").as_bytes()))
            }
            Self::Malformed => {
                Err(ApiError::bad_request("Idempotency-Key is not 1 to 255 visible ASCII characters, sent once, quoted or not."))
            }
        }
    }

    /// Whether a repeat is to be recognised.
    #[must_use]
    pub fn is_given(&self) -> bool {
        matches!(self, Self::Given(_))
    }

    fn from_headers(headers: &HeaderMap) -> Self {
        let mut values = headers.get_all("idempotency-key").iter();
        let Some(value) = values.next() else { return Self::Absent };
        if values.next().is_some() {
            return Self::Malformed;
        }
        let key = value.to_str().ok().map(str::trim).and_then(unquoted);
        let fits = |it: &String| (1..=255).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_graphic());
        key.filter(fits).map_or(Self::Malformed, Self::Given)
    }
}

/// The text of a structured-field string (RFC 8941, section 3.3.3), the form the IETF draft asks for; or the text as it is.
fn unquoted(text: &str) -> Option<String> {
    let Some(quoted) = text.strip_prefix('"') else { return Some(text.to_owned()) };
    let mut plain = String::with_capacity(quoted.len());
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(plain),
            '\\' => plain.push(characters.next().filter(|it| matches!(it, '"' | '\\'))?),
            other => plain.push(other),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::from_headers(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(lines: &[&str]) -> IdempotencyKey {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append("idempotency-key", line.parse().expect("a header"));
        }
        IdempotencyKey::from_headers(&headers)
    }

    #[test]
    fn a_key_is_the_same_quoted_or_not() {
        let given = |text: &str| IdempotencyKey::Given(text.to_owned());
        assert_eq!(key(&[]), IdempotencyKey::Absent);
        assert_eq!(key(&["abc"]), given("abc"));
        assert_eq!(key(&["\"abc\""]), given("abc"));
        assert_eq!(key(&[r#""a\"b""#]), given("a\"b"));
        assert_eq!(key(&[&"k".repeat(255)]), given(&"k".repeat(255)));
        for lines in [&[""][..], &["\"\""], &["a b"], &["\"a"], &["\"a\"b"], &["a", "a"], &[&"k".repeat(256)]] {
            assert_eq!(key(lines), IdempotencyKey::Malformed, "{lines:?}");
        }
    }

    #[test]
    fn a_repeat_finds_itself_and_nobody_elses() {
        let (ada, bob) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let project = Some(ProjectId(Uuid::from_u128(3)));
        let id = |caller, route, project, text: &str| key(&[text]).id(caller, route, project).expect("a good key");
        let first = id(ada, "tasks", project, "k");
        assert_eq!(first, id(ada, "tasks", project, "\"k\""));
        for other in [
            id(bob, "tasks", project, "k"),
            id(ada, "projects", project, "k"),
            id(ada, "tasks", None, "k"),
            id(ada, "tasks", project, "l"),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first.get_version_num(), 5);
    }
}
