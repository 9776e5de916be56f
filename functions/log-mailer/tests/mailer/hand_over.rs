use std::sync::Arc;
use std::time::Duration;

use domain::{Letter, Locale, PartId, Recipient, Subscription, UserId};
use jiff::Timestamp;
use log_mailer::{Deadline, LEASE, handle};
use serde_json::json;
use store::{Delivery, DeliveryState, Part, PartContent};
use uuid::Uuid;

use crate::post_office::Answer;
use crate::world::{Handed, World};

pub(crate) fn state(deliveries: &[Delivery]) -> Vec<(UserId, DeliveryState, Option<&str>)> {
    deliveries.iter().map(|it| (it.user, it.state, it.reason.as_deref())).collect()
}

pub(crate) fn letter(recipient: Recipient, due_at: Timestamp) -> Part {
    let content = PartContent::Letter { id: PartId(Uuid::now_v7()), letter: Letter::AddressTaken { locale: Locale::En } };
    Part { recipient, due_at, content }
}

#[tokio::test]
async fn a_mail_is_tagged_recorded_and_closed() {
    let handed = Handed::new().await;
    let Handed { world, ben, task, .. } = &handed;
    world.hint(&[task]).await;
    let mails = world.sent_to("Ben");
    let [mail] = mails.as_slice() else { panic!("one mail: {mails:?}") };
    assert_eq!((mail.subject.as_str(), mail.tags["recipient"].as_str()), ("[Boiler room] Fix the pump", &*format!("USER_{ben}")));
    assert_eq!(mail.headers["List-Unsubscribe-Post"], "List-Unsubscribe=One-Click");
    let deliveries = world.deliveries(task).await;
    assert_eq!(state(&deliveries), [(*ben, DeliveryState::Sent, None)]);
    assert_eq!(mail.tags["claim"], deliveries[0].claim.to_string());
    assert!(deliveries[0].at <= world.clock.now() && deliveries[0].at > world.clock.now() - Duration::from_secs(60));
    assert_eq!((world.owed(*ben).await.len(), handed.bens_claim().await), (0, None));
    let counts = world.mailer.counts();
    assert_eq!((counts.planned, counts.sent, counts.resent, counts.suppressed, counts.accepted), (1, 1, 0, 0, 0));
    assert_eq!(world.mailer.tellable_now().await.expect("a read"), 0);
}

#[tokio::test]
async fn what_was_not_taken_for_now_goes_later_and_holds_no_claim() {
    for (answer, wait) in [(Answer::Throttle, 60), (Answer::Pause, 300)] {
        let handed = Handed::new().await;
        let Handed { world, ben, task, .. } = &handed;
        world.office.will([answer]);
        world.hint(&[task]).await;
        let due = world.owed(*ben).await[0].due_at.duration_since(world.clock.now()).as_secs();
        assert!((wait - 20..=wait).contains(&due), "{due}");
        assert_eq!(handed.bens_claim().await, None);
        world.pass_seconds(wait - 30);
        world.sweep().await;
        assert_eq!((world.office.asked(), world.mailer.tellable_now().await.expect("a read")), (1, 0));
        world.pass_seconds(31);
        assert_eq!(world.mailer.tellable_now().await.expect("a read"), 1);
        world.sweep().await;
        assert_eq!((world.sent_to("Ben").len(), world.mailer.counts().resent), (1, 0));
    }
}

#[tokio::test]
async fn a_connection_that_nobody_takes_is_no_unknown_outcome() {
    let handed = Handed::new().await;
    let Handed { world, ben, task, .. } = &handed;
    let lost = world.another_mailer(&[("AWS_ENDPOINT_URL_SESV2", "http://127.0.0.1:9")]);
    handle(&lost, World::queue([World::moved(task)]), Deadline::from_now()).await.expect("a queue is never refused");
    assert_eq!(handed.bens_claim().await, None);
    let due = world.owed(*ben).await[0].due_at.duration_since(world.clock.now()).as_secs();
    assert!((40..=60).contains(&due), "{due}");
    world.pass_seconds(61);
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), lost.counts().sent), (1, 0));
}

#[tokio::test]
async fn what_is_refused_for_good_is_recorded_and_never_tried_again() {
    let Handed { world, ben, task, .. } = Handed::new().await;
    world.office.will([Answer::Refuse]);
    world.hint(&[&task]).await;
    world.pass(LEASE * 2);
    world.sweep().await;
    let deliveries = world.deliveries(&task).await;
    let reason = "refused by the mail service: MessageRejected: as told";
    assert_eq!(state(&deliveries), [(ben, DeliveryState::Suppressed, Some(reason))]);
    assert_eq!((world.office.asked(), world.owed(ben).await.len(), world.mailer.counts().suppressed), (1, 0, 1));
}

