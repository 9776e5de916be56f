//! The web page, inside the binary.

use std::sync::Arc;

use axum::{
    Router,
    extract::OriginalUri,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode, Uri,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HOST, IF_NONE_MATCH},
    },
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use uuid::Uuid;

/// Files of web/ by name, as the build script found them.
const ASSETS: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Nothing from elsewhere, nothing inline, no text taken for code; `PageHeaders` in template.yaml sends the same.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; \
     require-trusted-types-for 'script'",
);

/// No tool of another origin holds the page's window, and it asks for no camera and the like.
const OPENER: (HeaderName, HeaderValue) =
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin"));
const PERMISSIONS: (HeaderName, HeaderValue) = (
    HeaderName::from_static("permissions-policy"),
    HeaderValue::from_static("camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
);

/// The page at `/` and its files beside it. Under another name of this machine than `origin`'s the API would not believe the page's
/// cookies, so a browser is sent on.
pub fn routes(origin: &str) -> Router {
    let origin: Arc<str> = origin.into();
    let mut router = Router::new();
    for &(name, text) in ASSETS {
        let origin = origin.clone();
        let tag: Arc<str> = format!("\"{}\"", Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes()).simple()).into();
        let asset = get(async move |OriginalUri(uri): OriginalUri, headers: HeaderMap| {
            elsewhere(&origin, &uri, &headers).unwrap_or_else(|| answer(name, text, &tag, &headers))
        });
        if name == "index.html" {
            router = router.route("/", asset.clone());
        }
        router = router.route(&format!("/{name}"), asset);
    }
    router
}

/// The same path at the origin, for whoever came by another name.
fn elsewhere(origin: &str, uri: &Uri, asked: &HeaderMap) -> Option<Response> {
    let host = asked.get(HOST)?.to_str().ok()?;
    let is_origin = origin.split_once("://").is_some_and(|(_, it)| it.eq_ignore_ascii_case(host));
    let path = uri.path_and_query().map_or("/", |it| it.as_str());
    (!is_origin).then(|| Redirect::temporary(&format!("{origin}{path}")).into_response())
}

/// A browser keeps every file and asks each time whether it is still the one.
fn answer(name: &str, text: &'static str, tag: &str, asked: &HeaderMap) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(content_type(name))),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_SECURITY_POLICY, POLICY),
        OPENER,
        PERMISSIONS,
        (ETAG, HeaderValue::try_from(tag).expect("a quoted hex number is a header")),
    ];
    if is_known(asked, tag) {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, text).into_response()
}

/// `If-None-Match`, compared weakly (RFC 9110, section 13.1.2).
fn is_known(asked: &HeaderMap, tag: &str) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).iter().filter_map(|it| it.to_str().ok());
    lists.flat_map(|list| list.split(',')).map(str::trim).any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, http::Request};
    use tower::ServiceExt as _;

    use super::*;
    use crate::template::TEMPLATE;

    const MOST_OCTETS: usize = 102_400;

    async fn ask(path: &str, if_none_match: Option<&str>) -> Response {
        let mut request = Request::builder().uri(path);
        if let Some(tag) = if_none_match {
            request = request.header(IF_NONE_MATCH, tag);
        }
        routes("http://localhost:3000").oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer")
    }

    #[tokio::test]
    async fn every_file_of_the_page_is_served() -> std::io::Result<()> {
        for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../web"))? {
            let name = file?.file_name().to_string_lossy().into_owned();
            let response = ask(&format!("/{name}"), None).await;
            assert_eq!(response.status(), StatusCode::OK, "{name}");
            assert_ne!(response.headers()[CONTENT_TYPE], "application/octet-stream", "{name}");
        }
        Ok(())
    }

    #[test]
    fn the_page_is_100_kilobytes_at_most_as_it_is() {
        let octets: usize = ASSETS.iter().map(|(_, text)| text.len()).sum();
        assert!(octets <= MOST_OCTETS, "web/ has {octets} octets");
    }

    #[tokio::test]
    async fn a_file_that_a_browser_has_is_not_sent_again() {
        let tag = ask("/", None).await.headers()[ETAG].to_str().expect("text").to_owned();
        assert_ne!(tag, ask("/app.js", None).await.headers()[ETAG]);
        for (known, expected) in [
            (tag.as_str(), StatusCode::NOT_MODIFIED),
            (&format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("*", StatusCode::NOT_MODIFIED),
            ("\"other\"", StatusCode::OK),
        ] {
            let response = ask("/", Some(known)).await;
            assert_eq!(response.status(), expected, "{known}");
            assert_eq!(response.headers()[ETAG], tag.as_str());
            assert_eq!(response.headers()[CACHE_CONTROL], "no-cache");
            assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], POLICY);
        }
    }

    #[test]
    fn the_distribution_sends_the_same_policies() {
        let text = |value: HeaderValue| value.to_str().expect("text").to_owned();
        for declared in [
            format!("            ContentSecurityPolicy: {}\n", text(POLICY)),
            format!("Header: Cross-Origin-Opener-Policy, Value: {}, Override: true", text(OPENER.1)),
            format!("Header: Permissions-Policy, Value: \"{}\", Override: true", text(PERMISSIONS.1)),
        ] {
            assert!(TEMPLATE.contains(&declared), "{declared}");
        }
    }

    #[test]
    fn no_file_of_the_page_refers_to_another_host() {
        for (name, text) in ASSETS {
            for (at, _) in text.match_indices("://") {
                let before = text[..at].rsplit(|it: char| !it.is_ascii_alphanumeric()).next().unwrap_or_default();
                // Names of vocabularies, which nothing fetches.
                assert!(
                    before == "http" && text[at..].starts_with("://www.w3.org/"),
                    "{name} refers to {before}{:.40}",
                    &text[at..]
                );
            }
            for relative in ["'//", "\"//", "`//", "(//", "=//"] {
                assert!(!text.contains(relative), "{name} refers to {relative}");
            }
        }
    }

    #[test]
    fn the_page_keeps_no_secret_where_others_find_it() {
        for (name, text) in ASSETS {
            for (place, keeper) in [
                // The language, and what is not saved yet: neither lets anybody in.
                ("localStorage", "i18n.js"),
                ("sessionStorage", "outbox.js"),
                ("indexedDB", ""),
                ("document.cookie", ""),
                ("pushState", ""),
            ] {
                assert!(*name == keeper || !text.contains(place), "{name} uses {place}");
            }
        }
        let router = ASSETS.iter().find(|(name, _)| *name == "app.js").map_or("", |(_, text)| text);
        let forgets = "has('token')) history.replaceState(";
        let draws = "page = await";
        assert!(router.find(forgets).is_some_and(|it| router.find(draws).is_some_and(|drawn| it < drawn)));
    }
}
