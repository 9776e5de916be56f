use std::panic::AssertUnwindSafe;

use axum::Router;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures::FutureExt;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method};
use tracing::Instrument;
use utoipa_axum::router::OpenApiRouter;

use crate::{ApiError, RequestId, language, request_id};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// An answer is data: whatever a browser takes it for, it loads nothing, runs nothing and is framed by nobody.
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// In seconds (RFC 6797).
const TWO_YEARS: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");

/// The routes of a function's part of the contract, which answer an unknown method as an unknown route is answered.
pub fn routes<S: Clone + Send + Sync + 'static>(part: OpenApiRouter<S>, state: S) -> Router {
    let (routes, document) = part.split_for_parts();
    // Not by `method_not_allowed_fallback`, whose answers axum gives an `Allow`, which says that there is something after all.
    let routes = document.paths.paths.keys().fold(routes, |routes, path| routes.route(path, any(not_found)));
    routes.with_state(state)
}

/// What all HTTP functions have in common around their routes: a request id, the headers of every answer, 404 for an unknown
/// route, and 500 where a handler panics. Apply it once, last; it is not to be merged afterwards.
///
/// The issuer is the public origin of the API: where it is https, browsers are told to come back by nothing else.
pub fn finish(routes: Router, issuer: &str) -> Router {
    let is_https = issuer.starts_with("https://");
    routes.fallback(not_found).layer(from_fn(move |request, next| answer(request, next, is_https)))
}

async fn not_found() -> ApiError {
    ApiError::NotFound
}

