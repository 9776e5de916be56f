//! Bodies that are meant to cost more than they should: refused before a password is hashed, an attempt counted or a stack overflown.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::json;

use crate::meter::{Metered, operations};
use crate::people::{PASSWORD, Person, stack};

const DEEP: usize = 10_000;
const LARGE: usize = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_body_is_refused_before_anything_is_hashed_or_counted() {
    let metered = Metered::start().await;
    let ada = metered.person(&Person::sign_up(&metered.stack, "Ada", json!({})).await);
    // The functions read their keys.
    ada.get("/v1/me").await.expect(200);
    ada.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200);
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(DEEP), close.repeat(DEEP));
    let hostile = [
        (format!("\"{}\"", "a".repeat(LARGE)), &[413][..]),
        (deep("[", "]"), &[400, 422]),
        (deep("{\"a\":", "}"), &[400, 422]),
        ("[".repeat(DEEP), &[400]),
        ("\"\\ud800\"".to_owned(), &[400, 422]),
        ("\"\\udc00\\ud800 and fifteen more\"".to_owned(), &[400, 422]),
        ("[\"a\"]".to_owned(), &[422]),
        ("7".to_owned(), &[422]),
        ("null".to_owned(), &[422]),
    ];
    let mut seen = Vec::new();
    for (method, path, field, others) in [
        ("POST", "/v1/login", "password", json!({"email": ada.email})),
        ("POST", "/v1/login", "email", json!({"password": PASSWORD})),
        ("POST", "/v1/login", "device_token", json!({"email": ada.email, "password": PASSWORD})),
        ("POST", "/v1/login/second-factor", "code", json!({"ticket": "none"})),
        ("POST", "/v1/login/second-factor", "ticket", json!({"code": "000000"})),
        ("POST", "/v1/accounts/verify", "password", json!({"token": "none"})),
        ("POST", "/v1/password/reset", "new", json!({"token": "none"})),
        ("POST", "/v1/password/forgot", "email", json!({})),
        ("PUT", "/v1/me/password", "current", json!({"new": PASSWORD})),
        ("PUT", "/v1/me/password", "new", json!({"current": PASSWORD})),
        ("POST", "/v1/me/email", "password", json!({"email": "moved@example.com"})),
        ("POST", "/v1/me/second-factor", "password", json!({})),
        ("DELETE", "/v1/me", "password", json!({})),
    ] {
        for (value, expected) in &hostile {
            // serde_json would not write what is hostile here.
            let mut body = others.to_string();
            body.pop();
            let comma = if body.len() > 1 { "," } else { "" };
            let body = format!("{body}{comma}\"{field}\":{value}}}");
            let is_optional = field == "device_token" && value == "null";
            metered.calls();
            let headers = [("content-type", "application/json")];
            let answer = ada.send(method.parse().expect("a method"), path, &headers, Some(body.into_bytes())).await;
            if is_optional {
                continue;
            }
            let (status, calls) = (answer.status.as_u16(), metered.calls());
            if !expected.contains(&status) {
                seen.push(format!("{method} {path} {field} {value:.30}: {status} for {expected:?}: {}", answer.body));
            }
            // Somebody who is logged in is looked up first, and that is all.
            let is_cheap = operations(&calls).iter().all(|it| *it == "GetItem" || *it == "BatchGetItem");
            if !is_cheap || (!path.starts_with("/v1/me") && !calls.is_empty()) {
                seen.push(format!("{method} {path} {field} {value:.30}: {:?}", operations(&calls)));
            }
        }
    }
    assert!(seen.is_empty(), "{}", seen.join("\n"));
    // None of it counted as a guess.
    ada.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_with_a_nul_or_of_no_sensible_length_is_refused_and_nothing_breaks() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let long = "a".repeat(200_000);
    for password in ["", "\u{0}", "fifteen letters \u{0} and more", long.as_str()] {
        let answer = ada.post("/v1/login", json!({"email": ada.email, "password": password})).await;
        assert!([401, 422].contains(&answer.status.as_u16()), "{:.30}: {answer:#?}", password);
        let answer = ada.put("/v1/me/password", json!({"current": password, "new": PASSWORD})).await;
        answer.broken_rule("/current");
        let is_refused = password.len() < 15 || password.len() > 128;
        if is_refused {
            ada.put("/v1/me/password", json!({"current": PASSWORD, "new": password})).await.broken_rule("/new");
        }
    }
    ada.get("/v1/me").await.expect(200);
}

/// The status of the next answer on a connection, read to its end.
fn next_status(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut octet = [0];
        connection.read_exact(&mut octet).expect("an answer");
        head.push(octet[0]);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head.lines().find_map(|it| it.strip_prefix("content-length: ")).expect("a length");
    let mut body = vec![0; length.parse().expect("a number")];
    connection.read_exact(&mut body).expect("a whole answer");
    head.split(' ').nth(1).expect("a status").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_goes_on_after_a_body_that_was_refused_unread() {
    let stack = stack().await;
    let address = stack.origin().trim_start_matches("http://").replace("localhost", "127.0.0.1");
    let statuses = tokio::task::spawn_blocking(move || {
        let mut connection = TcpStream::connect(&address).expect("a connection");
        let mut statuses = Vec::new();
        for path in ["/v1/login", "/v1/projects", "/v1/nowhere", "/v1/login"] {
            let head = format!(
                "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {LARGE}\r\n\r\n"
            );
            connection.write_all(head.as_bytes()).expect("it is listening");
            connection.write_all(&vec![b' '; LARGE]).expect("it goes on listening");
            statuses.push(next_status(&mut connection));
        }
        statuses
    });
    assert_eq!(statuses.await.expect("no panic"), ["413", "401", "404", "413"]);
}
