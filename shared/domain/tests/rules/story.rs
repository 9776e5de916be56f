//! A task, what people do to it, and the log of that.

use domain::{
    Change, Choice, Description, FieldChange, Labels, NetKind, NewTask, NoticeKind, NoticeKinds, Notify, Priority, ProjectId,
    Reader, Reason, Status, Subscription, Task, TaskId, TaskPatch, UserId, net_change,
};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use uuid::Uuid;

pub(crate) const ADA: UserId = UserId(Uuid::from_u128(1));
pub(crate) const BEN: UserId = UserId(Uuid::from_u128(2));
pub(crate) const CAM: UserId = UserId(Uuid::from_u128(3));
pub(crate) const DEE: UserId = UserId(Uuid::from_u128(4));
pub(crate) const EVERYBODY: [UserId; 4] = [ADA, BEN, CAM, DEE];

pub(crate) fn second(seconds: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
}

pub(crate) fn everything() -> NoticeKinds {
    NoticeKind::ALL.into()
}

/// Who hears only of what concerns them.
pub(crate) fn reader(user: UserId) -> Reader {
    Reader { user, watching: false }
}

pub(crate) fn watcher(user: UserId) -> Reader {
    Reader { user, watching: true }
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

/// A task and its log, oldest first: the first change in second 1, each further one a second later.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) task: Task,
    pub(crate) log: Vec<Change>,
}

impl Story {
    pub(crate) fn begin(creator: UserId, assignee: Option<UserId>) -> Self {
        let (task, change) =
            Task::create(new_task(assignee), TaskId(Uuid::from_u128(9)), ProjectId(Uuid::from_u128(8)), creator, second(1));
        Self { task, log: vec![change] }
    }

    pub(crate) fn patch(mut self, actor: UserId, patch: TaskPatch) -> Self {
        if let Some((task, change)) = self.task.apply(patch, actor, self.next_second()) {
            self.task = task;
            self.log.push(change);
        }
        self
    }

    pub(crate) fn assign(self, actor: UserId, to: Option<UserId>) -> Self {
        self.patch(actor, TaskPatch { assignee: Some(to), ..TaskPatch::default() })
    }

    pub(crate) fn move_to(self, actor: UserId, status: Status) -> Self {
        self.patch(actor, TaskPatch { status: Some(status), ..TaskPatch::default() })
    }

    pub(crate) fn retitle(self, actor: UserId, title: &str) -> Self {
        self.patch(actor, TaskPatch { title: Some(title.parse().expect("a title")), ..TaskPatch::default() })
    }

    pub(crate) fn press(self, actor: UserId, priority: Priority) -> Self {
        self.patch(actor, TaskPatch { priority: Some(priority), ..TaskPatch::default() })
    }

    pub(crate) fn delete(mut self, actor: UserId) -> Self {
        self.log.push(self.task.delete(actor, self.next_second()));
        self
    }

    /// What `reader` is told of everything after the first `known` changes.
    pub(crate) fn told(&self, user: UserId, known: usize) -> Option<(NetKind, Reason, Vec<FieldChange>)> {
        net_change(&self.log[known..], reader(user), &everything()).map(|it| (it.kind, it.reason, it.fields))
    }

    /// The same for somebody who watches.
    pub(crate) fn seen(&self, user: UserId, known: usize) -> Option<(NetKind, Reason, Vec<FieldChange>)> {
        net_change(&self.log[known..], watcher(user), &everything()).map(|it| (it.kind, it.reason, it.fields))
    }

    /// Everything after the first `known` changes; at least the last.
    pub(crate) fn after(&self, known: usize) -> &[Change] {
        &self.log[known.min(self.log.len() - 1)..]
    }

    fn next_second(&self) -> Timestamp {
        second(1 + i64::try_from(self.log.len()).expect("a short story"))
    }
}

pub(crate) fn person() -> impl Strategy<Value = UserId> {
    prop::sample::select(EVERYBODY.to_vec())
}

fn patch() -> impl Strategy<Value = TaskPatch> {
    let title = prop::sample::select(vec!["Fix the pump", "Mend the pump", "Sell the pump"]);
    let status = prop::sample::select(Status::ALL.to_vec());
    let assignee = prop::option::of(person());
    let priority = prop::sample::select(vec![Priority::None, Priority::Urgent]);
    let description =
        prop::sample::select(vec!["", "It drips."]).prop_map(|it| Description::try_from(it.to_owned()).expect("a description"));
    let rarely = |patch| prop::option::weighted(0.2, patch);
    (
        prop::option::of(title),
        prop::option::of(status),
        prop::option::of(assignee),
        prop::option::of(priority),
        rarely(description),
    )
        .prop_map(|(title, status, assignee, priority, description)| TaskPatch {
            title: title.map(|it| it.parse().expect("a title")),
            status,
            assignee,
            priority,
            description,
            ..TaskPatch::default()
        })
}

pub(crate) fn story() -> impl Strategy<Value = Story> {
    (person(), prop::option::of(person()), prop::collection::vec((person(), patch()), 0..12), prop::option::of(person()))
        .prop_map(|(creator, assignee, acts, deleter)| {
            let story = acts.into_iter().fold(Story::begin(creator, assignee), |story, (actor, patch)| story.patch(actor, patch));
            match deleter {
                Some(actor) => story.delete(actor),
                None => story,
            }
        })
}

pub(crate) fn notify() -> impl Strategy<Value = Notify> {
    let choice = || prop::sample::select(vec![Choice::Now, Choice::Digest, Choice::None]);
    (choice(), choice(), choice(), choice()).prop_map(|(assigned, status, edited, deleted)| Notify {
        assigned,
        status,
        edited,
        deleted,
        ..Notify::default()
    })
}

pub(crate) fn subscription() -> impl Strategy<Value = Option<Subscription>> {
    prop::sample::select(vec![None, None, Some(Subscription::Watch), Some(Subscription::Mute)])
}
