use std::fmt;
use std::marker::PhantomData;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::{ApiError, FieldProblem, Query};

/// The longest body that is read, in octets.
pub const BODY_LIMIT: usize = 256 * 1024;

const JSON: &str = "application/json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// A body as sent. Taking it never fails, so that a handler says 404 and 403 before it says what is wrong with the body.
///
/// No route that takes a body has query parameters. So the query is judged here too, in its place: after the content type and the size.
pub struct RawBody {
    query: Query,
    content_type: Option<ContentType>,
    bytes: Result<Bytes, Unread>,
}

#[derive(Debug, Clone, Copy)]
enum Unread {
    TooLarge,
    Broken,
}

#[derive(Debug)]
struct ContentType {
    essence: String,
    is_utf8: bool,
}

impl RawBody {
    /// Reads a JSON body.
    ///
    /// # Errors
    /// In this order: 415 for another content type than `application/json`, 413 over [`BODY_LIMIT`], 400 where there is no body, it is
    /// not JSON, or there is a query parameter, 422 with the place where `T` refuses it, an unknown field included.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        parse_json(self.json_bytes(&[JSON])?)
    }

    /// Reads a JSON merge patch (RFC 7396), sent as `application/json` or `application/merge-patch+json`.
    ///
    /// # Errors
    /// As [`parse`](Self::parse).
    pub fn parse_patch<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        parse_json(self.json_bytes(&[JSON, MERGE_PATCH])?)
    }

    /// Reads a JSON body where there may be none. JSON's `null` is none too.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), but for an absent body.
    pub fn parse_optional<T: DeserializeOwned>(&self) -> Result<Option<T>, ApiError> {
        if self.is_absent() {
            return self.query.parse_none().map(|()| None);
        }
        let bytes = self.json_bytes(&[JSON])?;
        if bytes.trim_ascii() == b"null" { Ok(None) } else { parse_json(bytes).map(Some) }
    }

    fn is_absent(&self) -> bool {
        self.bytes.as_ref().is_ok_and(Bytes::is_empty)
    }

    /// The octets of an HTML form, of either encoding (RFC 8058, section 3.1, allows a mail program both).
    ///
    /// # Errors
    /// 415 for another content type, 413 over [`BODY_LIMIT`], 400 where there is a query parameter.
    pub fn form_bytes(&self) -> Result<&[u8], ApiError> {
        let is_form = self.content_type.as_ref().is_some_and(|it| it.essence == FORM || it.essence == MULTIPART);
        if !is_form {
            return Err(ApiError::UnsupportedMediaType { expected: FORM });
        }
        self.bytes()
    }

    fn json_bytes(&self, types: &[&str]) -> Result<&[u8], ApiError> {
        if self.is_absent() {
            return Err(ApiError::bad_request("A body is needed."));
        }
        let fits = self.content_type.as_ref().is_some_and(|it| it.is_utf8 && types.contains(&it.essence.as_str()));
        if !fits {
            return Err(ApiError::UnsupportedMediaType { expected: JSON });
        }
        self.bytes()
    }

    fn bytes(&self) -> Result<&[u8], ApiError> {
        match &self.bytes {
            Ok(bytes) => self.query.parse_none().map(|()| bytes.as_ref()),
            Err(Unread::TooLarge) => Err(ApiError::TooLarge),
            Err(Unread::Broken) => Err(ApiError::bad_request("The body broke off.")),
        }
    }
}

impl fmt::Debug for RawBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the octets: they may be a password.
        formatter.debug_struct("RawBody").field("content_type", &self.content_type).finish_non_exhaustive()
    }
}

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Self::Rejection> {
        let query = Query::of(request.uri());
        let content_type = content_type(request.headers());
        let collected = Limited::new(request.into_body(), BODY_LIMIT).collect().await;
        let bytes = collected
            .map(http_body_util::Collected::to_bytes)
            .map_err(|error| if error.is::<LengthLimitError>() { Unread::TooLarge } else { Unread::Broken });
        Ok(Self { query, content_type, bytes })
    }
}

fn content_type(headers: &HeaderMap) -> Option<ContentType> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let mut parts = value.to_str().ok()?.split(';').map(str::trim);
    let essence = parts.next()?.to_ascii_lowercase();
    let is_utf8 = parts.filter(|it| !it.is_empty()).all(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        !name.trim().eq_ignore_ascii_case("charset") || value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    Some(ContentType { essence, is_utf8 })
}

fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    // All of it first: what is not JSON at its end is not JSON, whatever rule its beginning breaks.
    let text = std::str::from_utf8(bytes).map_err(|_| ApiError::bad_request("The body is not UTF-8."))?;
    serde_json::from_str::<IgnoredAny>(text).map_err(|error| not_json(&error))?;
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let parsed = serde_path_to_error::deserialize(&mut deserializer).map(|Object(it)| it);
    parsed.map_err(|error| match error.inner().classify() {
        Category::Data => ApiError::Invalid(vec![field_problem(&error)]),
        Category::Syntax | Category::Eof | Category::Io => not_json(error.inner()),
    })
}

/// Reads a field of a patch that is an object: what is given must be one, `null` and an array of its values refused.
///
/// # Errors
/// What the field's own type says.
pub fn set_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    Object::deserialize(deserializer).map(|Object(it)| Some(it))
}

/// As [`set_object`], for a field that `null` clears.
///
/// # Errors
/// What the field's own type says.
pub fn set_or_clear_object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<Object<T>>::deserialize(deserializer).map(|given| Some(given.map(|Object(it)| it)))
}

/// A struct as its fields by name only: serde would take an array of its values as well, which no contract speaks of.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

fn not_json(error: &serde_json::Error) -> ApiError {
    ApiError::bad_request(format!("The body is not JSON: {error}."))
}