#[tokio::test]
async fn a_mail_of_unknown_outcome_is_sent_again_after_its_lease_and_counted() {
    for (answer, doubled) in [(Answer::Fail, 1), (Answer::AcceptInSilence, 2)] {
        let handed = Handed::new().await;
        let Handed { world, task, .. } = &handed;
        world.office.will([answer]);
        world.hint(&[task]).await;
        let claim = handed.bens_claim().await.expect("it stays open");
        assert!(claim.unknown && !claim.accepted && claim.attempt == 1, "{claim:?}");
        world.pass(LEASE - Duration::from_secs(30));
        world.sweep().await;
        world.hint(&[task]).await;
        assert_eq!((world.office.asked(), world.mailer.tellable_now().await.expect("a read")), (1, 0));
        world.pass(Duration::from_secs(31));
        assert_eq!(world.mailer.tellable_now().await.expect("a read"), 1);
        world.sweep().await;
        assert_eq!((world.sent_to("Ben").len(), world.office.asked(), world.mailer.counts().resent), (doubled, 2, 1));
        assert_eq!(handed.bens_claim().await, None);
        let claims: Vec<_> = world.sent_to("Ben").into_iter().map(|it| it.tags["claim"].clone()).collect();
        assert!(claims.iter().all(|it| *it == claim.id.to_string()), "the same claim, whichever attempt");
    }
}

#[tokio::test]
async fn a_lease_doubles_and_after_a_week_it_is_given_up() {
    let handed = Handed::new().await;
    let Handed { world, ben, task, .. } = &handed;
    world.office.will((0..100).map(|_| Answer::Fail));
    world.hint(&[task]).await;
    let lease = async || {
        let claim = handed.bens_claim().await.expect("it stays open");
        (claim.attempt, (claim.lease_until.duration_since(world.clock.now()).as_secs() + 30) / 60)
    };
    assert_eq!(lease().await, (1, 3));
    let a_little = Duration::from_secs(2);
    world.pass(LEASE + a_little);
    world.sweep().await;
    assert_eq!(lease().await, (2, 6));
    world.pass(LEASE * 2 + a_little * 3);
    world.sweep().await;
    assert_eq!(lease().await, (3, 12));
    for _ in 0..8 {
        world.pass(Duration::from_secs(24 * 3_600));
        world.sweep().await;
    }
    let deliveries = world.deliveries(task).await;
    let reason = "no attempt of a week came to an end; a mail of an earlier attempt may have arrived";
    assert_eq!(state(&deliveries), [(*ben, DeliveryState::Suppressed, Some(reason))]);
    let asked = world.office.asked();
    assert!((6..=14).contains(&asked), "{asked}");
    assert_eq!(world.mailer.counts().resent, asked as u64 - 1, "each may have arrived");
    assert!(world.owed(*ben).await.is_empty() && world.sent_to("Ben").is_empty());
}

#[tokio::test]
async fn what_was_turned_off_since_it_was_planned_is_not_sent() {
    let gone = "the project is gone";
    let member = "not a member of the project any more";
    let (off, muted) = ("the person has turned mails about this off", "the person has muted the task or its project");
    for expected in [off, muted, "project muted", gone, member, "the address is suppressed"] {
        let Handed { world, ben, project, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
        world.hint(&[&task]).await;
        let mute = async |task| world.mail.subscribe(project, task, ben, Subscription::Mute).await.expect("Ben mutes");
        match expected {
            it if it == off => world.profile(ben, "Ben", &json!({"assigned": "none"})),
            it if it == muted => mute(Some(task.summary.id)).await,
            "project muted" => mute(None).await,
            it if it == gone => world.delete_project(project).await,
            it if it == member => world.leave(project, ben).await,
            _ => {
                let address = "ben@example.com".parse().expect("an address");
                world.mail.suppress(&address, "bounced", world.clock.now()).await.expect("it is suppressed");
            }
        }
        world.pass_seconds(31);
        world.sweep().await;
        let deliveries = world.deliveries(&task).await;
        let reason = if expected == "project muted" { muted } else { expected };
        assert_eq!(state(&deliveries), [(ben, DeliveryState::Suppressed, Some(reason))]);
        assert_eq!((world.office.asked(), world.owed(ben).await.len(), world.mailer.counts().suppressed), (0, 0, 1));
    }
}

#[tokio::test]
async fn one_mail_tells_what_is_left_of_several_tasks_and_each_has_its_delivery() {
    let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, json!({})).await;
    let muted = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
    world.mail.subscribe(project, Some(muted.summary.id), ben, Subscription::Mute).await.expect("Ben mutes");
    let (third, private) =
        (world.task(project, ada, json!({"title": "Oil it", "assignee": ben})).await, world.person("Cam", &json!({})));
    world.pass_seconds(31);
    world.mail.unsubscribe(project, Some(muted.summary.id), ben).await.expect("Ben does not mute any more");
    world.hint(&[&task, &muted, &third]).await;
    let _nobody = private;
    let mails = world.sent_to("Ben");
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].subject, "[Boiler room] 3 tasks changed");
    for task in [&task, &muted, &third] {
        assert_eq!(state(&world.deliveries(task).await), [(ben, DeliveryState::Sent, None)]);
    }
}

