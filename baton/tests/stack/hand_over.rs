//! A task handed on, and on again: who held it only in between hears of both or of neither, whatever becomes of the hints.

use futures::future::join_all;
use jiff::SignedDuration;
use log_mailer::Deadline;
use serde_json::{Value, json};

use crate::meter::Metered;
use crate::people::{Person, mails_to};
use crate::timed::{Timed, WINDOW, id_of};

/// What happens, one after the other: Dan hands the task to the second of three, then to the third, and hints of it arrive.
#[derive(Clone, Copy, Debug)]
enum Step {
    ToBen,
    ToCam,
    /// The hint of either change says no more than which task it is.
    Hint,
    /// Two hints in two batches at the same moment.
    Hints,
    /// A window passes.
    Pass,
}

const ORDERS: [&[Step]; 9] = {
    use Step::{Hint, Hints, Pass, ToBen, ToCam};
    [
        &[ToBen, ToCam, Hint, Hint],
        &[ToBen, Hint, ToCam, Hint],
        &[ToBen, Hint, ToCam],
        &[ToBen, ToCam],
        &[ToBen, Hint, Hint, ToCam, Hint, Hint],
        &[ToBen, ToCam, Hints],
        &[ToBen, Hints, ToCam, Hints],
        &[ToBen, Pass, Hint, ToCam, Hint],
        &[ToBen, Hint, Pass, Hint, ToCam, Hint, Pass, Hint],
    ]
};

async fn told(metered: &Metered, person: &Person, task: &str) -> Vec<String> {
    let mut mails = mails_to(&metered.stack, &person.email).await;
    mails.reverse();
    let texts = mails.iter().map(|it| it["text"].as_str().expect("a text").to_owned());
    texts.filter(|it| it.contains(id_of(task))).collect()
}

async fn check(window: u32) {
    let metered = Metered::start_with_window(window).await;
    let dan = Person::sign_up(&metered.stack, "Dan", json!({})).await;
    let mut people = Vec::new();
    for name in ["Ann", "Ben", "Cam"] {
        people.push(Person::sign_up(&metered.stack, name, json!({})).await);
    }
    let [ann, ben, cam] = <[Person; 3]>::try_from(people).expect("three people");
    let project = dan.create_project("Boiler room").await;
    for guest in [&ann, &ben, &cam] {
        dan.bring_in(&project, guest, "editor").await;
    }
    let dan = metered.person(&dan);
    let hour = SignedDuration::from_hours(1);
    for order in ORDERS {
        let task = dan.create_task(&project, json!({"title": "Fix the pump", "assignee": ann.id})).await;
        metered.send_mails().await;
        metered.clock.advance(hour);
        metered.send_mails().await;
        metered.mailer.sweep_due(Deadline::from_now()).await.expect("a sweep");
        assert_eq!(told(&metered, &ann, &task).await.len(), 1, "Ann has it");

        let arrive = || metered.hint(&task, Deadline::from_now());
        for step in order {
            match step {
                Step::ToBen => drop(dan.patch(&task, "\"1\"", json!({"assignee": ben.id})).await.expect(200)),
                Step::ToCam => drop(dan.patch(&task, "\"2\"", json!({"assignee": cam.id})).await.expect(200)),
                Step::Hint => arrive().await,
                Step::Hints => drop(join_all([arrive(), arrive()]).await),
                Step::Pass => metered.clock.advance(SignedDuration::from_secs(i64::from(window) + 1)),
            }
        }
        // What no hint has reached is found by the schedules.
        metered.send_mails().await;
        metered.clock.advance(hour);
        metered.mailer.sweep_due(Deadline::from_now()).await.expect("a sweep");

        let (anns, bens, cams) =
            (told(&metered, &ann, &task).await, told(&metered, &ben, &task).await, told(&metered, &cam, &task).await);
        let context = format!("window {window}, {order:?}: {anns:#?} {bens:#?} {cams:#?}");
        let given = bens.iter().filter(|it| it.contains("from Ann to you")).count();
        let taken = bens.iter().filter(|it| it.contains("from you to Cam")).count();
        assert!(given == taken && given <= 1, "both or nothing, and never half: {context}");
        assert_eq!(bens.len(), given + taken, "{context}");
        assert_eq!(anns[1..].iter().filter(|it| it.contains("from you to")).count(), 1, "Ann lost it, once: {context}");
        assert_eq!(anns.len(), 2, "{context}");
        assert_eq!(cams.iter().filter(|it| it.contains("to you")).count(), 1, "Cam has it: {context}");
        assert_eq!(cams.len(), 1, "{context}");
        metered.clock.advance(hour);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_a_task_only_in_between_is_never_told_half_of_it() {
    check(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_held_a_task_only_within_the_window_is_never_told_half_of_it() {
    check(WINDOW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_handed_on_twice_within_a_second_is_told_to_the_first_and_the_last() {
    for (window, most) in [(0, 2), (WINDOW, 0)] {
        let timed = Timed::start(window).await;
        let ([dan, ann, ben, cam], project) = timed.team(["Dan", "Ann", "Ben", "Cam"]).await;
        let task = dan.create_task(&project, json!({"title": "Fix the pump", "assignee": ann.id})).await;
        timed.pass(3600).await;
        crate::people::empty_inbox(&timed.stack).await;
        for next in [&ben, &cam] {
            dan.patch(&task, "*", json!({"assignee": next.id})).await.expect(200);
        }
        timed.stack.drain().await;
        timed.pass(60).await;
        timed.pass(600).await;
        let (anns, bens, cams) = (timed.texts(&ann).await, timed.texts(&ben).await, timed.texts(&cam).await);
        assert!(bens.len() == most || bens.is_empty(), "both or nothing: {bens:#?}");
        assert!((1..=2).contains(&anns.len()) && anns[0].contains("from you to"), "{anns:#?}");
        assert!(cams.len() == 1 && cams[0].contains("to you"), "{cams:#?}");
        for (person, unread) in [(&ann, 2), (&cam, 1)] {
            let filed = person.get("/v1/notifications/unread").await.expect(200).body;
            assert!(filed["unread"].as_u64() >= Some(unread), "{} reads of it in the product: {filed}", person.name);
        }
        let told: Vec<Value> = dan.get("/v1/notifications").await.expect(200).body["items"].as_array().expect("a list").clone();
        assert!(told.is_empty(), "nobody is told of their own acts: {told:#?}");
    }
}
