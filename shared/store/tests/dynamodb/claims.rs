use domain::{ClaimId, NoticeKind, Rhythm, TaskId, Version};
use jiff::{SignedDuration, Timestamp};
use store::{Claim, Cursor, Mail, Mailbox, Part, PartContent, RecipientKey, SHARDS, Timing};
use uuid::Uuid;

use crate::samples::{
    ADA, BEN, CEM, MINUTE, NANOSECOND, OTHER_TASK, PROJECT, TASK, ada, adas, claim, delivery, digest, letter, noon, note, part,
    refused,
};
use crate::tables::Tables;

const DAY: i64 = 24 * 60 * 60;

pub(crate) async fn open(mail: &Mail) -> Option<Claim> {
    mail.mailbox(&ada()).await.expect("the table answers").claim
}

pub(crate) async fn owed(mail: &Mail) -> Vec<Part> {
    mail.parts_of(&ada(), Timestamp::MAX, usize::MAX).await.expect("the table answers")
}

/// Files what is owed, by plans of tasks nobody asks for.
pub(crate) async fn file(mail: &Mail, parts: &[Part]) {
    for parts in parts.chunks(99) {
        let (task, to) = (TaskId(Uuid::now_v7()), Cursor::at(Version::FIRST));
        mail.file_plan(PROJECT, task, &Cursor::START, &to, parts, &[]).await.expect("the parts are filed");
    }
}

/// Whose parts are due by then.
async fn due(mail: &Mail, by: Timestamp) -> Vec<RecipientKey> {
    let mut due = Vec::new();
    for shard in 0..SHARDS {
        due.extend(mail.due(shard, by, None, usize::MAX).await.expect("the table answers").into_iter().map(|it| it.recipient));
    }
    due
}

#[tokio::test]
async fn a_recipient_has_one_open_claim() {
    let Tables { mail, .. } = &Tables::new().await;
    assert_eq!(mail.mailbox(&ada()).await.expect("the table answers"), Mailbox::default());
    let first = claim(1, &[part(ADA, TASK, 1), letter(7)]);
    mail.open_claim(&first).await.expect("it is opened");
    let mailbox = mail.mailbox(&ada()).await.expect("the table answers");
    assert_eq!(mailbox, Mailbox { claim: Some(first.clone()), rhythm: None });
    refused(&mail.open_claim(&claim(2, &[])).await);
    let bens = Claim { recipient: RecipientKey::User(BEN), ..claim(3, &[]) };
    mail.open_claim(&bens).await.expect("that of somebody else is opened");
    mail.close(&first, None).await.expect("it is closed");
    assert_eq!(open(mail).await, None);
    mail.open_claim(&claim(2, &[])).await.expect("the next one is opened");
    assert_eq!(open(mail).await, Some(claim(2, &[])));
}

#[tokio::test]
async fn of_many_who_claim_at_once_one_does() {
    let Tables { mail, .. } = &Tables::new().await;
    let claims: Vec<Claim> = (1..=8).map(|id| claim(id, &[])).collect();
    let mut opened = 0;
    let tries: Vec<_> = claims
        .iter()
        .map(|it| {
            tokio::spawn({
                let (mail, claim) = (mail.clone(), it.clone());
                async move { mail.open_claim(&claim).await.is_ok() }
            })
        })
        .collect();
    for one in tries {
        opened += usize::from(one.await.expect("nobody panics"));
    }
    assert_eq!(opened, 1);
}

