//! What is to be seen from the outside once a run has settled: logs, mails, deliveries, notifications.

use std::collections::{BTreeMap, BTreeSet};

use baton::inbox::Mail;
use domain::{ProjectId, TaskId, Version};
use reqwest::Method;
use serde_json::Value;
use store::{Delivery, DeliveryState, Timing};
use uuid::Uuid;

use crate::history::{Entry, Net, entries};
use crate::mails::{Block, blocks};
use crate::model::Choice;
use crate::run::Run;

/// What was recorded of one plan for one person.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) timing: Choice,
    pub(crate) is_sent: bool,
    pub(crate) reason: String,
    pub(crate) claim: String,
}

/// A mail, read.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) to: String,
    pub(crate) blocks: Vec<Block>,
    /// Tasks that it only counts.
    pub(crate) counted: usize,
}

/// A notification about a task.
#[derive(Clone, Debug)]
pub(crate) struct Note {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) net: Net,
}

/// All of it. Tasks and people by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Evidence {
    pub(crate) logs: BTreeMap<usize, Vec<Entry>>,
    /// By claim.
    pub(crate) mails: BTreeMap<String, Vec<Read>>,
    /// By person and task.
    pub(crate) records: BTreeMap<(usize, usize), Vec<Record>>,
    pub(crate) notes: BTreeMap<(usize, usize), Vec<Note>>,
    /// Bodies of the mailer's dead letters.
    pub(crate) dead_letters: Vec<String>,
}

impl Evidence {
    pub(crate) async fn gather(run: &Run) -> Self {
        let mut evidence = Self::default();
        let mails = run.world.stack().inbox().mails(None, None).expect("the inbox answers");
        for mail in mails.into_iter().rev() {
            let Mail { to, text, tags, .. } = mail;
            let (blocks, counted) = blocks(&text);
            let claim = tags.get("claim").cloned().unwrap_or_default();
            evidence.mails.entry(claim).or_default().push(Read { to, blocks, counted });
        }
        for (number, task) in run.tasks.iter().enumerate().filter(|(_, it)| !it.id.is_empty()) {
            let project = &run.projects[task.project];
            let path = format!("{}/tasks/{}/changes", project.path(), task.id);
            let log = entries(&pages(run, project.owner, &path).await);
            evidence.read_records(run, number, log.len() as u64).await;
            evidence.logs.insert(number, log);
        }
        for person in 0..run.people.len() {
            evidence.read_notes(run, person).await;
        }
        let dead = run.world.stack().queues().peek("MailDeadLetters").expect("the queues answer");
        evidence.dead_letters = dead.into_iter().map(|(body, _)| body).collect();
        evidence
    }

    async fn read_records(&mut self, run: &Run, task: usize, versions: u64) {
        let people: BTreeMap<String, usize> = run.people.iter().enumerate().map(|(number, it)| (it.id.clone(), number)).collect();
        let uuid = |text: &str| text.parse::<Uuid>().expect("an id");
        let (project, id) = (ProjectId(uuid(&run.projects[run.tasks[task].project].id)), TaskId(uuid(&run.tasks[task].id)));
        let mail = run.world.mail();
        let mut seen = BTreeSet::new();
        for version in 1..=versions {
            let deliveries = mail.deliveries_of(project, id, Version(version)).await.expect("the table answers");
            for Delivery { from, to, user, timing, state, reason, claim, .. } in deliveries {
                let timing = if timing == Timing::Digest { Choice::Digest } else { Choice::Now };
                if seen.insert((user, to, timing)) {
                    let record = Record {
                        from: from.0,
                        to: to.0,
                        timing,
                        is_sent: state == DeliveryState::Sent,
                        reason: reason.unwrap_or_default(),
                        claim: claim.to_string(),
                    };
                    self.records.entry((people[&user.to_string()], task)).or_default().push(record);
                }
            }
        }
    }

    async fn read_notes(&mut self, run: &Run, person: usize) {
        let tasks: BTreeMap<&str, usize> = run.tasks.iter().enumerate().map(|(number, it)| (it.id.as_str(), number)).collect();
        for note in pages(run, person, "/v1/notifications").await {
            let Some(task) = note["task"].as_str().and_then(|it| tasks.get(it)) else { continue };
            let fields = note["fields"].as_array().into_iter().flatten().filter_map(|it| it.as_str().map(str::to_owned));
            let net = match note["kind"].as_str() {
                Some("created") => Net::Created,
                Some("deleted") => Net::Deleted,
                _ => Net::Updated(fields.collect()),
            };
            let version = |name: &str| note[name].as_u64().unwrap_or_default();
            let note = Note { from: version("from_version"), to: version("to_version"), net };
            self.notes.entry((person, *task)).or_default().push(note);
        }
    }
}

/// Every item of a list.
async fn pages(run: &Run, person: usize, path: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = format!("{path}?limit=100{cursor}");
        let (status, answer) = run.people[person].call(&run.world.api, Method::GET, &page, &Value::Null).await;
        assert_eq!(status, 200, "{page}: {answer}");
        items.extend(answer["items"].as_array().cloned().unwrap_or_default());
        match answer["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}
