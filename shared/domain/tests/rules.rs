//! What holds for every task and every log, whatever people do to it.

use std::collections::BTreeMap;

use domain::{
    Change, ChangeKind, Choice, Description, FieldChange, Labels, NetKind, NewTask, NoticeKind, NoticeKinds, Notify, Priority,
    ProjectId, Reason, Status, Task, TaskId, TaskPatch, UserId, Version, concerned, net_change, owed,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

const ADA: UserId = UserId(Uuid::from_u128(1));
const BEN: UserId = UserId(Uuid::from_u128(2));
const CAM: UserId = UserId(Uuid::from_u128(3));
const DEE: UserId = UserId(Uuid::from_u128(4));
const EVERYBODY: [UserId; 4] = [ADA, BEN, CAM, DEE];

fn second(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

fn new_task(assignee: Option<UserId>) -> NewTask {
    NewTask {
        title: "Fix the pump".parse().expect("a title"),
        description: Description::default(),
        status: Status::Waiting,
        assignee,
        priority: Priority::None,
        due_on: None,
        labels: Labels::default(),
    }
}

fn everything() -> NoticeKinds {
    Notify::default().wanted()
}

/// A task and its log, oldest first.
#[derive(Debug)]
struct Story {
    task: Task,
    log: Vec<Change>,
}

impl Story {
    fn begin(creator: UserId, assignee: Option<UserId>) -> Self {
        let (task, change) =
            Task::create(new_task(assignee), TaskId(Uuid::from_u128(9)), ProjectId(Uuid::from_u128(8)), creator, second(1));
        Self { task, log: vec![change] }
    }

    fn patch(mut self, actor: UserId, patch: TaskPatch) -> Self {
        if let Some((task, change)) = self.task.apply(patch, actor, second(1 + self.log.len() as i64)) {
            self.task = task;
            self.log.push(change);
        }
        self
    }

    fn assign(self, actor: UserId, to: Option<UserId>) -> Self {
        self.patch(actor, TaskPatch { assignee: Some(to), ..TaskPatch::default() })
    }

    fn move_to(self, actor: UserId, status: Status) -> Self {
        self.patch(actor, TaskPatch { status: Some(status), ..TaskPatch::default() })
    }

    fn delete(mut self, actor: UserId) -> Self {
        self.log.push(self.task.delete(actor, second(1 + self.log.len() as i64)));
        self
    }

    /// What `reader` is told of everything after the first `known` changes.
    fn told(&self, reader: UserId, known: usize) -> Option<(NetKind, Reason, Vec<FieldChange>)> {
        net_change(&self.log[known..], reader, &everything()).map(|it| (it.kind, it.reason, it.fields))
    }
}

#[test]
fn a_patch_that_changes_nothing_makes_no_change() {
    let story = Story::begin(ADA, Some(BEN)).move_to(BEN, Status::Waiting).assign(ADA, Some(BEN));
    assert_eq!(story.log.len(), 1);
    assert_eq!(story.task.summary.version, Version::FIRST);
}

#[test]
fn a_new_task_lists_only_what_was_given() {
    let names: Vec<_> = Story::begin(ADA, Some(BEN)).log[0].fields.iter().map(FieldChange::name).collect();
    assert_eq!(names, ["title", "status", "assignee"]);
}

#[test]
fn a_change_is_never_dated_before_the_one_it_follows() {
    let story = Story::begin(ADA, None);
    let (task, change) = story
        .task
        .apply(TaskPatch { status: Some(Status::Done), ..TaskPatch::default() }, BEN, second(-100))
        .expect("the status changes");
    assert_eq!((task.summary.updated_at, change.at), (second(1), second(1)));
}

#[test]
fn a_status_that_comes_back_is_no_news() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done).move_to(CAM, Status::Waiting);
    assert_eq!(story.told(BEN, 1), None);
}

#[test]
fn a_new_assignee_is_told_of_the_whole_task_once() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::InProgress);
    let (kind, reason, fields) = story.told(BEN, 0).expect("BEN is told");
    assert_eq!((kind, reason), (NetKind::Created, Reason::Assignee));
    assert!(fields.contains(&FieldChange::Status { from: None, to: Status::InProgress }));
    assert_eq!(story.told(ADA, 0), None, "nobody is told of their own act");
}

#[test]
fn a_new_task_is_told_whole_also_where_it_was_nobodys_first() {
    let urgent = TaskPatch { priority: Some(Priority::Urgent), ..TaskPatch::default() };
    let story = Story::begin(ADA, None).patch(ADA, urgent).assign(CAM, Some(BEN));
    let net = net_change(&story.log, BEN, &everything()).expect("BEN is told");
    let names: Vec<_> = net.fields.iter().map(FieldChange::name).collect();
    assert_eq!((net.kind, names), (NetKind::Created, vec!["assignee", "status", "title", "priority"]));
    assert_eq!(net.actors, [CAM], "it comes from whoever handed it over");
}

#[test]
fn who_took_a_new_task_themselves_was_not_given_it() {
    let story = Story::begin(ADA, None).assign(BEN, Some(BEN)).move_to(ADA, Status::InProgress);
    let moved = FieldChange::Status { from: None, to: Status::InProgress };
    assert_eq!(story.told(BEN, 0), Some((NetKind::Updated, Reason::Assignee, vec![moved])));
}

