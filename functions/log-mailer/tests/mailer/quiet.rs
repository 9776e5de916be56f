use std::sync::Arc;

use domain::UserId;
use log_mailer::{Deadline, handle};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::post_office::Answer;
use crate::world::{Handed, World};

#[tokio::test]
async fn a_change_is_planned_at_once_and_told_when_its_window_ends() {
    let Handed { world, ben, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.sweep().await;
    assert_eq!(
        (world.owed(ben).await.len(), world.office.asked(), world.mailer.tellable_now().await.expect("a read")),
        (1, 0, 0)
    );
    let waiting = world.queue.waiting();
    let [wake_up] = waiting.as_slice() else { panic!("one wake-up: {waiting:?}") };
    assert_eq!((wake_up.body["detail-type"].as_str(), wake_up.queue.as_str()), (Some("Mail Due"), "http://sqs.example/1/mail"));
    world.live(28).await;
    assert_eq!(world.office.asked(), 0);
    world.live(4).await;
    assert_eq!((world.sent_to("Ben").len(), world.queue.waiting().len()), (1, 0), "no sweep was needed");
}

#[tokio::test]
async fn who_wakes_up_too_early_waits_for_what_is_new_and_tells_all_in_one_mail() {
    let Handed { world, ada, ben, project, mut task } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.live(10).await;
    world.change(&mut task, ada, json!({"status": "done"})).await;
    let second = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
    world.hint(&[&task, &second]).await;
    world.live(25).await;
    assert_eq!(world.office.asked(), 0, "the first wake-up came");
    world.live(8).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject == "[Boiler room] 2 tasks changed", "{mails:?}");
    assert!(mails[0].text.contains("“Fix the pump”: Ada gave you a new task.\n- Status: done\n"), "{mails:?}");
    assert!(world.owed(ben).await.is_empty() && world.queue.waiting().is_empty());
}

#[tokio::test]
async fn what_is_planned_while_a_mail_goes_out_is_woken_up_for_by_whoever_sends_it() {
    let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.pass_seconds(31);
    let woken = world.queue.receive("mail");
    let go_on = Arc::new(Notify::new());
    world.office.will([Answer::Wait(go_on.clone())]);
    let other = world.another_mailer(&[]);
    let meanwhile = async {
        while world.office.asked() == 0 {
            tokio::task::yield_now().await;
        }
        let second = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
        handle(&other, World::queue([World::moved(&second)]), Deadline::from_now()).await.expect("hints");
        go_on.notify_one();
    };
    let sending = async { handle(&world.mailer, World::queue(woken), Deadline::from_now()).await.expect("a wake-up") };
    tokio::join!(sending, meanwhile);
    assert_eq!((world.sent_to("Ben").len(), world.queue.waiting().len()), (1, 1));
    world.live(300).await;
    assert_eq!(world.sent_to("Ben").len(), 2, "no sweep was needed");
}

#[tokio::test]
async fn a_stream_is_told_when_its_oldest_has_waited_long_enough() {
    let Handed { world, ada, mut task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    for round in 0..14 {
        world.hint(&[&task]).await;
        world.live(20).await;
        world.change(&mut task, ada, json!({"title": format!("Fix pump {round}")})).await;
    }
    world.hint(&[&task]).await;
    assert_eq!(world.office.asked(), 0);
    world.live(24).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject == "[Boiler room] Fix pump 13", "{mails:?}");
}

#[tokio::test]
async fn after_a_mail_the_next_is_spaced_and_its_parts_hide_nobody() {
    let Handed { world, ada, ben, mut task, project } = Handed::within(World::with_window(30).await, json!({})).await;
    let rhythm = async || world.mail.mailbox(&store::RecipientKey::User(ben)).await.expect("a read").rhythm.expect("a rhythm");
    world.hint(&[&task]).await;
    world.live(32).await;
    assert_eq!((world.sent_to("Ben").len(), rhythm().await.spacing.as_secs()), (1, 60));
    world.change(&mut task, ada, json!({"status": "done"})).await;
    world.hint(&[&task]).await;
    world.live(40).await;
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), world.mailer.tellable_now().await.expect("a read")), (1, 0));
    let cam = world.person("Cam", &json!({}));
    world.join(project, cam);
    let other = world.task(project, ada, json!({"title": "Paint the door", "assignee": cam})).await;
    world.hint(&[&other]).await;
    world.pass_seconds(31);
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), world.sent_to("Cam").len()), (1, 1));
    world.pass_seconds(230);
    assert_eq!(world.mailer.tellable_now().await.expect("a read"), 1);
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), rhythm().await.spacing.as_secs()), (2, 120));
}

async fn digests(notify: Value) -> (World, UserId, Vec<domain::Task>) {
    let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, notify).await;
    let second = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
    (world, ben, vec![task, second])
}

#[tokio::test]
async fn a_digest_comes_once_at_its_hour_and_not_where_there_is_nothing_to_say() {
    let all = json!({"assigned": "digest", "status": "digest", "edited": "digest", "deleted": "digest", "digest_hour": 13});
    let (world, ben, tasks) = digests(all).await;
    world.pass_seconds(31);
    world.hint(&tasks.iter().collect::<Vec<_>>()).await;
    world.pass_seconds(3_000);
    world.sweep().await;
    assert_eq!((world.office.asked(), world.owed(ben).await.len()), (0, 2));
    world.pass_seconds(600);
    world.sweep().await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject == "Your day in Baton: 2 tasks changed", "{mails:?}");
    assert!(mails[0].text.starts_with("Your day in Baton: 2 tasks changed.\n"), "{mails:?}");
    let rhythm = world.mail.mailbox(&store::RecipientKey::User(ben)).await.expect("a read").rhythm;
    assert_eq!(rhythm, None, "a digest spaces nothing");
    world.pass_seconds(2 * 24 * 3_600);
    world.sweep().await;
    assert_eq!(world.office.asked(), 1);
}

#[tokio::test]
async fn what_waited_into_quiet_hours_is_put_off_to_their_end() {
    let Handed { world, ben, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.profile(ben, "Ben", &json!({"quiet_hours": {"from": "12:00", "to": "14:00"}}));
    world.pass_seconds(31);
    assert_eq!(world.mailer.tellable_now().await.expect("a read"), 1, "a sweep has something to do");
    world.sweep().await;
    let due = world.owed(ben).await[0].due_at;
    assert_eq!(due.to_string(), "2027-03-10T14:00:00Z");
    assert_eq!((world.office.asked(), world.mailer.tellable_now().await.expect("a read")), (0, 0));
    assert_eq!(world.mail.mailbox(&store::RecipientKey::User(ben)).await.expect("a read").claim, None);
    world.pass_seconds(2 * 3_600);
    world.sweep().await;
    assert_eq!(world.sent_to("Ben").len(), 1);
}
