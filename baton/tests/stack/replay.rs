//! Events are hints: told again, in any order, they change nothing.

use baton::stack::{Options, Stack};
use serde_json::{Value, json};

use crate::dice::Dice;
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
    Dice::new(1).shuffle(&mut thrice);
    for event in thrice {
        stack.publish(event).await;
    }
    stack.drain().await;

    assert_eq!(mails_to(&stack, &ada.email).await, before.0);
    assert_eq!(mails_to(&stack, &ben.email).await, before.1);
}
