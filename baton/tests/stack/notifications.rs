//! What people find in the product itself, whatever mail they want: theirs alone, unread first.

use baton::stack::Stack;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{Person, mails_to, stack, team};
use crate::timed::{Timed, WINDOW, id_of};

const NOTIFICATIONS: &str = "/v1/notifications";

/// A task of Ben's for each title, each of which he is told of by itself.
async fn give(stack: &Stack, ada: &Person, ben: &Person, project: &str, titles: &[&str]) -> Vec<String> {
    let mut tasks = Vec::new();
    for title in titles {
        tasks.push(ada.create_task(project, json!({"title": title, "assignee": ben.id})).await);
        stack.drain().await;
    }
    tasks
}

async fn list(person: &Person) -> Vec<Value> {
    let list = person.get(NOTIFICATIONS).await.expect(200).body;
    assert_eq!(list["next_cursor"], Value::Null, "{list:#}");
    list["items"].as_array().expect("a list").clone()
}

/// By title, as listed, with whether it was read.
fn titles(items: &[Value]) -> Vec<(&str, bool)> {
    items.iter().map(|it| (it["title"].as_str().expect("a title"), it["read"].as_bool().expect("read or not"))).collect()
}

async fn mark(person: &Person, notification: &Value, status: u16) {
    let id = notification["id"].as_str().expect("an id");
    person.post(&format!("{NOTIFICATIONS}/{id}/read"), json!({})).await.expect(status);
}

