//! Three people hand work over, and each of them reads exactly what concerns them.

use std::fmt::Write;

use baton::stack::Stack;
use serde_json::{Value, json};

use crate::people::{Person, empty_inbox, mails_to, stack};
use crate::timed::{Timed, WINDOW};

/// What a person found in the inbox, oldest first: subject, then the text, with what differs between runs replaced.
async fn read_mails(stack: &Stack, reader: &Person, replace: &[(&str, &str)]) -> String {
    stack.drain().await;
    let mut mails = mails_to(stack, &reader.email).await;
    mails.reverse();
    let mut page = String::new();
    for mail in &mails {
        assert_eq!(mail["to"], json!(reader.email), "one recipient, bare");
        let (subject, text) = (mail["subject"].as_str().expect("a subject"), mail["text"].as_str().expect("a text"));
        writeln!(page, "Subject: {subject}\n\n{text}\n=====").expect("memory suffices");
    }
    for (from, to) in replace {
        page = page.replace(from, to);
    }
    page
}

/// Of the line that says when, only the reader's time zone is the same from run to run.
fn without_times(page: &str) -> String {
    page.lines().map(without_time).collect::<Vec<_>>().join("\n")
}

fn without_time(line: &str) -> String {
    let is_time = |it: &[u8]| it[2] == b':' && [0, 1, 3, 4].iter().all(|at| it[*at].is_ascii_digit());
    match line.rsplit_once('(').filter(|_| line.as_bytes().windows(5).any(is_time)) {
        Some((_, zone)) => format!("WHEN ({zone}"),
        None => line.to_owned(),
    }
}

async fn hand_over(locale: &str) -> [(String, String); 3] {
    let stack = stack().await;
    let zone = json!({"locale": locale, "time_zone": "Asia/Seoul"});
    let ada = Person::sign_up(&stack, "Ada", zone.clone()).await;
    let ben = Person::sign_up(&stack, "Ben", zone.clone()).await;
    let cam = Person::sign_up(&stack, "Cam", zone).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    ada.bring_in(&project, &cam, "editor").await;
    empty_inbox(&stack).await;

    let body = json!({"title": "Fix the pump", "description": "It drips.", "assignee": ben.id, "due_on": "2027-01-15"});
    let task = ada.create_task(&project, body).await;
    stack.drain().await;
    // Twice, quickly: each is told of what was so when their mail was planned, and nobody is left out.
    ada.patch(&task, "\"1\"", json!({"assignee": cam.id})).await.expect(200);
    stack.drain().await;
    ada.patch(&task, "\"2\"", json!({"assignee": ben.id})).await.expect(200);
    stack.drain().await;
    ben.patch(&task, "\"3\"", json!({"status": "done"})).await.expect(200);
    stack.drain().await;
    cam.patch(&task, "\"4\"", json!({"title": "Fix the old pump", "priority": "high"})).await.expect(200);

    let (project_id, task_id) = task.trim_start_matches("/v1/projects/").split_once("/tasks/").expect("a task's path");
    let replace =
        [(stack.origin(), "http://baton"), (project_id, "PROJECT"), (task_id, "TASK")].map(|(from, to)| (from.to_owned(), to));
    let replace: Vec<(&str, &str)> = replace.iter().map(|(from, to)| (from.as_str(), *to)).collect();
    let mut pages = Vec::new();
    for person in [&ada, &ben, &cam] {
        let page = without_unsubscribe_tokens(&without_times(&read_mails(&stack, person, &replace).await));
        pages.push((person.name.clone(), page));
    }
    pages.try_into().expect("three people")
}

fn without_unsubscribe_tokens(page: &str) -> String {
    let mut rest = page;
    let mut masked = String::new();
    while let Some((before, after)) = rest.split_once("/v1/unsubscribe/") {
        masked.push_str(before);
        masked.push_str("/v1/unsubscribe/TOKEN");
        rest = after.trim_start_matches(|it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_');
    }
    masked + rest
}

fn count(page: &str) -> usize {
    page.matches("Subject: ").count()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_read_what_concerns_them_in_english() {
    let [ada, ben, cam] = hand_over("en").await;
    // Ada made the task: done and the edit. Ben: given, taken, given again, the edit. Cam: given and taken.
    assert_eq!([count(&ada.1), count(&ben.1), count(&cam.1)], [2, 4, 2], "{ada:#?} {ben:#?} {cam:#?}");
    for (name, page) in [ada, ben, cam] {
        insta::assert_snapshot!(format!("english_{name}"), page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_people_read_what_concerns_them_in_korean() {
    let [ada, ben, cam] = hand_over("ko").await;
    assert_eq!([count(&ada.1), count(&ben.1), count(&cam.1)], [2, 4, 2], "{ada:#?} {ben:#?} {cam:#?}");
    for (name, page) in [ada, ben, cam] {
        insta::assert_snapshot!(format!("korean_{name}"), page);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn within_the_window_only_the_net_effect_is_told() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben, cam], project) = timed.team(["Ada", "Ben", "Cam"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;

    ada.patch(&task, "*", json!({"assignee": ben.id})).await.expect(200);
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    ada.patch(&task, "*", json!({"assignee": cam.id})).await.expect(200);
    ada.patch(&task, "*", json!({"status": "waiting"})).await.expect(200);
    timed.pass(20).await;
    assert_eq!(timed.mails(&cam).await, Vec::<Value>::new(), "it is not quiet yet");
    timed.pass(20).await;
    timed.pass(3600).await;

    assert_eq!(timed.mails(&ada).await, Vec::<Value>::new());
    assert_eq!(timed.mails(&ben).await, Vec::<Value>::new(), "Ben held it only in between");
    let cams = timed.mails(&cam).await;
    assert_eq!(cams.len(), 1, "{cams:#?}");
    assert!(cams[0]["text"].as_str().expect("a text").contains("reassigned it from Ben to you"), "{cams:#?}");

    for status in ["done", "waiting"] {
        ada.patch(&task, "*", json!({"status": status})).await.expect(200);
    }
    timed.pass(3600).await;
    assert_eq!(timed.mails(&cam).await.len(), 1, "waiting, done, waiting is nothing");
}
