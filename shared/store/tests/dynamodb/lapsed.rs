//! Claims that change hands, holders who come back after their lease, and answers that are lost.

use domain::{ClaimId, Rhythm};
use store::{Claim, RecipientKey};
use uuid::Uuid;

use crate::claims::{file, open, owed};
use crate::samples::{ADA, BEN, MINUTE, NANOSECOND, TASK, ada, claim, noon, part, refused};
use crate::tables::Tables;

#[tokio::test]
async fn a_claim_is_taken_over_when_its_lease_is_over_and_not_before() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[part(ADA, TASK, 1)]);
    let until = noon() + MINUTE * 9;
    refused(&mail.take_over(&first, first.lease_until, until).await);
    mail.open_claim(&first).await.expect("it is opened");
    refused(&mail.take_over(&first, first.lease_until - NANOSECOND, until).await);
    assert_eq!(open(mail).await, Some(first.clone()));
    let taken = mail.take_over(&first, first.lease_until, until).await.expect("its lease is over");
    assert_eq!(taken, Claim { attempt: 2, lease_until: until, ..first.clone() });
    assert_eq!(open(mail).await, Some(taken.clone()));
    refused(&mail.take_over(&first, first.lease_until, until + MINUTE).await);
    refused(&mail.take_over(&taken, until - NANOSECOND, until + MINUTE).await);
    let other = Claim { id: ClaimId(Uuid::from_u128(2)), ..taken.clone() };
    refused(&mail.take_over(&other, until, until + MINUTE).await);
    assert_eq!(open(mail).await, Some(taken.clone()));
    mail.close(&taken, None).await.expect("it is closed");
    refused(&mail.take_over(&taken, until, until + MINUTE).await);
    assert_eq!(open(mail).await, None);
}

#[tokio::test]
async fn of_many_who_take_over_at_once_one_does() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");
    let attempts = (0..8).map(|it| {
        let (mail, first) = (mail.clone(), first.clone());
        tokio::spawn(async move { mail.take_over(&first, noon() + MINUTE * 3, noon() + MINUTE * (9 + it)).await.is_ok() })
    });
    let mut taken = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        taken += usize::from(attempt.await.expect("nobody panics"));
    }
    assert_eq!((taken, open(mail).await.map(|it| it.attempt)), (1, Some(2)));
}

#[tokio::test]
async fn before_its_lease_ends_a_claim_is_taken_over_only_to_be_closed() {
    let Tables { mail, .. } = &Tables::new().await;
    let (now, until) = (noon(), noon() + MINUTE * 9);
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");

    mail.mark_unknown(&first, first.lease_until).await.expect("it is open");
    let unknown = open(mail).await.expect("it is open");
    refused(&mail.take_over(&unknown, now, until).await);
    let wishful = Claim { accepted: true, ..unknown.clone() };
    refused(&mail.take_over(&wishful, now, until).await);
    mail.mark_accepted(&ada(), first.id).await.expect("the table answers");
    refused(&mail.take_over(&unknown, first.lease_until, until).await);
    let both = open(mail).await.expect("it is open");
    let taken = mail.take_over(&both, now, until).await.expect("its holder has left, and it was accepted");
    assert_eq!(taken, Claim { attempt: 2, lease_until: until, unknown: false, accepted: true, ..first });
    assert_eq!(open(mail).await, Some(taken.clone()), "its outcome is known to be unknown to its earlier holder only");
    refused(&mail.take_over(&taken, now, until + MINUTE).await);
    mail.take_over(&taken, until, until + MINUTE).await.expect("its lease is over");
}

#[tokio::test]
async fn a_holder_at_work_keeps_a_claim_that_was_accepted() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");
    mail.mark_accepted(&ada(), first.id).await.expect("the table answers");
    let accepted = open(mail).await.expect("it is open");
    refused(&mail.take_over(&accepted, noon(), noon() + MINUTE * 9).await);
    refused(&mail.take_over(&Claim { unknown: true, ..accepted.clone() }, noon(), noon() + MINUTE * 9).await);
    let taken = mail.take_over(&accepted, first.lease_until, noon() + MINUTE * 9).await.expect("its lease is over");
    assert!(taken.accepted);
}

#[tokio::test]
async fn whoever_comes_back_after_their_lease_changes_nothing_of_their_successors() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[part(ADA, TASK, 1)]);
    file(mail, &first.parts).await;
    mail.open_claim(&first).await.expect("it is opened");
    let taken = mail.take_over(&first, first.lease_until, noon() + MINUTE * 9).await.expect("it is taken over");
    refused(&mail.postpone(&first, noon() + MINUTE).await);
    refused(&mail.mark_unknown(&first, first.lease_until).await);
    refused(&mail.release(&first).await);
    assert_eq!((open(mail).await, owed(mail).await), (Some(taken.clone()), first.parts.clone()));

    // They have told, or had to drop, what they held: it is owed no more. The claim is their successor's.
    refused(&mail.close(&first, Some(&Rhythm { told_at: noon(), spacing: MINUTE })).await);
    assert_eq!((open(mail).await, owed(mail).await), (Some(taken.clone()), vec![]));
    assert_eq!(mail.mailbox(&ada()).await.expect("the table answers").rhythm, None);
    mail.close(&taken, None).await.expect("it is closed");
}