async fn unread(person: &Person) -> Value {
    person.get(&format!("{NOTIFICATIONS}/unread")).await.expect(200).body
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_mail_finds_in_the_product_what_became_of_their_tasks() {
    let stack = stack().await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    let nothing = json!({"assigned": "none", "status": "none", "edited": "none", "deleted": "none"});
    ben.patch_plain("/v1/me", json!({"notify": nothing})).await.expect(200);
    let task = give(&stack, &ada, &ben, &project, &["Fix the pump"]).await.remove(0);
    ada.patch(&task, "*", json!({"status": "done", "title": "Fix both pumps"})).await.expect(200);
    stack.drain().await;
    ada.delete(&task, "*").await.expect(204);
    stack.drain().await;

    assert_eq!(mails_to(&stack, &ben.email).await, Vec::<Value>::new());
    let mut items = list(&ben).await;
    for item in &mut items {
        let item = item.as_object_mut().expect("an object");
        assert!(item.remove("id").is_some_and(|it| it.is_string()) && item.remove("at").is_some_and(|it| it.is_string()));
    }
    let told = |kind: &str, title: &str, version: u64, fields: &[&str]| {
        json!({
            "kind": kind, "project": id_of(&project), "task": id_of(&task), "title": title, "from_version": version,
            "to_version": version, "fields": fields, "actors": [ada.id], "reason": "assignee", "read": false,
        })
    };
    let created = items.pop().expect("that it is his");
    assert_eq!(created["fields"].as_array().map(|it| it.contains(&json!("assignee"))), Some(true), "{created}");
    assert_eq!((&created["kind"], &created["title"]), (&json!("created"), &json!("Fix the pump")));
    let expected = [told("deleted", "Fix both pumps", 3, &[]), told("updated", "Fix both pumps", 2, &["status", "title"])];
    assert_eq!(items, expected);
    assert_eq!(list(&ada).await, Vec::<Value>::new(), "nobody is told of their own doing");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notification_is_there_while_the_mail_still_waits_for_quiet() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.stack.drain().await;
    assert_eq!(unread(&ben).await, json!({"unread": 1, "more": false}));
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(unread(&ben).await, json!({"unread": 2, "more": false}));
    assert_eq!(timed.mails(&ben).await, Vec::<Value>::new());
    timed.pass(31).await;
    assert_eq!((timed.mails(&ben).await.len(), list(&ben).await.len()), (1, 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_ones_come_first_the_newest_of_them_at_the_top_and_a_cursor_goes_on() {
    let stack = stack().await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    give(&stack, &ada, &ben, &project, &["a", "b", "c", "d", "e"]).await;
    let items = list(&ben).await;
    assert_eq!(titles(&items), [("e", false), ("d", false), ("c", false), ("b", false), ("a", false)]);
    for read in [&items[0], &items[3]] {
        mark(&ben, read, 204).await;
        mark(&ben, read, 204).await;
    }
    let expected = [("d", false), ("c", false), ("a", false), ("e", true), ("b", true)];
    assert_eq!(titles(&list(&ben).await), expected);

    let mut paged = Vec::new();
    let mut path = format!("{NOTIFICATIONS}?limit=2");
    for size in [2, 2, 1] {
        let page = ben.get(&path).await.expect(200).body;
        let items = page["items"].as_array().expect("a list");
        assert_eq!(items.len(), size, "{page:#}");
        paged.extend(items.clone());
        path = format!("{NOTIFICATIONS}?limit=2&cursor={}", page["next_cursor"].as_str().unwrap_or_default());
    }
    assert_eq!(titles(&paged), expected);
    assert!(path.ends_with("cursor="), "the last page says that it is");
    for query in ["limit=0", "limit=101", "cursor=nonsense", "unread=true"] {
        ben.get(&format!("{NOTIFICATIONS}?{query}")).await.problem(400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_or_all_or_all_up_to_one_are_marked_as_read() {
    let stack = stack().await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    give(&stack, &ada, &ben, &project, &["a", "b", "c", "d"]).await;
    let all = format!("{NOTIFICATIONS}/read");
    let items = list(&ben).await;
    assert_eq!(unread(&ben).await, json!({"unread": 4, "more": false}));
    ben.post(&all, json!({"through": items[2]["id"]})).await.expect(204);
    assert_eq!(titles(&list(&ben).await), [("d", false), ("c", false), ("b", true), ("a", true)]);
    mark(&ben, &items[1], 204).await;
    assert_eq!(unread(&ben).await, json!({"unread": 1, "more": false}));
    ben.send(reqwest::Method::POST, &all, &[], None).await.expect(204);
    ben.post(&all, json!({"through": null})).await.expect(204);
    assert_eq!(unread(&ben).await, json!({"unread": 0, "more": false}));
    assert_eq!(titles(&list(&ben).await), [("d", true), ("c", true), ("b", true), ("a", true)]);

    // What comes after the one that was seen last stays unread.
    give(&stack, &ada, &ben, &project, &["e"]).await;
    ben.post(&all, json!({"through": items[0]["id"]})).await.expect(204);
    assert_eq!(unread(&ben).await, json!({"unread": 1, "more": false}));
    ben.post(&all, json!({"through": "yesterday"})).await.broken_rule("/through");
    ben.post(&all, json!({"until": items[0]["id"]})).await.broken_rule("/until");
    ben.post(&all, json!([])).await.broken_rule("");
    ben.post(&format!("{NOTIFICATIONS}/{}/read", Uuid::now_v7()), json!({})).await.problem(404);
    ben.post(&format!("{NOTIFICATIONS}/x/read"), json!({})).await.problem(404);
    assert_eq!(unread(&ben).await, json!({"unread": 1, "more": false}));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_counts_or_marks_what_others_are_told() {
    let stack = stack().await;
    let ([ada, ben, cam], project) = team(&stack, ["Ada", "Ben", "Cam"]).await;
    give(&stack, &ada, &ben, &project, &["a", "b"]).await;
    let items = list(&ben).await;
    assert_eq!(items.len(), 2);
    for other in [&ada, &cam] {
        assert_eq!(list(other).await, Vec::<Value>::new());
        assert_eq!(unread(other).await, json!({"unread": 0, "more": false}));
        mark(other, &items[0], 404).await;
        other.post(&format!("{NOTIFICATIONS}/read"), json!({"through": items[0]["id"]})).await.broken_rule("/through");
    }
    assert_eq!(list(&ben).await, items);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_projects_one_is_a_member_of_are_listed_and_counted() {
    let stack = stack().await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    let (roof, yard) = (ada.create_project("Roof").await, ada.create_project("Yard").await);
    for other in [&roof, &yard] {
        ada.bring_in(other, &ben, "viewer").await;
    }
    give(&stack, &ada, &ben, &project, &["a"]).await;
    give(&stack, &ada, &ben, &roof, &["b", "c"]).await;
    give(&stack, &ada, &ben, &yard, &["d"]).await;
    give(&stack, &ada, &ben, &project, &["e"]).await;
    assert_eq!(unread(&ben).await, json!({"unread": 5, "more": false}));
    ben.delete_plain(&format!("{roof}/members/{}", ben.id)).await.expect(204);
    ada.delete_plain(&yard).await.expect(204);

    assert_eq!(titles(&list(&ben).await), [("e", false), ("a", false)]);
    assert_eq!(unread(&ben).await, json!({"unread": 2, "more": false}));
    // A page is filled up with what lies behind those that are left out.
    let page = ben.get(&format!("{NOTIFICATIONS}?limit=2")).await.expect(200).body;
    assert_eq!(titles(page["items"].as_array().expect("a list")), [("e", false), ("a", false)]);
}
