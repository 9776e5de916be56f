//! What operators do by hand: replay, redrive, repair after a restore. None of it mails anybody again, and all of it brings what is
//! missing.

mod restore;

use std::num::NonZeroU32;

use aws_sdk_dynamodb::types::AttributeValue;
use baton::interpose::{Interpose, Service};
use baton::operate::redrive::{Redriven, redrive};
use baton::operate::replay::{LogSpan, Replayed, replay};
use baton::operate::{Deployment, Stop};
use baton::stack::{Options, Stack};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::people::{Person, empty_inbox, mails_to};
use crate::process::Process;
use crate::tables::{mail_table, table};

const FAST: NonZeroU32 = NonZeroU32::new(10_000).expect("is not zero");

fn deployment(stack: &Stack) -> Deployment {
    Deployment::of(stack.calls()).expect("a stack has all that operators need")
}

fn all() -> LogSpan {
    let until = Timestamp::now() + SignedDuration::from_mins(1);
    LogSpan { since: until - SignedDuration::from_hours(1), until, project: None }
}

async fn replay_span(stack: &Stack, span: LogSpan) -> usize {
    let mut replayed = Replayed::default();
    replay(&deployment(stack), span, FAST, &Stop::never(), &mut replayed).await.expect("the log is published");
    assert!(replayed.is_whole);
    stack.drain().await;
    replayed.entries
}

async fn redrive_all(stack: &Stack, queue: &str) -> Result<Redriven, String> {
    let mut redriven = Redriven::default();
    let outcome = redrive(&deployment(stack), queue, None, None, FAST, &Stop::never(), &mut redriven).await;
    outcome.map_err(|error| error.to_string())?;
    stack.drain().await;
    Ok(redriven)
}

async fn notifications(person: &Person) -> Vec<Value> {
    let body = person.get("/v1/notifications?limit=100").await.expect(200).body;
    body["items"].as_array().expect("a list").clone()
}

/// A stack whose bus takes every change and loses it, with Ada and Ben in a project of hers.
struct Deaf {
    stack: Stack,
    ada: Person,
    ben: Person,
    project: String,
}

