use std::pin::pin;
use std::time::Duration;

use log_mailer::{Deadline, LEASE, handle};
use serde_json::{Value, json};
use store::{Claim, DeliveryState};

use crate::post_office::Answer;
use crate::world::{Handed, World};

/// What the mail service says once it took the mail of a claim.
fn accepted(claim: &Claim) -> Value {
    let tags = json!({"claim": [claim.id], "recipient": [claim.recipient.to_string().replace('#', "_")]});
    let mail = json!({"timestamp": "2027-03-10T12:00:00Z", "destination": ["ben@example.com"], "tags": tags});
    json!({"version": "0", "id": "e", "source": "aws.ses", "detail-type": "Email Sent",
        "detail": {"eventType": "Send", "mail": mail, "send": {}}})
}

async fn report(world: &World, claim: &Claim) {
    let answer = handle(&world.mailer, World::queue([accepted(claim)]), Deadline::from_now()).await;
    assert!(answer.expect("a queue is never refused").batch_item_failures.is_empty());
}

/// Ben's mail was taken, and its answer lost.
async fn lost() -> (Handed, Claim) {
    let handed = Handed::new().await;
    handed.world.office.will([Answer::AcceptInSilence]);
    handed.world.hint(&[&handed.task]).await;
    let claim = handed.bens_claim().await.expect("its outcome is unknown");
    (handed, claim)
}

async fn check_told_once(handed: &Handed) {
    let Handed { world, ben, task, .. } = handed;
    assert_eq!((handed.bens_claim().await, world.owed(*ben).await.len()), (None, 0));
    let deliveries = world.deliveries(task).await;
    let states: Vec<_> = deliveries.iter().map(|it| (it.user, it.state)).collect();
    assert_eq!(states, [(*ben, DeliveryState::Sent)]);
    let counts = world.mailer.counts();
    assert_eq!((counts.accepted, counts.resent, world.sent_to("Ben").len()), (1, 0, 1));
}

