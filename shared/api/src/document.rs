use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};
use utoipa::{IntoResponses, Modify, OpenApi as _};

use crate::{FieldProblem, Problem};

/// What every function's part of the contract begins with: the schemas of errors and how a caller proves who they are (`bearer`).
#[must_use]
pub fn document() -> OpenApi {
    #[derive(utoipa::OpenApi)]
    #[openapi(components(schemas(Problem, FieldProblem)), modifiers(&Bearer), info(title = "Baton", version = "1"))]
    struct Document;
    Document::openapi()
}

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").description(Some(
            "The access token of a session, a JWT; or a personal API token, `baton_...`, which reaches no credentials, and of the rest \
             what it was made for.",
        ));
        let bearer = bearer.build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Problems of a route that anybody may ask.
#[derive(Debug)]
pub struct PublicProblems;

/// Problems of a route that asks who calls.
#[derive(Debug)]
pub struct CallerProblems;

/// The problem of a path that names something.
#[derive(Debug)]
pub struct NotFoundProblem;

/// The problem of a role that does not reach.
#[derive(Debug)]
pub struct RoleProblem;

/// The problems that a body adds.
#[derive(Debug)]
pub struct BodyProblems;

/// The problem of a request that what is there already does not allow.
#[derive(Debug)]
pub struct ConflictProblem;

/// The problems that a condition on the version adds.
#[derive(Debug)]
pub struct VersionProblems;

/// The problem of a request that comes too often, or while too many others wait.
#[derive(Debug)]
pub struct BusyProblem;

impl IntoResponses for PublicProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            (400, "A query parameter is unknown or cannot be parsed, or the body cannot."),
            (500, "A fault of ours; trying again will not help."),
            (503, "Something needed does not answer, or too many ask at once; trying again is safe."),
        ])
    }
}

impl IntoResponses for CallerProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut responses = PublicProblems::responses();
        responses.append(&mut problems(&[
            (401, "There is no valid access token, or its session has ended."),
            (403, "The API token does not reach this."),
        ]));
        responses
    }
}

impl IntoResponses for NotFoundProblem {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[(404, "There is no such thing, or nothing that the caller may know of.")])
    }
}

impl IntoResponses for RoleProblem {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[(403, "The caller is a member whose role does not allow this, or their API token does not reach it.")])
    }
}

impl IntoResponses for BodyProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            (413, "The body is larger than 256 KiB."),
            (415, "The body is of another content type."),
            (422, "The body breaks a rule or has an unknown field; `errors` says where."),
        ])
    }
}

impl IntoResponses for ConflictProblem {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[(409, "What is there does not allow it; `detail` says what.")])
    }
}

impl IntoResponses for VersionProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[(412, "It has moved on; it is shown, as it is now, under `current`."), (428, "`If-Match` is missing.")])
    }
}

impl IntoResponses for BusyProblem {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(&[
            (429, "Too often."),
            (503, "Something needed does not answer, or too many ask at once; trying again is safe."),
        ])
    }
}

fn problems(statuses: &[(u16, &str)]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|(status, description)| (status.to_string(), problem(*status, description).into())).collect()
}

fn problem(status: u16, description: &str) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = ResponseBuilder::new().description(description).content("application/problem+json", content);
    let header = match status {
        401 => Some(("WWW-Authenticate", "`Bearer`")),
        429 | 503 => Some(("Retry-After", "When to try again, in seconds.")),
        _ => None,
    };
    let with_header = match header {
        Some((name, says)) => response.header(name, HeaderBuilder::new().description(Some(says)).build()),
        None => response,
    };
    with_header.build()
}