#[tokio::test]
async fn closing_takes_what_was_told_and_leaves_the_rest() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    // More than one batch holds.
    let told: Vec<Part> = (0..60).map(|it| part(ADA, TASK, 1 + it * 2)).collect();
    let left = [letter(7), part(ADA, OTHER_TASK, 1), digest(told[0].clone())];
    file(mail, &told).await;
    file(mail, &left).await;
    tables.wire().halves_batches = true;
    let claim = claim(1, &told[..30]);
    mail.open_claim(&claim).await.expect("it is opened");
    mail.close(&claim, None).await.expect("it is closed");
    tables.wire().halves_batches = false;
    let (owed, due) = (owed(mail).await, due(mail, noon()).await.len());
    assert!(owed.iter().all(|it| !claim.parts.contains(it)) && left.iter().all(|it| owed.contains(it)), "{owed:?}");
    assert_eq!((owed.len(), due), (33, 33));
    assert_eq!(open(mail).await, None);
}

#[tokio::test]
async fn a_claim_is_there_until_its_parts_are_gone() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let claim = claim(1, &[part(ADA, TASK, 1)]);
    file(mail, &claim.parts).await;
    mail.open_claim(&claim).await.expect("it is opened");
    tables.wire().refuses = Some("BatchWriteItem");
    assert!(mail.close(&claim, None).await.is_err());
    assert_eq!((open(mail).await, owed(mail).await), (Some(claim.clone()), claim.parts.clone()));
    tables.wire().refuses = Some("UpdateItem");
    assert!(mail.close(&claim, None).await.is_err());
    assert_eq!((open(mail).await, owed(mail).await), (Some(claim.clone()), vec![]));
    tables.wire().refuses = None;
    mail.close(&claim, None).await.expect("it is closed by whoever comes next");
    assert_eq!(open(mail).await, None);
}

#[tokio::test]
async fn the_rhythm_outlives_claims_and_costs_no_write() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let rhythm = Rhythm { told_at: noon(), spacing: SignedDuration::from_millis(112_500) };
    let of = async |mail: &Mail| mail.mailbox(&ada()).await.expect("the table answers").rhythm;
    mail.open_claim(&claim(1, &[])).await.expect("it is opened");
    mail.close(&claim(1, &[]), Some(&rhythm)).await.expect("it is closed");
    assert_eq!(of(mail).await, Some(rhythm));
    let second = claim(2, &[part(ADA, TASK, 1)]);
    file(mail, &second.parts).await;
    mail.open_claim(&second).await.expect("it is opened");
    assert_eq!(of(mail).await, Some(rhythm));
    mail.take_over(&second, second.lease_until, noon() + MINUTE * 9).await.expect("it is taken over");
    assert_eq!(of(mail).await, Some(rhythm));
    mail.postpone(&Claim { attempt: 2, ..second }, noon() + MINUTE).await.expect("it is postponed");
    assert_eq!(of(mail).await, Some(rhythm));
    mail.open_claim(&claim(3, &[])).await.expect("it is opened");
    mail.release(&claim(3, &[])).await.expect("it is released");
    assert_eq!(of(mail).await, Some(rhythm));
    mail.open_claim(&claim(4, &[])).await.expect("it is opened");
    let later = Rhythm { told_at: noon() + MINUTE, spacing: MINUTE * 2 };
    mail.close(&claim(4, &[]), Some(&later)).await.expect("it is closed");
    assert_eq!(of(mail).await, Some(later));
    mail.open_claim(&claim(5, &[])).await.expect("it is opened");
    mail.close(&claim(5, &[]), None).await.expect("it is closed");
    assert_eq!(of(mail).await, None);
}

#[tokio::test]
async fn a_mailbox_is_kept_while_it_matters_and_not_for_ever() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let until = async || tables.expires_at(&adas(), "CLAIM").await.expect("it ends some time") - noon().as_second();
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");
    assert_eq!(until().await, 30 * DAY + 180, "as long as what is owed");
    let taken = mail.take_over(&first, first.lease_until, noon() + MINUTE * 9).await.expect("it is taken over");
    assert_eq!(until().await, 30 * DAY + 540);
    mail.close(&taken, None).await.expect("it is closed");
    assert_eq!(until().await, 540 + 3_600);
    for (id, spacing) in [(2, MINUTE), (3, MINUTE * 15)] {
        let next = claim(id, &[]);
        mail.open_claim(&next).await.expect("it is opened");
        let rhythm = Rhythm { told_at: noon(), spacing };
        mail.close(&next, Some(&rhythm)).await.expect("it is closed");
        let calm = rhythm.forgotten_at().max(next.lease_until).as_second() - noon().as_second();
        assert_eq!(until().await, calm + 3_600);
    }
}

