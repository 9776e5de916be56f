use domain::{EmailAddress, Version};
use store::{Claim, Delivery, DeliveryState, Feedback, Part, PartContent, RecipientKey};

use crate::claims::{file, owed};
use crate::samples::{ADA, BEN, MINUTE, OTHER_TASK, PROJECT, TASK, ada, claim, delivery, digest, letter, noon, part, refused};
use crate::tables::Tables;

#[tokio::test]
async fn a_claim_that_was_recorded_is_known_by_it() {
    let Tables { mail, .. } = &Tables::new().await;
    let now = part(ADA, TASK, 1);
    let (first, second) = (claim(1, std::slice::from_ref(&now)), claim(2, &[digest(now.clone())]));
    let recorded = async |claim: &Claim| mail.is_recorded(claim).await.expect("the table answers");
    assert!(!recorded(&first).await);
    mail.record_deliveries(&first, &[delivery(&first, &now)], noon()).await.expect("it is recorded");
    assert_eq!((recorded(&first).await, recorded(&second).await), (true, false));
    assert!(!recorded(&claim(3, &[now])).await, "it was another that told of the same");
    let letters = claim(4, &[letter(7)]);
    assert!(!recorded(&letters).await);
    mail.record_deliveries(&letters, &[], noon()).await.expect("it is recorded");
    assert!(recorded(&letters).await);
}

#[tokio::test]
async fn who_was_told_now_and_in_a_digest_is_shown_with_what_came_back() {
    let Tables { mail, .. } = &Tables::new().await;
    let (now, bens) = (part(ADA, TASK, 3), part(BEN, TASK, 1));
    let (first, second, third) = (
        claim(1, std::slice::from_ref(&now)),
        claim(2, &[digest(now.clone())]),
        Claim { recipient: RecipientKey::User(BEN), ..claim(3, &[]) },
    );
    let told = [
        delivery(&first, &now),
        delivery(&second, &digest(now.clone())),
        Delivery { to: Version(4), ..delivery(&third, &bens) },
        Delivery { project: PROJECT, task: OTHER_TASK, ..delivery(&first, &now) },
    ];
    mail.record_deliveries(&first, &told, noon()).await.expect("they are recorded");
    let of = async |version| mail.deliveries_of(PROJECT, TASK, Version(version)).await.expect("the table answers");
    assert_eq!((of(1).await.len(), of(3).await.len(), of(4).await.len(), of(5).await.len()), (1, 3, 3, 0));

    let back = Feedback { reason: "mailbox full".to_owned(), at: noon() + MINUTE };
    mail.record_feedback(&ada(), first.id, &back).await.expect("it is recorded");
    mail.record_feedback(&ada(), first.id, &back).await.expect("it is recorded again");
    mail.record_feedback(&ada(), third.id, &back).await.expect("somebody else's");
    let bounced = Delivery { state: DeliveryState::Bounced, reason: Some(back.reason.clone()), at: back.at, ..told[0].clone() };
    assert_eq!(of(3).await, [bounced, told[1].clone(), told[2].clone()]);

    assert_eq!(mail.deliveries_after(PROJECT, TASK, Version(3)).await.expect("the table answers").len(), 3);
    assert_eq!(mail.forget_deliveries(PROJECT, TASK, Version(4)).await.expect("the table answers"), 0);
    assert_eq!(mail.forget_deliveries(PROJECT, TASK, Version(3)).await.expect("the table answers"), 3);
    assert_eq!(of(3).await, []);
}

#[tokio::test]
async fn what_is_owed_of_one_task_is_found_alone() {
    let Tables { mail, .. } = &Tables::new().await;
    let (now, later) = (part(ADA, TASK, 1), Part { due_at: noon() + MINUTE, ..digest(part(ADA, TASK, 1)) });
    file(mail, &[now.clone(), later.clone(), part(ADA, OTHER_TASK, 1), part(BEN, TASK, 1), letter(7)]).await;
    assert_eq!(mail.owed_of(&ada(), PROJECT, TASK).await.expect("the table answers"), [now, later]);
}

#[tokio::test]
async fn only_a_task_to_be_told_soon_is_paced() {
    let Tables { mail, .. } = &Tables::new().await;
    for (part, is_paced) in [(part(ADA, TASK, 1), true), (digest(part(ADA, TASK, 1)), false), (letter(7), false)] {
        file(mail, std::slice::from_ref(&part)).await;
        let mut due = Vec::new();
        for shard in 0..store::SHARDS {
            due.extend(mail.due(shard, noon(), None, usize::MAX).await.expect("the table answers"));
        }
        assert_eq!(due.iter().map(store::DuePart::is_paced).collect::<Vec<_>>(), [is_paced], "{part:?}");
        mail.replace_part(&part, None).await.expect("it is there");
    }
}

#[tokio::test]
async fn a_part_is_replaced_where_it_is_still_there() {
    let Tables { mail, .. } = &Tables::new().await;
    let whole = part(ADA, TASK, 1);
    let mut shorter = whole.clone();
    if let PartContent::Task(span) = &mut shorter.content {
        span.to = span.from;
    }
    let other = part(ADA, TASK, 9);
    for after in [None, Some(&shorter), Some(&other)] {
        refused(&mail.replace_part(&whole, after).await);
        assert_eq!(owed(mail).await, []);
    }
    file(mail, std::slice::from_ref(&whole)).await;
    mail.replace_part(&whole, Some(&shorter)).await.expect("it is there");
    assert_eq!(owed(mail).await, [shorter.clone()]);
    mail.replace_part(&shorter, Some(&other)).await.expect("it is there");
    assert_eq!(owed(mail).await.first(), Some(&other));
    mail.replace_part(&other, None).await.expect("it is there");
    assert_eq!(owed(mail).await, []);
}

#[tokio::test]
async fn an_address_is_suppressed_once_and_a_repeat_knows_that_it_was_it() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let address: EmailAddress = "ada@example.com".parse().expect("an address");
    let suppress = async |reason: &str, at| mail.suppress(&address, reason, at).await.expect("the table answers");
    assert!(!mail.suppressed(&address).await.expect("the table answers"));
    tables.wire().loses_answers = true;
    assert!(suppress("bounce", noon()).await, "a lost answer changes nothing");
    assert!(suppress("bounce", noon()).await);
    assert!(!suppress("complaint", noon()).await);
    assert!(!suppress("bounce", noon() + MINUTE).await);
    assert!(mail.suppressed(&address).await.expect("the table answers"));
    assert!(!mail.suppressed(&"ben@example.com".parse().expect("an address")).await.expect("the table answers"));
}
