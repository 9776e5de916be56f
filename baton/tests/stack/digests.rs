//! Mail when its reader wants it: in a daily digest, not in quiet hours, each kind by its own choice, and nothing lost or told twice.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::people::{Person, empty_inbox};
use crate::timed::{Timed, WINDOW, id_of};

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Everything once a day, at this hour.
fn daily(hour: u8) -> Value {
    json!({"assigned": "digest", "status": "digest", "edited": "digest", "deleted": "digest", "digest_hour": hour})
}

/// Ada, who owns a project, and Ben, who lives in `zone`, at a moment of its clocks.
async fn two(timed: &Timed, zone: &str, notify: Value, now: &str) -> (Person, Person, String) {
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    choose(&ben, json!({"time_zone": zone, "notify": notify})).await;
    timed.pass_until(at(now)).await;
    (ada, ben, project)
}

async fn choose(person: &Person, choices: Value) {
    person.patch_plain("/v1/me", choices).await.expect(200);
}

async fn give(ada: &Person, project: &str, title: &str, ben: &Person) -> String {
    ada.create_task(project, json!({"title": title, "assignee": ben.id})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_digest_tells_a_day_in_one_mail_at_its_readers_hour() {
    let timed = Timed::start(WINDOW).await;
    let (ada, ben, project) = two(&timed, "Asia/Seoul", daily(8), "2027-01-11T12:00:00Z").await;
    let pump = give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass_until(at("2027-01-11T16:00:00Z")).await;
    let valve = give(&ada, &project, "Oil the valve", &ben).await;
    ada.patch(&pump, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.pass_until(at("2027-01-11T22:58:00Z")).await;
    assert_eq!(timed.texts(&ben).await, [""; 0], "it is not 8 in Seoul yet");

    timed.pass_until(at("2027-01-11T23:01:00Z")).await;
    let mails = timed.mails(&ben).await;
    assert_eq!(mails.len(), 1, "{mails:#?}");
    let text = mails[0]["text"].as_str().expect("a text");
    for task in [&pump, &valve] {
        assert_eq!(text.matches(id_of(task)).count(), 1, "{text}");
    }
    assert!(text.contains("in progress"), "{text}");

    // What comes after the hour is the next day's, and a day without news is without a mail.
    ada.patch(&valve, "*", json!({"title": "Oil the old valve"})).await.expect(200);
    timed.pass_until(at("2027-01-12T22:58:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 1);
    timed.pass_until(at("2027-01-12T23:01:00Z")).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[1].contains("Oil the old valve") && !texts[1].contains(id_of(&pump)), "{}", texts[1]);
    timed.pass_until(at("2027-01-13T23:30:00Z")).await;
    timed.pass_until(at("2027-01-14T23:30:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 2, "nothing to say");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_undone_before_the_hour_is_no_digest() {
    let timed = Timed::start(WINDOW).await;
    let (ada, ben, project) = two(&timed, "Asia/Seoul", daily(8), "2027-01-11T12:00:00Z").await;
    let task = give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass(60).await;
    timed.pass_until(at("2027-01-12T01:00:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "the task is new");
    empty_inbox(&timed.stack).await;
    for (hour, status) in [("02", "done"), ("05", "waiting"), ("09", "done"), ("20", "waiting")] {
        timed.pass_until(at(&format!("2027-01-12T{hour}:00:00Z"))).await;
        ada.patch(&task, "*", json!({"status": status})).await.expect(200);
        timed.pass(60).await;
    }
    for day in ["12", "13", "14"] {
        timed.pass_until(at(&format!("2027-01-{day}T23:05:00Z"))).await;
    }
    assert_eq!(timed.texts(&ben).await, [""; 0], "done and undone is nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hour_is_kept_when_clocks_change() {
    // In Berlin, 28 March 2027 has no hour between 2 and 3, and 31 October has it twice.
    for (hour, days) in [
        (8, ["2027-03-27T07:00:00Z", "2027-03-28T06:00:00Z", "2027-03-29T06:00:00Z"]),
        (2, ["2027-03-27T01:00:00Z", "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z"]),
        (2, ["2027-10-30T00:00:00Z", "2027-10-31T00:00:00Z", "2027-11-01T01:00:00Z"]),
    ] {
        let timed = Timed::start(0).await;
        let first = at(days[0]) - jiff::SignedDuration::from_hours(20);
        let (ada, ben, project) = two(&timed, "Europe/Berlin", daily(hour), &first.to_string()).await;
        for (told, due) in days.map(at).into_iter().enumerate() {
            give(&ada, &project, "Fix the pump", &ben).await;
            timed.pass_until(due - jiff::SignedDuration::from_mins(2)).await;
            assert_eq!(timed.mails(&ben).await.len(), told, "{hour} o'clock has not come by {}", timed.now());
            timed.pass_until(due + jiff::SignedDuration::from_mins(1)).await;
            assert_eq!(timed.mails(&ben).await.len(), told + 1, "{hour} o'clock has come by {}", timed.now());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_told_by_its_own_choice_and_nothing_twice() {
    let timed = Timed::start(0).await;
    let notify = json!({"assigned": "now", "status": "now", "edited": "digest", "deleted": "none", "digest_hour": 8});
    let (ada, ben, project) = two(&timed, "UTC", notify, "2027-01-11T12:00:00Z").await;
    let task = give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass(5).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "given, at once");
    let both = json!({"status": "in_progress", "title": "Fix the old pump", "due_on": "2027-02-01"});
    ada.patch(&task, "*", both).await.expect(200);
    timed.pass(5).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[1].contains("to in progress") && !texts[1].contains("February"), "{}", texts[1]);
    timed.pass_until(at("2027-01-12T08:01:00Z")).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 3, "{texts:#?}");
    assert!(texts[2].contains("Fix the pump") && texts[2].contains("1 February 2027"), "from what to what: {}", texts[2]);
    assert!(!texts[2].contains("in progress"), "told already: {}", texts[2]);
    ada.delete(&task, "*").await.expect(204);
    for day in ["13", "14"] {
        timed.pass_until(at(&format!("2027-01-{day}T08:01:00Z"))).await;
    }
    assert_eq!(timed.mails(&ben).await.len(), 3, "deleted: none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_changes_in_between_loses_nothing_and_tells_nothing_twice() {
    let timed = Timed::start(0).await;
    let (ada, ben, project) = two(&timed, "UTC", json!({"edited": "digest"}), "2027-01-11T12:00:00Z").await;
    let task = give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass(5).await;
    empty_inbox(&timed.stack).await;

    // Owed in the digest, then wanted now: nothing is forgotten, and once is enough.
    ada.patch(&task, "*", json!({"due_on": "2027-02-01"})).await.expect(200);
    timed.pass(5).await;
    assert_eq!(timed.texts(&ben).await, [""; 0]);
    choose(&ben, json!({"notify": {"edited": "now"}})).await;
    ada.patch(&task, "*", json!({"priority": "high"})).await.expect(200);
    timed.pass(5).await;
    timed.pass_until(at("2027-01-12T08:01:00Z")).await;
    let page = timed.texts(&ben).await.join("\n=====\n");
    for told in ["1 February 2027", "high"] {
        assert_eq!(page.matches(told).count(), 1, "{told}: {page}");
    }

    // Owed in the digest, then not wanted at all.
    empty_inbox(&timed.stack).await;
    choose(&ben, json!({"notify": {"edited": "digest"}})).await;
    ada.patch(&task, "*", json!({"due_on": "2027-03-01"})).await.expect(200);
    timed.pass(5).await;
    choose(&ben, json!({"notify": {"edited": "none"}})).await;
    timed.pass_until(at("2027-01-13T08:01:00Z")).await;
    assert_eq!(timed.texts(&ben).await, [""; 0], "none is none, also for what was owed");
    let told = ada.get(&format!("{task}/changes/4/deliveries")).await.expect(200).body;
    let bens: Vec<&Value> = told["items"].as_array().into_iter().flatten().filter(|it| it["user"] == ben.id).collect();
    assert!(!bens.is_empty() && bens.iter().all(|it| it["state"] == "suppressed"), "{told:#}");

    // Wanted now and owed, then wanted in the digest: what was due goes.
    choose(&ben, json!({"notify": {"edited": "digest"}})).await;
    ada.patch(&task, "*", json!({"due_on": "2027-04-01"})).await.expect(200);
    timed.pass_until(at("2027-01-14T08:01:00Z")).await;
    let page = timed.texts(&ben).await.join("\n=====\n");
    assert_eq!(page.matches("1 April 2027").count(), 1, "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_a_new_task_is_told_by_the_choice_for_new_tasks() {
    let timed = Timed::start(0).await;
    let notify = json!({"assigned": "digest", "status": "now", "edited": "now"});
    let (ada, ben, project) = two(&timed, "UTC", notify, "2027-01-11T12:00:00Z").await;
    let body = json!({"title": "Fix the pump", "assignee": ben.id, "status": "in_progress", "due_on": "2027-02-01"});
    let task = ada.create_task(&project, body).await;
    timed.pass(5).await;
    assert_eq!(timed.texts(&ben).await, [""; 0], "nothing of it before the hour");
    timed.pass_until(at("2027-01-12T08:01:00Z")).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 1, "{texts:#?}");
    assert!(
        texts[0].contains("in progress") && texts[0].contains("1 February 2027") && texts[0].contains(id_of(&task)),
        "{}",
        texts[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_hold_mail_back_until_the_morning_but_for_what_is_urgent() {
    let timed = Timed::start(WINDOW).await;
    let quiet = json!({"quiet_hours": {"from": "22:00", "to": "07:00", "urgent": true}});
    let (ada, ben, project) = two(&timed, "America/New_York", quiet, "2027-01-12T02:00:00Z").await;
    let pump = give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass(120).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "nine in the evening");
    timed.pass_until(at("2027-01-12T04:00:00Z")).await;
    let valve = give(&ada, &project, "Oil the valve", &ben).await;
    timed.pass_until(at("2027-01-12T05:30:00Z")).await;
    ada.patch(&pump, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.pass_until(at("2027-01-12T06:00:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 1, "before midnight and after it");

    let burst = ada.create_task(&project, json!({"title": "The pipe burst", "assignee": ben.id, "priority": "urgent"})).await;
    timed.pass(120).await;
    let texts = timed.texts(&ben).await;
    assert_eq!(texts.len(), 2, "{texts:#?}");
    assert!(texts[1].contains(id_of(&burst)) && !texts[1].contains(id_of(&valve)), "urgent alone: {}", texts[1]);

    ben.post("/v1/password/forgot", json!({"email": ben.email})).await.expect(202);
    timed.stack.drain().await;
    assert_eq!(timed.mails(&ben).await.len(), 3, "a letter is asked for");

    choose(&ben, json!({"notify": {"quiet_hours": {"from": "22:00", "to": "07:00", "urgent": false}}})).await;
    ada.patch(&burst, "*", json!({"status": "in_progress"})).await.expect(200);
    timed.pass_until(at("2027-01-12T11:58:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 3, "it is not 7 yet, and nothing is urgent any more");
    timed.pass_until(at("2027-01-12T12:02:00Z")).await;
    timed.pass(900).await;
    let texts = timed.texts(&ben).await;
    let page = texts[3..].join("\n=====\n");
    for task in [&pump, &valve, &burst] {
        assert_eq!(page.matches(id_of(task)).count(), 1, "{task} in the morning: {page}");
    }
    assert_eq!(texts.len(), 4, "and in one mail: {page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quiet_hours_chosen_while_mail_waits_hold_it_back_too() {
    let timed = Timed::start(WINDOW).await;
    let (ada, ben, project) = two(&timed, "UTC", json!({}), "2027-01-12T12:00:00Z").await;
    give(&ada, &project, "Fix the pump", &ben).await;
    timed.pass(5).await;
    choose(&ben, json!({"notify": {"quiet_hours": {"from": "11:00", "to": "13:30", "urgent": false}}})).await;
    timed.pass_until(at("2027-01-12T13:29:00Z")).await;
    assert_eq!(timed.texts(&ben).await, [""; 0]);
    timed.pass_until(at("2027-01-12T13:31:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 1);

    // A digest's hour is chosen: it goes at that hour, be it quiet.
    choose(&ben, json!({"notify": {"assigned": "digest", "digest_hour": 12}})).await;
    give(&ada, &project, "Oil the valve", &ben).await;
    timed.pass(60).await;
    timed.pass_until(at("2027-01-13T12:01:00Z")).await;
    assert_eq!(timed.mails(&ben).await.len(), 2);

    choose(&ben, json!({"notify": {"assigned": "now", "quiet_hours": null}})).await;
    give(&ada, &project, "Paint the wall", &ben).await;
    timed.pass(900).await;
    assert_eq!(timed.mails(&ben).await.len(), 3, "no quiet hours any more");
}
