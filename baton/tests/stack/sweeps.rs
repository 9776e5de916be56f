//! What the mailer leaves undone is left whole: for the next sweep, and never half told.

use std::time::Duration;

use domain::{ProjectId, TaskId, UserId};
use jiff::Timestamp;
use log_mailer::{Deadline, Invocation, handle};
use serde_json::json;
use store::{Mail, RecipientKey};
use uuid::Uuid;

use crate::meter::{Metered, operations};
use crate::people::{Person, mails_to};
use crate::tables::table;

#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_the_mailer_plans_but_opens_no_claim() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&metered.stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    metered.send_mails().await;
    let (told, mail) = (mails_to(&metered.stack, &ben.email).await.len(), mail(&metered));
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let owed = RecipientKey::User(UserId(ben.id.parse().expect("an id")));
    metered.calls();

    let past = Deadline::after(Duration::ZERO);
    let answer = handle(&metered.mailer, hint(&project, &task), past).await.expect("a queue is never refused");
    assert!(answer.batch_item_failures.is_empty(), "the parts are due, so the message need not come again");
    let calls = metered.calls();
    let planned = operations(&calls);
    assert!(planned.contains(&"TransactWriteItems") && !planned.contains(&"PutItem"), "{planned:?}");
    for _ in 0..2 {
        assert_eq!(metered.mailer.sweep_due(past).await.expect("nothing is read"), 0);
        metered.mailer.reconcile(Timestamp::now(), past).await.expect("the log is compared with the cursors");
    }
    assert!(mail.claim(&owed).await.expect("a read").is_none(), "nobody waits for a lease to end");
    assert_eq!(mail.parts_of(&owed, Timestamp::now(), usize::MAX).await.expect("a read").len(), 1);
    assert_eq!(mails_to(&metered.stack, &ben.email).await.len(), told);

    assert_eq!(metered.mailer.sweep_due(Deadline::from_now()).await.expect("a sweep"), 0);
    assert_eq!(mails_to(&metered.stack, &ben.email).await.len(), told + 1, "the next sweep tells it, once");
    assert_eq!(metered.mailer.counts().resent, 0);
}

fn mail(metered: &Metered) -> Mail {
    let (client, name) = table(&metered.stack, "MAIL_TABLE");
    Mail::new(client, name)
}

/// As the queue brings word of a new task.
fn hint(project: &str, task: &str) -> Invocation {
    let id = |path: &str| path.rsplit('/').next().and_then(|it| it.parse::<Uuid>().ok()).expect("a path ends in an id");
    let detail = json!({"project": ProjectId(id(project)), "task": TaskId(id(task))});
    let event = json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Created", "detail": detail});
    let queue = json!({"Records": [{"messageId": "one", "body": event.to_string()}]});
    serde_json::from_value(queue).expect("a queue's event")
}
