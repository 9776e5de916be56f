//! The process is killed again and again while people work: what was acknowledged is in the task, in the log, and is mailed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::sync::mpsc::unbounded_channel;

use crate::people::PASSWORD;
use crate::process::{Process, call};

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
