use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use crate::{
    Change, ChangeKind, Choice, FieldChange, NetChange, NetKind, NoticeKind, NoticeKinds, Notify, Priority, Reader, Subscription,
    Subscriptions, UserId, net_change,
};

/// Changes older than this are never mailed: a restored or long-stopped system must not tell of last month.
pub const MAIL_HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What one person is owed over a span of one task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub user: UserId,
    /// What goes out as soon as it is due; of the beginning of another's task all of it, where any of it does.
    pub now: NoticeKinds,
    /// What waits for the digest; nothing that is in `now`.
    pub digest: NoticeKinds,
    /// Whether they watch, and so hear also of what does not concern them.
    pub watching: bool,
    /// Whether the task is urgent, as the span leaves it.
    pub urgent: bool,
    /// Whether they want no mail about this task; then `now` and `digest` are empty.
    pub muted: bool,
    /// What the span comes to for them, of all kinds, whatever they want by mail.
    pub net: Option<NetChange>,
    /// When the first of it happened; never after the time of planning.
    pub first_at: Timestamp,
    /// When the last of it happened; never after the time of planning.
    pub last_at: Timestamp,
}

/// Whom a change concerns: the assignee, the one it was taken from, the creator; never the one who made it.
pub fn concerned(change: &Change) -> impl Iterator<Item = UserId> + use<> {
    let Change { actor, creator, assignee, .. } = *change;
    [assignee.after, assignee.before, Some(creator)].into_iter().flatten().filter(move |user| *user != actor)
}

/// Who has a part in a span of one task's log: whom any of it concerns, and who watches and did not do all of it themselves.
#[must_use]
pub fn audience(changes: &[Change], subscriptions: &Subscriptions) -> BTreeSet<UserId> {
    let watchers = subscriptions.watchers().filter(|user| changes.iter().any(|it| it.actor != *user));
    changes.iter().flat_map(concerned).chain(watchers).collect()
}

/// The end of a span of a log that is young enough to be told of.
#[must_use]
pub fn recent(changes: &[Change], now: Timestamp) -> &[Change] {
    let old = changes.iter().take_while(|it| now.duration_since(it.at) > MAIL_HORIZON).count();
    &changes[old..]
}

/// Who is owed what over a span of one task's log, in the order of their ids; nobody who is owed nothing.
///
/// `people` holds the current members among the [`audience`] only: nobody else is owed anything.
#[must_use]
pub fn owed(changes: &[Change], people: &BTreeMap<UserId, Notify>, subscriptions: &Subscriptions, now: Timestamp) -> Vec<Owed> {
    let recent = recent(changes, now);
    let owed_to = |(user, notify): (&UserId, &Notify)| owed_to(recent, *user, notify, subscriptions.of(*user), now);
    people.iter().filter_map(owed_to).collect()
}

fn owed_to(
    changes: &[Change],
    user: UserId,
    notify: &Notify,
    subscription: Option<Subscription>,
    now: Timestamp,
) -> Option<Owed> {
    let muted = subscription == Some(Subscription::Mute);
    let watching = subscription == Some(Subscription::Watch);
    let is_theirs = |it: &&Change| if watching { it.actor != user } else { concerned(it).any(|it| it == user) };
    let theirs: Vec<&Change> = changes.iter().filter(is_theirs).collect();
    let (first_at, last_at) = (theirs.first()?.at.min(now), theirs.last()?.at.min(now));
    let urgent = changes.last()?.priority == Priority::Urgent;
    let net = net_change(changes, Reader { user, watching }, &NoticeKind::ALL.into());
    let kinds = kinds(&theirs, net.as_ref());
    let wanted = |choice| if muted { NoticeKinds::new() } else { &kinds & &notify.with(choice) };
    let (mut now, mut digest) = (wanted(Choice::Now), wanted(Choice::Digest));
    let first = changes.first()?;
    if first.kind == ChangeKind::Created && first.actor != user && !now.is_empty() {
        // The beginning of another's task is one piece of news, also where it is not new to them so far, as where it was taken from them
        // at once: told in part now, it would be told again with the whole task if that is given to them before the digest.
        now.append(&mut digest);
    }
    let is_owed = !now.is_empty() || !digest.is_empty() || net.is_some();
    is_owed.then_some(Owed { user, now, digest, watching, urgent, muted, net, first_at, last_at })
}

/// What kinds of news there are for a person.
fn kinds(theirs: &[&Change], net: Option<&NetChange>) -> NoticeKinds {
    let concerning = theirs.iter().flat_map(|it| it.notice_kinds());
    match net {
        // A new task is one piece of news: told now and again in the digest, it would be told twice.
        Some(NetChange { kind: NetKind::Created, .. }) => [NoticeKind::Assigned].into(),
        // Who had the task taken hears also what became of it then, though that was none of their business any more: that it is gone,
        // or, where it was given back, what happened meanwhile.
        Some(NetChange { kind: NetKind::Deleted, .. }) => concerning.chain([NoticeKind::Deleted]).collect(),
        Some(NetChange { kind: NetKind::Updated, fields, .. }) => {
            concerning.chain(fields.iter().map(FieldChange::notice_kind)).collect()
        }
        None => concerning.collect(),
    }
}