#[tokio::test]
async fn a_mail_that_is_accepted_closes_its_own_claim_only() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let claim = claim(1, &[part(ADA, TASK, 1)]);
    let accept = async |id: u128| mail.mark_accepted(&ada(), ClaimId(Uuid::from_u128(id))).await.expect("the table answers");
    assert!(!accept(1).await, "there is none");
    mail.open_claim(&claim).await.expect("it is opened");
    tables.wire().writes.clear();
    assert!(!accept(2).await, "it is another");
    assert_eq!(tables.wire().writes, [] as [&str; 0]);
    assert_eq!(open(mail).await, Some(claim.clone()));
    assert!(accept(1).await);
    assert_eq!(open(mail).await, Some(Claim { accepted: true, ..claim.clone() }));
    tables.wire().writes.clear();
    assert!(accept(1).await, "reports are repeated");
    mail.close(&claim, None).await.expect("its holder closes it all the same");
    assert!(!accept(1).await, "reports are late");
    assert_eq!(tables.wire().writes, ["BatchWriteItem", "UpdateItem"], "and cost nothing");
    let next = Claim { id: ClaimId(Uuid::from_u128(2)), ..claim };
    mail.open_claim(&next).await.expect("the next one is opened");
    assert_eq!(open(mail).await, Some(next), "and knows nothing of it");
}

#[tokio::test]
async fn whoever_leaves_a_mail_of_unknown_outcome_learns_of_a_report_that_came_before() {
    let Tables { mail, .. } = &Tables::new().await;
    let first = claim(1, &[]);
    mail.open_claim(&first).await.expect("it is opened");
    assert!(!mail.mark_unknown(&first, first.lease_until).await.expect("it is open"));
    assert_eq!(open(mail).await, Some(Claim { unknown: true, ..first.clone() }));
    mail.mark_accepted(&ada(), first.id).await.expect("the table answers");
    let until = first.lease_until + SignedDuration::from_mins(1);
    assert!(mail.mark_unknown(&first, until).await.expect("it is open"));
    let both = Claim { unknown: true, accepted: true, lease_until: until, ..first };
    assert_eq!(open(mail).await, Some(both.clone()));
    mail.close(&both, None).await.expect("it is closed");
    mail.open_claim(&claim(2, &[])).await.expect("the next one is opened");
    assert_eq!(open(mail).await, Some(claim(2, &[])), "and knows nothing of it");
}

#[tokio::test]
async fn what_is_postponed_is_due_later() {
    // As many as one transaction holds, and more.
    for count in [1, 99, 100, 200] {
        let Tables { mail, .. } = &Tables::new().await;
        let claim = claim(1, &(0..count).map(|it| part(ADA, TASK, 1 + it * 2)).collect::<Vec<_>>());
        file(mail, &claim.parts).await;
        file(mail, &[part(ADA, OTHER_TASK, 1)]).await;
        mail.open_claim(&claim).await.expect("it is opened");
        let later = noon() + MINUTE;
        mail.postpone(&claim, later).await.expect("it is postponed");
        assert_eq!(open(mail).await, None);
        assert_eq!((due(mail, later - NANOSECOND).await.len(), due(mail, later).await.len()), (1, claim.parts.len() + 1));
        let owed = owed(mail).await;
        assert_eq!(owed.len(), claim.parts.len() + 1);
        for part in &claim.parts {
            assert!(owed.contains(&Part { due_at: later, ..part.clone() }));
        }
    }
}

