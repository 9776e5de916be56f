//! The quiet window: many changes, few mails, and nothing lost between them.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::dice::Dice;
use crate::people::{Person, empty_inbox};
use crate::timed::{Timed, WINDOW, id_of};

const CHANGES: usize = 35;
const TASKS: usize = 12;
const TEN_MINUTES: i64 = 600;
const SEEDS: u64 = 10;

/// The longest that nothing is mailed for: what was owed has been told by then, however busy the time before it was.
const LONG_ENOUGH: [i64; 6] = [60, 60, 300, 300, 900, 900];

/// Tasks of nobody.
async fn tasks(owner: &Person, project: &str, count: usize) -> Vec<String> {
    let mut tasks = Vec::new();
    for number in 0..count {
        tasks.push(owner.create_task(project, json!({"title": format!("Task {number}")})).await);
    }
    tasks
}

/// What Ada does in a burst: she hands all tasks to Ben and moves them on, sets five to done and back again, and renames one.
fn burst(tasks: &[String], ben: &Person) -> Vec<(String, Value)> {
    let mut changes: Vec<(String, Value)> = tasks.iter().map(|it| (it.clone(), json!({"assignee": ben.id}))).collect();
    changes.extend(tasks.iter().map(|it| (it.clone(), json!({"status": "in_progress"}))));
    for task in &tasks[..5] {
        changes.extend(["done", "in_progress"].map(|status| (task.clone(), json!({"status": status}))));
    }
    changes.push((tasks[5].clone(), json!({"title": "Fix the old pump"})));
    assert_eq!(changes.len(), CHANGES);
    changes
}