#[test]
fn who_held_a_task_only_in_between_is_told_nothing() {
    let story = Story::begin(DEE, Some(ADA)).assign(DEE, Some(BEN)).assign(DEE, Some(CAM));
    let reassigned = vec![FieldChange::Assignee { from: Some(ADA), to: Some(CAM) }];
    assert_eq!(story.told(BEN, 1), None);
    assert_eq!(story.told(ADA, 1), Some((NetKind::Updated, Reason::FormerAssignee, reassigned.clone())));
    assert_eq!(story.told(CAM, 1), Some((NetKind::Updated, Reason::Assignee, reassigned)));
}

#[test]
fn a_field_is_told_from_where_the_reader_left_it() {
    let story = Story::begin(ADA, Some(BEN)).move_to(BEN, Status::InProgress).move_to(ADA, Status::Done);
    let moved = FieldChange::Status { from: Some(Status::InProgress), to: Status::Done };
    assert_eq!(story.told(BEN, 1), Some((NetKind::Updated, Reason::Assignee, vec![moved])));
    assert_eq!(story.told(ADA, 1), None, "ADA had the last word on it");
}

#[test]
fn a_task_that_came_and_went_is_no_news() {
    let story = Story::begin(ADA, Some(BEN)).delete(ADA);
    assert_eq!(story.told(BEN, 0), None);
    assert_eq!(story.told(BEN, 1), Some((NetKind::Deleted, Reason::Assignee, Vec::new())));
}

#[test]
fn who_never_knew_that_a_task_was_theirs_is_not_told_that_it_is_gone() {
    let story = Story::begin(ADA, None).assign(ADA, Some(BEN)).delete(CAM);
    assert_eq!(story.told(BEN, 1), None);
    assert_eq!(
        story.told(BEN, 2),
        Some((NetKind::Deleted, Reason::Assignee, Vec::new())),
        "a mail about the assignment went out"
    );
    assert_eq!(story.told(ADA, 1), Some((NetKind::Deleted, Reason::Creator, Vec::new())));
    let taken = Story::begin(ADA, None).assign(BEN, Some(BEN)).delete(CAM);
    assert_eq!(taken.told(BEN, 1), Some((NetKind::Deleted, Reason::Assignee, Vec::new())), "BEN took it");
    let returned = Story::begin(ADA, None).assign(BEN, Some(ADA)).delete(CAM);
    assert_eq!(returned.told(ADA, 1), Some((NetKind::Deleted, Reason::Creator, Vec::new())), "ADA knows it as its maker only");
}

#[test]
fn only_members_are_owed_and_only_what_they_want() {
    let story = Story::begin(ADA, Some(BEN)).assign(CAM, Some(DEE)).move_to(CAM, Status::Done);
    let quiet = Notify { assigned: Choice::None, ..Notify::default() };
    let members = BTreeMap::from([(ADA, Notify::silent()), (BEN, quiet), (DEE, quiet)]);
    let owed: Vec<_> = owed(&story.log, &members, second(10)).into_iter().map(|it| (it.user, it.kinds)).collect();
    assert_eq!(owed, [(DEE, NoticeKinds::from([NoticeKind::Status]))]);
}

#[test]
fn changes_older_than_a_week_are_never_owed() {
    let story = Story::begin(ADA, Some(BEN));
    let members = BTreeMap::from([(BEN, Notify::default())]);
    let week = 7 * 24 * 3600;
    assert_eq!(owed(&story.log, &members, second(1 + week)).len(), 1);
    assert_eq!(owed(&story.log, &members, second(2 + week)).len(), 0);
}

fn person() -> impl Strategy<Value = UserId> {
    prop::sample::select(EVERYBODY.to_vec())
}

fn patch() -> impl Strategy<Value = TaskPatch> {
    let title = prop::sample::select(vec!["Fix the pump", "Mend the pump", "Sell the pump"]);
    let status = prop::sample::select(Status::ALL.to_vec());
    let assignee = prop::option::of(person());
    let priority = prop::sample::select(vec![Priority::None, Priority::Urgent]);
    (prop::option::of(title), prop::option::of(status), prop::option::of(assignee), prop::option::of(priority)).prop_map(
        |(title, status, assignee, priority)| TaskPatch {
            title: title.map(|it| it.parse().expect("a title")),
            status,
            assignee,
            priority,
            ..TaskPatch::default()
        },
    )
}

