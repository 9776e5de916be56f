use std::collections::BTreeMap;

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
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        document.components.get_or_insert_default().add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Errors of a route that anybody may read.
#[derive(Debug)]
pub struct PublicProblems;

/// Errors of a route that anybody may call with a body.
#[derive(Debug)]
pub struct OpenProblems;

/// Errors of a route that reads for a caller.
#[derive(Debug)]
pub struct ReadProblems;

/// Errors of a route that makes or does something for a caller.
#[derive(Debug)]
pub struct WriteProblems;

/// Errors of a route that edits a version of something.
#[derive(Debug)]
pub struct EditProblems;

impl IntoResponses for PublicProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[404, 500, 503])
    }
}

impl IntoResponses for OpenProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[400, 404, 413, 415, 422, 500, 503])
    }
}

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[400, 401, 404, 500, 503])
    }
}

impl IntoResponses for WriteProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[400, 401, 403, 404, 409, 413, 415, 422, 500, 503])
    }
}

impl IntoResponses for EditProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        responses(&[400, 401, 403, 404, 412, 413, 415, 422, 428, 500, 503])
    }
}

fn responses(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    let problem = || ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response = |status: u16| {
        let title = http::StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason()).unwrap_or_default();
        ResponseBuilder::new().description(title).content("application/problem+json", problem()).build()
    };
    statuses.iter().map(|status| (status.to_string(), RefOr::T(response(*status)))).collect()
}
