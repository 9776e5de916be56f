//! What people want mail of and when: asked for in the shape of the contract, kept as asked for, taken along and left behind.

use serde_json::{Value, json};

use crate::people::{PASSWORD, Person, stack};
use crate::timed::{Timed, WINDOW, id_of};

const ME: &str = "/v1/me";

async fn choose(person: &Person, notify: Value) -> Value {
    person.patch_plain(ME, json!({"notify": notify})).await.expect(200).body["notify"].clone()
}

/// Lets all be planned that was done, and time pass until it is told, however closely mails follow each other.
async fn settle(timed: &Timed) {
    timed.stack.drain().await;
    timed.pass(31).await;
    timed.pass(15 * 60).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_is_named_changes_and_no_other() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let mut expected = json!({
        "assigned": "now", "status": "now", "edited": "now", "deleted": "now", "digest_hour": 8, "quiet_hours": null,
    });
    assert_eq!(ada.get(ME).await.expect(200).body["notify"], expected, "at first");
    let quiet_hours = json!({"from": "22:00", "to": "07:00", "urgent": true});
    for (name, value) in [
        ("assigned", json!("digest")),
        ("status", json!("none")),
        ("digest_hour", json!(0)),
        ("quiet_hours", quiet_hours),
        ("edited", json!("digest")),
        ("deleted", json!("none")),
        ("digest_hour", json!(23)),
        ("quiet_hours", json!({"from": "00:00", "to": "23:59", "urgent": false})),
        ("status", json!("now")),
    ] {
        expected[name] = value.clone();
        assert_eq!(choose(&ada, json!({name: value})).await, expected, "{name}");
        assert_eq!(ada.get(ME).await.expect(200).body["notify"], expected, "{name}");
    }
    assert_eq!(choose(&ada, json!({})).await, expected);
    ada.patch_plain(ME, json!({"locale": "ko"})).await.expect(200);
    assert_eq!(ada.get(ME).await.expect(200).body["notify"], expected, "a change of something else");
    // Whether urgent tasks come through is no, unless it is said.
    let hours = choose(&ada, json!({"quiet_hours": {"from": "12:00", "to": "13:00"}})).await["quiet_hours"].clone();
    assert_eq!(hours, json!({"from": "12:00", "to": "13:00", "urgent": false}));
    expected["quiet_hours"] = Value::Null;
    assert_eq!(choose(&ada, json!({"quiet_hours": null})).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_is_none_is_refused_with_its_place_and_changes_nothing() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    choose(&ada, json!({"quiet_hours": {"from": "22:00", "to": "07:00"}})).await;
    let before = ada.get(ME).await.expect(200).body;
    for (place, notify) in [
        ("/status", json!({"status": "daily"})),
        ("/status", json!({"edited": "none", "status": null})),
        ("/status", json!({"status": {"digest": null}})),
        ("/weekly", json!({"weekly": "now"})),
        ("/digest_hour", json!({"digest_hour": 24})),
        ("/digest_hour", json!({"digest_hour": -1})),
        ("/digest_hour", json!({"digest_hour": 8.5})),
        ("/digest_hour", json!({"digest_hour": "8"})),
        ("/digest_hour", json!({"digest_hour": null})),
        ("/quiet_hours", json!({"quiet_hours": {"from": "22:00", "to": "22:00"}})),
        ("/quiet_hours", json!({"quiet_hours": ["22:00", "07:00", false]})),
        ("/quiet_hours", json!({"quiet_hours": "22:00-07:00"})),
        ("/quiet_hours/to", json!({"quiet_hours": {"from": "22:00"}})),
        ("/quiet_hours/from", json!({"quiet_hours": {"from": "24:00", "to": "07:00"}})),
        ("/quiet_hours/from", json!({"quiet_hours": {"from": "9:00", "to": "07:00"}})),
        ("/quiet_hours/to", json!({"quiet_hours": {"from": "22:00", "to": "07:60"}})),
        ("/quiet_hours/to", json!({"quiet_hours": {"from": "22:00", "to": 7}})),
        ("/quiet_hours/urgent", json!({"quiet_hours": {"from": "22:00", "to": "07:00", "urgent": "yes"}})),
        ("/quiet_hours/zone", json!({"quiet_hours": {"from": "22:00", "to": "07:00", "zone": "UTC"}})),
        ("", json!(["now"])),
        ("", Value::Null),
    ] {
        let answer = ada.patch_plain(ME, json!({"notify": notify})).await.broken_rule(&format!("/notify{place}"));
        assert!(answer.body["errors"][0]["detail"].as_str().is_some_and(|it| !it.is_empty()), "{answer:#?}");
    }
    assert_eq!(ada.get(ME).await.expect(200).body, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn kinds_that_are_told_in_different_ways_lose_nothing_and_tell_nothing_twice() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    timed.pass_until("2030-01-15T12:00:00Z".parse().expect("a time")).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    settle(&timed).await;
    choose(&ben, json!({"status": "digest", "edited": "now", "deleted": "none"})).await;
    ada.patch(&task, "*", json!({"title": "Fix both pumps"})).await.expect(200);
    ada.patch(&task, "*", json!({"status": "done", "due_on": "2031-03-04"})).await.expect(200);
    settle(&timed).await;
    timed.pass(25 * 60 * 60).await;
    ada.delete(&task, "*").await.expect(204);
    settle(&timed).await;
    timed.pass(25 * 60 * 60).await;
    let texts = timed.texts(&ben).await;
    let [given, edited, digest] = texts.as_slice() else { panic!("given, edited, a digest: {texts:#?}") };
    assert!(given.contains("Fix the pump"), "{given}");
    assert!(edited.contains("Fix both pumps") && edited.contains("2031") && !edited.contains("done"), "{edited}");
    assert!(digest.contains("done") && !digest.contains("2031"), "{digest}");
    let notified = ben.get("/v1/notifications").await.expect(200).body;
    assert_eq!(notified["items"][0]["kind"], "deleted", "of which no mail comes: {notified:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_chose_watches_and_mutes_goes_with_their_data() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let (project, other) = (ada.create_project("Boiler room").await, ada.create_project("Roof").await);
    ada.bring_in(&project, &ben, "viewer").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    for (person, path, mode) in
        [(&ada, &project, "watch"), (&ada, &task, "mute"), (&ben, &project, "mute"), (&ada, &other, "mute")]
    {
        person.put(&format!("{path}/subscription"), json!({"mode": mode})).await.expect(200);
    }
    let notify =
        choose(&ada, json!({"edited": "digest", "digest_hour": 6, "quiet_hours": {"from": "22:00", "to": "07:00"}})).await;
    let export = ada.get("/v1/me/export").await.expect(200).body;
    assert_eq!(export["profile"]["notify"], notify);
    let mut subscriptions = export["subscriptions"].as_array().expect("a list").clone();
    subscriptions.sort_by_key(ToString::to_string);
    let mut expected = vec![
        json!({"project": id_of(&project), "task": null, "mode": "watch"}),
        json!({"project": id_of(&project), "task": id_of(&task), "mode": "mute"}),
        json!({"project": id_of(&other), "task": null, "mode": "mute"}),
    ];
    expected.sort_by_key(ToString::to_string);
    assert_eq!(subscriptions, expected, "hers, and not Ben's");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_deletes_their_account_is_mailed_nothing_more() {
    let timed = Timed::start(WINDOW).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    choose(&ben, json!({"status": "digest"})).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    settle(&timed).await;
    ben.put(&format!("{project}/subscription"), json!({"mode": "watch"})).await.expect(200);
    // One is owed soon, one with the digest, and one is not looked at yet.
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    timed.pass(31).await;
    ada.patch(&task, "*", json!({"title": "Fix both pumps"})).await.expect(200);
    let before = timed.mails(&ben).await.len();
    ben.delete_with(ME, json!({"password": PASSWORD})).await.expect(204);
    ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    settle(&timed).await;
    timed.pass(26 * 60 * 60).await;
    assert_eq!(timed.mails(&ben).await.len(), before);
    // Nobody but the new owner of the address is told under it.
    let again = Person::sign_up(&timed.stack, "Ben", json!({})).await;
    assert_eq!(again.get("/v1/notifications").await.expect(200).body["items"], json!([]));
    assert_eq!(again.get(ME).await.expect(200).body["notify"]["status"], "now");
}
