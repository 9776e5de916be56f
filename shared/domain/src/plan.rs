use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{Change, NoticeKinds, Notify, UserId};

/// Changes older than this are never mailed: a restored or long-stopped system must not tell of last month.
pub const MAIL_HORIZON: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What one person is owed over a span of one task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owed {
    pub user: UserId,
    /// What the person wants to hear of, at the time of planning; never empty.
    pub kinds: NoticeKinds,
}

/// Whom a change concerns: the assignee, the one it was taken from, the creator; never the one who made it.
pub fn concerned(change: &Change) -> impl Iterator<Item = UserId> + use<> {
    let Change { actor, creator, assignee, .. } = *change;
    [assignee.after, assignee.before, Some(creator)].into_iter().flatten().filter(move |user| *user != actor)
}

/// Who is owed what over a span of one task's log.
///
/// `preferences` holds the current members among those [`concerned`] only: nobody else is owed anything.
#[must_use]
pub fn owed(changes: &[Change], preferences: &BTreeMap<UserId, Notify>, now: Timestamp) -> Vec<Owed> {
    let mut kinds_by_user: BTreeMap<UserId, NoticeKinds> = BTreeMap::new();
    for change in changes.iter().filter(|it| now.duration_since(it.at) <= MAIL_HORIZON) {
        for user in concerned(change) {
            let Some(notify) = preferences.get(&user) else { continue };
            let wanted = notify.wanted();
            let kinds = change.notice_kinds();
            kinds_by_user.entry(user).or_default().extend(kinds.intersection(&wanted));
        }
    }
    kinds_by_user.into_iter().filter(|(_, kinds)| !kinds.is_empty()).map(|(user, kinds)| Owed { user, kinds }).collect()
}
