//! Whose pages may call the API, and what browsers are told about every answer.

use baton::stack::{Options, Stack};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::people::{Answer, Person, stack};

const OURS: &str = "https://baton.example";

async fn preflight(person: &Person, origin: &str) -> Answer {
    let asked = [
        ("origin", origin),
        ("access-control-request-method", "PATCH"),
        ("access-control-request-headers", "authorization,if-match"),
    ];
    person.send(Method::OPTIONS, "/v1/me", &asked, None).await
}

fn cors_headers(answer: &Answer) -> Vec<&str> {
    answer.headers.keys().map(HeaderName::as_str).filter(|it| it.starts_with("access-control-")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_origins_page_may_call_the_api_unless_it_is_named() {
    let closed = stack().await;
    let nobody = Person::stranger(&closed);
    let refused = preflight(&nobody, OURS).await.expect(404);
    assert!(cors_headers(&refused).is_empty(), "{refused:#?}");
    let answer = nobody.send(Method::GET, "/v1/me", &[("origin", OURS)], None).await;
    assert!(cors_headers(&answer).is_empty(), "{answer:#?}");

    let allowed_origins = vec![HeaderValue::from_static(OURS)];
    let open = Options { in_memory: true, port: 0, allowed_origins, ..Options::default() };
    let open = Stack::start(open).await.expect("the stack starts");
    let nobody = Person::stranger(&open);
    let allowed = preflight(&nobody, OURS).await.expect(200);
    assert_eq!(allowed.header("access-control-allow-origin"), OURS);
    assert_eq!(allowed.header("access-control-allow-credentials"), "true");
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
        assert!(allowed.header("access-control-allow-methods").contains(method), "{allowed:#?}");
    }
    assert!(allowed.header("access-control-allow-headers").contains("if-match"), "{allowed:#?}");
    // Neither another origin nor one that only begins or ends like ours.
    for origin in ["https://evil.example", "https://baton.example.evil.example", "http://baton.example", "null"] {
        let answer = preflight(&nobody, origin).await;
        assert_eq!(answer.header("access-control-allow-origin"), "", "{origin}: {answer:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_tells_browsers_to_trust_it_with_little() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    for path in ["/v1/me", "/v1/nothing", "/", "/app.js", "/inbox", "/inbox.json", "/docs/", "/openapi.json", "/metrics"] {
        let answer = ada.get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(!policy.contains("unsafe-") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer", "{path}");
        // Without TLS a browser has to ignore it (RFC 6797, section 8.1), and a laptop's other ports are not ours to bind.
        assert_eq!(answer.header("strict-transport-security"), "", "{path}");
    }
    // A mail is shown with its own styles, in a sandbox of no origin.
    let mails = ada.get("/inbox.json").await.expect(200).body;
    let mail = ada.get(&format!("/inbox/{}", mails[0]["id"].as_str().expect("an id"))).await.expect(200);
    let policy = mail.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("; sandbox allow-popups "), "{policy}");
    assert_eq!(ada.get("/inbox/none").await.status, StatusCode::NOT_FOUND);
}
