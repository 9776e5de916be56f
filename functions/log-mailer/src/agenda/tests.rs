use domain::NoticeKind::{Assigned, Edited, Status};
use domain::{NoticeKind, Version};
use uuid::Uuid;

use super::*;
use crate::samples::{PROJECT, TASK, letter_part, span, task_part};

const PACING: Pacing = Pacing {
    window: SignedDuration::from_secs(30),
    longest_wait: SignedDuration::from_secs(300),
    longest_spacing: SignedDuration::from_secs(900),
};

/// So many seconds after a time that everything here is counted from.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).expect("a time")
}

fn task(number: u128) -> TaskId {
    TaskId(Uuid::from_u128(number))
}

/// One change of a task, at its time.
fn part(task: TaskId, version: u64, kinds: &[NoticeKind], happened: i64) -> Part {
    spanning(task, version, kinds, happened, happened)
}

fn spanning(task: TaskId, version: u64, kinds: &[NoticeKind], first: i64, last: i64) -> Part {
    let span = TaskSpan { first_at: at(first), last_at: at(last), ..span(task, version, version, kinds) };
    task_part(at(last) + PACING.window, span)
}

fn digest(task: TaskId, version: u64, kinds: &[NoticeKind], due: i64) -> Part {
    let Part { content: PartContent::Task(span), .. } = part(task, version, kinds, 0) else { panic!("a part of a task") };
    task_part(at(due), TaskSpan { timing: Timing::Digest, ..span })
}

fn urgent(part: Part) -> Part {
    let Part { content: PartContent::Task(span), .. } = &part else { panic!("a part of a task") };
    let content = PartContent::Task(TaskSpan { urgent: true, ..span.clone() });
    Part { content, ..part }
}

fn postponed(part: Part, until: i64) -> Part {
    Part { due_at: at(until), ..part }
}

fn moment(seconds: i64) -> Moment<'static> {
    Moment { now: at(seconds), pacing: &PACING, rhythm: None, quiet: None }
}

fn check(moment: Moment<'_>, owed: &[&Part], expected: &[&Part]) {
    let clone = |parts: &[&Part]| parts.iter().map(|it| (*it).clone()).collect::<Vec<_>>();
    match moment.agenda(&clone(owed)) {
        Agenda::Wait { .. } => assert!(expected.is_empty(), "nothing is told"),
        agenda => assert_eq!(agenda, Agenda::Tell(clone(expected))),
    }
}

#[test]
fn the_letter_that_is_due_longest_goes_first_and_alone() {
    let (first, second, later) = (letter_part(1, at(10)), letter_part(2, at(5)), letter_part(3, at(200)));
    let told = part(TASK, 1, &[Status], 0);
    check(moment(100), &[&first, &second, &told, &later], &[&second]);
    check(moment(100), &[&first, &told, &later], &[&first]);
    check(moment(100), &[&told, &later], &[&told]);
    check(moment(100), &[&later], &[]);
    check(moment(10), &[&first], &[&first]);
    let quiet = Some(Quiet { until: at(9_000), lets_urgent_through: false });
    let rhythm = Rhythm { told_at: at(99), spacing: SignedDuration::from_mins(15) };
    check(Moment { quiet, rhythm: Some(&rhythm), ..moment(100) }, &[&told, &first], &[&first]);
}

#[test]
fn tasks_wait_until_it_is_quiet_or_the_oldest_has_waited_long_enough_and_go_together() {
    let (one, other) = (part(task(1), 1, &[Status], 0), part(task(2), 4, &[Edited], 20));
    check(moment(29), &[&one], &[]);
    check(moment(30), &[&one], &[&one]);
    check(moment(49), &[&one, &other], &[]);
    check(moment(50), &[&one, &other], &[&one, &other]);
    let (oldest, newest) = (spanning(task(1), 1, &[Status], 0, 25), part(task(2), 1, &[Status], 299));
    check(moment(299), &[&oldest, &newest], &[]);
    check(moment(300), &[&oldest, &newest], &[&oldest, &newest]);
}

#[test]
fn whoever_has_to_wait_is_told_until_when() {
    let wait = |moment: Moment<'_>, owed: &[&Part]| match moment.agenda(&owed.iter().map(|it| (*it).clone()).collect::<Vec<_>>())
    {
        Agenda::Wait { until } => until.map(|it| it.as_second() - at(0).as_second()),
        agenda => panic!("nobody waits: {agenda:?}"),
    };
    let (one, other) = (part(task(1), 1, &[Status], 0), part(task(2), 4, &[Edited], 20));
    assert_eq!(wait(moment(29), &[&one]), Some(30));
    assert_eq!(wait(moment(29), &[&one, &other]), Some(50));
    let rhythm = Rhythm { told_at: at(10), spacing: SignedDuration::from_secs(60) };
    assert_eq!(wait(Moment { rhythm: Some(&rhythm), ..moment(40) }, &[&one]), Some(300), "in a stream, for the longest wait");
    assert_eq!(wait(moment(40), &[]), None);
    assert_eq!(wait(moment(40), &[&digest(TASK, 1, &[Status], 900)]), None, "a digest has a time of its own");
    assert_eq!(wait(moment(40), &[&postponed(one, 900)]), None, "and so has what was put off");
}

