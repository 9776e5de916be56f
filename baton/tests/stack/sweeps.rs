//! What the mailer leaves undone is left whole: for the next sweep, and never half told.

use std::collections::BTreeSet;
use std::time::Duration;

use domain::{ClaimId, Letter, Locale, PartId, Recipient, UserId};
use jiff::{SignedDuration, Timestamp};
use log_mailer::Deadline;
use serde_json::json;
use store::{Claim, Part, PartContent, RecipientKey};
use uuid::Uuid;

use crate::meter::{Metered, operations};
use crate::people::{Person, mails_to};
use crate::tables::mail_table;

/// More than a sweep reads of a shard at once.
const HELD: u128 = 201;

/// Enough that some of them are of any one shard.
const BEHIND: u128 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn past_its_deadline_the_mailer_plans_but_opens_no_claim() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&metered.stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    metered.send_mails().await;
    let (told, mail) = (mails_to(&metered.stack, &ben.email).await.len(), mail_table(&metered.stack));
    let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    let owed = RecipientKey::User(UserId(ben.id.parse().expect("an id")));
    metered.calls();

    let past = Deadline::after(Duration::ZERO);
    metered.hint(&task, past).await;
    let calls = metered.calls();
    let planned = operations(&calls);
    assert!(planned.contains(&"TransactWriteItems") && !planned.contains(&"UpdateItem"), "{planned:?}");
    for _ in 0..2 {
        assert_eq!(metered.mailer.sweep_due(past).await.expect("nothing is read"), 0);
        metered.mailer.reconcile(Timestamp::now(), past).await.expect("the log is compared with the cursors");
    }
    assert!(mail.mailbox(&owed).await.expect("a read").claim.is_none(), "nobody waits for a lease to end");
    assert_eq!(mail.parts_of(&owed, Timestamp::now(), usize::MAX).await.expect("a read").len(), 1);
    assert_eq!(mails_to(&metered.stack, &ben.email).await.len(), told);

    assert_eq!(metered.mailer.sweep_due(Deadline::from_now()).await.expect("a sweep"), 0);
    assert_eq!(mails_to(&metered.stack, &ben.email).await.len(), told + 1, "the next sweep tells it, once");
    assert_eq!(metered.mailer.counts().resent, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_by_a_claim_hides_nothing_behind_it() {
    let metered = Metered::start().await;
    let mail = mail_table(&metered.stack);
    let long_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let held: Vec<Part> = (0..HELD).map(|number| letter("held@example.com", number, long_ago)).collect();
    let claim = Claim {
        id: ClaimId(Uuid::from_u128(1)),
        recipient: held[0].recipient_key(),
        parts: vec![held[0].clone()],
        attempt: 1,
        opened_at: long_ago,
        lease_until: Timestamp::now() + SignedDuration::from_hours(1),
        accepted: false,
        unknown: false,
    };
    mail.open_claim(&claim).await.expect("nobody else has a claim");
    for part in &held {
        mail.file_letter(part).await.expect("a letter is filed");
    }
    let addresses: BTreeSet<String> = (0..BEHIND).map(|number| format!("behind{number}@example.com")).collect();
    for (number, address) in (HELD..).zip(&addresses) {
        let later = long_ago + SignedDuration::from_mins(1);
        mail.file_letter(&letter(address, number, later)).await.expect("a letter is filed");
    }

    assert_eq!(metered.mailer.sweep_due(Deadline::from_now()).await.expect("a sweep"), 0);
    for address in &addresses {
        assert_eq!(mails_to(&metered.stack, address).await.len(), 1, "{address}");
    }
    assert_eq!(mails_to(&metered.stack, "held@example.com").await.len(), 0, "its claim's holder is at it");
}

fn letter(address: &str, number: u128, due_at: Timestamp) -> Part {
    let content =
        PartContent::Letter { id: PartId(Uuid::from_u128(number)), letter: Letter::AddressTaken { locale: Locale::En } };
    Part { recipient: Recipient::Address(address.parse().expect("an address")), due_at, content }
}
