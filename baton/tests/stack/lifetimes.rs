//! A session ends by the clock: after its whole life, and when it is left alone.

use std::time::Duration;

use baton::stack::{Options, Stack};
use jiff::Timestamp;
use serde_json::json;

use crate::people::Person;

/// In seconds; long enough to sign up and ask a few things.
const LIFE: u32 = 8;

async fn until(at: &str) {
    let at: Timestamp = at.parse().expect("a time");
    let left = at.duration_since(Timestamp::now());
    tokio::time::sleep(left.unsigned_abs() + Duration::from_millis(10)).await;
}

async fn end_of_session(person: &Person) -> String {
    let sessions = person.get("/v1/me/sessions").await.expect(200).body;
    sessions["items"][0]["expires_at"].as_str().expect("a time").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_after_its_whole_life_however_often_it_is_refreshed() {
    let options = Options { in_memory: true, port: 0, session_seconds: Some(LIFE), ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let mut ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let end = end_of_session(&ada).await;
    let refreshed = ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.expect(200);
    assert!(refreshed.body["expires_in"].as_u64().is_some_and(|it| it <= u64::from(LIFE)), "{refreshed:#?}");
    ada.access_token = Some(refreshed.text("access_token"));
    ada.refresh_token = refreshed.text("refresh_token");
    assert_eq!(end_of_session(&ada).await, end, "refreshing prolongs nothing");
    ada.get("/v1/projects").await.expect(200);
    until(&end).await;
    ada.post("/v1/login/refresh", json!({"refresh_token": ada.refresh_token})).await.problem(401);
    ada.get("/v1/me/sessions").await.problem(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_is_left_alone_ends_earlier() {
    let options = Options { in_memory: true, port: 0, session_idle_seconds: Some(LIFE), ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let idle = ada.elsewhere().await;
    until(&end_of_session(&idle).await).await;
    idle.post("/v1/login/refresh", json!({"refresh_token": idle.refresh_token})).await.problem(401);
    idle.get("/v1/me/sessions").await.problem(401);
}