#[test]
fn without_a_window_everything_is_due_at_once() {
    let told = postponed(part(TASK, 1, &[Status], 0), 0);
    let rhythm = Rhythm { told_at: at(0), spacing: SignedDuration::from_mins(15) };
    check(Moment { pacing: &Pacing::IMMEDIATE, rhythm: Some(&rhythm), ..moment(0) }, &[&told], &[&told]);
    let throttled = postponed(told, 60);
    check(Moment { pacing: &Pacing::IMMEDIATE, ..moment(59) }, &[&throttled], &[]);
    check(Moment { pacing: &Pacing::IMMEDIATE, ..moment(60) }, &[&throttled], &[&throttled]);
}

#[test]
fn after_a_mail_the_next_one_keeps_its_distance_unless_it_is_a_digest() {
    let (told, day) = (part(TASK, 1, &[Status], 0), digest(task(2), 1, &[Status], 50));
    let spaced = |told_at: i64, seconds: i64| {
        let rhythm = Rhythm { told_at: at(told_at), spacing: SignedDuration::from_secs(60) };
        Moment { rhythm: Some(&rhythm), ..moment(seconds) }.agenda(&[told.clone(), day.clone()])
    };
    assert_eq!(spaced(10, 49), Agenda::Wait { until: Some(at(300)) });
    assert_eq!(spaced(10, 299), Agenda::Tell(vec![day.clone()]));
    assert_eq!(spaced(10, 300), Agenda::Tell(vec![told.clone(), day.clone()]));
    // A clock that is ahead says nothing, but by a little it may be.
    assert_eq!(spaced(130, 70), Agenda::Tell(vec![day.clone()]));
    assert_eq!(spaced(131, 70), Agenda::Tell(vec![told.clone(), day.clone()]));
}

#[test]
fn a_rhythm_alone_shows_whether_anything_paced_can_go() {
    let rhythm = Rhythm { told_at: at(0), spacing: SignedDuration::from_secs(60) };
    let open = |seconds| Moment { rhythm: Some(&rhythm), ..moment(seconds) }.is_open();
    assert_eq!([59, 60].map(open), [false, true]);
    assert!(moment(0).is_open());
}

#[test]
fn what_was_put_off_waits_for_its_time_and_holds_nothing_else_back() {
    let (late, told) = (postponed(part(task(1), 1, &[Status], 0), 500), part(task(2), 1, &[Status], 100));
    check(moment(200), &[&late, &told], &[&told]);
    check(moment(499), &[&late], &[]);
    check(moment(500), &[&late], &[&late]);
    // Were it counted as waiting, it would have waited too long for what is new.
    check(moment(310), &[&late, &part(task(2), 1, &[Status], 305)], &[]);
}

#[test]
fn a_digest_goes_at_its_time_with_what_else_is_due() {
    let (day, told) = (digest(task(1), 1, &[Edited], 100), part(task(2), 1, &[Status], 60));
    check(moment(89), &[&day, &told], &[]);
    check(moment(99), &[&day, &told], &[&told]);
    check(moment(100), &[&day], &[&day]);
    check(moment(100), &[&day, &told], &[&day, &told]);
    check(moment(100), &[&day, &part(task(2), 1, &[Status], 80)], &[&day]);
}

#[test]
fn of_one_task_what_shares_a_kind_goes_along_in_the_order_of_the_log() {
    let due = part(TASK, 9, &[Status], 0);
    let tomorrow = digest(TASK, 3, &[Status, Edited], 90_000);
    let put_off = postponed(part(TASK, 2, &[Edited, Assigned], 0), 90_000);
    let fresh = part(TASK, 10, &[Assigned], 29);
    let (unrelated, elsewhere) = (digest(TASK, 4, &[NoticeKind::Deleted], 90_000), digest(task(7), 1, &[Status], 90_000));
    let all = [&fresh, &elsewhere, &due, &unrelated, &tomorrow, &put_off];
    check(moment(40), &all, &[]);
    check(moment(60), &all, &[&put_off, &tomorrow, &due, &fresh]);
    check(moment(60), &[&due, &unrelated], &[&due]);
    let Part { content: PartContent::Task(span), .. } = tomorrow.clone() else { panic!("a part of a task") };
    assert_ne!(span.project, domain::ProjectId(TASK.0));
    let of_another = task_part(tomorrow.due_at, TaskSpan { project: domain::ProjectId(TASK.0), ..span });
    check(moment(60), &[&due, &of_another], &[&due]);
    assert_eq!(PROJECT, domain::ProjectId(Uuid::from_u128(10)));
}

