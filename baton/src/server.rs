//! The one public port: the functions' routes, the page, the documents, the inbox and the metrics.

use std::{sync::Arc, time::Duration};

use api::ApiError;
use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use tokio::sync::Notify;
use tower_http::cors::CorsLayer;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::{
    flush::Flush,
    inbox::{self, Inbox},
    metrics::{self, Metrics},
    page,
    progress::Progress,
    unread,
};

/// Scripts and styles come from here, nothing may frame us.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'",
);
/// Swagger UI has its icons in its style sheet.
const POLICY_OF_DOCS: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; object-src 'none'; frame-ancestors 'none'",
);
/// How long a browser may remember that an origin is allowed.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// What is served.
#[expect(missing_debug_implementations, reason = "the document has none")]
pub struct Parts {
    /// The HTTP functions, finished.
    pub api: Router,
    /// The contract they fulfil.
    pub document: OpenApi,
    /// The mails.
    pub inbox: Inbox,
    /// The counters.
    pub metrics: Metrics,
    /// What is on its way.
    pub progress: Progress,
    /// Told whenever a request may have written to the change log.
    pub written: Arc<Notify>,
    /// Makes what was written durable before the answer goes out.
    pub flush: Option<Flush>,
    /// Where the page is at home.
    pub origin: String,
    /// Whose pages may call the API besides our own.
    pub allowed_origins: Vec<HeaderValue>,
}

/// Everything on the port.
pub fn app(parts: Parts) -> Router {
    let Parts { api, document, inbox, metrics, progress, written, flush, origin, allowed_origins } = parts;
    let api = api.layer(middleware::from_fn(unread::read_rest));
    let api = api.layer(middleware::from_fn_with_state((written, flush), acknowledge));
    let api = if allowed_origins.is_empty() { api } else { api.layer(cors(allowed_origins)) };
    let docs =
        Router::new().merge(SwaggerUi::new("/docs").url("/openapi.json", document)).layer(middleware::map_response(allow_icons));
    let site = Router::new().merge(page::routes(&origin)).merge(metrics::routes(metrics.clone(), progress));
    let site = site.merge(inbox::routes(inbox)).merge(docs);
    site.merge(api).layer(middleware::from_fn(guard)).layer(middleware::from_fn_with_state(metrics, metrics::count_request))
}

/// As `CorsConfiguration` in template.yaml.
fn cors(origins: Vec<HeaderValue>) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins)
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static("idempotency-key"),
            header::IF_MATCH,
            header::IF_NONE_MATCH,
        ])
        .expose_headers([header::ETAG, header::LOCATION, header::RETRY_AFTER])
        .max_age(PREFLIGHT_AGE)
}

/// Wakes the stream's reader right after a write, so that nobody waits for its next look, and answers once the write is on the disk.
/// A refusal may have written too: a refresh token used twice ends its session.
async fn acknowledge(State((written, flush)): State<(Arc<Notify>, Option<Flush>)>, request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    if reads {
        return response;
    }
    written.notify_one();
    if let Some(flush) = flush
        && let Err(error) = flush.written().await
    {
        tracing::error!(%error, "could not bring a write onto the disk");
        return ApiError::internal("could not bring a write onto the disk").into_response();
    }
    response
}

async fn allow_icons(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY_OF_DOCS);
    response
}

/// Refuses requests under a foreign name, which a page elsewhere could send here by rebinding its DNS name, and sets the headers every
/// page should have.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| !is_local(host)) {
        let mut refusal = Response::new("This stack answers under a local name only.\n".into());
        *refusal.status_mut() = StatusCode::MISDIRECTED_REQUEST;
        return refusal;
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.entry(header::X_CONTENT_TYPE_OPTIONS).or_insert(HeaderValue::from_static("nosniff"));
    headers.entry(header::REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    headers.entry(header::X_FRAME_OPTIONS).or_insert(HeaderValue::from_static("DENY"));
    response
}

fn is_local(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.ends_with(".localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_names_are_answered() {
        for host in ["localhost", "localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
            assert!(is_local(host), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example:3000", ""] {
            assert!(!is_local(host), "{host}");
        }
    }
}
