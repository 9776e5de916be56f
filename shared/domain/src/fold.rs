use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    Change, ChangeKind, FieldChange, FieldName, NoticeKind, NoticeKinds, ProjectId, TaskId, Title, UserId, Version, concerned,
};

/// Why a person is told; the first that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The task is theirs.
    Assignee,
    /// The task was theirs when the span began.
    FormerAssignee,
    /// They made the task.
    Creator,
    /// They watch the task or its project.
    Watcher,
}

/// Whom the net effect is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader {
    pub user: UserId,
    /// Whether they hear of every change that is not theirs, and not only of those that concern them.
    pub watching: bool,
}

/// What happened to the task on the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetKind {
    Created,
    Updated,
    Deleted,
}

/// The net effect of a span of one task's log, for one reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetChange {
    pub project: ProjectId,
    pub task: TaskId,
    /// The last version of the span.
    pub version: Version,
    pub kind: NetKind,
    /// The title at the end of the span.
    pub title: Title,
    /// Who did it, each once, in order of their last act; of a new task, who handed it over.
    pub actors: Vec<UserId>,
    /// When the last of it happened.
    pub at: Timestamp,
    /// From what to what, each field once; empty for a deleted task.
    pub fields: Vec<FieldChange>,
    pub reason: Reason,
}

/// What of a task's log a person is owed together: news of these kinds, from one version to another, both inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwedSpan {
    pub from: Version,
    pub to: Version,
    pub kinds: NoticeKinds,
}

impl OwedSpan {
    fn covers(&self, version: Version, kind: NoticeKind) -> bool {
        self.from <= version && version <= self.to && self.kinds.contains(&kind)
    }
}

/// Folds a span of one task's log, oldest first, to what `reader` has to be told; nothing, if it comes to nothing.
///
/// A field that ends where the reader last knew it is no news, and neither is one whose last word was the reader's own.
/// Somebody who held the task only between the ends of the span is told nothing at all, never half of it.
#[must_use]
pub fn net_change(changes: &[Change], reader: Reader, kinds: &NoticeKinds) -> Option<NetChange> {
    let (from, to) = (changes.first()?.version, changes.last()?.version);
    net_change_of(changes, reader, &[OwedSpan { from, to, kinds: kinds.clone() }])
}

/// Folds a span as [`net_change`] does, where what is owed together was planned bit by bit: `changes` go from the first of it to the last.
///
/// What concerned the reader in between and is not owed here they were told otherwise, or did not want to hear of.
#[must_use]
pub fn net_change_of(changes: &[Change], reader: Reader, owed: &[OwedSpan]) -> Option<NetChange> {
    let (first, last) = (changes.first()?, changes.last()?);
    let is_owed = |change: &Change, kind: NoticeKind| owed.iter().any(|it| it.covers(change.version, kind));
    let created = first.kind == ChangeKind::Created;
    if last.kind == ChangeKind::Deleted {
        // A task that came and went within the span was never there for anybody but its maker.
        let told = last.actor != reader.user && !created && is_owed(last, NoticeKind::Deleted);
        let reason = reason_to_miss_it(changes, last, reader).filter(|_| told)?;
        return Some(net(last, NetKind::Deleted, vec![last.actor], last.at, Vec::new(), reason));
    }
    let reason = reason(changes, last, reader)?;
    if created && is_owed(first, NoticeKind::Assigned) {
        let told = told_with_a_new_task(changes, reader, owed);
        let whole = news(&told, reader, |_, _| true);
        if is_new(changes, first, reader, &whole) {
            return tell(&told, NetKind::Created, whole, reason);
        }
    }
    let is_wanted = |kind: NoticeKind| owed.iter().any(|it| it.kinds.contains(&kind));
    let mut news = news(changes, reader, is_owed);
    news.retain(|it| it.concerning && is_wanted(it.field.notice_kind()));
    tell(changes, NetKind::Updated, news, reason)
}

