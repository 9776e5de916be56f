//! The process is killed again and again while people work: what was acknowledged is in the task, in the log, and is mailed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton::function::Function;
use baton::interpose::Interpose;
use baton::stack::{Clocks, Options, Stack};
use domain::{ClaimId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{Claim, RecipientKey};
use tokio::sync::mpsc::unbounded_channel;
use uuid::Uuid;

use crate::people::{PASSWORD, team};
use crate::process::{Process, call};
use crate::tables::mail_table;

const KILLS: usize = 20;
const READERS: usize = 12;
const WRITERS: usize = 6;

struct Somebody {
    email: String,
    id: String,
    token: String,
}

async fn sign_up(process: &Process, name: &str) -> Somebody {
    let email = format!("{}@example.com", name.to_lowercase());
    process.expect("POST", "/v1/accounts", "", json!({"email": email, "name": name}), 202).await;
    process.settle().await;
    let mails = process.expect("GET", &format!("/inbox.json?to={email}"), "", Value::Null, 200).await;
    let text = mails[0]["text"].as_str().expect("a mail with a link");
    let (_, rest) = text.split_once("verify?token=").expect("a token");
    let token: String = rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it)).collect();
    process.expect("POST", "/v1/accounts/verify", "", json!({"token": token, "password": PASSWORD}), 204).await;
    log_in(process, email).await
}

/// Again after every start: the port is another one if somebody took the last, and the tokens' issuer with it.
async fn log_in(process: &Process, email: String) -> Somebody {
    let login = process.expect("POST", "/v1/login", "", json!({"email": email, "password": PASSWORD}), 200).await;
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    Somebody { id: text(&login["user"]["id"]), token: text(&login["access_token"]), email }
}

/// What was acknowledged: a task's path, whom it was given to, and the last version answered.
type Acknowledged = Arc<Mutex<BTreeMap<String, (usize, u64)>>>;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_twenty_kills_and_is_mailed() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut process = Process::start(folder.path()).await;
    let mut ada = sign_up(&process, "Ada").await;
    let mut readers = Vec::new();
    let project = process.expect("POST", "/v1/projects", &ada.token, json!({"name": "Boiler room"}), 201).await;
    let project = project["id"].as_str().expect("an id").to_owned();
    for number in 0..READERS {
        let reader = sign_up(&process, &format!("Reader{number}")).await;
        let invitation = json!({"email": reader.email, "role": "viewer"});
        process.expect("POST", &format!("/v1/projects/{project}/invitations"), &ada.token, invitation, 202).await;
        process.expect("POST", &format!("/v1/me/invitations/{project}/accept"), &reader.token, Value::Null, 204).await;
        readers.push(reader);
    }
    process.settle().await;

    let acknowledged: Acknowledged = Arc::default();
    let mut reopened = 0.0;
    for kill in 0..KILLS {
        work_and_kill(process, kill, &project, &ada.token, &readers, &acknowledged).await;
        process = Process::start(folder.path()).await;
        ada = log_in(&process, ada.email).await;
        reopened += process.metric("baton_claims_reopened ").await;
    }
    process.settle().await;

    let acknowledged = acknowledged.lock().expect("no writer panicked").clone();
    assert!(acknowledged.len() >= KILLS, "work was done: {}", acknowledged.len());
    let mut mails_by_reader = Vec::new();
    // A mail that comes twice is of the same claim, whatever stands in it.
    let mut by_claim: BTreeMap<String, usize> = BTreeMap::new();
    for reader in &readers {
        let mails = process.expect("GET", &format!("/inbox.json?to={}", reader.email), "", Value::Null, 200).await;
        let mails = mails.as_array().expect("mails");
        for mail in mails {
            let claim = mail["tags"]["claim"].as_str().expect("every mail is of a claim");
            *by_claim.entry(claim.to_owned()).or_default() += 1;
        }
        mails_by_reader.push(mails.iter().map(|it| it["text"].as_str().expect("a text").to_owned()).collect::<Vec<_>>());
    }
    for (path, (reader, version)) in &acknowledged {
        let task = process.expect("GET", path, &ada.token, Value::Null, 200).await;
        let now = task["version"].as_u64().expect("a version");
        assert!(now >= *version, "{path} is at {now}, {version} was acknowledged");
        let log = process.expect("GET", &format!("{path}/changes"), &ada.token, Value::Null, 200).await;
        let versions: Vec<u64> = log["items"].as_array().expect("a log").iter().filter_map(|it| it["version"].as_u64()).collect();
        assert_eq!(versions, (1..=now).rev().collect::<Vec<_>>(), "{path}");
        let id = path.rsplit('/').next().expect("an id");
        let told = mails_by_reader[*reader].iter().filter(|it| it.contains(id)).collect::<Vec<_>>();
        // A mail shows twenty tasks and counts the rest, of which the deliveries tell.
        let is_counted = async |version: u64| {
            let deliveries = format!("{path}/changes/{version}/deliveries");
            let told = process.expect("GET", &deliveries, &ada.token, Value::Null, 200).await;
            let is_sent = |it: &Value| it["user"] == readers[*reader].id && it["state"] == "sent";
            told["items"].as_array().is_some_and(|it| it.iter().any(is_sent))
                && mails_by_reader[*reader].iter().any(|it| it.contains("more task"))
        };
        if told.is_empty() && !is_counted(1).await {
            let deliveries = process.expect("GET", &format!("{path}/changes/1/deliveries"), &ada.token, Value::Null, 200).await;
            panic!("{path} was never mailed: {deliveries:#}");
        }
        let is_done = now < 2 || told.iter().any(|it| it.contains("done")) || is_counted(2).await;
        assert!(is_done, "{path} was moved to done and nobody told: {told:#?}");
    }
    let seconds: usize = by_claim.values().map(|it| it - 1).sum();
    println!(
        "{} tasks over {KILLS} kills; {reopened} claims were open at a kill, {seconds} mails came twice",
        acknowledged.len()
    );
    assert!(seconds as f64 <= reopened, "{seconds} mails came twice, but only {reopened} claims were open at a kill");
}