impl Deaf {
    async fn start() -> Self {
        let nowhere = axum::Router::new().fallback(|body: String| async move {
            let request: Value = serde_json::from_str(&body).expect("a call is JSON");
            let entries = request["Entries"].as_array().map_or(0, Vec::len);
            axum::Json(json!({"FailedEntryCount": 0, "Entries": vec![json!({"EventId": "lost"}); entries]}))
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(axum::serve(listener, nowhere).into_future());
        let interpose = Interpose::default().lead(move |function, service, usual| match (function, service) {
            ("change-publisher", Service::EventBridge) => address.clone(),
            _ => usual.to_owned(),
        });
        let options = Options { in_memory: true, port: 0, interpose, ..Options::default() };
        let stack = Stack::start(options).await.expect("the stack starts");
        let ada = Person::sign_up(&stack, "Ada", json!({})).await;
        let ben = Person::sign_up(&stack, "Ben", json!({})).await;
        let project = ada.create_project("Boiler room").await;
        ada.bring_in(&project, &ben, "editor").await;
        empty_inbox(&stack).await;
        Self { stack, ada, ben, project }
    }

    /// Gives Ben a task he does not hear of, and returns its path.
    async fn lose_task(&self, title: &str) -> String {
        let before = mails_to(&self.stack, &self.ben.email).await.len();
        let task = self.ada.create_task(&self.project, json!({"title": title, "assignee": self.ben.id})).await;
        self.stack.drain().await;
        assert_eq!(mails_to(&self.stack, &self.ben.email).await.len(), before, "the bus lost it");
        task
    }

    /// How many mails tell Ben of a task.
    async fn told(&self, task: &str) -> usize {
        let id = task.rsplit('/').next().expect("an id");
        let mails = mails_to(&self.stack, &self.ben.email).await;
        mails.iter().filter(|it| it["text"].as_str().is_some_and(|text| text.contains(id))).count()
    }

    /// The event the bus should have brought.
    fn event(&self, task: &str) -> Value {
        let id = |path: &str| path.rsplit('/').next().expect("an id").to_owned();
        let detail = json!({"project": id(&self.project), "task": id(task), "version": 1, "kind": "created"});
        json!({"version": "0", "id": "x", "source": "baton.tasks", "detail-type": "Task Created", "detail": detail})
    }

    fn put(&self, queue: &str, letter: &Value) {
        self.stack.queues().send(&[(queue, &letter.to_string())]).expect("the queue takes it");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_of_the_whole_log_mails_and_notifies_nobody_again() {
    let options = Options { in_memory: true, port: 0, record_events: true, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    for number in 0..12 {
        let task = ada.create_task(&project, json!({"title": format!("Task {number}"), "assignee": ben.id})).await;
        ben.patch(&task, "\"1\"", json!({"status": "in_progress", "description": "It drips."})).await.expect(200);
    }
    stack.drain().await;
    let told = (mails_to(&stack, &ada.email).await, mails_to(&stack, &ben.email).await);
    let notified = (notifications(&ada).await, notifications(&ben).await);
    assert!(!told.0.is_empty() && !told.1.is_empty() && notified.0.len() >= 12 && notified.1.len() >= 12);
    let is_change = |it: &Value| it["source"] == "baton.tasks";
    let first: Vec<Value> = stack.recorded_events().into_iter().filter(is_change).collect();
    assert_eq!(first.len(), 24);

    assert_eq!(replay_span(&stack, all()).await, 24, "every entry, and no description");

    assert_eq!((mails_to(&stack, &ada.email).await, mails_to(&stack, &ben.email).await), told);
    assert_eq!((notifications(&ada).await, notifications(&ben).await), notified);
    let events: Vec<Value> = stack.recorded_events().into_iter().filter(is_change).collect();
    let contents = |events: &[Value]| {
        let mut contents: Vec<String> =
            events.iter().map(|it| json!([it["detail-type"], it["detail"], it["source"]]).to_string()).collect();
        contents.sort();
        contents
    };
    assert_eq!(contents(&events[24..]), contents(&first), "listeners of their own hear the same once more");
    let times: Vec<&str> = events[24..].iter().filter_map(|it| it["detail"]["at"].as_str()).collect();
    assert!(times.len() == 24 && times.is_sorted(), "oldest first: {times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_brings_what_lost_events_swallowed_and_only_of_its_span() {
    let deaf = Deaf::start().await;
    let early = deaf.lose_task("Early").await;
    let between = Timestamp::now();
    let late = deaf.lose_task("Late").await;
    let elsewhere = deaf.ada.create_project("Cellar").await.trim_start_matches("/v1/projects/").parse().expect("a project's id");
    assert_eq!(replay_span(&deaf.stack, LogSpan { project: Some(elsewhere), ..all() }).await, 0);
    assert_eq!(replay_span(&deaf.stack, LogSpan { since: between, ..all() }).await, 1);
    assert_eq!((deaf.told(&early).await, deaf.told(&late).await), (0, 1));
    let here = deaf.project.trim_start_matches("/v1/projects/").parse().expect("a project's id");
    assert_eq!(replay_span(&deaf.stack, LogSpan { until: between, project: Some(here), ..all() }).await, 1);
    assert_eq!((deaf.told(&early).await, deaf.told(&late).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hint_among_the_dead_letters_goes_on_to_where_it_was_going() {
    let deaf = Deaf::start().await;
    let (raw, wrapped, refused) = (deaf.lose_task("Raw").await, deaf.lose_task("Wrapped").await, deaf.lose_task("Refused").await);
    deaf.put("MailDeadLetters", &deaf.event(&raw));
    let body = deaf.event(&wrapped).to_string();
    deaf.put("MailDeadLetters", &json!({"reason": "nobody knows", "message_id": "m", "queue": "MailQueue", "body": body}));
    deaf.put("RuleDeadLetters", &deaf.event(&refused));

    let redriven = redrive_all(&deaf.stack, "MailDeadLetters").await.expect("both go on");
    assert_eq!((redriven.sent.get("MailQueue"), redriven.left.len()), (Some(&2), 0));
    assert_eq!((deaf.told(&raw).await, deaf.told(&wrapped).await, deaf.told(&refused).await), (1, 1, 0));
    redrive_all(&deaf.stack, "RuleDeadLetters").await.expect("it goes on");
    assert_eq!(deaf.told(&refused).await, 1);
    for queue in ["MailDeadLetters", "RuleDeadLetters"] {
        assert_eq!(deaf.stack.queues().depth(queue).expect("the queue answers"), 0, "{queue}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mail_service_said_is_taken_in_after_all() {
    let deaf = Deaf::start().await;
    let invocation: Value = serde_json::from_str(include_str!("../../../events/log-mailer-mail-bounced.json")).expect("JSON");
    let body = invocation["Records"][0]["body"].as_str().expect("an event");
    let mut bounce: Value = serde_json::from_str(body).expect("JSON");
    bounce["detail"]["mail"]["tags"]["recipient"] = json!([format!("USER_{}", deaf.ben.id)]);
    deaf.put("FeedbackDeadLetters", &bounce);
    let (mail, address) = (mail_table(&deaf.stack), deaf.ben.email.parse().expect("an address"));
    assert!(!mail.suppressed(&address).await.expect("the table answers"));
    let redriven = redrive_all(&deaf.stack, "FeedbackDeadLetters").await.expect("it goes on");
    assert_eq!(redriven.sent.get("FeedbackQueue"), Some(&1));
    assert!(mail.suppressed(&address).await.expect("the table answers"), "the bounce is known of");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_comes_back_as_it_was_and_holds_up_no_redrive() {
    let stack = crate::people::stack().await;
    stack.queues().send(&[("MailQueue", "hello"), ("LetterQueue", "{}")]).expect("the queues take it");
    stack.drain().await;
    let bodies = || {
        let letters = stack.queues().peek("MailDeadLetters").expect("the queue answers");
        let letters = letters.iter().map(|(body, _)| serde_json::from_str::<Value>(body).expect("JSON"));
        let mut bodies: Vec<(String, String)> =
            letters.map(|it| (it["queue"].to_string(), it["body"].as_str().unwrap_or_default().to_owned())).collect();
        bodies.sort();
        bodies
    };
    let before = bodies();
    assert_eq!(before.len(), 2, "{before:?}");
    let redriven = redrive_all(&stack, "MailDeadLetters").await.expect("they go on");
    assert_eq!(redriven.sent.values().sum::<usize>(), 2, "each once, though they come back at once");
    assert_eq!(bodies(), before, "from the same queues, and wrapped once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_that_cannot_be_sent_on_stays() {
    let deaf = Deaf::start().await;
    let task = deaf.lose_task("Wrapped").await;
    let body = deaf.event(&task).to_string();
    deaf.put("MailDeadLetters", &json!({"reason": "r", "message_id": "m", "queue": "NoSuchQueue", "body": body}));
    let refused = redrive_all(&deaf.stack, "MailDeadLetters").await.expect_err("there is no such queue");
    assert!(refused.contains("NoSuchQueue"), "{refused}");
    assert_eq!(deaf.stack.queues().depth_now("MailDeadLetters").expect("the queue answers"), 1);
    let left = redrive_all(&deaf.stack, "MailDeadLetters").await;
    assert!(left.is_err(), "and can be received again at once: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_the_stream_become_the_entries_they_stand_for() {
    let deaf = Deaf::start().await;
    let task = deaf.lose_task("Given up").await;
    let at = Timestamp::now();
    let info = json!({
        "shardId": "shardId-1", "startSequenceNumber": "1", "endSequenceNumber": "1", "batchSize": 1, "streamArn": "arn",
        "approximateArrivalOfFirstRecord": at, "approximateArrivalOfLastRecord": at,
    });
    let letter = json!({"version": "1.0", "timestamp": at, "requestContext": {}, "DDBStreamBatchInfo": info});
    deaf.put("StreamDeadLetters", &letter);
    deaf.put("StreamDeadLetters", &letter);
    let redriven = redrive_all(&deaf.stack, "StreamDeadLetters").await.expect("the log is published");
    assert_eq!((redriven.published, redriven.entries), (2, 1), "the same span is published once");
    assert_eq!(deaf.told(&task).await, 1);
    assert_eq!(deaf.stack.queues().depth("StreamDeadLetters").expect("the queue answers"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_could_not_be_read_is_announced_once_it_can_be() {
    let stack = crate::people::stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    empty_inbox(&stack).await;
    let (client, name) = table(&stack, "CHANGES_TABLE");
    let partition = format!("TASK#{}#{}", project.rsplit('/').next().expect("an id"), task.rsplit('/').next().expect("an id"));
    let first = client
        .get_item()
        .table_name(&name)
        .key("pk", AttributeValue::S(partition))
        .key("version", AttributeValue::N("1".to_owned()))
        .send()
        .await
        .expect("the table answers")
        .item
        .expect("the task's first entry");
    let put = async |kind: &str| {
        let request = client.put_item().table_name(&name).set_item(Some(first.clone()));
        let request = request.item("version", AttributeValue::N("2".to_owned()));
        let sort = first["project_sk"].as_s().expect("a text").replace("#0000000001", "#0000000002");
        let request = request.item("project_sk", AttributeValue::S(sort));
        let fields = r#"[{"name":"status","from":"waiting","to":"done"}]"#;
        let request = request.item("fields", AttributeValue::S(fields.to_owned()));
        request.item("kind", AttributeValue::S(kind.to_owned())).send().await.expect("the table takes it");
    };
    put("exploded").await;
    stack.drain().await;
    assert_eq!(stack.queues().depth("PublisherDeadLetters").expect("the queue answers"), 1);

    let redriven = redrive_all(&stack, "PublisherDeadLetters").await.expect("the queue answers");
    assert_eq!((redriven.published, redriven.left.len()), (0, 1), "{redriven:?}");
    assert!(redriven.left[0].1.contains("cannot be read"), "{redriven:?}");
    put("updated").await;
    let redriven = redrive_all(&stack, "PublisherDeadLetters").await.expect("the queue answers");
    assert_eq!((redriven.published, redriven.entries, redriven.left.len()), (1, 1, 0), "{redriven:?}");
    assert_eq!(mails_to(&stack, &ben.email).await.len(), 1, "Ben is told of it like of any other");
    assert_eq!(stack.queues().depth("PublisherDeadLetters").expect("the queue answers"), 0);
}

/// Runs the operator's binary; answers its exit code and what it printed.
async fn operate(arguments: &[&str], environment: &[(String, String)]) -> (Option<i32>, String) {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_baton"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.args(arguments).env("RUST_LOG", "error").envs(environment.iter().cloned());
    let output = command.output().await.expect("baton runs");
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).expect("a text"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_work_on_a_running_process_by_its_folder_and_by_names_as_on_aws() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start_with(folder.path(), &["--demo"]).await;
    process.settle().await;
    let data = ["--data", folder.path().to_str().expect("a text")];
    let local = async |arguments: &[&str]| operate(&[arguments, &data].concat(), &[]).await;

    let (code, replayed) = local(&["replay", "--since", "1h"]).await;
    assert!(code == Some(0) && replayed.starts_with("published "), "{replayed}");
    let published: usize = replayed.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a count");
    assert!(published > 0, "{replayed}");
    let (code, repaired) = local(&["repair-cursors", "--dry-run"]).await;
    assert!(code == Some(0) && repaired.contains("cursors: 0 up, 0 down, 0 away"), "{repaired}");
    let (code, redriven) = local(&["redrive", "MailDeadLetters"]).await;
    assert_eq!((code, redriven.as_str()), (Some(0), "0 redriven, 0 left\n"));

    let calls = baton::stack::read_calls(folder.path()).expect("a running stack says how it is called");
    let mut environment: Vec<(String, String)> = calls["log-mailer"].environment.clone().into_iter().collect();
    environment.retain(|(name, _)| name.starts_with("AWS_"));
    let named = ["replay", "--since", "1h", "--changes-table", "ChangesTable", "--bus", "Bus"];
    let (code, text) = operate(&named, &environment).await;
    assert!(code == Some(0) && text.starts_with(&format!("published {published} ")), "{text}");
    let url = format!("{}/000000000000/MailDeadLetters", calls["log-mailer"].environment["AWS_ENDPOINT_URL_SQS"]);
    let (code, text) = operate(&["redrive", &url], &environment).await;
    assert_eq!((code, text.as_str()), (Some(0), "0 redriven, 0 left\n"));
    let named = ["repair-cursors", "--dry-run", "--changes-table", "ChangesTable", "--mail-table", "MailTable"];
    let (code, text) = operate(&named, &environment).await;
    assert_eq!((code, text), (Some(0), repaired));
    assert_eq!(process.terminate().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_mistypes_is_named() {
    let nowhere = tempfile::tempdir().expect("a folder");
    let nowhere = nowhere.path().join("nothing").display().to_string();
    let aws: Vec<(String, String)> =
        ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"].map(|it| (it.to_owned(), "x".to_owned())).into();
    let check = async |arguments: &[&str], environment: &[(String, String)], expected: &str| {
        let (code, text) = operate(arguments, environment).await;
        assert!(code.is_some_and(|it| it != 0) && text.contains(expected), "{arguments:?}: {code:?} {text}");
    };
    check(&["replay"], &[], "--since").await;
    check(&["replay", "--since", "yesterday"], &[], "is no time as in").await;
    check(&["replay", "--since", "9999-01-01T00:00:00Z"], &[], "is still to come").await;
    check(&["replay", "--since", "1h", "--until", "2h"], &[], "is not after --since").await;
    check(&["replay", "--since", "1h", "--project", "boiler"], &[], "--project").await;
    check(&["replay", "--since", "1h", "--per-second", "0"], &[], "--per-second").await;
    check(&["replay", "--since", "1h", "--data", &nowhere], &[], "no baton runs on").await;
    check(&["replay", "--since", "1h", "--bus", "baton-dev"], &aws, "--changes-table").await;
    check(&["replay", "--since", "1h", "--changes-table", "changes"], &aws, "--bus").await;
    check(&["repair-cursors", "--changes-table", "changes"], &aws, "--mail-table").await;
    check(&["repair-cursors", "--mail-table", "mail"], &[], "AWS_REGION").await;
    check(&["redrive", "MailDeadLetters", "--bus", "baton-dev"], &aws, "MailDeadLetters is not a URL").await;
    check(&["redrive"], &[], "QUEUE").await;
    assert!(!std::path::Path::new(&nowhere).exists(), "and nothing is made");
}

#[test]
fn every_alarm_has_its_section_in_the_runbook_and_says_so() {
    let runbook = include_str!("../../../docs/runbook.md");
    let mut alarms = 0;
    for resource in baton::template::TEMPLATE.split("\n\n") {
        let Some((name, _)) = resource.trim_start_matches('\n').trim_start().split_once(":\n    Type: AWS::CloudWatch::Alarm")
        else {
            continue;
        };
        alarms += 1;
        assert!(runbook.contains(&format!("\n## {name}\n")), "{name} has no section");
        assert!(resource.contains(&format!("See docs/runbook.md, {name}.")), "{name} does not lead there");
    }
    assert!(alarms >= 9, "{alarms}");
    for queue in baton::template::TEMPLATE.lines().filter_map(|it| it.trim().strip_suffix("DeadLetters:")) {
        assert!(runbook.contains(&format!("baton redrive \"$(resource {queue}DeadLetters)\"")), "{queue} has no redrive");
    }
}
