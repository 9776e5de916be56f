//! The metered stack, for people of the tests.

use std::ops::Deref;

use log_mailer::{Deadline, Invocation, handle};
use serde_json::json;

pub(crate) use baton::meter::{Call, Units, operations, written};

use crate::people::Person;

/// A stack beside which the same functions run once more, with a meter between them and DynamoDB.
#[derive(Debug)]
pub(crate) struct Metered(baton::meter::Metered);

impl Deref for Metered {
    type Target = baton::meter::Metered;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Metered {
    /// The metered mailer has no quiet window.
    pub(crate) async fn start() -> Self {
        Self::start_with_window(0).await
    }

    /// The metered mailer has a quiet window of so many seconds.
    pub(crate) async fn start_with_window(seconds: u32) -> Self {
        Self(baton::meter::Metered::start(seconds).await.expect("the stack starts"))
    }

    /// The same person, whose requests are counted.
    pub(crate) fn person(&self, person: &Person) -> Person {
        Person { origin: self.origin.clone(), ..person.clone() }
    }

    /// Plans and sends all that is owed.
    pub(crate) async fn send_mails(&self) {
        self.mailer.reconcile(self.clock.now(), Deadline::from_now()).await.expect("the log is compared with the cursors");
    }

    /// What a hint makes the mailer do: that a task, by its path, was changed.
    pub(crate) async fn hint(&self, task: &str, deadline: Deadline) {
        let answer = handle(&self.mailer, hint(task), deadline).await.expect("a queue is never refused");
        assert!(answer.batch_item_failures.is_empty(), "what is owed is filed, so the message need not come again: {answer:?}");
    }
}

/// Read units of some calls, of all tables and indexes.
pub(crate) fn read(calls: &[Call]) -> f64 {
    baton::meter::read(calls, "").all()
}

/// As the queue brings word of a task.
fn hint(task: &str) -> Invocation {
    let (project, task) = task.trim_start_matches("/v1/projects/").split_once("/tasks/").expect("a task's path");
    let detail = json!({"project": project, "task": task, "kind": "updated", "version": 2});
    let event = json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Updated", "detail": detail});
    let queue = json!({"Records": [{"messageId": "one", "body": event.to_string()}]});
    serde_json::from_value(queue).expect("a queue's event")
}