#[tokio::test]
async fn a_report_closes_the_claim_whose_outcome_was_unknown_at_once() {
    let (handed, claim) = lost().await;
    report(&handed.world, &claim).await;
    check_told_once(&handed).await;
    report(&handed.world, &claim).await;
    handed.world.pass(LEASE * 2);
    handed.world.sweep().await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn what_is_throttled_at_a_second_attempt_keeps_its_claim_which_a_late_report_still_closes() {
    for answer in [Answer::Throttle, Answer::Pause] {
        let (handed, claim) = lost().await;
        let Handed { world, .. } = &handed;
        world.office.will([answer.clone(), answer]);
        world.pass(LEASE);
        world.sweep().await;
        let left = handed.bens_claim().await.expect("its first mail may have been taken");
        assert_eq!((left.id, left.attempt, left.unknown), (claim.id, 2, true));
        report(world, &claim).await;
        check_told_once(&handed).await;
    }
}

#[tokio::test]
async fn what_is_throttled_at_a_second_attempt_is_counted_as_sent_again_once_it_is_sent() {
    let (handed, _) = lost().await;
    let Handed { world, .. } = &handed;
    world.office.will([Answer::Throttle]);
    // Who is throttled knows that nothing was taken, and waits a minute and not for the second lease.
    for wait in [LEASE, Duration::from_secs(60)] {
        world.pass(wait);
        world.sweep().await;
    }
    assert_eq!((world.mailer.counts().resent, world.sent_to("Ben").len(), handed.bens_claim().await), (1, 2, None));
}

#[tokio::test]
async fn a_report_of_another_claim_closes_nothing() {
    let (handed, claim) = lost().await;
    report(&handed.world, &Claim { id: domain::ClaimId(uuid::Uuid::from_u128(7)), ..claim.clone() }).await;
    assert_eq!(handed.bens_claim().await, Some(claim));
    assert_eq!(handed.world.mailer.counts().accepted, 0);
}

/// As left by a holder that was killed: its outcome is not even said to be unknown.
async fn killed() -> (Handed, Claim) {
    let (handed, claim) = lost().await;
    let Handed { world, .. } = &handed;
    let silent = Claim { unknown: false, attempt: 1, ..claim.clone() };
    world.mail.release(&claim).await.expect("the claim is open");
    world.mail.open_claim(&silent).await.expect("nobody else has a claim");
    (handed, silent)
}

#[tokio::test]
async fn while_its_holder_may_be_at_it_a_reported_claim_is_left_to_them_and_then_closed_without_a_mail() {
    let (handed, claim) = killed().await;
    report(&handed.world, &claim).await;
    assert!(handed.bens_claim().await.is_some_and(|it| it.accepted && it.attempt == 1));
    assert_eq!(handed.world.mailer.tellable_now().await.expect("a read"), 0);
    handed.world.pass(LEASE + Duration::from_secs(1));
    assert_eq!(handed.world.mailer.tellable_now().await.expect("a read"), 1);
    handed.world.sweep().await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn a_report_is_heeded_up_to_the_moment_before_a_second_mail() {
    let (handed, _) = lost().await;
    let Handed { world, .. } = &handed;
    world.pass(LEASE);
    let mut work = pin!(world.sweep());
    let claim = handed.until_attempt(2, work.as_mut()).await;
    assert!(world.mail.mark_accepted(&claim.recipient, claim.id).await.expect("it is open"));
    work.await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn a_report_after_the_lease_closes_at_once() {
    let (handed, claim) = killed().await;
    handed.world.pass(LEASE + Duration::from_secs(1));
    report(&handed.world, &claim).await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn a_sweep_ends_what_was_reported_and_left() {
    let (handed, claim) = lost().await;
    assert!(handed.world.mail.mark_accepted(&claim.recipient, claim.id).await.expect("it is open"));
    assert_eq!(handed.world.mailer.tellable_now().await.expect("a read"), 1);
    handed.world.sweep().await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn what_is_sent_again_waits_for_its_turn_and_what_was_accepted_needs_none() {
    let (handed, claim) = lost().await;
    let Handed { world, ada, project, .. } = &handed;
    // One mail a minute, after the two that may go at once.
    let slow = world.another_mailer(&[("MAILS_PER_SECOND", "1"), ("MAILERS", "60")]);
    for name in ["Cam", "Dee"] {
        let reader = world.person(name, &json!({}));
        world.join(*project, reader);
        let task = world.task(*project, *ada, json!({"title": "Oil the door", "assignee": reader})).await;
        handle(&slow, World::queue([World::moved(&task)]), Deadline::from_now()).await.expect("a queue is never refused");
    }
    assert_eq!(slow.counts().sent, 2);
    world.pass(LEASE);
    slow.sweep_due(Deadline::from_now()).await.expect("a sweep");
    assert_eq!(handed.bens_claim().await.map(|it| it.attempt), Some(1), "its turn comes too late");
    assert!(world.mail.mark_accepted(&claim.recipient, claim.id).await.expect("it is open"));
    slow.sweep_due(Deadline::from_now()).await.expect("a sweep");
    assert_eq!((handed.bens_claim().await, slow.counts().accepted, world.sent_to("Ben").len()), (None, 1, 1));
}

#[tokio::test]
async fn what_a_mail_said_is_delivered_though_its_reader_left_before_the_report() {
    let (handed, claim) = lost().await;
    handed.world.leave(handed.project, handed.ben).await;
    report(&handed.world, &claim).await;
    check_told_once(&handed).await;
}

#[tokio::test]
async fn a_report_that_comes_while_the_answer_is_awaited_is_heeded_by_the_holder() {
    for last in [Answer::AcceptInSilence, Answer::Accept] {
        let handed = Handed::new().await;
        let Handed { world, ben, task, .. } = &handed;
        let go_on = std::sync::Arc::new(tokio::sync::Notify::new());
        let is_lost = matches!(last, Answer::AcceptInSilence);
        world.office.will([Answer::Wait(go_on.clone())]);
        let meanwhile = async {
            while world.office.asked() == 0 {
                tokio::task::yield_now().await;
            }
            let claim = handed.bens_claim().await.expect("it is held");
            report(world, &claim).await;
            assert_eq!(handed.bens_claim().await.map(|it| it.accepted), Some(true));
            if is_lost {
                // The answer comes too late for the client: for the holder its outcome is unknown.
                tokio::time::sleep(Duration::from_millis(3_300)).await;
            }
            go_on.notify_one();
        };
        let tasks = [task];
        tokio::join!(world.hint(&tasks), meanwhile);
        assert_eq!((handed.bens_claim().await, world.owed(*ben).await.len()), (None, 0));
        assert_eq!((world.mailer.counts().resent, world.mailer.counts().accepted), (0, u64::from(is_lost)));
        assert_eq!((world.office.asked(), world.deliveries(task).await.len()), (1, 1));
    }
}