/// The log of a new task without what its reader hears of otherwise.
///
/// All of a new task is new, as far as it was planned as one: also what was set before it was theirs, whatever they want to hear of it
/// later. What was planned after it goes by its own kind, and may wait for the digest.
fn told_with_a_new_task(changes: &[Change], reader: Reader, owed: &[OwedSpan]) -> Vec<Change> {
    let Some(first) = changes.first() else { return Vec::new() };
    let of_the_new = |version| {
        owed.iter().any(|it| it.covers(first.version, NoticeKind::Assigned) && it.covers(version, NoticeKind::Assigned))
    };
    let told_of = |change: &Change| {
        let is_owed = |kind| of_the_new(change.version) || owed.iter().any(|it| it.covers(change.version, kind));
        // Their own word is owed to nobody, and is what they know a field by.
        let is_kept = change.actor == reader.user || !concerns(change, reader);
        let is_told = |field: &FieldChange| is_kept || is_owed(field.notice_kind());
        Change { fields: change.fields.iter().filter(|it| is_told(it)).cloned().collect(), ..change.clone() }
    };
    changes.iter().map(told_of).collect()
}

/// Whether a change is this reader's business: what they did themselves, too, where they watch.
fn concerns(change: &Change, reader: Reader) -> bool {
    reader.watching || concerned(change).any(|it| it == reader.user)
}

/// Whether the task as a whole is new to the reader: to whom it was handed over, and to who watches and had no hand in it.
fn is_new(changes: &[Change], first: &Change, reader: Reader, news: &[News<'_>]) -> bool {
    let is_handed_over = |it: &News<'_>| matches!(it.field, FieldChange::Assignee { to: Some(to), .. } if to == reader.user);
    let looks_on = reader.watching && changes.iter().all(|it| it.actor != reader.user);
    looks_on || first.actor != reader.user && news.iter().any(is_handed_over)
}

/// One field that is not where the reader knew it, and the change that had the last word on it.
struct News<'a> {
    field: FieldChange,
    last_word: &'a Change,
    /// Whether any step of the way concerned the reader, or the task was theirs before and after.
    concerning: bool,
}

fn tell(changes: &[Change], kind: NetKind, mut news: Vec<News<'_>>, reason: Reason) -> Option<NetChange> {
    let (first, last) = (changes.first()?, changes.last()?);
    news.sort_by_key(|it| it.last_word.version);
    let at = news.last()?.last_word.at;
    let actors = match (kind, reason) {
        // A new task comes from whoever handed it over, and not from all who filled it in.
        (NetKind::Created, Reason::Assignee) => actors(news.iter().filter(|it| it.field.field() == FieldName::Assignee)),
        (NetKind::Created, _) => vec![first.actor],
        (NetKind::Updated | NetKind::Deleted, _) => actors(news.iter()),
    };
    news.sort_by_key(|it| it.field.field());
    Some(net(last, kind, actors, at, news.into_iter().map(|it| it.field).collect(), reason))
}

/// Who had the last word on any of it, each once, in order of their last act.
fn actors<'a>(news: impl Iterator<Item = &'a News<'a>>) -> Vec<UserId> {
    let mut actors: Vec<UserId> = Vec::new();
    for it in news {
        actors.retain(|actor| *actor != it.last_word.actor);
        actors.push(it.last_word.actor);
    }
    actors
}

/// Each field's way from where the reader last knew it (the start of the span, or their own last word on it) to its end.
///
/// What happened while a task was no business of the reader's does not concern them, unless it was taken from them and came back.
fn news(changes: &[Change], reader: Reader, is_owed: impl Fn(&Change, NoticeKind) -> bool) -> Vec<News<'_>> {
    let user = reader.user;
    let mut news: Vec<News<'_>> = Vec::new();
    for change in changes {
        let concerns = concerns(change, reader);
        for field in &change.fields {
            let earlier = news.iter().position(|it| it.field.field() == field.field()).map(|index| news.swap_remove(index));
            let known_otherwise = concerns && !is_owed(change, field.notice_kind());
            if change.actor == user || known_otherwise {
                continue;
            }
            let concerning = concerns || earlier.as_ref().is_some_and(|it| it.concerning);
            let field = earlier.map_or_else(|| field.clone(), |earlier| join(earlier.field, field));
            news.push(News { field, last_word: change, concerning });
        }
    }
    let never_passed_it_on = changes.iter().all(|it| it.actor != user || it.assignee.before == it.assignee.after);
    let holds_before_and_after = never_passed_it_on
        && changes.first().is_some_and(|it| it.assignee.before == Some(user))
        && changes.last().is_some_and(|it| it.assignee.after == Some(user));
    news.retain(|it| !is_round_trip(&it.field));
    news.iter_mut().for_each(|it| it.concerning |= holds_before_and_after);
    news
}

