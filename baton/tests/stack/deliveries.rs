//! Who was told of a change, who is yet to be told, and whose mail was held back or came back.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::feedback::complaint;
use crate::people::Person;
use crate::timed::{Timed, WINDOW};

async fn deliveries(person: &Person, task: &str, version: u64) -> Vec<Value> {
    let list = person.get(&format!("{task}/changes/{version}/deliveries")).await.expect(200).body;
    assert_eq!(list["next_cursor"], Value::Null);
    list["items"].as_array().expect("a list").clone()
}

/// The only delivery, of which more is asked: whose it is and what became of it.
#[track_caller]
fn only<'a>(deliveries: &'a [Value], person: &Person, state: &str) -> &'a Value {
    let [delivery] = deliveries else { panic!("one delivery: {deliveries:#?}") };
    assert_eq!((&delivery["user"], &delivery["state"]), (&json!(person.id), &json!(state)), "{delivery}");
    delivery
}

fn at(delivery: &Value) -> Timestamp {
    delivery["at"].as_str().expect("a time").parse().expect("a time")
}

/// Lets all be planned that was done, and time pass until it is told, however closely mails follow each other.
async fn settle(timed: &Timed) {
    timed.stack.drain().await;
    timed.pass(31).await;
    timed.pass(15 * 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn word_of_a_change_waits_and_is_sent() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben, cam], project) = timed.team(["Ada", "Ben", "Cam"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let waiting = deliveries(&ada, &task, 1).await;
    assert!(only(&waiting, &ben, "waiting")["reason"].is_string(), "{waiting:#?}");
    settle(&timed).await;
    let sent = deliveries(&cam, &task, 1).await;
    assert_eq!(only(&sent, &ben, "sent")["reason"], Value::Null);
    assert!(at(&sent[0]) <= timed.now());
    // Of a change that concerns two, whoever watches and whoever holds it: by user id, and never the one who did it.
    cam.put(&format!("{task}/subscription"), json!({"mode": "watch"})).await.expect(200);
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    for state in ["waiting", "sent"] {
        let both = deliveries(&ben, &task, 2).await;
        let told: Vec<(&Value, &Value)> = both.iter().map(|it| (&it["user"], &it["state"])).collect();
        let (ben, cam, state) = (json!(ben.id), json!(cam.id), json!(state));
        let mut expected = [(&ben, &state), (&cam, &state)];
        expected.sort_by_key(|(user, _)| user.as_str().map(str::to_owned));
        assert_eq!(told, expected);
        settle(&timed).await;
    }
    assert_eq!(deliveries(&ada, &task, 1).await, sent, "what was told before stays as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_its_hour_says_when_it_is_due() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    timed.pass_until("2030-01-15T12:00:00Z".parse().expect("a time")).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    settle(&timed).await;
    ben.patch_plain("/v1/me", json!({"notify": {"status": "digest", "digest_hour": 8}})).await.expect(200);
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    settle(&timed).await;
    let waiting = deliveries(&ada, &task, 2).await;
    let delivery = only(&waiting, &ben, "waiting");
    assert!(delivery["reason"].as_str().is_some_and(|it| it.contains("digest")), "{delivery}");
    let due_at = at(delivery);
    assert!(due_at.to_string() == "2030-01-16T08:00:00Z", "{due_at}");

    // One change, two kinds, each told in its own time: the edit soon, the status with the digest.
    ada.patch(&task, "*", json!({"status": "waiting", "title": "Fix both pumps"})).await.expect(200);
    settle(&timed).await;
    let both = deliveries(&ada, &task, 3).await;
    let states: Vec<&Value> = both.iter().map(|it| &it["state"]).collect();
    assert_eq!(states, ["sent", "waiting"], "{both:#?}");
    timed.pass_until(due_at + SignedDuration::from_mins(2)).await;
    for version in [2, 3] {
        let told = deliveries(&ada, &task, version).await;
        assert!(told.iter().all(|it| it["user"] == json!(ben.id) && it["state"] != "waiting"), "{version}: {told:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_held_back_says_why_and_who_wants_no_mail_is_not_listed() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    ben.patch_plain("/v1/me", json!({"notify": {"edited": "none", "status": "digest"}})).await.expect(200);
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    settle(&timed).await;
    ada.patch(&task, "*", json!({"title": "Fix both pumps"})).await.expect(200);
    assert_eq!(deliveries(&ada, &task, 2).await, Vec::<Value>::new());
    settle(&timed).await;
    assert_eq!(deliveries(&ada, &task, 2).await, Vec::<Value>::new());
    // He turns it off while it waits for the digest.
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    settle(&timed).await;
    only(&deliveries(&ada, &task, 3).await, &ben, "waiting");
    ben.patch_plain("/v1/me", json!({"notify": {"status": "none"}})).await.expect(200);
    let before = timed.mails(&ben).await.len();
    timed.pass(25 * 60 * 60).await;
    let held_back = deliveries(&ada, &task, 3).await;
    let reason = only(&held_back, &ben, "suppressed")["reason"].clone();
    assert!(reason.as_str().is_some_and(|it| !it.is_empty()), "{held_back:#?}");
    assert_eq!(timed.mails(&ben).await.len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_that_is_unwanted_shows_as_bounced_and_the_next_as_held_back() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.stack.drain().await;
    only(&deliveries(&ada, &task, 1).await, &ben, "sent");
    let mail = timed.mails(&ben).await.remove(0);
    timed.stack.publish(complaint(&mail)).await;
    timed.stack.drain().await;
    let bounced = deliveries(&ada, &task, 1).await;
    let reason = only(&bounced, &ben, "bounced")["reason"].clone();
    assert!(reason.as_str().is_some_and(|it| !it.contains('@')), "a reason without an address: {bounced:#?}");

    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    only(&deliveries(&ada, &task, 2).await, &ben, "suppressed");
    assert_eq!(timed.mails(&ben).await.len(), 1);
    let told = ada.get("/v1/notifications").await.expect(200).body["items"][0].clone();
    assert_eq!((&told["kind"], &told["reason"], &told["user"]), (&json!("undeliverable"), &json!("owner"), &json!(ben.id)));
    assert!(told.get("task").is_none() && told.get("title").is_none(), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_members_see_the_deliveries_of_changes_that_there_are() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let (vic, eve) =
        (Person::sign_up(&timed.stack, "Vic", json!({})).await, Person::sign_up(&timed.stack, "Eve", json!({})).await);
    ada.bring_in(&project, &vic, "viewer").await;
    let other = ada.create_project("Roof").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.stack.drain().await;
    only(&deliveries(&vic, &task, 1).await, &ben, "sent");
    let path = |task: &str, version: &str| format!("{task}/changes/{version}/deliveries");
    for version in ["0", "2", "-1", "x", "99999999999999999999"] {
        ada.get(&path(&task, version)).await.problem(404);
    }
    eve.get(&path(&task, "1")).await.problem(404);
    ada.get(&path(&task.replace(&project, &other), "1")).await.problem(404);
    ada.get(&format!("{}?limit=1", path(&task, "1"))).await.problem(400);
    ada.delete(&task, "*").await.expect(204);
    timed.stack.drain().await;
    assert_eq!(deliveries(&ada, &task, 1).await.len(), 1, "the log of a deleted task stays, and who was told of it");
}
