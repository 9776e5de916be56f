//! What a request may ask of DynamoDB, counted from its calls and the capacity it says they consumed.

use baton::stack::{Options, Stack};
use log_mailer::Deadline;
use serde_json::{Value, json};

use crate::meter::{Metered, Units, operations, read, written};
use crate::people::{Person, mails_to};

/// Of one mail about one task.
const MOST_READ: f64 = 40.0;

#[tokio::test(flavor = "multi_thread")]
async fn a_request_takes_the_steps_it_is_budgeted() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&metered.stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let described = json!({"title": "Fix the pump", "description": "It drips. ".repeat(500), "assignee": ada.id});
    let task = ada.create_task(&project, described).await;
    let ada = metered.person(&ada);
    // The first request makes the functions read the keys of tokens.
    ada.get("/v1/me").await.expect(200);
    ada.get(&task).await.expect(200);
    metered.calls();

    ada.get(&task).await.expect(200);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem"], "read a task");
    ada.get(&format!("{project}/tasks")).await.expect(200);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem", "Query"], "list tasks: one step of two concurrent calls");
    ada.get(&format!("{task}/changes")).await.expect(200);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem", "Query"], "list a task's changes");
    ada.get(&format!("{project}/changes")).await.expect(200);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem", "Query"], "list a project's changes");
    ada.get("/v1/tasks?assignee=me").await.expect(200);
    let calls = metered.calls();
    assert!(calls.len() <= 3, "my tasks, over all projects: {:?}", operations(&calls));

    let write = ["BatchGetItem", "TransactWriteItems"];
    let plain = ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    let calls = metered.calls();
    assert_eq!(operations(&calls), write, "create a task");
    let units = Units { tables: 4.0, indexes: 4.0 };
    assert_eq!(written(&calls, ""), units, "task and change in a transaction; by time and by status, by project and by hour");

    ada.patch(&plain, "\"1\"", json!({"title": "Oil the old valve"})).await.expect(200);
    let calls = metered.calls();
    assert_eq!(operations(&calls), write, "change a task");
    assert_eq!(written(&calls, ""), units);

    ada.patch(&task, "\"1\"", json!({"status": "done"})).await.expect(200);
    let calls = metered.calls();
    assert_eq!(operations(&calls), write, "move a task that has a description");
    assert_eq!(written(&calls, "").tables, 4.0, "which is not written again");

    ada.patch(&plain, "\"2\"", json!({"assignee": ben.id})).await.expect(200);
    let calls = metered.calls();
    assert_eq!(operations(&calls), write, "give a task to somebody");
    assert_eq!(written(&calls, "").tables, 6.0, "their membership is checked in the same transaction");

    ada.patch(&plain, "\"3\"", json!({"title": "Oil the old valve"})).await.expect(200);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem"], "change nothing");
    ada.patch(&plain, "\"1\"", json!({"title": "Stale"})).await.expect(412);
    assert_eq!(operations(&metered.calls()), ["BatchGetItem"], "a stale change is refused by what was read");
    ada.delete(&plain, "*").await.expect(204);
    let calls = metered.calls();
    assert_eq!(operations(&calls), write, "delete a task");
    assert!(written(&calls, "").tables <= 6.0, "{calls:#?}");

    for path in
        [format!("{project}/tasks"), format!("{project}/changes"), format!("{task}/changes"), "/v1/tasks?assignee=me".to_owned()]
    {
        let body = ada.get(&path).await.expect(200).body;
        assert!(body["items"].as_array().is_some_and(|it| !it.is_empty()), "{path}");
        assert!(!body.to_string().contains("It drips"), "{path} carries no description");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_takes_at_most_twelve_write_units() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&metered.stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    metered.send_mails().await;
    let before = mails_to(&metered.stack, &ben.email).await.len();
    let mut most_read: f64 = 0.0;
    for number in 1..=5 {
        let task = ada.create_task(&project, json!({"title": format!("Task {number}"), "assignee": ben.id})).await;
        metered.calls();
        metered.hint(&task, Deadline::from_now()).await;
        assert_eq!(mails_to(&metered.stack, &ben.email).await.len(), before + number, "a mail for each task");
        let calls = metered.calls();
        let units = written(&calls, "Mail");
        assert!(units.tables > 0.0, "the mailer wrote: {calls:#?}");
        assert!(units.tables + units.indexes <= 12.0, "{units:?}: {calls:#?}");
        assert_eq!(written(&calls, ""), units, "the mailer writes nowhere else");
        most_read = most_read.max(read(&calls));
        let unread = ben.get("/v1/notifications/unread").await.expect(200).body;
        assert_eq!(unread["unread"], number, "its notification is filed with it");
    }
    println!("at most {most_read} read units for a mail");
    assert!(most_read <= MOST_READ, "{most_read} read units");
    metered.calls();
    metered.send_mails().await;
    assert_eq!(written(&metered.calls(), "").tables, 0.0, "nobody owed, nothing written");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_carries_no_description() {
    let options = Options { in_memory: true, port: 0, record_events: true, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "description": "It drips."})).await;
    ada.patch(&task, "\"1\"", json!({"description": "It drips a lot.", "status": "done"})).await.expect(200);
    stack.drain().await;

    let events: Vec<Value> = stack.recorded_events().into_iter().filter(|it| it["source"] == "baton.tasks").collect();
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|it| !it.to_string().contains("drips")), "{events:#?}");
    let updated = events.iter().find(|it| it["detail-type"] == "Task Updated").expect("an update");
    assert_eq!(updated["detail"]["changed"], json!(["description", "status"]));
    for field in ["id", "project", "task", "version", "kind", "title", "actor", "at", "fields"] {
        assert!(!updated["detail"][field].is_null(), "{field} in {updated:#}");
    }
}
