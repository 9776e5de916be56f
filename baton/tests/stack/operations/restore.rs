//! After a restore to an earlier point: what was mailed is not mailed again, and what comes is not swallowed.

use std::collections::HashMap;
use std::fmt::Debug;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::types::AttributeValue;
use baton::function::Function;
use baton::interpose::Interpose;
use baton::operate::repair_cursors::{Repair, Repaired, repair_cursors};
use baton::stack::{Options, Stack};
use domain::{ClaimId, NoticeKind, NoticeKinds, ProjectId, Recipient, TaskId, Version};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{Claim, Part, PartContent, TaskSpan, Timing};
use uuid::Uuid;

use super::deployment;
use crate::people::Person;
use crate::tables::{mail_table, table};
use crate::timed::Timed;

async fn repair(stack: &Stack, repair: Repair) -> Repaired {
    repair_cursors(&deployment(stack), repair, &mut |_| {}).await.expect("the tables answer")
}

/// A mailer that can be stopped, as an operator stops it before a restore.
#[derive(Clone, Default)]
struct Valve(Arc<AtomicBool>);

impl Valve {
    fn close(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn open(&self) {
        self.0.store(false, Ordering::SeqCst);
    }

    fn interpose(&self) -> Interpose {
        let valve = self.clone();
        Interpose::default().wrap(move |function| {
            let (valve, name) = (valve.clone(), function.name().to_owned());
            let is_mailer = name == "LogMailerFunction";
            Function::new(&name, move |event: Value| {
                let (valve, function) = (valve.clone(), function.clone());
                async move {
                    if is_mailer && valve.0.load(Ordering::SeqCst) {
                        return Err("stopped by the operator".to_owned());
                    }
                    function.call(event).await.map_err(|error| error.to_string())
                }
            })
        })
    }
}

/// All of a table at one moment.
struct Copy {
    client: aws_sdk_dynamodb::Client,
    name: String,
    second_key: &'static str,
    items: Vec<HashMap<String, AttributeValue>>,
}

impl Copy {
    async fn of(stack: &Stack, setting: &str, second_key: &'static str) -> Self {
        let (client, name) = table(stack, setting);
        let mut copy = Self { client, name, second_key, items: Vec::new() };
        copy.items = copy.scan().await;
        copy
    }

    async fn scan(&self) -> Vec<HashMap<String, AttributeValue>> {
        let pages = self.client.scan().table_name(&self.name).into_paginator().items().send();
        pages.collect::<Result<Vec<_>, _>>().await.expect("the table can be read")
    }