async fn work_and_kill(
    mut process: Process,
    kill: usize,
    project: &str,
    token: &str,
    readers: &[Somebody],
    acknowledged: &Acknowledged,
) {
    let (answered, mut answers) = unbounded_channel();
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (http, origin, token, project) = (process.http.clone(), process.origin.clone(), token.to_owned(), project.to_owned());
        let (acknowledged, answered) = (acknowledged.clone(), answered.clone());
        let reader = (kill * WRITERS + writer) % readers.len();
        let assignee = readers[reader].id.clone();
        writers.push(tokio::spawn(async move {
            for number in 0.. {
                let body = json!({"title": format!("Round {kill}, writer {writer}, number {number}"), "assignee": assignee});
                let tasks = format!("/v1/projects/{project}/tasks");
                // The process may end at any await: what was not answered may or may not have happened.
                let Ok((201, task)) = call(&http, &origin, "POST", &tasks, &token, "*", body).await else { return };
                let path = format!("{tasks}/{}", task["id"].as_str().expect("an id"));
                acknowledged.lock().expect("no writer panicked").insert(path.clone(), (reader, 1));
                if answered.send(()).is_err() {
                    return;
                }
                let done = json!({"status": "done"});
                let Ok((200, _)) = call(&http, &origin, "PATCH", &path, &token, "\"1\"", done).await else { return };
                acknowledged.lock().expect("no writer panicked").insert(path, (reader, 2));
                if answered.send(()).is_err() {
                    return;
                }
            }
        }));
    }
    drop(answered);
    let until = 12 + kill * 7 % 25;
    for _ in 0..until {
        answers.recv().await.expect("the writers go on until the kill");
    }
    process.child.kill().await.expect("baton can be killed");
    for writer in writers {
        writer.await.expect("a writer ends with the process");
    }
}

/// A stack on a folder, whose mailer hears what the mail service says late, or not at all once it is deaf.
async fn slow_of_hearing(folder: &Path, clocks: Clocks, is_deaf: Arc<AtomicBool>) -> Stack {
    let slow = move |function: Function| {
        let (name, is_deaf) = (function.name().to_owned(), is_deaf.clone());
        Function::new(&name, move |event: Value| {
            let (function, is_deaf) = (function.clone(), is_deaf.clone());
            async move {
                let source = event["Records"][0]["eventSourceARN"].as_str().unwrap_or_default();
                if source.ends_with(":FeedbackQueue") {
                    tokio::time::sleep(Duration::from_millis(500)).await;
                    if is_deaf.load(Ordering::SeqCst) {
                        std::future::pending::<()>().await;
                    }
                }
                function.run(event).await
            }
        })
    };
    let interpose = Interpose::default().wrap(slow);
    let options = Options { data: folder.to_owned(), port: 0, window_seconds: 600, clocks, interpose, ..Options::default() };
    Stack::start(options).await.expect("the stack starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mail_service_said_before_the_end_is_heeded_before_anything_is_sent_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let is_deaf = Arc::new(AtomicBool::new(false));
    let stack = slow_of_hearing(folder.path(), Clocks::default(), is_deaf.clone()).await;
    let ([ada, ben], project) = team(&stack, ["Ada", "Ben"]).await;
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    stack.drain().await;
    let (mail, reader) = (mail_table(&stack), RecipientKey::User(UserId(ben.id.parse().expect("an id"))));
    let parts = mail.parts_of(&reader, Timestamp::MAX, usize::MAX).await.expect("a read");
    assert_eq!(parts.len(), 1, "it waits for quiet");
    // Its holder ends when the mail service has taken the mail.
    is_deaf.store(true, Ordering::SeqCst);
    let (id, now) = (ClaimId(Uuid::now_v7()), Timestamp::now());
    let lease_until = now + SignedDuration::from_mins(3);
    let recipient = reader.clone();
    let claim = Claim { id, recipient, parts, attempt: 1, opened_at: now, lease_until, accepted: false, unknown: false };
    mail.open_claim(&claim).await.expect("nobody else has one");
    let tags = json!({"claim": [id], "recipient": [reader.to_string().replace('#', "_")]});
    let about = json!({"timestamp": now, "destination": [ben.email], "tags": tags});
    let detail = json!({"eventType": "Send", "mail": about, "send": {}});
    let event = json!({"version": "0", "id": "e", "source": "aws.ses", "detail-type": "Email Sent", "detail": detail});
    stack.queues().send(&[("FeedbackQueue", &event.to_string())]).expect("the queue takes it");
    let mails = stack.inbox().len().expect("the inbox answers");
    stack.kill().await;

    is_deaf.store(false, Ordering::SeqCst);
    let clocks = Clocks::default();
    clocks.advance(SignedDuration::from_secs(601));
    let stack = slow_of_hearing(folder.path(), clocks, is_deaf).await;
    stack.drain().await;
    let mail = mail_table(&stack);
    assert_eq!(stack.inbox().len().expect("the inbox answers"), mails, "it was taken already");
    assert!(mail.parts_of(&reader, Timestamp::MAX, usize::MAX).await.expect("a read").is_empty());
    assert_eq!(mail.mailbox(&reader).await.expect("a read").claim, None);
    assert!(mail.is_recorded(&claim).await.expect("a read"), "and is recorded as told");
}