fn story() -> impl Strategy<Value = Story> {
    (person(), prop::option::of(person()), prop::collection::vec((person(), patch()), 0..12), prop::option::of(person()))
        .prop_map(|(creator, assignee, acts, deleter)| {
            let story = acts.into_iter().fold(Story::begin(creator, assignee), |story, (actor, patch)| story.patch(actor, patch));
            match deleter {
                Some(actor) => story.delete(actor),
                None => story,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_has_no_gap_and_its_fields_lead_to_the_task(story in story()) {
        let versions: Vec<u64> = story.log.iter().map(|it| it.version.0).collect();
        prop_assert_eq!(versions, (1..=story.log.len() as u64).collect::<Vec<_>>());
        let mut title = None;
        let mut status = None;
        let mut assignee = None;
        for change in &story.log {
            for field in &change.fields {
                match field.clone() {
                    FieldChange::Title { from, to } => { prop_assert_eq!(&title, &from); title = Some(to); }
                    FieldChange::Status { from, to } => { prop_assert_eq!(status, from); status = Some(to); }
                    FieldChange::Assignee { from, to } => { prop_assert_eq!(assignee, from); assignee = to; }
                    _ => {}
                }
            }
            prop_assert_eq!(change.assignee.after, assignee);
        }
        prop_assert_eq!(title.as_ref(), Some(&story.task.summary.title));
        prop_assert_eq!(status, Some(story.task.summary.status));
        prop_assert_eq!(assignee, story.task.summary.assignee);
    }

    #[test]
    fn nobody_is_owed_or_told_of_their_own_act(story in story(), known in 0_usize..12) {
        let span = &story.log[known.min(story.log.len() - 1)..];
        for reader in EVERYBODY {
            if let Some(told) = net_change(span, reader, &everything()) {
                prop_assert!(!told.actors.contains(&reader));
                prop_assert!(!told.actors.is_empty());
            }
        }
        for change in span {
            prop_assert!(concerned(change).all(|user| user != change.actor));
        }
    }

    #[test]
    fn whoever_is_told_of_a_span_was_owed_it(story in story(), known in 0_usize..12) {
        let span = &story.log[known.min(story.log.len() - 1)..];
        let members = EVERYBODY.map(|user| (user, Notify::default())).into();
        let owed: Vec<UserId> = owed(span, &members, second(100)).into_iter().map(|it| it.user).collect();
        for reader in EVERYBODY {
            if net_change(span, reader, &everything()).is_some() {
                prop_assert!(owed.contains(&reader), "{reader} would be told but is not owed");
            }
        }
    }

    #[test]
    fn a_deletion_is_told_only_to_who_knew_the_task(story in story(), known in 0_usize..12) {
        let span = &story.log[known.min(story.log.len() - 1)..];
        for reader in EVERYBODY {
            let is_deleted = |kind: NetKind| kind == NetKind::Deleted;
            if net_change(span, reader, &everything()).is_some_and(|it| is_deleted(it.kind)) {
                let took_it = |it: &Change| it.actor == reader && it.assignee.after == Some(reader);
                let knew = span[0].assignee.before == Some(reader) || span[0].creator == reader || span.iter().any(took_it);
                prop_assert!(knew, "{reader} is told of the end of a task they never heard of");
            }
        }
    }

    #[test]
    fn a_single_change_is_told_to_exactly_those_it_concerns(story in story()) {
        for change in &story.log {
            let expected: Vec<UserId> = EVERYBODY.into_iter().filter(|user| concerned(change).any(|it| it == *user)).collect();
            let told: Vec<UserId> = EVERYBODY
                .into_iter()
                .filter(|reader| net_change(std::slice::from_ref(change), *reader, &everything()).is_some())
                .collect();
            prop_assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_is_told_is_where_the_task_stands(story in story(), known in 0_usize..12) {
        if story.log.last().is_some_and(|it| it.kind == ChangeKind::Deleted) {
            return Ok(());
        }
        let span = &story.log[known.min(story.log.len() - 1)..];
        for reader in EVERYBODY {
            for field in net_change(span, reader, &everything()).map(|it| it.fields).unwrap_or_default() {
                match field {
                    FieldChange::Title { from, to } => {
                        prop_assert_eq!(&to, &story.task.summary.title);
                        prop_assert_ne!(from, Some(to));
                    }
                    FieldChange::Status { from, to } => {
                        prop_assert_eq!(to, story.task.summary.status);
                        prop_assert_ne!(from, Some(to));
                    }
                    FieldChange::Assignee { from, to } => {
                        prop_assert_eq!(to, story.task.summary.assignee);
                        prop_assert_ne!(from, to);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nobody_who_is_concerned_is_forgotten(story in story(), known in 0_usize..12) {
        // A reader who did nothing in the span and holds the task at both of its ends sees every field that ends elsewhere.
        let span = &story.log[known.min(story.log.len() - 1)..];
        let (first, last) = (&span[0], &span[span.len() - 1]);
        for reader in EVERYBODY {
            let idle = span.iter().all(|it| it.actor != reader);
            let holds = first.assignee.before == Some(reader) && last.assignee.after == Some(reader);
            if !(idle && holds) || last.kind == ChangeKind::Deleted {
                continue;
            }
            let status_before = span.iter().flat_map(|it| &it.fields).find_map(|it| match it {
                FieldChange::Status { from, .. } => *from,
                _ => None,
            });
            let moved = status_before.is_some_and(|it| it != story.task.summary.status);
            let told = net_change(span, reader, &everything());
            let told_of_move = told.is_some_and(|it| it.fields.iter().any(|field| field.name() == "status"));
            prop_assert_eq!(told_of_move, moved);
        }
    }
}