fn field_problem(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldProblem {
    let mut pointer = pointer(error.path());
    let message = error.inner().to_string();
    let place = format!(" at line {} column {}", error.inner().line(), error.inner().column());
    let detail = message.strip_suffix(&place).unwrap_or(&message);
    // serde reports these at the object that lacks or has the field; whoever shows them wants the field.
    for (prefix, says) in
        [("missing field `", "is missing"), ("unknown field `", "is not known"), ("duplicate field `", "is given twice")]
    {
        let Some((name, _)) = detail.strip_prefix(prefix).and_then(|it| it.split_once('`')) else { continue };
        let name = format!("/{}", escape(name));
        if !pointer.ends_with(&name) {
            pointer.push_str(&name);
        }
        return FieldProblem { pointer, detail: says.to_owned() };
    }
    FieldProblem { pointer, detail: detail.to_owned() }
}

/// A JSON Pointer (RFC 6901) of a path.
fn pointer(path: &serde_path_to_error::Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => pointer.push_str(&format!("/{}", escape(key))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

fn escape(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

#[cfg(test)]
mod tests {
    use domain::NewTask;
    use http::StatusCode;

    use super::*;

    fn body(content_type: &str, text: &str) -> RawBody {
        let query = Query::of(&http::Uri::from_static("/v1/projects"));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, content_type.parse().expect("a header"));
        RawBody { query, content_type: super::content_type(&headers), bytes: Ok(Bytes::copy_from_slice(text.as_bytes())) }
    }

    fn check_place(text: &str, pointer: &str, detail: &str) {
        match body(JSON, text).parse::<NewTask>() {
            Err(ApiError::Invalid(errors)) => {
                let expected = vec![FieldProblem { pointer: pointer.to_owned(), detail: detail.to_owned() }];
                assert_eq!(errors, expected, "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn a_broken_rule_is_named_with_its_place() {
        check_place(r#"{"title": ""}"#, "/title", "is empty");
        check_place(r#"{"title": "a", "labels": ["a", ""]}"#, "/labels/1", "is empty");
        check_place(r#"{"title": 7}"#, "/title", "invalid type: integer `7`, expected a string");
        check_place("{}", "/title", "is missing");
        check_place(r#"{"title": "a", "colour": 1}"#, "/colour", "is not known");
        check_place(r#"{"title": "a", "a/b~": 1}"#, "/a~1b~0", "is not known");
        check_place(r#"{"title": "a", "title": "b"}"#, "/title", "is given twice");
        check_place(r#"{"title": "a", "status": 0}"#, "/status", "invalid type: integer `0`, expected a string");
        check_place(r#"{"title": "a", "status": {"done": null}}"#, "/status", "invalid type: map, expected a string");
        check_place(r#"["a", "b", "done"]"#, "", "invalid type: sequence, expected an object");
    }

    #[test]
    fn null_is_no_body_where_there_may_be_none() {
        for text in ["", "null", " null\n"] {
            assert!(matches!(body(JSON, text).parse_optional::<NewTask>(), Ok(None)), "{text:?}");
        }
        assert!(matches!(body(JSON, r#"{"title": "a"}"#).parse_optional::<NewTask>(), Ok(Some(_))));
        assert!(body(JSON, "[null]").parse_optional::<NewTask>().is_err());
        assert!(body("text/plain", "null").parse_optional::<NewTask>().is_err());
    }

    fn check_status(content_type: &str, text: &str, expected: Option<StatusCode>) {
        let status = body(content_type, text).parse::<NewTask>().err().map(|it| it.status());
        assert_eq!(status, expected, "{content_type}: {text}");
    }

    #[test]
    fn json_is_told_from_what_is_not() {
        check_status(JSON, r#"{"title": "a"}"#, None);
        check_status("Application/JSON; Charset=\"UTF-8\"", r#"{"title": "a"}"#, None);
        check_status("application/json; charset=latin1", r#"{"title": "a"}"#, Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        check_status(MERGE_PATCH, r#"{"title": "a"}"#, Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        check_status("text/plain", "{", Some(StatusCode::UNSUPPORTED_MEDIA_TYPE));
        check_status("text/plain", "", Some(StatusCode::BAD_REQUEST));
        check_status(JSON, "", Some(StatusCode::BAD_REQUEST));
        check_status(JSON, r#"{"title": "a"} x"#, Some(StatusCode::BAD_REQUEST));
        check_status(JSON, r#"{"title": "\ud800"}"#, Some(StatusCode::BAD_REQUEST));
        check_status(JSON, &"[".repeat(100_000), Some(StatusCode::BAD_REQUEST));
        check_status(JSON, "[]", Some(StatusCode::UNPROCESSABLE_ENTITY));
        check_status(JSON, "null", Some(StatusCode::UNPROCESSABLE_ENTITY));
    }

    /// On a stack that a parser which recursed ten thousand times would overflow, which ends the process.
    #[test]
    fn json_of_any_depth_is_refused_without_recursion() {
        let checks = || {
            let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(10_000), close.repeat(10_000));
            let (arrays, objects) = (nested("[", "]"), nested(r#"{"a":"#, "}"));
            for deep in [&arrays, &objects] {
                check_status(JSON, deep, Some(StatusCode::UNPROCESSABLE_ENTITY));
                check_status(JSON, &format!(r#"{{"title": {deep}}}"#), Some(StatusCode::UNPROCESSABLE_ENTITY));
                check_status(JSON, &format!(r#"{{"labels": [{deep}]}}"#), Some(StatusCode::UNPROCESSABLE_ENTITY));
                check_status(JSON, &format!(r#"{{"colour": {deep}}}"#), Some(StatusCode::UNPROCESSABLE_ENTITY));
                // A type that takes anything is held to the 128 levels of the JSON library.
                let taken = body(JSON, &format!(r#"{{"a": {deep}}}"#)).parse::<serde_json::Value>();
                assert_eq!(taken.err().map(|it| it.status()), Some(StatusCode::BAD_REQUEST));
            }
            check_status(JSON, &"[".repeat(10_000), Some(StatusCode::BAD_REQUEST));
            check_status(JSON, &r#"{"a":"#.repeat(10_000), Some(StatusCode::BAD_REQUEST));
        };
        let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(checks).expect("a thread");
        thread.join().expect("the checks hold");
    }

    #[test]
    fn text_that_is_no_text_is_refused() {
        for title in [r"\ud800", r"\udc00", r"\ud800\u0041", r"\udc00\ud800", r"a\ud83d"] {
            check_status(JSON, &format!(r#"{{"title": "{title}"}}"#), Some(StatusCode::BAD_REQUEST));
        }
        check_status(JSON, r#"{"title": "\ud83d\ude00"}"#, None);
        check_status(JSON, r#"{"title": "a\u0000b"}"#, Some(StatusCode::UNPROCESSABLE_ENTITY));
        check_status(JSON, "{\"title\": \"a\0b\"}", Some(StatusCode::BAD_REQUEST));
        check_status(JSON, r#"{"\ud800": "a"}"#, Some(StatusCode::BAD_REQUEST));
    }
}