    async fn put_back(&self) {
        for item in self.scan().await {
            let request = self.client.delete_item().table_name(&self.name).key("pk", item["pk"].clone());
            request.key(self.second_key, item[self.second_key].clone()).send().await.expect("it is deleted");
        }
        for item in &self.items {
            self.client.put_item().table_name(&self.name).set_item(Some(item.clone())).send().await.expect("it is put");
        }
    }
}

fn id<T: FromStr<Err: Debug>>(path: &str) -> T {
    path.rsplit('/').next().expect("an id").parse().expect("an id")
}

fn part(person: &Person, project: &str, task: &str, versions: (u64, u64), due_at: Timestamp) -> Part {
    let span = TaskSpan {
        project: id(project),
        task: id(task),
        from: Version(versions.0),
        to: Version(versions.1),
        kinds: NoticeKinds::from([NoticeKind::Assigned, NoticeKind::Status]),
        timing: Timing::Now,
        first_at: due_at,
        last_at: due_at,
        watching: false,
        urgent: false,
    };
    Part { recipient: Recipient::User(person.id.parse().expect("an id")), due_at, content: PartContent::Task(span) }
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_mail_table_was_put_back_nothing_is_mailed_again_and_what_comes_is() {
    let valve = Valve::default();
    let timed = Timed::start_with(Options { interpose: valve.interpose(), ..Options::default() }).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let old = ada.create_task(&project, json!({"title": "Old", "assignee": ben.id})).await;
    timed.stack.drain().await;
    let copy = Copy::of(&timed.stack, "MAIL_TABLE", "sk").await;
    ada.patch(&old, "\"1\"", json!({"status": "in_progress"})).await.expect(200);
    timed.stack.drain().await;
    ada.create_task(&project, json!({"title": "Since the restore point", "assignee": ben.id})).await;
    timed.stack.drain().await;
    let told = timed.mails(&ben).await;
    assert_eq!(told.len(), 3);

    valve.close();
    let stopped = timed.now();
    copy.put_back().await;
    let mail = mail_table(&timed.stack);
    // As it was owed at the restore point, and was mailed since.
    mail.file_letter(&part(&ben, &project, &old, (1, 1), stopped - SignedDuration::from_mins(1))).await.expect("it is filed");
    let missed = ada.create_task(&project, json!({"title": "While nobody mailed", "assignee": ben.id})).await;

    let wanted = Repair { mailed_until: Some(stopped), dry_run: true };
    let would = repair(&timed.stack, wanted).await;
    assert_eq!((would.tasks, would.up, would.down, would.away, would.parts_away, would.left), (3, 2, 0, 0, 1, 0));
    let done = repair(&timed.stack, Repair { dry_run: false, ..wanted }).await;
    assert_eq!(done, would, "a dry run tells what is done, and does not do it");
    assert_eq!(repair(&timed.stack, wanted).await, Repaired { tasks: 3, ..Repaired::default() }, "and then it is done");

    valve.open();
    timed.skip(3_600);
    timed.stack.run_schedules().await.expect("the mailer works again");
    timed.stack.drain().await;
    let mails = timed.mails(&ben).await;
    assert_eq!(mails[..3], told);
    assert_eq!(mails.len(), 4, "{mails:#?}");
    assert!(mails[3]["text"].as_str().is_some_and(|it| it.contains(&id::<domain::TaskId>(&missed).to_string())));
    ada.patch(&old, "\"2\"", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_the_log_was_put_back_nothing_of_what_never_was_is_told_and_nothing_new_is_swallowed() {
    let valve = Valve::default();
    let timed = Timed::start_with(Options { interpose: valve.interpose(), ..Options::default() }).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let old = ada.create_task(&project, json!({"title": "Old", "assignee": ben.id})).await;
    timed.stack.drain().await;
    let copies = [Copy::of(&timed.stack, "CHANGES_TABLE", "version").await, Copy::of(&timed.stack, "WORK_TABLE", "sk").await];
    for (version, status) in [(1, "in_progress"), (2, "done")] {
        ada.patch(&old, &format!("\"{version}\""), json!({"status": status})).await.expect(200);
        timed.stack.drain().await;
    }
    ada.create_task(&project, json!({"title": "Never was", "assignee": ben.id})).await;
    timed.stack.drain().await;
    let told = timed.mails(&ben).await;
    assert_eq!(told.len(), 4);

    valve.close();
    for copy in &copies {
        copy.put_back().await;
    }
    let (mail, now) = (mail_table(&timed.stack), Timestamp::now());
    let (beyond, across) = (part(&ben, &project, &old, (3, 3), now), part(&ben, &project, &old, (1, 2), now));
    for part in [&beyond, &across] {
        mail.file_letter(part).await.expect("it is filed");
    }
    let claim = Claim {
        id: ClaimId(Uuid::now_v7()),
        recipient: beyond.recipient_key(),
        parts: vec![beyond, across.clone()],
        attempt: 1,
        opened_at: now - SignedDuration::from_mins(4),
        lease_until: now - SignedDuration::from_mins(1),
        accepted: false,
        unknown: false,
    };
    mail.open_claim(&claim).await.expect("nobody has one");

    let done = repair(&timed.stack, Repair::default()).await;
    let expected = Repaired { tasks: 2, down: 1, away: 1, parts_away: 1, parts_cut: 1, claims: 1, deliveries: 3, ..done };
    assert_eq!(done, expected);
    assert_eq!((done.up, done.left), (0, 0));
    let owed = mail.parts_of(&claim.recipient, Timestamp::MAX, 10).await.expect("the table answers");
    assert_eq!(owed, [part(&ben, &project, &old, (1, 1), now)]);
    assert_eq!(mail.mailbox(&claim.recipient).await.expect("the table answers").claim, None);
    // It is of this test alone; what is owed by what is still in the log would be told.
    mail.replace_part(&owed[0], None).await.expect("it is there");

    valve.open();
    timed.skip(3_600);
    timed.stack.run_schedules().await.expect("the mailer works again");
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await, told);
    ada.patch(&old, "\"1\"", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), 5, "its version was planned once, for a change that never was");
    let deliveries = ada.get(&format!("{old}/changes/2/deliveries")).await.expect(200).body;
    assert_eq!(deliveries["items"].as_array().map(Vec::len), Some(1), "{deliveries:#}");
    assert_eq!(deliveries["items"][0]["state"], "sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_planned_yet_is_not_taken_for_planned() {
    let valve = Valve::default();
    let timed = Timed::start_with(Options { interpose: valve.interpose(), ..Options::default() }).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    valve.close();
    ada.create_task(&project, json!({"title": "The mailer is down", "assignee": ben.id})).await;
    let hour = SignedDuration::from_hours(1);
    let nothing = Repaired { tasks: 1, ..Repaired::default() };
    timed.skip(7_200);
    assert_eq!(repair(&timed.stack, Repair::default()).await, nothing, "nobody said that it was mailed");
    let mailed_until = |it| Repair { mailed_until: Some(it), ..Repair::default() };
    assert_eq!(repair(&timed.stack, mailed_until(timed.now() - hour * 3)).await, nothing);
    assert_eq!(repair(&timed.stack, mailed_until(timed.now() - hour)).await, Repaired { up: 1, ..nothing });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_cannot_be_read_is_named_and_keeps_nothing_else_from_being_repaired() {
    let timed = Timed::start(30).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let broken = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let sound = ada.create_task(&project, json!({"title": "Paint the door", "assignee": ben.id})).await;
    timed.pass(40).await;
    let (client, changes) = table(&timed.stack, "CHANGES_TABLE");
    let text = |it: &str| AttributeValue::S(it.to_owned());
    let log = |task: &str| text(&format!("TASK#{}#{}", id::<ProjectId>(&project), id::<TaskId>(task)));
    let item = [("pk", log(&broken)), ("version", AttributeValue::N("2".to_owned())), ("kind", text("painted"))];
    let item = item.map(|(name, value)| (name.to_owned(), value));
    client.put_item().table_name(changes).set_item(Some(item.into())).send().await.expect("it is put");
    let mail = mail_table(&timed.stack);
    let cursor = mail.cursor(id(&project), id(&sound)).await.expect("a read");
    mail.set_cursor(id(&project), id(&sound), &cursor, None).await.expect("it is set");
    let repaired = repair(&timed.stack, Repair { mailed_until: Some(timed.now()), ..Repair::default() }).await;
    assert_eq!(repaired, Repaired { tasks: 2, up: 1, unreadable: 1, ..Repaired::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_wrong_nothing_is_repaired() {
    let timed = Timed::start(30).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    for number in 0..3 {
        ada.create_task(&project, json!({"title": format!("Task {number}"), "assignee": ben.id})).await;
    }
    timed.pass(40).await;
    assert_eq!(timed.mails(&ben).await.len(), 1);
    assert_eq!(repair(&timed.stack, Repair::default()).await, Repaired { tasks: 3, ..Repaired::default() });
    let mailed_until = Some(timed.now());
    let repaired = repair(&timed.stack, Repair { mailed_until, ..Repair::default() }).await;
    assert_eq!(repaired, Repaired { tasks: 3, ..Repaired::default() });
}