#[tokio::test]
async fn letters_go_first_and_alone_and_once() {
    let handed = Handed::within(World::with_window(30).await, json!({})).await;
    let Handed { world, ben, task, .. } = &handed;
    world.hint(&[task]).await;
    world.pass_seconds(31);
    for _ in 0..2 {
        world.mail.file_letter(&letter(Recipient::User(*ben), world.clock.now())).await.expect("a letter is filed");
    }
    let due = json!({"version": "0", "id": "e", "source": "baton.mail", "detail-type": "Letter Due",
        "detail": {"recipient": {"user": ben}}});
    handle(&world.mailer, World::queue([due]), Deadline::from_now()).await.expect("a queue is never refused");
    let subjects: Vec<String> = world.sent_to("Ben").into_iter().map(|it| it.subject).collect();
    let taken = "You already have a Baton account";
    assert_eq!(subjects, [taken, taken, "[Boiler room] Fix the pump"]);
    assert!(world.owed(*ben).await.is_empty());
    assert!(!world.sent_to("Ben")[0].headers.contains_key("List-Unsubscribe"));
}

#[tokio::test]
async fn while_one_mailer_sends_another_leaves_the_recipient_alone_and_later_parts_wait() {
    let handed = Handed::new().await;
    let Handed { world, ada, ben, project, task } = &handed;
    let go_on = Arc::new(tokio::sync::Notify::new());
    world.office.will([Answer::Wait(go_on.clone())]);
    let other = world.another_mailer(&[]);
    let meanwhile = async {
        while world.office.asked() == 0 {
            tokio::task::yield_now().await;
        }
        let second = world.task(*project, *ada, json!({"title": "Paint the door", "assignee": ben})).await;
        handle(&other, World::queue([World::moved(&second), World::moved(task)]), Deadline::from_now()).await.expect("hints");
        assert_eq!((other.counts().sent, other.sweep_due(Deadline::from_now()).await.expect("a sweep")), (0, 0));
        assert_eq!(world.mailer.tellable_now().await.expect("a read"), 0, "somebody is at it");
        go_on.notify_one();
    };
    let tasks = [task];
    tokio::join!(world.hint(&tasks), meanwhile);
    let subjects: Vec<String> = world.sent_to("Ben").into_iter().map(|it| it.subject).collect();
    assert_eq!(subjects, ["[Boiler room] Fix the pump", "[Boiler room] Paint the door"], "seen on the way out");
}

#[tokio::test]
async fn past_its_deadline_nothing_is_begun_and_all_stays_due() {
    let Handed { world, ben, task, .. } = Handed::new().await;
    let past = Deadline::after(Duration::ZERO);
    handle(&world.mailer, World::queue([World::moved(&task)]), past).await.expect("a queue is never refused");
    assert_eq!((world.owed(ben).await.len(), world.office.asked()), (1, 0));
    world.mailer.sweep_due(past).await.expect("a sweep");
    assert_eq!((world.mailer.tellable_now().await.expect("a read"), world.office.asked()), (1, 0));
    world.sweep().await;
    assert_eq!(world.sent_to("Ben").len(), 1);
}

#[tokio::test]
async fn a_task_deleted_while_its_edits_waited_is_told_as_deleted_to_whom_it_was_told_before() {
    let Handed { world, ada, ben, mut task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.live(32).await;
    world.pass_seconds(3_600);
    world.change(&mut task, ada, json!({"status": "done"})).await;
    world.hint(&[&task]).await;
    world.delete(&task, ada).await;
    world.hint(&[&task]).await;
    world.live(32).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 2 && mails[1].text.starts_with("Ada deleted it."), "{mails:?}");
    assert!(world.owed(ben).await.is_empty());
}
