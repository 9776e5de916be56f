//! `baton bench --mails`: how many mails a second are planned and composed, and what a change and a mail cost in DynamoDB's units.

use std::time::{Duration, Instant};

use futures::StreamExt;
use jiff::Timestamp;
use log_mailer::{Deadline, Invocation, Mailer};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Client, Error, percentile, text};
use crate::meter::{Metered, read, written};

/// Measured rounds of each setting; their median counts.
const ROUNDS: usize = 5;
/// Changes and mails whose units are counted one by one.
const COUNTED: usize = 50;
/// As many as one mail shows.
const MANY_TASKS: usize = 20;
/// Hints in one call of the mailer, as the queue brings them.
const BATCH: usize = 10;
/// Calls of the mailer at a time, as template.yaml allows.
const AT_ONCE: usize = 2;
/// The most write units a mail about one task to one person may take.
const MOST_WRITE_UNITS: f64 = 12.0;

/// Everybody who takes part: one makes changes, the others are told.
struct Scene {
    metered: Metered,
    /// Past the meter.
    ada: Client,
    readers: Vec<Client>,
    project: String,
}

/// Measures with `recipients` people who are told.
pub(super) async fn mails(recipients: usize) -> Result<(), Error> {
    let scene = Scene::set(recipients.max(1)).await?;
    println!("tables in memory, no quiet window, {AT_ONCE} calls of the mailer at a time; the inbox takes every mail at once");
    for tasks in [1, MANY_TASKS] {
        let setting = format!("{recipients} recipients, {tasks} task(s) a mail");
        let rates = scene.rates(tasks).await?;
        let (slowest, fastest) = (percentile(rates.clone(), 0), percentile(rates.clone(), 100));
        let median = percentile(rates, 50);
        row(&format!("mails/s planned and composed, {setting}"), median, 0);
        row("  tasks told/s", median * tasks as f64, 0);
        row("  slowest / fastest round", slowest / fastest, 2);
    }
    scene.count_changes().await?;
    let one = scene.count_mails(1).await?;
    row(&format!("  of at most {MOST_WRITE_UNITS}"), one / MOST_WRITE_UNITS, 2);
    let many = scene.count_mails(MANY_TASKS).await?;
    row("  written per task told / per mail of one task", many / MANY_TASKS as f64 / one, 2);
    scene.metered.stack.stop().await;
    Ok(())
}

fn row(name: &str, value: f64, decimals: usize) {
    println!("{name:<64}{value:>10.decimals$}");
}

impl Scene {
    async fn set(recipients: usize) -> Result<Self, Error> {
        let metered = Metered::start(0).await?;
        let origin = metered.stack.origin().to_owned();
        let ada = Client::sign_up(&origin, "ada@example.com", "Ada").await?;
        let project = ada.create_project().await?;
        let mut readers = Vec::with_capacity(recipients);
        for number in 0..recipients {
            let reader = Client::sign_up(&origin, &format!("reader{number}@example.com"), "Reader").await?;
            ada.bring_in(&project, &reader).await?;
            readers.push(reader);
        }
        let scene = Self { metered, ada, readers, project };
        // What went before is not to be measured with it.
        scene.metered.mailer.reconcile(Timestamp::now(), Deadline::from_now()).await?;
        Ok(scene)
    }