#[tokio::test]
async fn whoever_comes_back_after_all_was_told_brings_nothing_back() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &(0..120).map(|it| part(ADA, TASK, 1 + it * 2)).collect::<Vec<_>>());
    file(mail, &first.parts).await;
    mail.open_claim(&first).await.expect("it is opened");
    let taken = mail.take_over(&first, first.lease_until, noon() + MINUTE * 9).await.expect("it is taken over");
    mail.close(&taken, None).await.expect("it is closed");
    refused(&mail.postpone(&first, noon() + MINUTE).await);
    refused(&mail.close(&first, None).await);
    assert_eq!((open(mail).await, owed(mail).await), (None, vec![]));
    let next = claim(2, &[part(ADA, TASK, 999)]);
    file(mail, &next.parts).await;
    mail.open_claim(&next).await.expect("the next one is opened");
    refused(&mail.close(&first, None).await);
    mail.close(&taken, None).await.expect("that is what it did");
    mail.release(&taken).await.expect("and that is the same");
    for zombie in [&first, &taken] {
        refused(&mail.postpone(zombie, noon() + MINUTE).await);
        refused(&mail.mark_unknown(zombie, zombie.lease_until).await);
    }
    refused(&mail.release(&first).await);
    assert_eq!((open(mail).await, owed(mail).await), (Some(next.clone()), next.parts));
}

#[tokio::test]
async fn parts_are_postponed_by_their_claims_holder_only_however_many_they_are() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &(0..120).map(|it| part(ADA, TASK, 1 + it * 2)).collect::<Vec<_>>());
    file(mail, &first.parts).await;
    mail.open_claim(&first).await.expect("it is opened");
    mail.take_over(&first, first.lease_until, noon() + MINUTE * 9).await.expect("it is taken over");
    refused(&mail.postpone(&first, noon() + MINUTE).await);
    assert!(owed(mail).await.iter().all(|it| it.due_at == noon()), "not even those of the first transaction");
}

#[tokio::test]
async fn a_lost_answer_is_no_refusal() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let parts = [part(ADA, TASK, 1), part(ADA, TASK, 5)];
    file(mail, &parts).await;
    tables.wire().loses_answers = true;
    tables.wire().writes.clear();
    let first = claim(1, &parts);
    mail.open_claim(&first).await.expect("it is opened");
    mail.postpone(&first, noon() + MINUTE).await.expect("it is postponed");
    let second = claim(2, &parts);
    mail.open_claim(&second).await.expect("it is opened");
    assert!(!mail.mark_unknown(&second, second.lease_until).await.expect("it is open"));
    assert!(mail.mark_accepted(&ada(), second.id).await.expect("the table answers"));
    let both = open(mail).await.expect("it is open");
    let taken = mail.take_over(&both, noon(), noon() + MINUTE * 9).await.expect("it is taken over");
    assert_eq!(open(mail).await, Some(taken.clone()));
    let rhythm = Rhythm { told_at: noon(), spacing: MINUTE };
    mail.close(&taken, Some(&rhythm)).await.expect("it is closed");
    assert_eq!((open(mail).await, owed(mail).await), (None, vec![]));
    mail.open_claim(&claim(3, &[])).await.expect("it is opened");
    mail.release(&claim(3, &[])).await.expect("it is released");
    let writes = tables.wire().writes.clone();
    assert_eq!(writes.len(), 20, "every write was sent twice: {writes:?}");
}

#[tokio::test]
async fn what_somebody_else_did_is_not_taken_for_a_lost_answer() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");
    mail.open_claim(&first).await.expect("it is this very claim");
    for other in [
        Claim { id: ClaimId(Uuid::from_u128(2)), ..first.clone() },
        Claim { attempt: 2, ..first.clone() },
        Claim { lease_until: noon(), ..first.clone() },
    ] {
        refused(&mail.open_claim(&other).await);
    }
    refused(
        &mail
            .open_claim(&Claim { recipient: RecipientKey::User(BEN), ..first.clone() })
            .await
            .and(mail.open_claim(&claim(9, &[])).await),
    );
    mail.close(&first, None).await.expect("it is closed");
    mail.close(&first, None).await.expect("it was closed by this very attempt");
    refused(&mail.close(&Claim { attempt: 2, ..first.clone() }, None).await);
    refused(&mail.close(&claim(2, &[]), None).await);
    mail.open_claim(&claim(2, &[])).await.expect("it is opened");
    mail.close(&claim(2, &[]), None).await.expect("it is closed");
    refused(&mail.close(&first, None).await);
}
