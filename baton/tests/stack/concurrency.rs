//! Many at once: one wins, the others are told, and the log has no gap.

use std::collections::BTreeMap;

use futures::future::join_all;
use serde_json::{Value, json};

use crate::people::{Person, stack};

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_simultaneous_edits_one_wins_and_the_others_see_the_task_as_it_is() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;

    let edits = (0..50).map(|number| {
        let (ada, task) = (ada.clone(), task.clone());
        async move { ada.patch(&task, "\"1\"", json!({"title": format!("Edit {number}")})).await }
    });
    let answers = join_all(edits).await;

    let mut by_status: BTreeMap<u16, usize> = BTreeMap::new();
    for answer in &answers {
        *by_status.entry(answer.status.as_u16()).or_default() += 1;
    }
    assert_eq!(by_status, BTreeMap::from([(200, 1), (412, 49)]));
    let now = ada.get(&task).await.expect(200);
    assert_eq!(now.header("etag"), "\"2\"");
    for answer in answers.iter().filter(|it| it.status == 412) {
        assert_eq!(answer.body["current"], now.body, "a stale edit is shown the task as it is");
    }
    assert_eq!(versions(&ada, &task).await, [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_of_whatever_it_is_now_all_succeed_and_leave_no_gap() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;

    let edits = (0..8).map(|number| {
        let (ada, task) = (ada.clone(), task.clone());
        async move { ada.patch(&task, "*", json!({"title": format!("Edit {number}")})).await }
    });
    let succeeded = join_all(edits).await.iter().filter(|it| it.status == 200).count() as u64;

    assert!(succeeded >= 1);
    let expected: Vec<u64> = (1..=succeeded + 1).rev().collect();
    assert_eq!(versions(&ada, &task).await, expected, "as many versions as successes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_repeats_of_a_create_make_one_task() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;

    let creates = (0..100).map(|_| {
        let (ada, path) = (ada.clone(), format!("{project}/tasks"));
        async move { ada.post_once(&path, "one", json!({"title": "Fix the pump", "description": "It drips."})).await }
    });
    let answers = join_all(creates).await;

    for answer in &answers {
        assert_eq!(answer.status, 201, "{answer:#?}");
        assert_eq!(answer.body, answers[0].body);
        assert_eq!(answer.header("etag"), "\"1\"");
    }
    let listed = ada.get(&format!("{project}/tasks")).await.expect(200);
    assert_eq!(listed.body["items"].as_array().map(Vec::len), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    for round in 0..10 {
        let project = ada.create_project(&format!("Round {round}")).await;
        ada.bring_in(&project, &ben, "owner").await;
        let (ada_path, ben_path) = (format!("{project}/members/{}", ada.id), format!("{project}/members/{}", ben.id));
        let (first, second) = tokio::join!(ada.delete_plain(&ada_path), ben.delete_plain(&ben_path));
        let mut statuses = [first.status.as_u16(), second.status.as_u16()];
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 409], "{first:#?} {second:#?}");
        let who_stays = if first.status == 409 { &ada } else { &ben };
        let members = who_stays.get(&format!("{project}/members")).await.expect(200);
        let owners = members.body["items"].as_array().expect("a list").iter().filter(|it| it["left_at"].is_null()).count();
        assert_eq!(owners, 1);
    }
}

/// The versions in a task's log, as listed: newest first.
async fn versions(person: &Person, task: &str) -> Vec<u64> {
    let log = person.get(&format!("{task}/changes?limit=100")).await.expect(200);
    let items = log.body["items"].as_array().expect("a list").clone();
    items.iter().map(|it: &Value| it["version"].as_u64().expect("a version")).collect()
}
