//! Whatever is malformed, oversized, mistyped, stale or foreign gets its problem and status, and changes nothing.

use aws_sdk_dynamodb::types::AttributeValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{Answer, Person, empty_inbox, mails_to, stack};
use crate::tables::table;

const JSON: (&str, &str) = ("content-type", "application/json");
const TEXT: (&str, &str) = ("content-type", "text/plain");
const OVER_THE_LIMIT: usize = 257 * 1024;

impl Answer {
    /// Insists on a whole problem body (RFC 9457) of this status.
    #[track_caller]
    pub(crate) fn problem(self, status: u16) -> Self {
        let answer = self.expect(status);
        let title = StatusCode::from_u16(status).ok().and_then(|it| it.canonical_reason());
        assert_eq!(answer.header("content-type"), "application/problem+json", "{answer:#?}");
        assert_eq!(answer.body["type"], "about:blank", "{answer:#?}");
        assert_eq!(answer.body["title"].as_str(), title, "{answer:#?}");
        assert_eq!(answer.body["status"], status, "{answer:#?}");
        assert!(answer.body["detail"].as_str().is_some_and(|it| !it.is_empty()), "{answer:#?}");
        let request_id = answer.text("request_id");
        assert!(!request_id.is_empty(), "{answer:#?}");
        assert_eq!(answer.header("x-request-id"), request_id, "{answer:#?}");
        answer
    }

    /// Insists that a rule was broken at this place.
    #[track_caller]
    pub(crate) fn broken_rule(self, pointer: &str) -> Self {
        let answer = self.problem(422);
        let pointers: Vec<&str> = answer.body["errors"]
            .as_array()
            .map(|errors| errors.iter().filter_map(|it| it["pointer"].as_str()).collect())
            .unwrap_or_default();
        assert!(pointers.contains(&pointer), "{pointer} is named in {answer:#?}");
        answer
    }
}

/// All that a person can see of a project and of themselves, to compare what was with what is.
pub(crate) async fn everything(person: &Person, project: &str, task: &str) -> Vec<Value> {
    let mut seen = Vec::new();
    let changes = (format!("{task}/changes"), format!("{project}/changes"));
    let members = (format!("{project}/members"), format!("{project}/invitations"), format!("{project}/tasks"));
    let own = ["/v1/me", "/v1/projects", "/v1/tasks?assignee=me", "/v1/me/invitations"];
    for path in own.into_iter().chain([task, project, &changes.0, &changes.1, &members.0, &members.1, &members.2]) {
        seen.push(person.get(path).await.expect(200).body);
    }
    seen
}

