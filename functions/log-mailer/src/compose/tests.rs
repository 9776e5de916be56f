use domain::{ProjectName, Status, Version};
use jiff::SignedDuration;

use super::*;
use crate::samples::{ADA, PROJECT, TASK, change, reader, span};

fn at() -> Timestamp {
    "2026-11-20T14:03:00Z".parse().expect("a time")
}

fn moved(version: u64, from: Status, to: Status) -> Change {
    change(version, at(), vec![FieldChange::Status { from: Some(from), to }])
}

fn edited(version: u64) -> Change {
    change(version, at(), vec![FieldChange::Description])
}

fn project() -> Standing {
    let name: ProjectName = "House".parse().expect("a project name");
    Ok(Project { id: PROJECT, name, created_by: ADA, created_at: at(), deleted_at: None })
}

struct Case {
    spans: Vec<TaskSpan>,
    facts: Facts,
    standing: Option<Standing>,
    reader: Profile,
    now: Timestamp,
}

/// The task moved at version 2.
fn case() -> Case {
    let log = vec![moved(2, Status::Waiting, Status::Done)];
    Case {
        spans: vec![span(TASK, 2, 2, &[NoticeKind::Status])],
        facts: Facts { log: Some(log), subscription: None },
        standing: Some(project()),
        reader: reader(domain::Locale::En),
        now: at(),
    }
}

/// The fields told, or why none are.
fn told(case: &Case) -> Result<Vec<FieldChange>, &'static str> {
    let Case { spans, facts, standing, reader, now } = case;
    let debts = debts(spans.iter());
    let [debt] = debts.as_slice() else { panic!("one task is one debt") };
    match verdict(debt, facts, standing.as_ref(), reader, *now) {
        Verdict::Tell(news) => Ok(news.net.fields),
        Verdict::Silence(reason) => Err(reason),
    }
}

#[test]
fn what_is_not_told_says_why() {
    let mut off = reader(domain::Locale::En);
    off.notify.status = Choice::None;
    let mut digest = reader(domain::Locale::En);
    digest.notify.status = Choice::Digest;
    let facts = |subscription| Facts { subscription: Some(subscription), ..case().facts };
    let round_trip = vec![moved(2, Status::Waiting, Status::Done), moved(3, Status::Done, Status::Waiting)];
    let late = |by: i64| Case { now: at() + MAIL_HORIZON + SignedDuration::from_secs(by), ..case() };
    for (case, expected) in [
        (case(), None),
        (Case { reader: digest, ..case() }, None),
        (Case { reader: off, ..case() }, Some(TURNED_OFF)),
        (Case { facts: facts(Subscription::Mute), ..case() }, Some(MUTED)),
        (Case { facts: facts(Subscription::Watch), ..case() }, None),
        (Case { facts: Facts { log: None, subscription: None }, ..case() }, Some(UNREADABLE_LOG)),
        (Case { standing: None, ..case() }, Some(PROJECT_GONE)),
        (Case { standing: Some(Err(NOT_A_MEMBER)), ..case() }, Some(NOT_A_MEMBER)),
        (late(0), None),
        (late(1), Some(PAST_HORIZON)),
        (
            Case {
                spans: vec![span(TASK, 2, 3, &[NoticeKind::Status])],
                facts: Facts { log: Some(round_trip), subscription: None },
                ..case()
            },
            Some(NOTHING_LEFT),
        ),
    ] {
        assert_eq!(told(&case).err(), expected);
    }
}

#[test]
fn each_version_is_told_of_the_kinds_it_is_owed_of() {
    let both = [moved(2, Status::Waiting, Status::Done).fields, edited(2).fields].concat();
    let log = vec![change(2, at(), both), edited(3), moved(4, Status::Done, Status::InProgress)];
    let facts = Facts { log: Some(log), subscription: None };
    // Versions 2 and 3 waited for the digest with their edits, when 4 came for now: of 2 the status was told at once.
    let digest = TaskSpan { timing: Timing::Digest, ..span(TASK, 2, 3, &[NoticeKind::Edited]) };
    let now = span(TASK, 4, 4, &[NoticeKind::Status]);
    let case = Case { spans: vec![digest, now], facts, ..case() };
    let status = FieldChange::Status { from: Some(Status::Done), to: Status::InProgress };
    assert_eq!(told(&case), Ok(vec![status, FieldChange::Description]));
}

#[test]
fn what_was_turned_off_of_several_kinds_leaves_the_others() {
    let mut case = case();
    case.facts.log =
        Some(vec![change(2, at(), vec![FieldChange::Description, case.facts.log.expect("a log")[0].fields[0].clone()])]);
    case.spans = vec![span(TASK, 2, 2, &[NoticeKind::Status, NoticeKind::Edited])];
    case.reader.notify.status = Choice::None;
    assert_eq!(told(&case), Ok(vec![FieldChange::Description]));
}

#[test]
fn who_stopped_watching_is_told_only_what_concerns_them() {
    let watched = |subscription, of_reader: bool| {
        let mut case = case();
        case.spans[0].watching = true;
        case.facts.subscription = subscription;
        let log = case.facts.log.as_mut().expect("a log");
        if !of_reader {
            log[0].assignee = domain::Assignee { before: Some(ADA), after: Some(ADA) };
        }
        told(&case).err()
    };
    assert_eq!(watched(Some(Subscription::Watch), false), None);
    assert_eq!(watched(None, false), Some(NOTHING_LEFT));
    assert_eq!(watched(None, true), None);
    let mut never = case();
    never.facts.subscription = Some(Subscription::Watch);
    never.facts.log.as_mut().expect("a log")[0].assignee = domain::Assignee { before: None, after: None };
    assert_eq!(told(&never), Err(NOTHING_LEFT), "what was planned for the concerned is not told to a watcher of later");
}

#[test]
fn parts_of_one_task_are_one_debt_over_all_their_versions() {
    let other = TaskId(uuid::Uuid::from_u128(99));
    let spans = [
        span(TASK, 5, 7, &[NoticeKind::Edited]),
        span(other, 1, 1, &[NoticeKind::Assigned]),
        TaskSpan { watching: true, ..span(TASK, 2, 4, &[NoticeKind::Status]) },
    ];
    let debts = debts(spans.iter());
    let seen: Vec<_> = debts.iter().map(|it| (it.task, it.after(), it.to(), it.watching)).collect();
    assert_eq!(seen, [(TASK, Version(1), Version(7), true), (other, Version(0), Version(1), false)]);
}
