//! Claims that their holder left: killed, or too late.

use std::pin::pin;
use std::time::Duration;

use domain::{ClaimId, Recipient};
use jiff::Timestamp;
use log_mailer::{Deadline, LEASE};
use serde_json::json;
use store::{Claim, Delivery, DeliveryState, Part, PartContent, RecipientKey, TaskSpan};
use uuid::Uuid;

use crate::hand_over::{letter, state};
use crate::world::{Handed, World};

/// A claim whose lease is over.
fn left(world: &World, recipient: RecipientKey, parts: Vec<Part>) -> Claim {
    let (id, now) = (ClaimId(Uuid::from_u128(7)), world.clock.now());
    Claim { id, recipient, parts, attempt: 1, opened_at: now, lease_until: now, accepted: false, unknown: false }
}

#[tokio::test]
async fn a_letter_to_an_address_is_sent_and_a_crash_after_it_was_recorded_doubles_nothing() {
    let world = World::new().await;
    let part = letter(Recipient::Address("new@example.com".parse().expect("an address")), world.clock.now());
    let key = RecipientKey::from(&part.recipient);
    world.mail.file_letter(&part).await.expect("a letter is filed");
    world.sweep().await;
    let sent = world.sent_to("New");
    assert_eq!((sent.len(), sent[0].tags["recipient"].clone()), (1, key.to_string().replace('#', "_")));
    // As after a crash between recording and closing.
    let claim = Claim { id: sent[0].tags["claim"].parse().expect("an id"), ..left(&world, key.clone(), vec![part.clone()]) };
    world.mail.file_letter(&part).await.expect("the letter is still there");
    world.mail.open_claim(&claim).await.expect("the claim is still open");
    world.sweep().await;
    assert_eq!((world.office.asked(), world.mailer.counts().resent), (1, 0));
    assert!(world.mail.parts_of(&key, Timestamp::MAX, 9).await.expect("a read").is_empty());
    assert_eq!(world.mail.mailbox(&key).await.expect("a read").claim, None);
}

#[tokio::test]
async fn who_takes_over_what_was_recorded_in_part_records_the_rest_and_sends_nothing() {
    let gone = Some("not a member of the project any more; a mail of an earlier attempt may have arrived");
    // Of a mail that was sent all of it was told, whoever left since.
    for (recorded, leaves, rest) in [(None, false, None), (None, true, None), (Some("recorded before"), true, gone)] {
        let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, json!({})).await;
        let second = world.task(project, ada, json!({"title": "Oil it", "assignee": ben})).await;
        world.hint(&[&task, &second]).await;
        let (parts, now) = (world.owed(ben).await, world.clock.now());
        let PartContent::Task(span) = &parts[0].content else { panic!("a part of a task: {parts:?}") };
        let TaskSpan { task: told, from, to, timing, .. } = *span;
        let claim = left(&world, RecipientKey::User(ben), parts.clone());
        world.mail.open_claim(&claim).await.expect("the claim is opened");
        let outcome = |reason: Option<_>| if reason.is_none() { DeliveryState::Sent } else { DeliveryState::Suppressed };
        let (state_, reason) = (outcome(recorded), recorded.map(str::to_owned));
        let first =
            Delivery { project, task: told, from, to, user: ben, timing, state: state_, reason, at: now, claim: claim.id };
        world.mail.record_deliveries(&claim, &[first], now).await.expect("the first is recorded");
        if leaves {
            world.leave(project, ben).await;
        }
        world.pass_seconds(31);
        world.sweep().await;
        assert_eq!(world.office.asked(), 0, "the mail was sent before its first delivery was recorded");
        for task in [&task, &second] {
            let reason = if task.summary.id == told { recorded } else { rest };
            assert_eq!(state(&world.deliveries(task).await), [(ben, outcome(reason), reason)]);
        }
        assert!(world.owed(ben).await.is_empty());
    }
}

#[tokio::test]
async fn a_claim_of_what_somebody_else_has_told_meanwhile_is_released_and_tells_nothing() {
    let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    let told = world.owed(ben).await;
    world.live(32).await;
    assert_eq!((told.len(), world.sent_to("Ben").len(), world.owed(ben).await), (1, 1, vec![]));
    let second = world.task(project, ada, json!({"title": "Oil it", "assignee": ben})).await;
    world.hint(&[&second]).await;
    // Who read what was owed before it was told claims it only now.
    world.mail.open_claim(&left(&world, RecipientKey::User(ben), told)).await.expect("nobody else has a claim");
    world.live(400).await;
    let subjects: Vec<String> = world.sent_to("Ben").into_iter().map(|it| it.subject).collect();
    assert_eq!(subjects, ["[Boiler room] Fix the pump", "[Boiler room] Oil it"]);
    assert_eq!((world.mailer.counts().resent, world.owed(ben).await), (0, vec![]));
}

#[tokio::test]
async fn a_mail_that_took_too_long_to_compose_is_left_to_the_next_attempt() {
    let handed = Handed::new().await;
    let Handed { world, task, .. } = &handed;
    let tasks = [task];
    let mut work = pin!(world.hint(&tasks));
    handed.until_attempt(1, work.as_mut()).await;
    world.pass(LEASE - Duration::from_secs(20));
    work.await;
    assert_eq!(world.office.asked(), 0, "the mail service may take longer than is left");
    world.pass(Duration::from_secs(21));
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), handed.bens_claim().await), (1, None));
}

#[tokio::test]
async fn who_fails_before_anything_is_sent_leaves_no_claim_behind() {
    let handed = Handed::within(World::with_window(30).await, json!({})).await;
    let Handed { world, task, .. } = &handed;
    world.hint(&[task]).await;
    world.pass_seconds(31);
    let blind = world.another_mailer(&[("CHANGES_TABLE", "not-there")]);
    assert_eq!(blind.sweep_due(Deadline::from_now()).await.expect("what is due can be read"), 1);
    assert_eq!((world.office.asked(), handed.bens_claim().await), (0, None));
    world.sweep().await;
    assert_eq!((world.sent_to("Ben").len(), world.mailer.counts().resent), (1, 0));
}