/// The mails that a burst comes to, with so many seconds before each of its changes.
async fn mails_of_burst(pauses: &[i64]) -> (Vec<Value>, Vec<String>) {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let tasks = tasks(&ada, &project, TASKS).await;
    timed.pass(TEN_MINUTES).await;
    empty_inbox(&timed.stack).await;
    for ((task, change), pause) in burst(&tasks, &ben).into_iter().zip(pauses) {
        timed.pass(*pause).await;
        ada.patch(&task, "*", change).await.expect(200);
    }
    timed.stack.drain().await;
    for pause in LONG_ENOUGH {
        timed.pass(pause).await;
    }
    assert_eq!(timed.texts(&ada).await, [""; 0], "nobody is told of their own acts");
    let mails = timed.mails(&ben).await;
    let told: BTreeSet<&String> = tasks
        .iter()
        .filter(|it| mails.iter().any(|mail| mail["text"].as_str().is_some_and(|text| text.contains(id_of(it)))))
        .collect();
    assert_eq!(told.len(), TASKS, "all of them are told: {mails:#?}");
    (mails, tasks)
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_five_changes_to_twelve_tasks_within_ten_minutes_are_at_most_three_mails() {
    let evenly = vec![TEN_MINUTES / CHANGES as i64; CHANGES];
    let (mails, _) = mails_of_burst(&evenly).await;
    assert!((1..=3).contains(&mails.len()), "{mails:#?}");
    let done = mails.iter().filter(|it| it["text"].as_str().is_some_and(|text| text.contains("done"))).count();
    assert_eq!(done, 0, "to done and back again is nothing: {mails:#?}");

    let at_once = vec![0; CHANGES];
    let (mails, tasks) = mails_of_burst(&at_once).await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    assert_eq!(mails[0]["subject"], "[Boiler room] 12 tasks changed");
    for task in &tasks {
        assert_eq!(mails[0]["text"].as_str().map(|it| it.matches(id_of(task)).count()), Some(1), "{task} once: {mails:#?}");
    }

    // A meeting: three topics, and talk between them.
    let mut in_clusters = vec![5; CHANGES];
    for topic in [12, 24] {
        in_clusters[topic] = 200;
    }
    let (mails, _) = mails_of_burst(&in_clusters).await;
    assert!((1..=3).contains(&mails.len()), "{mails:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_any_rhythm_is_at_most_three_mails() {
    let mut counts = Vec::new();
    for seed in 1..=SEEDS {
        let mut dice = Dice::new(seed);
        let mut moments: Vec<i64> = (0..CHANGES).map(|_| dice.below(TEN_MINUTES as usize) as i64).collect();
        moments.sort_unstable();
        let before = std::iter::once(&0).chain(&moments);
        let pauses: Vec<i64> = moments.iter().zip(before).map(|(moment, before)| moment - before).collect();
        counts.push(mails_of_burst(&pauses).await.0.len());
    }
    println!("mails of {SEEDS} bursts: {counts:?}");
    assert!(counts.iter().all(|it| (1..=3).contains(it)), "{counts:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_mail_shows_twenty_tasks_and_counts_the_rest() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let mut tasks = Vec::new();
    for number in 0..25 {
        tasks.push(ada.create_task(&project, json!({"title": format!("Task {number}"), "assignee": ben.id})).await);
    }
    timed.pass(20).await;
    assert_eq!(timed.texts(&ben).await, [""; 0], "it is not quiet yet");
    timed.pass(20).await;
    let mails = timed.mails(&ben).await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let (text, html) = (mails[0]["text"].as_str().expect("a text"), mails[0]["html"].as_str().expect("HTML"));
    let shown = tasks.iter().filter(|it| text.contains(id_of(it))).count();
    assert_eq!((shown, text.contains("5 more tasks changed.")), (20, true), "{text}");
    assert_eq!(tasks.iter().filter(|it| html.contains(id_of(it))).count(), 20, "{html}");
    assert_eq!(mails[0]["subject"], "[Boiler room] 25 tasks changed");
    timed.pass(TEN_MINUTES).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "those that were counted were told");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_waits_until_it_is_quiet() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.pass(20).await;
    ada.patch(&task, "*", json!({"status": "in_progress"})).await.expect(200);
    ada.create_task(&project, json!({"title": "Oil the valve", "assignee": ben.id})).await;
    timed.pass(18).await;
    assert_eq!(timed.texts(&ben).await, [""; 0], "not a window after the first, since more came");
    timed.pass(20).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert!(texts[0].contains("Fix the pump") && texts[0].contains("Oil the valve"), "{}", texts[0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_it_is_never_quiet_the_oldest_waits_five_minutes() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let began = timed.now();
    let mut number = 0;
    while timed.mails(&ben).await.is_empty() {
        number += 1;
        ada.patch(&task, "*", json!({"title": format!("Fix pump {number}")})).await.expect(200);
        timed.pass(15).await;
        assert!(number < 40, "a mail comes at last");
    }
    let waited = timed.now().duration_since(began).as_secs();
    assert!((300..=340).contains(&waited), "after {waited} s");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_a_stream_goes_on_mails_are_spaced_apart_and_closer_again_when_it_is_calm() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let (began, mut told_at) = (timed.now(), Vec::new());
    let mut number = 0;
    while timed.now().duration_since(began) < SignedDuration::from_mins(70) {
        for _ in 0..3 {
            timed.pass(15).await;
            let mails = timed.mails(&ben).await.len();
            assert!(mails <= told_at.len() + 1, "two mails within 15 seconds");
            told_at.resize(mails, timed.now());
        }
        number += 1;
        ada.patch(&task, "*", json!({"title": format!("Fix pump {number}")})).await.expect(200);
    }
    let gaps: Vec<i64> = told_at.windows(2).map(|it| it[1].duration_since(it[0]).as_secs()).collect();
    let minutes = [1, 2, 4, 8, 15, 15, 15];
    assert!((5..=minutes.len()).contains(&gaps.len()), "{gaps:?}");
    for (gap, minutes) in gaps.iter().zip(minutes) {
        // Seen within 15 seconds of being sent, either way; and nothing waits for longer than it has to.
        assert!(*gap > minutes * 60 - 16 && *gap <= i64::max(minutes * 60, 345) + 62, "{gaps:?}");
    }

    // The last of the stream is told, and then there is nothing to tell for an hour.
    timed.pass(1000).await;
    timed.pass(3600).await;
    let mails = timed.mails(&ben).await.len();
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.pass(i64::from(WINDOW) + 5).await;
    assert_eq!(timed.mails(&ben).await.len(), mails + 1, "after an hour's calm a change waits a window and no longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_window_each_change_is_mailed_at_once() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    for number in 1..=6 {
        timed.stack.drain().await;
        assert_eq!(timed.mails(&ben).await.len(), number, "no window, no spacing");
        ada.patch(&task, "*", json!({"title": format!("Fix pump {number}")})).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_wait_for_nobody_and_hurry_nothing() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    timed.pass(40).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "so that further ones are spaced");
    ada.patch(&task, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.pass(2).await;

    let other = ada.create_project("Roof").await;
    ada.post(&format!("{other}/invitations"), json!({"email": ben.email, "role": "viewer"})).await.expect(202);
    ben.post("/v1/password/forgot", json!({"email": ben.email})).await.expect(202);
    timed.stack.drain().await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 3, "{texts:#?}");
    assert!(texts[1..].iter().any(|it| it.contains("/#/invitations")), "{texts:#?}");
    assert!(texts[1..].iter().any(|it| it.contains("/#/reset?token=")), "{texts:#?}");
    assert!(!texts[1..].iter().any(|it| it.contains(id_of(&task))), "a letter goes alone: {texts:#?}");
    timed.pass(600).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 4, "{texts:#?}");
    assert!(texts[3].contains("in progress"), "{}", texts[3]);
}