/// From where the earlier of two changes of one field began to where the later ended.
fn join(earlier: FieldChange, later: &FieldChange) -> FieldChange {
    match (earlier, later.clone()) {
        (FieldChange::Title { from, .. }, FieldChange::Title { to, .. }) => FieldChange::Title { from, to },
        (FieldChange::Status { from, .. }, FieldChange::Status { to, .. }) => FieldChange::Status { from, to },
        (FieldChange::Assignee { from, .. }, FieldChange::Assignee { to, .. }) => FieldChange::Assignee { from, to },
        (FieldChange::Priority { from, .. }, FieldChange::Priority { to, .. }) => FieldChange::Priority { from, to },
        (FieldChange::DueOn { from, .. }, FieldChange::DueOn { to, .. }) => FieldChange::DueOn { from, to },
        (FieldChange::Labels { from, .. }, FieldChange::Labels { to, .. }) => FieldChange::Labels { from, to },
        (_, later) => later,
    }
}

/// Whether a field ends where it began. A description's text is not in the log, so it never is.
fn is_round_trip(field: &FieldChange) -> bool {
    match field {
        FieldChange::Title { from, to } => from.as_ref() == Some(to),
        FieldChange::Description => false,
        FieldChange::Status { from, to } => *from == Some(*to),
        FieldChange::Assignee { from, to } => from == to,
        FieldChange::Priority { from, to } => from.unwrap_or_default() == *to,
        FieldChange::DueOn { from, to } => from == to,
        FieldChange::Labels { from, to } => from == to,
    }
}

fn net(last: &Change, kind: NetKind, actors: Vec<UserId>, at: Timestamp, fields: Vec<FieldChange>, reason: Reason) -> NetChange {
    let Change { project, task, version, ref title, .. } = *last;
    NetChange { project, task, version, kind, title: title.clone(), actors, at, fields, reason }
}

fn reason(changes: &[Change], last: &Change, reader: Reader) -> Option<Reason> {
    let holds = last.assignee.after == Some(reader.user);
    let held = last_known_assignee(changes, reader.user) == Some(reader.user);
    first_reason(holds, held, last, reader)
}

/// Of a deleted task: whoever got it within the span and was never told is not told that it is gone, either.
fn reason_to_miss_it(changes: &[Change], last: &Change, reader: Reader) -> Option<Reason> {
    let held = last_known_assignee(changes, reader.user) == Some(reader.user);
    first_reason(held && last.assignee.after == Some(reader.user), held, last, reader)
}

fn first_reason(holds: bool, held: bool, last: &Change, reader: Reader) -> Option<Reason> {
    let reasons = [
        (holds, Reason::Assignee),
        (held, Reason::FormerAssignee),
        (last.creator == reader.user, Reason::Creator),
        (reader.watching, Reason::Watcher),
    ];
    reasons.into_iter().find_map(|(applies, reason)| applies.then_some(reason))
}

/// Who had the task when the span began, or after the reader's own last word on it: who gave a task away is no longer its holder.
fn last_known_assignee(changes: &[Change], reader: UserId) -> Option<UserId> {
    let own_word = changes.iter().rev().find(|it| it.actor == reader && it.assignee.before != it.assignee.after);
    own_word.map_or_else(|| changes.first().and_then(|it| it.assignee.before), |it| it.assignee.after)
}