async fn answer(mut request: Request, next: Next, is_https: bool) -> Response {
    let id = request.extensions_mut().remove::<RequestId>().unwrap_or_default();
    // The path as routed: a path as sent may carry a token.
    let route = request.extensions().get::<MatchedPath>().map_or_else(String::new, |it| it.as_str().to_owned());
    let span = tracing::info_span!("request", request.id = %id.0, request.method = %request.method(), request.route = route);
    let header = HeaderValue::from_str(&id.0);
    let locale = language::preferred(request.headers());
    let answering = async {
        // axum answers HEAD wherever there is a GET; API Gateway knows the methods of the contract only.
        if request.method() == Method::HEAD {
            return ApiError::NotFound.into_response();
        }
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        response.unwrap_or_else(|_| ApiError::internal("a handler panicked").into_response())
    };
    let mut response = request_id::scope(id, language::scope(locale, answering)).instrument(span).await;
    let headers = response.headers_mut();
    if let Ok(id) = header {
        headers.insert(X_REQUEST_ID, id);
    }
    if is_https {
        headers.insert(STRICT_TRANSPORT_SECURITY, TWO_YEARS);
    }
    // A page among the answers has a policy of its own.
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(NOTHING);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::State;
    use domain::{ProjectId, Version};
    use http::StatusCode;
    use http_body_util::BodyExt;
    use serde_json::{Value, json};
    use tower::ServiceExt;
    use utoipa_axum::routes;

    use super::*;
    use crate::{BODY_LIMIT, IfMatch, Path, RawBody};

    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Patch {
        #[serde(default)]
        title: Option<domain::Title>,
    }

    const PROJECT: &str = "01920000-0000-7000-8000-000000000001";

    /// A route that checks in the order of the contract.
    #[utoipa::path(patch, path = "/projects/{project}", params(("project" = Uuid, Path)))]
    async fn edit(
        State(allowed): State<bool>,
        Path((_project,)): Path<(ProjectId,)>,
        if_match: IfMatch,
        body: RawBody,
    ) -> Result<String, ApiError> {
        if !allowed {
            return Err(ApiError::forbidden("Only editors may."));
        }
        let patch: Patch = body.parse_patch()?;
        if_match.check(Version(3), || json!({"version": 3}))?;
        Ok(patch.title.map(|it| it.to_string()).unwrap_or_default())
    }

    #[utoipa::path(get, path = "/panics")]
    async fn panics() -> &'static str {
        panic!("as if by a bug");
    }

    fn app(allowed: bool) -> Router {
        let routes = super::routes(OpenApiRouter::new().routes(routes!(edit)).routes(routes!(panics)), allowed);
        finish(routes, "http://localhost:3000")
    }

    fn request(path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
        let mut request = Request::builder().method("PATCH").uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(body.into()).expect("a request")
    }

    async fn send(app: Router, request: Request) -> (http::response::Parts, Value) {
        let (parts, body) = app.oneshot(request).await.expect("a router answers").into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        (parts, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    async fn check(allowed: bool, project: &str, headers: &[(&str, &str)], body: impl Into<Body>, expected: StatusCode) -> Value {
        let (parts, problem) = send(app(allowed), request(&format!("/projects/{project}"), headers, body)).await;
        assert_eq!(parts.status, expected, "{problem}");
        problem
    }

    #[tokio::test]
    async fn what_is_wrong_first_in_the_order_of_the_contract_is_answered() {
        let json = ("content-type", "application/json");
        let text = ("content-type", "text/plain");
        let stale = ("if-match", "\"2\"");
        let large = || vec![b' '; BODY_LIMIT + 1];
        check(false, "x", &[text], large(), StatusCode::NOT_FOUND).await;
        check(false, PROJECT, &[text], large(), StatusCode::FORBIDDEN).await;
        let with_query = format!("{PROJECT}?x=1");
        check(false, &with_query, &[text], large(), StatusCode::FORBIDDEN).await;
        check(true, &with_query, &[text], large(), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
        check(true, &with_query, &[json], large(), StatusCode::PAYLOAD_TOO_LARGE).await;
        check(true, &with_query, &[json], r#"{"title": ""}"#, StatusCode::BAD_REQUEST).await;
        check(true, PROJECT, &[text], large(), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
        check(true, PROJECT, &[json], large(), StatusCode::PAYLOAD_TOO_LARGE).await;
        check(true, PROJECT, &[json], r#"{"title": 1, "#, StatusCode::BAD_REQUEST).await;
        check(true, PROJECT, &[json], "", StatusCode::BAD_REQUEST).await;
        check(true, PROJECT, &[json], r#"{"title": ""}"#, StatusCode::UNPROCESSABLE_ENTITY).await;
        check(true, PROJECT, &[json], "{}", StatusCode::PRECONDITION_REQUIRED).await;
        let problem = check(true, PROJECT, &[json, stale], "{}", StatusCode::PRECONDITION_FAILED).await;
        assert_eq!(problem["current"], json!({"version": 3}));
        check(true, PROJECT, &[json, ("if-match", "\"3\"")], "{}", StatusCode::OK).await;
        check(true, PROJECT, &[("content-type", "application/merge-patch+json"), ("if-match", "*")], "{}", StatusCode::OK).await;
    }

    #[tokio::test]
    async fn every_answer_has_the_headers_and_every_problem_the_request_id() {
        let mut request = request("/nowhere", &[("x-request-id", "forged")], "");
        request.extensions_mut().insert(RequestId("the-id".to_owned()));
        let (parts, problem) = send(app(true), request).await;
        assert_eq!(parts.status, StatusCode::NOT_FOUND);
        assert_eq!(parts.headers["content-type"], "application/problem+json");
        assert_eq!(parts.headers["x-request-id"], "the-id");
        assert_eq!(parts.headers["x-content-type-options"], "nosniff");
        assert_eq!(parts.headers["cache-control"], "no-store");
        assert_eq!(parts.headers["referrer-policy"], "no-referrer");
        assert_eq!(parts.headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
        assert_eq!(
            problem,
            json!({
                "type": "about:blank", "title": "Not Found", "status": 404, "request_id": "the-id",
                "detail": "There is nothing here, or nothing that you may see.",
            })
        );
    }

    #[tokio::test]
    async fn a_problem_is_in_the_language_of_whoever_asked() {
        let path = format!("/projects/{PROJECT}");
        let check = async |languages: &str, language: &str, title: &str, detail: &str, rule: &str| {
            let headers = [("accept-language", languages), ("content-type", "application/json")];
            let (parts, problem) = send(app(true), request(&path, &headers, r#"{"title": ""}"#)).await;
            assert_eq!(parts.headers["content-language"], language);
            assert_eq!(parts.headers["vary"], "accept-language");
            let expected = json!({
                "type": "about:blank", "title": title, "status": 422, "request_id": problem["request_id"], "detail": detail,
                "errors": [{"pointer": "/title", "detail": rule}],
            });
            assert_eq!(problem, expected);
        };
        let english = "What was sent breaks a rule; see errors.";
        check("en, ko;q=0.9", "en", "Unprocessable Entity", english, "is empty").await;
        let korean = "보낸 내용이 규칙에 맞지 않습니다. errors를 확인하세요.";
        check("ko-KR,ko;q=0.9,en;q=0.8", "ko", "처리할 수 없는 내용", korean, "비워 둘 수 없습니다.").await;
    }

    #[tokio::test]
    async fn a_page_says_itself_what_it_may() {
        let page = || async { [(CONTENT_SECURITY_POLICY, "default-src 'none'; form-action 'self'")] };
        let routes = Router::new().route("/page", axum::routing::patch(page));
        let (parts, _) = send(finish(routes, "https://api.example"), request("/page", &[], "")).await;
        let policies: Vec<&HeaderValue> = parts.headers.get_all("content-security-policy").iter().collect();
        assert_eq!(policies, ["default-src 'none'; form-action 'self'"]);
    }

    #[tokio::test]
    async fn browsers_are_held_to_https_where_the_api_is_reached_by_it() {
        for (issuer, expected) in [
            ("https://api.example", Some("max-age=63072000; includeSubDomains")),
            ("http://localhost:3000", None),
            ("http://https.example", None),
        ] {
            let (parts, _) = send(finish(Router::new(), issuer), request("/nowhere", &[], "")).await;
            let sent = parts.headers.get("strict-transport-security").map(|it| it.to_str().expect("text"));
            assert_eq!(sent, expected, "{issuer}");
        }
    }

    #[tokio::test]
    async fn an_unknown_method_is_answered_as_an_unknown_route() {
        let (_, unknown_route) = send(app(true), request("/nowhere", &[], "")).await;
        let (parts, problem) = send(app(true), request("/panics", &[], "")).await;
        assert_eq!(parts.status, StatusCode::NOT_FOUND);
        assert_eq!(parts.headers.get("allow"), None);
        assert_eq!((&problem["title"], &problem["detail"]), (&unknown_route["title"], &unknown_route["detail"]));
    }

    #[tokio::test]
    async fn a_panic_is_a_500_with_a_fixed_sentence() {
        let request = Request::builder().uri("/panics").body(Body::empty()).expect("a request");
        let (parts, problem) = send(app(true), request).await;
        assert_eq!(parts.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(!problem.to_string().contains("as if by a bug"), "{problem}");
    }
}
