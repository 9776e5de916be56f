use domain::{
    Assignee, Change, ChangeKind, FieldChange, Letter, Locale, NetChange, NetKind, NoticeKind, Notify, PartId, Priority, Profile,
    ProjectId, Reason, Recipient, TaskId, TimeZoneName, Title, UserId, Version,
};
use jiff::Timestamp;
use store::{Part, PartContent, TaskSpan, Timing};
use uuid::Uuid;

use crate::language::People;
use crate::mail::Letterhead;

pub(crate) const READER: UserId = UserId(Uuid::from_u128(1));
pub(crate) const ADA: UserId = UserId(Uuid::from_u128(2));
pub(crate) const GRACE: UserId = UserId(Uuid::from_u128(3));
pub(crate) const STRANGER: UserId = UserId(Uuid::from_u128(4));
pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(10));
pub(crate) const TASK: TaskId = TaskId(Uuid::from_u128(11));

pub(crate) fn title(text: &str) -> Title {
    text.parse().expect("a title")
}

pub(crate) fn net(kind: NetKind, actors: &[UserId], fields: Vec<FieldChange>) -> NetChange {
    NetChange {
        project: PROJECT,
        task: TASK,
        version: Version(7),
        kind,
        title: title("Fix the pump"),
        actors: actors.to_vec(),
        at: "2026-11-20T14:03:00Z".parse().expect("a time"),
        fields,
        reason: Reason::Assignee,
    }
}

pub(crate) fn people() -> People {
    let named = |name: &str| name.parse().expect("a name");
    People { reader: READER, names: [(READER, named("Rea")), (ADA, named("Ada")), (GRACE, named("그레이스"))].into() }
}

pub(crate) fn reader(locale: Locale) -> Profile {
    Profile {
        id: READER,
        email: "rea@example.com".parse().expect("an address"),
        name: "Rea".parse().expect("a name"),
        locale,
        time_zone: TimeZoneName::try_from("Asia/Seoul".to_owned()).expect("a time zone"),
        notify: Notify::default(),
        unsubscribe_secret: [7; 32],
    }
}

pub(crate) fn letterhead() -> Letterhead {
    Letterhead {
        sender: "mail@baton.example".parse().expect("an address"),
        web_origin: "https://baton.example".to_owned(),
        api_origin: "https://api.baton.example".to_owned(),
    }
}

/// Of a task that is the reader's, by Ada.
pub(crate) fn change(version: u64, at: Timestamp, fields: Vec<FieldChange>) -> Change {
    Change {
        project: PROJECT,
        task: TASK,
        version: Version(version),
        kind: ChangeKind::Updated,
        title: title("Fix the pump"),
        actor: ADA,
        creator: ADA,
        assignee: Assignee { before: Some(READER), after: Some(READER) },
        priority: Priority::None,
        at,
        fields,
    }
}

pub(crate) fn span(task: TaskId, from: u64, to: u64, kinds: &[NoticeKind]) -> TaskSpan {
    TaskSpan {
        project: PROJECT,
        task,
        from: Version(from),
        to: Version(to),
        kinds: kinds.iter().copied().collect(),
        timing: Timing::Now,
        first_at: Timestamp::UNIX_EPOCH,
        last_at: Timestamp::UNIX_EPOCH,
        watching: false,
        urgent: false,
    }
}

pub(crate) fn task_part(due_at: Timestamp, span: TaskSpan) -> Part {
    Part { recipient: Recipient::User(READER), due_at, content: PartContent::Task(span) }
}

pub(crate) fn letter_part(id: u128, due_at: Timestamp) -> Part {
    let letter = Letter::AddressTaken { locale: Locale::En };
    Part { recipient: Recipient::User(READER), due_at, content: PartContent::Letter { id: PartId(Uuid::from_u128(id)), letter } }
}
