//! Events are hints: told again, in any order, they change nothing.

use baton::stack::{Options, Stack};
use serde_json::{Value, json};

use crate::people::{Person, mails_to};

#[tokio::test(flavor = "multi_thread")]
async fn every_event_replayed_thrice_in_any_order_sends_no_mail() {
    let options = Options { in_memory: true, port: 0, record_events: true, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    for number in 0..20 {
        let task = ada.create_task(&project, json!({"title": format!("Task {number}"), "assignee": ben.id})).await;
        ada.patch(&task, "\"1\"", json!({"status": "in_progress"})).await.expect(200);
        ben.patch(&task, "\"2\"", json!({"status": "done"})).await.expect(200);
    }
    stack.drain().await;
    let before = (mails_to(&stack, &ada.email).await, mails_to(&stack, &ben.email).await);
    assert!(!before.0.is_empty() && !before.1.is_empty());

    let events = stack.recorded_events();
    assert!(events.len() >= 60, "every change was announced: {}", events.len());
    let mut thrice: Vec<Value> = [events.clone(), events.clone(), events].concat();
    shuffle(&mut thrice);
    for event in thrice {
        stack.publish(event).await;
    }
    stack.drain().await;

    assert_eq!(mails_to(&stack, &ada.email).await, before.0);
    assert_eq!(mails_to(&stack, &ben.email).await, before.1);
}

/// Fisher and Yates with a linear congruential generator: the same order in every run.
fn shuffle<T>(items: &mut [T]) {
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for last in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(last, (state >> 33) as usize % (last + 1));
    }
}