    /// Mails a second, a figure for each round: everybody is owed a mail about so many tasks that were just given to them.
    async fn rates(&self, tasks: usize) -> Result<Vec<f64>, Error> {
        let mailer = self.metered.unmetered_mailer()?;
        let mut rates = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let mut hints = Vec::with_capacity(self.readers.len() * tasks);
            for reader in &self.readers {
                for _ in 0..tasks {
                    hints.push(hint(&self.project, &self.give(&self.ada, reader).await?));
                }
            }
            // All of one mail is in one call: what comes apart is told apart without a quiet window.
            let calls: Vec<Vec<Value>> = hints.chunks(BATCH.next_multiple_of(tasks)).map(<[Value]>::to_vec).collect();
            let before = mailer.counts().sent;
            let began = Instant::now();
            let calls = futures::stream::iter(calls).map(|hints| call(&mailer, hints)).buffer_unordered(AT_ONCE);
            for called in calls.collect::<Vec<_>>().await {
                called?;
            }
            let took = began.elapsed();
            let sent = mailer.counts().sent - before;
            if sent != self.readers.len() as u64 {
                return Err(format!("{sent} mails were sent to {} people", self.readers.len()).into());
            }
            rates.push(sent as f64 / took.max(Duration::from_nanos(1)).as_secs_f64());
        }
        Ok(rates)
    }

    async fn give(&self, by: &Client, reader: &Client) -> Result<Value, Error> {
        let body = json!({"title": "Fix the pump", "assignee": reader.id});
        by.send(Method::POST, &format!("/v1/projects/{}/tasks", self.project), None, body).await
    }

    /// Units of a change that moves a task on.
    async fn count_changes(&self) -> Result<(), Error> {
        let ada = Client { origin: self.metered.origin.clone(), ..self.ada.another() };
        let body = json!({"title": "Oil the valve"});
        let task = ada.send(Method::POST, &format!("/v1/projects/{}/tasks", self.project), None, body).await?;
        let path = format!("/v1/projects/{}/tasks/{}", self.project, text(&task["id"])?);
        let (mut writes, mut reads) = (Vec::new(), Vec::new());
        for number in 0..COUNTED {
            self.metered.calls();
            let status = ["in_progress", "done", "waiting"][number % 3];
            ada.send(Method::PATCH, &path, Some("*"), json!({"status": status})).await?;
            let calls = self.metered.calls();
            writes.push(written(&calls, "").all());
            reads.push(read(&calls, "").all());
        }
        row("write units per change, its index entries included, median", percentile(writes, 50), 1);
        row("read units per change, median", percentile(reads, 50), 1);
        Ok(())
    }

    /// Units of a mail about so many tasks, from the first of their hints on; answers the write units.
    async fn count_mails(&self, tasks: usize) -> Result<f64, Error> {
        let reader = self.readers.first().ok_or("nobody is told")?;
        let (mut writes, mut reads) = (Vec::new(), Vec::new());
        for _ in 0..COUNTED {
            let mut hints = Vec::with_capacity(tasks);
            for _ in 0..tasks {
                hints.push(hint(&self.project, &self.give(&self.ada, reader).await?));
            }
            self.metered.calls();
            let before = self.metered.mailer.counts().sent;
            call(&self.metered.mailer, hints).await?;
            let calls = self.metered.calls();
            let sent = self.metered.mailer.counts().sent - before;
            if sent != 1 {
                return Err(format!("{tasks} tasks of one person were told in {sent} mails").into());
            }
            writes.push(written(&calls, "").all());
            reads.push(read(&calls, "").all());
        }
        let write = percentile(writes.clone(), 50);
        row(&format!("write units per mail, 1 recipient, {tasks} task(s), median"), write, 1);
        row("  greatest", percentile(writes, 100), 1);
        row("  read units, median", percentile(reads, 50), 1);
        Ok(write)
    }
}

async fn call(mailer: &Mailer, hints: Vec<Value>) -> Result<(), Error> {
    let invocation: Invocation = serde_json::from_value(json!({"Records": hints}))?;
    log_mailer::handle(mailer, invocation, Deadline::from_now()).await?;
    Ok(())
}

/// A message that says that a task was made, as the queue brings it.
fn hint(project: &str, task: &Value) -> Value {
    let id = &task["id"];
    let detail = json!({"project": project, "task": id, "version": 1, "kind": "created"});
    let event = json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Created", "detail": detail});
    json!({"messageId": id, "body": event.to_string()})
}