fn titled(length: usize) -> Vec<u8> {
    json!({"title": "a".repeat(length)}).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_taken_is_refused_and_changes_nothing() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ada.id})).await;
    let before = everything(&ada, &project, &task).await;
    let tasks = format!("{project}/tasks");

    let check = async |headers: &[(&str, &str)], body: &[u8], status: u16| {
        let answer = ada.send(Method::POST, &tasks, headers, Some(body.to_vec())).await;
        assert_eq!(answer.status.as_u16(), status, "{headers:?} {:.80} {answer:#?}", String::from_utf8_lossy(body));
        answer.problem(status)
    };
    check(&[], b"{}", 415).await;
    check(&[TEXT], br#"{"title": "a"}"#, 415).await;
    check(&[("content-type", "application/json; charset=latin1")], br#"{"title": "a"}"#, 415).await;
    check(&[("content-type", "application/x-www-form-urlencoded")], b"title=a", 415).await;
    check(&[TEXT], &titled(OVER_THE_LIMIT), 415).await;
    check(&[JSON], &titled(OVER_THE_LIMIT), 413).await;
    check(&[JSON], &vec![b' '; OVER_THE_LIMIT], 413).await;
    check(&[JSON], b"", 400).await;
    check(&[JSON], b"{", 400).await;
    check(&[JSON], br#"{"title": "a"} {}"#, 400).await;
    check(&[JSON], br#"{'title': 'a'}"#, 400).await;
    check(&[JSON], br#"{"title": "\ud800"}"#, 400).await;
    check(&[JSON], b"{\"title\": \"\xff\"}", 400).await;
    check(&[JSON], "[".repeat(100_000).as_bytes(), 400).await;
    // However deep, it is JSON, and no title.
    check(&[JSON], format!("{{\"title\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000)).as_bytes(), 422).await;
    check(&[JSON], format!("{{\"colour\": {}1{}}}", "[".repeat(50_000), "]".repeat(50_000)).as_bytes(), 422).await;
    // Not JSON at its end is not JSON, whatever rule its beginning breaks.
    check(&[JSON], br#"{"title": 7, "#, 400).await;
    check(&[JSON], b"null", 422).await;
    check(&[JSON], b"[]", 422).await;
    check(&[JSON], b"7", 422).await;
    check(&[JSON, ("idempotency-key", &"k".repeat(256))], br#"{"title": "a"}"#, 400).await;
    check(&[JSON, ("idempotency-key", "two words")], br#"{"title": "a"}"#, 400).await;
    check(&[JSON, ("idempotency-key", "one"), ("idempotency-key", "two")], br#"{"title": "a"}"#, 400).await;

    assert_eq!(everything(&ada, &project, &task).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_rule_is_named_with_its_place_and_changes_nothing() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ada.id})).await;
    let before = everything(&ada, &project, &task).await;

    let many: Vec<String> = (0..21).map(|number| format!("label {number}")).collect();
    let stranger = Uuid::now_v7();
    for (pointer, body) in [
        ("/title", json!({})),
        ("/title", json!({"title": null})),
        ("/title", json!({"title": 7})),
        ("/title", json!({"title": ""})),
        ("/title", json!({"title": " \t "})),
        ("/title", json!({"title": "a\u{0}b"})),
        ("/title", json!({"title": "a\nb"})),
        ("/title", json!({"title": "\u{1F6B0}".repeat(201)})),
        ("/description", json!({"title": "a", "description": "\u{e9}".repeat(10_001)})),
        ("/description", json!({"title": "a", "description": "a\u{0}"})),
        ("/status", json!({"title": "a", "status": "paused"})),
        ("/status", json!({"title": "a", "status": "Done"})),
        ("/priority", json!({"title": "a", "priority": 1})),
        ("/due_on", json!({"title": "a", "due_on": "2026-02-30"})),
        ("/due_on", json!({"title": "a", "due_on": "tomorrow"})),
        ("/labels", json!({"title": "a", "labels": many})),
        ("/labels", json!({"title": "a", "labels": "one"})),
        ("/labels/1", json!({"title": "a", "labels": ["a", "b".repeat(41)]})),
        ("/labels/0", json!({"title": "a", "labels": [""]})),
        ("/assignee", json!({"title": "a", "assignee": "ada"})),
        ("/assignee", json!({"title": "a", "assignee": stranger})),
        ("/colour", json!({"title": "a", "colour": "red"})),
        ("/id", json!({"title": "a", "id": stranger})),
        ("/a~1b~0", json!({"title": "a", "a/b~": 1})),
    ] {
        ada.post(&format!("{project}/tasks"), body).await.broken_rule(pointer);
    }
    for (pointer, body) in [
        ("/title", json!({"title": null})),
        ("/title", json!({"title": ""})),
        ("/status", json!({"status": null})),
        ("/assignee", json!({"assignee": stranger})),
        ("/version", json!({"version": 9})),
        ("/created_by", json!({"created_by": stranger})),
    ] {
        ada.patch(&task, "\"1\"", body).await.broken_rule(pointer);
    }
    for (path, pointer, body) in [
        ("/v1/projects", "/name", json!({"name": ""})),
        ("/v1/projects", "/name", json!({"name": "a".repeat(101)})),
        ("/v1/projects", "/owner", json!({"name": "a", "owner": ada.id})),
        ("/v1/accounts", "/email", json!({"name": "Eve"})),
        ("/v1/accounts", "/email", json!({"email": "eve", "name": "Eve"})),
        ("/v1/accounts", "/email", json!({"email": "eve@example.com\r\nBcc: all@example.com", "name": "Eve"})),
        ("/v1/accounts", "/name", json!({"email": "eve@example.com", "name": "Eve\r\nBcc: all@example.com"})),
        ("/v1/accounts", "/name", json!({"email": "eve@example.com", "name": ""})),
        ("/v1/accounts", "/locale", json!({"email": "eve@example.com", "name": "Eve", "locale": "fr"})),
        ("/v1/accounts", "/time_zone", json!({"email": "eve@example.com", "name": "Eve", "time_zone": "Mars/Olympus"})),
        ("/v1/accounts", "/password", json!({"email": "eve@example.com", "name": "Eve", "password": "secret"})),
        ("/v1/login", "/password", json!({"email": ada.email})),
        ("/v1/login", "/admin", json!({"email": ada.email, "password": "x", "admin": true})),
    ] {
        ada.post(path, body).await.broken_rule(pointer);
    }
    for (pointer, body) in [
        ("/email", json!({"email": "ben", "role": "editor"})),
        ("/role", json!({"email": "ben@example.com", "role": "admin"})),
        ("/role", json!({"email": "ben@example.com"})),
        ("/text", json!({"email": "ben@example.com", "role": "editor", "text": "Hi"})),
    ] {
        ada.post(&format!("{project}/invitations"), body).await.broken_rule(pointer);
    }
    for (path, pointer, body) in [
        (project.as_str(), "/name", json!({"name": null})),
        (&project, "/deleted_at", json!({"deleted_at": "2026-11-20T00:00:00Z"})),
        (&format!("{project}/members/{}", ada.id), "/role", json!({"role": "admin"})),
        ("/v1/me", "/email", json!({"email": "eve@example.com"})),
        ("/v1/me", "/locale", json!({"locale": "fr"})),
        ("/v1/me", "/time_zone", json!({"time_zone": "Mars/Olympus"})),
        ("/v1/me", "/notify/assigned", json!({"notify": {"assigned": "later"}})),
        ("/v1/me", "/notify/everything", json!({"notify": {"everything": "none"}})),
    ] {
        ada.patch_plain(path, body).await.broken_rule(pointer);
    }

    assert_eq!(everything(&ada, &project, &task).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_several_faults_the_first_by_the_contract_is_told() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let vic = Person::sign_up(&stack, "Vic", json!({})).await;
    let eve = Person::sign_up(&stack, "Eve", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &vic, "viewer").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    let before = everything(&ada, &project, &task).await;
    let large = || Some(vec![b' '; OVER_THE_LIMIT]);

    // Everything is wrong; less and less of it from line to line.
    let send = async |person: &Person, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>| {
        person.send(Method::PATCH, path, headers, body).await
    };
    send(&Person::stranger(&stack), &task, &[TEXT], large()).await.problem(401);
    send(&Person::stranger(&stack), "/v1/projects/x/tasks/y", &[TEXT], large()).await.problem(401);
    send(&eve, &task, &[TEXT], large()).await.problem(404);
    send(&eve, &task, &[JSON], Some(b"{".to_vec())).await.problem(404);
    send(&eve, &task, &[JSON], Some(br#"{"title": ""}"#.to_vec())).await.problem(404);
    send(&ada, &format!("{project}/tasks/{}", Uuid::now_v7()), &[TEXT], large()).await.problem(404);
    send(&ada, &format!("{project}/tasks/x"), &[TEXT], large()).await.problem(404);
    send(&vic, &task, &[TEXT], large()).await.problem(403);
    send(&vic, &task, &[JSON], Some(br#"{"title": ""}"#.to_vec())).await.problem(403);
    send(&ada, &task, &[TEXT], large()).await.problem(415);
    send(&ada, &task, &[JSON], large()).await.problem(413);
    send(&ada, &task, &[JSON], Some(b"{".to_vec())).await.problem(400);
    send(&ada, &task, &[JSON], Some(br#"{"title": ""}"#.to_vec())).await.problem(422);
    send(&ada, &task, &[JSON, ("if-match", "\"9\"")], Some(br#"{"title": ""}"#.to_vec())).await.problem(422);
    send(&ada, &task, &[JSON], Some(br#"{"title": "a"}"#.to_vec())).await.problem(428);
    ada.send(Method::DELETE, &task, &[], None).await.problem(428);
    vic.send(Method::DELETE, &task, &[], None).await.problem(403);
    let shown = ada.get(&task).await.expect(200).body;
    for stale in ["\"2\"", "\"0\"", "\"x\"", "W/\"1\"", "1", "\"1", "\"9\", \"8\""] {
        let answer = ada.patch(&task, stale, json!({"title": "a"})).await.problem(412);
        assert_eq!(answer.body["current"], shown, "{stale}");
        ada.delete(&task, stale).await.problem(412);
    }

    assert_eq!(everything(&ada, &project, &task).await, before);
    // Whatever one of several tags names is named.
    ada.patch(&task, "\"9\", \"1\"", json!({"title": "Fix the old pump"})).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_not_known_is_refused() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;

    let lists = [
        "/v1/projects".to_owned(),
        "/v1/me/invitations".to_owned(),
        format!("{project}/invitations"),
        format!("{project}/members"),
        format!("{project}/tasks"),
        format!("{project}/changes"),
        format!("{task}/changes"),
    ];
    let bad = [
        "limit=0",
        "limit=101",
        "limit=-1",
        "limit=",
        "limit=ten",
        "limit=1&limit=1",
        "colour=red",
        "cursor=!!",
        "cursor=AAAA",
        "cursor=%00",
    ];
    for list in &lists {
        ada.get(&format!("{list}?limit=1")).await.expect(200);
        ada.get(&format!("{list}?limit=100")).await.expect(200);
        for query in bad {
            let answer = ada.get(&format!("{list}?{query}")).await;
            assert_eq!(answer.status, 400, "{list}?{query} {answer:#?}");
            answer.problem(400);
        }
    }
    for path in [
        "/v1/tasks".to_owned(),
        format!("/v1/tasks?assignee={}", ada.id),
        "/v1/tasks?assignee=me&status=paused".to_owned(),
        "/v1/tasks?assignee=me&limit=0".to_owned(),
        "/v1/tasks?assignee=me&cursor=!!".to_owned(),
        "/v1/tasks?assignee=me&assignee=me".to_owned(),
        format!("{project}/tasks?status=paused"),
        format!("{project}/tasks?status="),
        format!("{project}/changes?after=!!"),
        format!("{project}?colour=red"),
        format!("{task}?colour=red"),
        format!("{task}/changes/1?colour=red"),
        "/v1/me?colour=red".to_owned(),
    ] {
        let answer = ada.get(&path).await;
        assert_eq!(answer.status, 400, "{path} {answer:#?}");
        answer.problem(400);
    }
    ada.post(&format!("{project}/tasks?colour=red"), json!({"title": "a"})).await.problem(400);
    ada.post("/v1/projects?colour=red", json!({"name": "a"})).await.problem(400);
    ada.patch_plain("/v1/me?colour=red", json!({"name": "Eve"})).await.problem(400);
    assert_eq!(ada.get("/v1/me").await.expect(200).body["name"], "Ada");
    for path in ["accounts", "accounts/verify", "login", "login/refresh", "logout"] {
        ada.post(&format!("/v1/{path}?colour=red"), json!({})).await.problem(400);
    }
    assert_eq!(ada.get(&format!("{project}/tasks")).await.expect(200).body["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_not_found_however_it_is_spelled() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    let project_id = project.trim_start_matches("/v1/projects/");
    let unknown = Uuid::now_v7();

    for path in [
        "/v1/nothing".to_owned(),
        "/v2/projects".to_owned(),
        "/v1/projects/".to_owned(),
        "/v1/projects/x".to_owned(),
        format!("/v1/projects/{unknown}"),
        format!("/v1/projects/{project_id}x"),
        format!("/v1/projects/{project_id}%00"),
        format!("/v1/projects/{project_id}%23TASK"),
        format!("{project}/tasks/x"),
        format!("{project}/tasks/{unknown}"),
        format!("{project}/tasks/{}", "1".repeat(4000)),
        format!("{project}/tasks/{unknown}/changes"),
        format!("{task}/changes/0"),
        format!("{task}/changes/2"),
        format!("{task}/changes/-1"),
        format!("{task}/changes/one"),
        format!("{task}/changes/99999999999999999999"),
        format!("/v1/projects/{unknown}/members"),
        format!("/v1/projects/{unknown}/tasks"),
        format!("/v1/projects/{unknown}/changes"),
    ] {
        let answer = ada.get(&path).await;
        assert_eq!(answer.status, 404, "{path:.200} {answer:#?}");
        answer.problem(404);
    }
    for path in [
        format!("{project}/invitations/x"),
        format!("{project}/invitations/{unknown}"),
        format!("{project}/members/x"),
        format!("{project}/members/{unknown}"),
        format!("/v1/me/invitations/{unknown}"),
        "/v1/me/invitations/x".to_owned(),
        "/v1/projects".to_owned(),
    ] {
        ada.delete_plain(&path).await.problem(404);
    }
    ada.post(&format!("/v1/me/invitations/{unknown}/accept"), json!({})).await.problem(404);
    ada.patch_plain(&format!("{project}/members/{unknown}"), json!({"role": "viewer"})).await.problem(404);
    ada.send(Method::PUT, &task, &[JSON], Some(b"{}".to_vec())).await.problem(404);
    ada.get(&task).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_decoded_goes_to_the_dead_letters_and_holds_nothing_back() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    empty_inbox(&stack).await;

    let (client, changes) = table(&stack, "CHANGES_TABLE");
    let put = client.put_item().table_name(changes).item("pk", AttributeValue::S("TASK#x#y".to_owned()));
    put.item("version", AttributeValue::N("1".to_owned())).send().await.expect("the table takes it");
    let event = |source: &str, kind: &str, detail: Value| {
        json!({
            "version": "0", "id": Uuid::now_v7(), "detail-type": kind, "source": source, "account": "000000000000",
            "time": "2026-11-20T11:00:00Z", "region": "eu-central-1", "resources": [], "detail": detail,
        })
    };
    stack.publish(event("baton.tasks", "Task Created", json!({"task": "x"}))).await;
    stack.publish(event("baton.mail", "Letter Due", json!({"recipient": 7}))).await;
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    stack.drain().await;

    assert_eq!(mails_to(&stack, &ben.email).await.len(), 1, "the next one is not held back");
    for (queue, expected) in [("PublisherDeadLetters", 1), ("MailDeadLetters", 2)] {
        let messages = stack.queues().receive(queue, 10).expect("the queue answers");
        assert_eq!(messages.len(), expected, "{queue}: {messages:#?}");
        for message in messages {
            let letter: Value = serde_json::from_str(&message.body).expect("a dead letter is JSON");
            assert!(letter["reason"].as_str().is_some_and(|it| !it.is_empty()), "{letter:#}");
        }
    }
}
