//! Watching and muting: a project or a task of it, by whoever is a member for as long as they are.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::people::{Person, stack};
use crate::timed::Timed;

async fn follow(person: &Person, path: &str, mode: &str) {
    let answer = person.put(&format!("{path}/subscription"), json!({"mode": mode})).await.expect(200);
    assert_eq!(answer.body, json!({"mode": mode}));
}

async fn unfollow(person: &Person, path: &str) {
    person.delete_plain(&format!("{path}/subscription")).await.expect(204);
}

async fn mode(person: &Person, path: &str) -> String {
    person.get(&format!("{path}/subscription")).await.expect(200).text("mode")
}

/// Whether each notification of somebody's was read, the newest unread one first.
async fn reads(person: &Person) -> Vec<bool> {
    let list = person.get("/v1/notifications").await.expect(200).body;
    list["items"].as_array().expect("a list").iter().map(|it| it["read"].as_bool().expect("read or not")).collect()
}

/// How many mails came since, after all was done that is due.
async fn mails(timed: &Timed, person: &Person) -> usize {
    timed.stack.drain().await;
    timed.mails(person).await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_muted_sends_no_mail_and_lies_among_the_notifications_as_read() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    assert_eq!(mode(&ben, &project).await, "default");
    follow(&ben, &project, "mute").await;
    assert_eq!((mode(&ben, &project).await.as_str(), mode(&ada, &project).await.as_str()), ("mute", "default"));
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    assert_eq!(mails(&timed, &ben).await, 0);
    assert_eq!(reads(&ben).await, [true]);
    assert_eq!(ben.get("/v1/notifications/unread").await.expect(200).body["unread"], 0);

    unfollow(&ben, &project).await;
    unfollow(&ben, &project).await;
    assert_eq!(mode(&ben, &project).await, "default");
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    assert_eq!(mails(&timed, &ben).await, 1);
    assert_eq!(reads(&ben).await, [false, true]);

    follow(&ben, &task, "mute").await;
    ada.patch(&task, "*", json!({"status": "waiting"})).await.expect(200);
    ada.create_task(&project, json!({"title": "Oil the valve", "assignee": ben.id})).await;
    assert_eq!(mails(&timed, &ben).await, 2, "another task goes on");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_watches_is_told_of_everything_but_their_own_doing() {
    let timed = Timed::start(0).await;
    let ([ada, ben, cam], project) = timed.team(["Ada", "Ben", "Cam"]).await;
    let vic = Person::sign_up(&timed.stack, "Vic", json!({})).await;
    ada.bring_in(&project, &vic, "viewer").await;
    let first = mails(&timed, &vic).await;
    follow(&vic, &project, "watch").await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    assert_eq!(mails(&timed, &vic).await, first + 1, "that it was made");
    ben.patch(&task, "*", json!({"status": "in_progress"})).await.expect(200);
    assert_eq!(mails(&timed, &vic).await, first + 2);
    assert_eq!(mails(&timed, &cam).await, 0, "who does not watch is not concerned");
    let newest = vic.get("/v1/notifications").await.expect(200).body["items"][0].clone();
    assert_eq!(
        (&newest["reason"], &newest["fields"], &newest["actors"]),
        (&json!("watcher"), &json!(["status"]), &json!([ben.id]))
    );

    follow(&cam, &task, "watch").await;
    cam.patch(&task, "*", json!({"priority": "high"})).await.expect(200);
    assert_eq!(mails(&timed, &cam).await, 0, "their own doing");
    ben.patch(&task, "*", json!({"priority": "low"})).await.expect(200);
    assert_eq!(mails(&timed, &cam).await, 1);
    // What somebody wants mail of decides for what they watch, too.
    cam.patch_plain("/v1/me", json!({"notify": {"edited": "none"}})).await.expect(200);
    ben.patch(&task, "*", json!({"priority": "none"})).await.expect(200);
    assert_eq!(mails(&timed, &cam).await, 1);
    ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    assert_eq!(mails(&timed, &cam).await, 1, "one task is watched, not its project");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_chosen_for_a_task_beats_what_is_chosen_for_its_project() {
    let timed = Timed::start(0).await;
    let ([ada, ben, cam], project) = timed.team(["Ada", "Ben", "Cam"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    let other = ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    timed.stack.drain().await;
    for (person, of_project, of_task) in [(&ben, "watch", "mute"), (&cam, "mute", "watch")] {
        follow(person, &project, of_project).await;
        follow(person, &task, of_task).await;
    }
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    assert_eq!([mails(&timed, &ben).await, mails(&timed, &cam).await], [0, 1]);
    ada.patch(&other, "*", json!({"status": "done"})).await.expect(200);
    assert_eq!([mails(&timed, &ben).await, mails(&timed, &cam).await], [1, 1]);
    for person in [&ben, &cam] {
        unfollow(person, &task).await;
        assert_eq!(mode(person, &task).await, "default", "the project's decides");
    }
    ada.patch(&task, "*", json!({"status": "waiting"})).await.expect(200);
    assert_eq!([mails(&timed, &ben).await, mails(&timed, &cam).await], [2, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_is_told_nothing_more_and_comes_back_with_nothing_chosen() {
    let timed = Timed::start(30).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    timed.stack.drain().await;
    timed.pass(31).await;
    for path in [&project, &task] {
        follow(&ben, path, "watch").await;
    }
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    // What is owed already is not sent any more, either.
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.expect(204);
    timed.stack.drain().await;
    timed.pass(31).await;
    ada.patch(&task, "*", json!({"status": "waiting"})).await.expect(200);
    timed.stack.drain().await;
    timed.pass(31).await;
    assert_eq!(timed.mails(&ben).await, Vec::<Value>::new());
    ben.get(&format!("{project}/subscription")).await.problem(404);
    ben.put(&format!("{task}/subscription"), json!({"mode": "watch"})).await.problem(404);

    ada.bring_in(&project, &ben, "viewer").await;
    let invited = mails(&timed, &ben).await;
    for path in [&project, &task] {
        assert_eq!(mode(&ben, path).await, "default");
    }
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    timed.stack.drain().await;
    timed.pass(31).await;
    assert_eq!(timed.mails(&ben).await.len(), invited);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_mutes_a_project_by_name_with_what_is_watched_of_it() {
    let timed = Timed::start(0).await;
    let ([ada, ben], project) = timed.team(["Ada", "Ben"]).await;
    ada.patch_plain(&project, json!({"name": "R&D <b>"})).await.expect(200);
    ben.patch_plain("/v1/me", json!({"locale": "ko"})).await.expect(200);
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    timed.stack.drain().await;
    follow(&ben, &task, "watch").await;
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    let before = mails(&timed, &ben).await;
    let text = timed.texts(&ben).await.pop().expect("a mail");
    let nobody = Person::stranger(&timed.stack);
    let mut of_project = None;
    for token in text.split("/v1/unsubscribe/").skip(1).filter_map(|it| it.split_whitespace().next()) {
        let path = format!("/v1/unsubscribe/{token}");
        let page = nobody.get(&path).await.expect(200);
        let page = page.body.as_str().expect("a page");
        assert!(page.contains("lang=\"ko\""), "{page}");
        if page.contains("“<bdi>R&amp;D &lt;b&gt;</bdi>”") {
            of_project = Some(path);
        }
    }
    let path = of_project.expect("a link that names the project");
    assert_eq!((mode(&ben, &project).await, mode(&ben, &task).await), ("default".to_owned(), "watch".to_owned()), "GET shows");

    let form = [("content-type", "application/x-www-form-urlencoded")];
    for _ in 0..2 {
        nobody.send(Method::POST, &path, &form, Some(b"List-Unsubscribe=One-Click".to_vec())).await.expect(200);
        assert_eq!((mode(&ben, &project).await, mode(&ben, &task).await), ("mute".to_owned(), "default".to_owned()));
    }
    assert_eq!(ben.get("/v1/me").await.expect(200).body["notify"]["status"], "now", "other projects go on");
    ada.patch(&task, "*", json!({"status": "waiting"})).await.expect(200);
    assert_eq!(mails(&timed, &ben).await, before);
    // Who is no member any more is told no name, and mutes nothing.
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.expect(204);
    let page = nobody.get(&path).await.expect(200);
    assert!(!page.body.to_string().contains("R&amp;D"), "{page:#?}");
    nobody.send(Method::POST, &path, &form, Some(b"List-Unsubscribe=One-Click".to_vec())).await.expect(200);
    ada.bring_in(&project, &ben, "viewer").await;
    assert_eq!(mode(&ben, &project).await, "default");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mode_that_is_none_is_refused_and_what_is_not_there_is_not_found() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let eve = Person::sign_up(&stack, "Eve", json!({})).await;
    let (project, other) = (ada.create_project("Boiler room").await, ada.create_project("Roof").await);
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    for path in [&project, &task] {
        let path = format!("{path}/subscription");
        for (pointer, body) in [
            ("/mode", json!({"mode": "default"})),
            ("/mode", json!({"mode": null})),
            ("/mode", json!({})),
            ("/until", json!({"mode": "mute", "until": "tomorrow"})),
            ("", json!(["watch"])),
        ] {
            ada.put(&path, body).await.broken_rule(pointer);
        }
        ada.get(&format!("{path}?mode=watch")).await.problem(400);
        assert_eq!(ada.get(&path).await.expect(200).body, json!({"mode": "default"}));
    }
    let elsewhere = task.replace(&project, &other);
    let unknown = format!("{project}/tasks/{}", Uuid::now_v7());
    let gone = ada.create_task(&project, json!({"title": "Oil the valve"})).await;
    ada.delete(&gone, "*").await.expect(204);
    let of_ada = [&elsewhere, &unknown, &gone].map(|it| (&ada, it));
    for (person, path) in of_ada.into_iter().chain([&project, &task].map(|it| (&eve, it))) {
        let path = format!("{path}/subscription");
        person.get(&path).await.problem(404);
        person.put(&path, json!({"mode": "watch"})).await.problem(404);
        person.delete_plain(&path).await.problem(404);
    }
}
