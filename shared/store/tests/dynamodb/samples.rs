use domain::{
    ClaimId, FieldName, Letter, Locale, NetKind, NoticeKind, Notification, NotificationContent, NotificationId, PartId,
    ProjectId, Reason, Recipient, TaskId, UserId, Version,
};
use jiff::{SignedDuration, Timestamp};
use store::{Claim, Delivery, DeliveryState, Part, PartContent, RecipientKey, StoreError, TaskSpan, Timing};
use uuid::Uuid;

pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
pub(crate) const TASK: TaskId = TaskId(Uuid::from_u128(2));
pub(crate) const OTHER_TASK: TaskId = TaskId(Uuid::from_u128(3));
pub(crate) const ADA: UserId = UserId(Uuid::from_u128(4));
pub(crate) const BEN: UserId = UserId(Uuid::from_u128(5));
pub(crate) const CEM: UserId = UserId(Uuid::from_u128(6));
pub(crate) const NANOSECOND: SignedDuration = SignedDuration::from_nanos(1);
pub(crate) const MINUTE: SignedDuration = SignedDuration::from_mins(1);

#[track_caller]
pub(crate) fn refused<T: std::fmt::Debug>(outcome: &Result<T, StoreError>) {
    assert!(matches!(outcome, Err(StoreError::Conflict { .. })), "{outcome:?}");
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a timestamp")
}

pub(crate) fn ada() -> RecipientKey {
    RecipientKey::User(ADA)
}

/// The partition of what Ada is owed.
pub(crate) fn adas() -> String {
    format!("RECIPIENT#USER#{ADA}")
}

pub(crate) fn part(user: UserId, task: TaskId, from: u64) -> Part {
    let span = TaskSpan {
        project: PROJECT,
        task,
        from: Version(from),
        to: Version(from + 1),
        kinds: [NoticeKind::Status].into(),
        timing: Timing::Now,
        first_at: noon() - MINUTE,
        last_at: noon(),
        watching: false,
        urgent: false,
    };
    Part { recipient: Recipient::User(user), due_at: noon(), content: PartContent::Task(span) }
}

/// The same span as told once a day.
pub(crate) fn digest(mut part: Part) -> Part {
    if let PartContent::Task(span) = &mut part.content {
        span.timing = Timing::Digest;
    }
    part
}

pub(crate) fn letter(id: u128) -> Part {
    let content = PartContent::Letter { id: PartId(Uuid::from_u128(id)), letter: Letter::AddressTaken { locale: Locale::En } };
    Part { content, ..part(ADA, TASK, 1) }
}

/// A claim of Ada's, opened at noon for three minutes.
pub(crate) fn claim(id: u128, parts: &[Part]) -> Claim {
    Claim {
        id: ClaimId(Uuid::from_u128(id)),
        recipient: ada(),
        parts: parts.to_vec(),
        attempt: 1,
        opened_at: noon(),
        lease_until: noon() + MINUTE * 3,
        accepted: false,
        unknown: false,
    }
}

pub(crate) fn delivery(claim: &Claim, part: &Part) -> Delivery {
    let PartContent::Task(span) = &part.content else { panic!("a letter has no delivery") };
    let Recipient::User(user) = part.recipient else { panic!("an address has no delivery") };
    Delivery {
        project: span.project,
        task: span.task,
        from: span.from,
        to: span.to,
        user,
        state: DeliveryState::Sent,
        reason: None,
        at: noon(),
        claim: claim.id,
        timing: span.timing,
    }
}

pub(crate) fn note(id: u128, user: UserId) -> Notification {
    let content = NotificationContent::Task {
        project: PROJECT,
        task: TASK,
        from: Version(1),
        to: Version(2),
        kind: NetKind::Updated,
        title: "Fix the pump".parse().expect("a title"),
        fields: vec![FieldName::Status],
        actors: vec![BEN],
        reason: Reason::Assignee,
    };
    Notification { id: NotificationId(Uuid::from_u128(id)), user, at: noon(), read: false, content }
}