#[test]
fn of_one_task_what_was_put_off_is_told_before_what_followed_it() {
    let (put_off, gone) = (postponed(part(TASK, 1, &[Assigned], 0), 90_000), part(TASK, 2, &[NoticeKind::Deleted], 10));
    check(moment(40), &[&gone, &put_off], &[&put_off, &gone]);
    let tomorrow = digest(TASK, 1, &[Assigned], 90_000);
    check(moment(40), &[&gone, &tomorrow], &[&gone]);
    let soon = part(TASK, 3, &[Status], 39);
    check(moment(100), &[&digest(TASK, 1, &[Edited], 100), &postponed(soon, 900)], &[&digest(TASK, 1, &[Edited], 100)]);
}

#[test]
fn in_quiet_hours_what_is_not_let_through_is_put_off_to_their_end() {
    let (plain, hot) = (part(task(1), 1, &[Status], 0), urgent(part(task(2), 1, &[Status], 0)));
    let in_quiet =
        |lets_urgent_through, seconds| Moment { quiet: Some(Quiet { until: at(9_000), lets_urgent_through }), ..moment(seconds) };
    let put_off = |parts: &[&Part]| Agenda::Postpone { parts: parts.iter().map(|it| (*it).clone()).collect(), until: at(9_000) };
    let both = || vec![plain.clone(), hot.clone()];
    assert_eq!(in_quiet(true, 40).agenda(&both()), Agenda::Tell(vec![hot.clone()]));
    assert_eq!(in_quiet(true, 40).agenda(std::slice::from_ref(&plain)), put_off(&[&plain]));
    assert_eq!(in_quiet(false, 40).agenda(&both()), put_off(&[&plain, &hot]));
    assert_eq!(in_quiet(false, 29).agenda(&both()), Agenda::Wait { until: None });
    assert_eq!(in_quiet(false, 30).agenda(std::slice::from_ref(&plain)), put_off(&[&plain]));
    let later = part(task(3), 1, &[Status], 39);
    assert_eq!(in_quiet(false, 40).agenda(&[plain.clone(), later]), put_off(&[&plain]));
    let day = digest(task(1), 2, &[Edited], 35);
    assert_eq!(in_quiet(false, 40).agenda(&[plain.clone(), day.clone()]), Agenda::Tell(vec![day]));
}

#[test]
fn what_shares_a_kind_with_an_urgent_part_goes_along_in_quiet_hours() {
    let (plain, hot) = (part(TASK, 1, &[Status], 0), urgent(part(TASK, 2, &[Status], 5)));
    let quiet = Some(Quiet { until: at(9_000), lets_urgent_through: true });
    check(Moment { quiet, ..moment(35) }, &[&hot, &plain], &[&plain, &hot]);
    check(Moment { quiet, ..moment(34) }, &[&hot], &[]);
}

#[test]
fn one_claim_takes_whole_groups_the_longest_waiting_first_and_of_a_group_too_large_its_beginning() {
    let many = |number: u128, count: u64, happened: i64| -> Vec<Part> {
        (1..=count).map(|version| part(task(number), version, &[Status], happened)).collect()
    };
    let most = MOST_PARTS_PER_CLAIM as u64;
    let told = |owed: Vec<Part>| match moment(1_000).agenda(&owed) {
        Agenda::Tell(parts) => parts,
        other => panic!("{other:?}"),
    };
    let (old, middle, new) = (many(1, most - 5, 0), many(2, 6, 10), many(3, 5, 20));
    let all = [new.clone(), middle, old.clone()].concat();
    assert_eq!(told(all), [old, new].concat());
    let mut large = many(1, most + 3, 0);
    large.reverse();
    let versions: Vec<Version> =
        told([many(2, 1, 10), large].concat()).iter().map(|it| super::span(it).expect("a part of a task").from).collect();
    assert_eq!(versions, (1..=most).map(Version).collect::<Vec<_>>());
    let silenced = Moment { quiet: Some(Quiet { until: at(9_000), lets_urgent_through: false }), ..moment(1_000) };
    let Agenda::Postpone { parts, .. } = silenced.agenda(&many(1, most + 3, 0)) else { panic!("all of it is silenced") };
    assert_eq!(parts.len(), MOST_PARTS_PER_CLAIM);
}