#[tokio::test]
async fn what_is_gone_is_not_brought_back_by_postponing_it() {
    let Tables { mail, .. } = &Tables::new().await;
    let claim = claim(1, &[part(ADA, TASK, 1), part(ADA, TASK, 5)]);
    file(mail, &claim.parts[1..]).await;
    mail.open_claim(&claim).await.expect("it is opened");
    refused(&mail.postpone(&claim, noon() + MINUTE).await);
    assert_eq!((open(mail).await, owed(mail).await), (Some(claim.clone()), claim.parts[1..].to_vec()));
}

#[tokio::test]
async fn at_a_start_alone_every_claim_expires() {
    let Tables { mail, .. } = &Tables::new().await;
    let running = claim(1, &[Part { due_at: noon() + MINUTE, ..part(ADA, TASK, 1) }]);
    let over = Claim { recipient: RecipientKey::User(BEN), lease_until: noon(), ..claim(2, &[part(BEN, TASK, 1)]) };
    for claim in [&running, &over] {
        file(mail, &claim.parts).await;
        mail.open_claim(claim).await.expect("it is opened");
    }
    // Nothing is due to Cem any more: whoever closed this one died before its last step.
    let closing = Claim { recipient: RecipientKey::User(CEM), ..claim(3, &[part(CEM, TASK, 1)]) };
    mail.open_claim(&closing).await.expect("it is opened");
    assert_eq!(mail.expire_claims(noon()).await.expect("the table answers"), 2);
    assert!(mail.mailbox(&closing.recipient).await.expect("a mailbox").claim.expect("it is open").is_expired(noon()));
    let expired = Claim { lease_until: noon(), ..running };
    assert_eq!(open(mail).await, Some(expired.clone()));
    assert_eq!(mail.expire_claims(noon()).await.expect("the table answers"), 0);
    mail.take_over(&expired, noon(), noon() + MINUTE).await.expect("it is taken over");
}

#[tokio::test]
async fn a_mail_to_one_about_one_task_takes_twelve_write_units() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let mut part = part(ADA, TASK, 1);
    if let PartContent::Task(span) = &mut part.content {
        (span.kinds, span.watching, span.urgent) = (NoticeKind::ALL.into(), true, true);
        (span.from, span.to, span.timing) = (Version(1_000_000), Version(1_000_009), Timing::Digest);
    }
    let rhythm = Rhythm { told_at: noon(), spacing: MINUTE };
    let mut spent = Vec::new();
    for round in 1..=3 {
        let (before, to) = (mail.cursor(PROJECT, TASK).await.expect("the table answers"), Cursor::at(Version(round)));
        tables.wire().write_units = 0.0;
        let id = u128::from(round);
        mail.file_plan(PROJECT, TASK, &before, &to, std::slice::from_ref(&part), &[note(id, ADA)]).await.expect("it is planned");
        let claim = claim(id, std::slice::from_ref(&part));
        mail.open_claim(&claim).await.expect("it is opened");
        mail.record_deliveries(&claim, &[delivery(&claim, &part)], noon()).await.expect("it is recorded");
        mail.close(&claim, Some(&rhythm)).await.expect("it is closed");
        spent.push(tables.wire().write_units);
    }
    assert_eq!(spent, [12.0; 3]);
}

#[tokio::test]
async fn a_claim_whose_parts_cannot_be_read_is_read_without_them() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let whole = claim(1, &[part(ADA, TASK, 1)]);
    mail.open_claim(&whole).await.expect("it is opened");
    let text = |it: &str| aws_sdk_dynamodb::types::AttributeValue::S(it.to_owned());
    tables.spoil("mail", [("pk", text(&adas())), ("sk", text("CLAIM"))], "parts", r#"[{"pigeon": {}}]"#).await;
    let left = Claim { parts: Vec::new(), ..whole };
    assert_eq!(open(mail).await, Some(left.clone()));
    mail.close(&left, None).await.expect("it is closed");
}
