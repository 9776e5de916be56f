//! Personal API tokens: made once, limited, listed, revoked.

use baton::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::authenticator::enrol;
use crate::people::{Answer, PASSWORD, Person, empty_inbox, mails_to, stack};

const TOKENS: &str = "/v1/me/tokens";

fn after(hours: i64) -> String {
    (Timestamp::now() + SignedDuration::from_hours(hours)).to_string()
}

fn asked(access: &str, projects: &Value) -> Value {
    json!({"name": "nightly export", "access": access, "projects": projects, "expires_at": after(24), "password": PASSWORD})
}

/// A script that has such a token of a person's.
async fn script(person: &Person, access: &str, projects: &Value) -> Person {
    let token = person.post(TOKENS, asked(access, projects)).await.expect(201).text("token");
    Person { access_token: Some(token), ..person.clone() }
}

/// A project's path, without what is before its id.
fn id_of(project: &str) -> &str {
    project.rsplit('/').next().expect("an id")
}

async fn told(stack: &Stack, person: &Person) -> usize {
    stack.drain().await;
    mails_to(stack, &person.email).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_shown_once_listed_with_its_last_use_and_revoked() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    told(&stack, &ada).await;
    empty_inbox(&stack).await;

    let made = ada.post(TOKENS, asked("write", &Value::Null)).await.expect(201);
    let token = made.text("token");
    assert!(token.starts_with("baton_") && token.len() == 49, "{token}");
    assert_eq!(told(&stack, &ada).await, 1);
    let listed = ada.get(TOKENS).await.expect(200).body;
    let mut described = made.body.clone();
    described.as_object_mut().expect("an object").remove("token");
    assert_eq!(listed, json!({"items": [described], "next_cursor": null}));
    assert!(!listed.to_string().contains(&token));
    assert_eq!(described["last_used_at"], Value::Null);

    let script = Person { access_token: Some(token), ..ada.clone() };
    assert_eq!(script.get("/v1/me").await.expect(200).body["id"], ada.id.as_str());
    let project = script.create_project("Boiler room").await;
    let task = script.create_task(&project, json!({"title": "Fix the pump"})).await;
    assert_eq!(ada.get(&task).await.expect(200).body["created_by"], ada.id.as_str());
    let used = ada.get(TOKENS).await.expect(200).body["items"][0]["last_used_at"].clone();
    assert!(used.is_string(), "{used}");

    let path = format!("{TOKENS}/{}", made.text("id"));
    Person::sign_up(&stack, "Ben", json!({})).await.delete_plain(&path).await.problem(404);
    ada.delete_plain(&path).await.expect(204);
    ada.delete_plain(&path).await.problem(404);
    for path in ["/v1/me", &task] {
        script.get(path).await.problem(401);
    }
    assert_eq!(ada.get(TOKENS).await.expect(200).body["items"], json!([]));
    let events = ada.get("/v1/me/events").await.expect(200).body;
    let kinds: Vec<(&Value, &Value)> =
        events["items"].as_array().expect("a list").iter().map(|it| (&it["kind"], &it["name"])).collect();
    let name = json!("nightly export");
    assert_eq!(kinds, [(&json!("token_revoked"), &name), (&json!("token_made"), &name)]);
    assert_eq!(told(&stack, &ada).await, 1, "that one is revoked is no news to whoever did it");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_password_a_copied_access_token_makes_no_api_token() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    told(&stack, &ada).await;
    empty_inbox(&stack).await;
    let mut unproven = asked("write", &Value::Null);
    unproven["password"] = json!("not the password at all");
    ada.post(TOKENS, unproven.clone()).await.broken_rule("/password");
    unproven.as_object_mut().expect("an object").remove("password");
    ada.post(TOKENS, unproven).await.problem(422);
    assert_eq!(ada.get(TOKENS).await.expect(200).body["items"], json!([]));
    assert_eq!(ada.get("/v1/me/events").await.expect(200).body["items"], json!([]));
    assert_eq!(told(&stack, &ada).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_second_factor_a_token_takes_a_code_that_no_refused_one_uses_up() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (mut app, codes) = enrol(&ada).await;
    let with = |code: &str, name: &str, value: Value| {
        let mut body = asked("read", &Value::Null);
        body["code"] = json!(code);
        body[name] = value;
        body
    };
    ada.post(TOKENS, asked("read", &Value::Null)).await.broken_rule("/code");
    for code in [app.next_code(), codes[0].clone()] {
        let good = || with(&code, "name", json!("nightly export"));
        ada.post(TOKENS, with(&code, "name", json!(""))).await.broken_rule("/name");
        ada.post(TOKENS, with(&code, "expires_at", json!(after(-1)))).await.broken_rule("/expires_at");
        ada.post(TOKENS, with(&code, "password", json!("not the password at all"))).await.broken_rule("/password");
        ada.post(TOKENS, good()).await.expect(201);
        ada.post(TOKENS, good()).await.broken_rule("/code");
    }
    assert_eq!(ada.get(TOKENS).await.expect(200).body["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(ada.get("/v1/me/second-factor").await.expect(200).body["recovery_codes_left"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_does_what_it_was_made_for_and_no_more() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let (ours, other) = (ada.create_project("Boiler room").await, ada.create_project("Attic").await);
    let task = ada.create_task(&ours, json!({"title": "Fix the pump"})).await;
    let tasks = format!("{ours}/tasks");

    let reader = script(&ada, "read", &Value::Null).await;
    for path in [&task, &tasks, &other, "/v1/projects", "/v1/me", "/v1/tasks?assignee=me", "/v1/me/invitations"] {
        reader.get(path).await.expect(200);
    }
    reader.post(&tasks, json!({"title": "Mine"})).await.problem(403);
    reader.patch(&task, "*", json!({"title": "Mine"})).await.problem(403);
    reader.delete(&task, "*").await.problem(403);

    let limited = script(&ada, "write", &json!([id_of(&ours)])).await;
    limited.get(&ours).await.expect(200);
    limited.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    limited.get(&other).await.problem(404);
    limited.patch_plain(&other, json!({"name": "Mine"})).await.problem(404);
    for path in ["/v1/projects", "/v1/me", "/v1/tasks?assignee=me", "/v1/me/invitations"] {
        limited.get(path).await.problem(403);
    }

    let writer = script(&ada, "write", &Value::Null).await;
    for path in [TOKENS, "/v1/me/sessions", "/v1/me/events", "/v1/me/export", "/v1/me/second-factor"] {
        writer.get(path).await.problem(403);
    }
    writer.post(TOKENS, asked("write", &Value::Null)).await.problem(403);
    writer.put("/v1/me/password", json!({})).await.problem(403);
    writer.post("/v1/me/email", json!({})).await.problem(403);
    writer.delete_with("/v1/me", json!({})).await.problem(403);
    writer.delete_plain("/v1/me/sessions").await.problem(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_asked_for_within_its_bounds() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let with = |name: &str, value: Value| {
        let mut body = asked("read", &Value::Null);
        body[name] = value;
        body
    };
    for (body, pointer) in [
        (with("name", json!("")), "/name"),
        (with("name", json!("x".repeat(101))), "/name"),
        (with("access", json!("admin")), "/access"),
        (with("projects", json!([])), "/projects"),
        (with("projects", json!(["not an id"])), "/projects"),
        (with("projects", json!(vec![ada.id.clone(); 51])), "/projects"),
        (with("expires_at", json!(after(-1))), "/expires_at"),
        (with("expires_at", json!(after(366 * 24 + 1))), "/expires_at"),
        (with("expires_at", Value::Null), "/expires_at"),
        (with("user", json!(ada.id)), "/user"),
        (with("password", Value::Null), "/password"),
        (with("code", json!(["000000"])), "/code"),
    ] {
        let answer = ada.post(TOKENS, body).await.problem(422);
        let place = answer.body["errors"][0]["pointer"].as_str().expect("a place").to_owned();
        assert!(place.starts_with(pointer), "{pointer}: {answer:#?}");
    }
    for _ in 0..50 {
        ada.post(TOKENS, asked("read", &Value::Null)).await.expect(201);
    }
    let refused: Answer = ada.post(TOKENS, asked("read", &Value::Null)).await.problem(409);
    assert!(refused.text("detail").contains("50"), "{refused:#?}");
    assert_eq!(ada.get(TOKENS).await.expect(200).body["items"].as_array().map(Vec::len), Some(50));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_ends_when_it_was_said_to() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ends_at = Timestamp::now() + SignedDuration::from_secs(5);
    let body = json!({"name": "short", "access": "read", "expires_at": ends_at.to_string(), "password": PASSWORD});
    let token = ada.post(TOKENS, body).await.expect(201).text("token");
    let script = Person { access_token: Some(token), ..ada.clone() };
    script.get("/v1/me").await.expect(200);
    let left = ends_at.duration_since(Timestamp::now()).unsigned_abs();
    tokio::time::sleep(left).await;
    script.get("/v1/me").await.problem(401);
    assert_eq!(ada.get(TOKENS).await.expect(200).body["items"], json!([]));
}
