//! The page as a browser gets it.

use reqwest::Method;

use crate::people::{Person, stack};

#[tokio::test(flavor = "multi_thread")]
async fn every_file_of_the_page_comes_with_its_own_policy_and_is_sent_once() {
    let stack = stack().await;
    let browser = Person::stranger(&stack);
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/app.js", "text/javascript; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/favicon.svg", "image/svg+xml"),
    ] {
        let first = browser.get(path).await.expect(200);
        let tag = first.header("etag");
        let again = browser.send(Method::GET, path, &[("if-none-match", tag)], None).await.expect(304);
        assert!(again.body.is_null(), "{again:#?}");
        for answer in [&first, &again] {
            let policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; \
                          require-trusted-types-for 'script'";
            assert_eq!(answer.header("content-security-policy"), policy);
            assert_eq!(answer.header("content-type"), content_type);
            assert_eq!(answer.header("cache-control"), "no-cache");
            assert_eq!(answer.header("etag"), tag);
            assert_eq!(answer.header("cross-origin-opener-policy"), "same-origin");
            assert!(answer.header("permissions-policy").starts_with("camera=(), "), "{answer:#?}");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
    }
    // By another name of this machine the API would not believe the page's cookies.
    let (_, port) = stack.origin().rsplit_once(':').expect("a port");
    let patient = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().expect("a client");
    for name in ["127.0.0.1", "baton.localhost"] {
        let request = patient.get(format!("http://127.0.0.1:{port}/?a=b")).header("host", format!("{name}:{port}"));
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status().as_u16(), 307, "{name}");
        assert_eq!(answer.headers()["location"], format!("{}/?a=b", stack.origin()));
    }
    browser.get("/app.mjs").await.expect(404);
    // What is a tool of its own asks for forms, frames or pictures.
    for path in ["/inbox", "/docs/"] {
        let policy = browser.get(path).await.expect(200).header("content-security-policy").to_owned();
        assert!(policy.contains("form-action 'self'") && !policy.contains("trusted-types"), "{path}: {policy}");
    }
}
