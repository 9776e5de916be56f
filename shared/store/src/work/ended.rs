use std::collections::{BTreeMap, BTreeSet};

use domain::{SessionId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Item, number, text};
use crate::table::write::Write;
use crate::{StoreError, Work, keys};

/// How long it is remembered that a session ended: longer than the ten minutes its last access token is good for, with room for
/// clocks that differ.
pub const ENDED_SESSIONS_KEPT: SignedDuration = SignedDuration::from_mins(11);
/// How many are remembered one by one; more than a person ends by hand.
const MOST_REMEMBERED: usize = 200;

/// The sessions of a person that ended while access tokens of theirs may still be good (OWASP ASVS 5.0, 7.4.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EndedSessions {
    /// Each with when it can be forgotten, in seconds since the epoch.
    sessions: BTreeMap<SessionId, i64>,
    all_before: Option<Timestamp>,
}

impl EndedSessions {
    /// Whether an access token of this session, issued then, is not good any more.
    #[must_use]
    pub fn contains(&self, session: SessionId, issued_at: Timestamp) -> bool {
        self.sessions.contains_key(&session) || self.all_before.is_some_and(|it| issued_at < it)
    }
}

impl Work {
    /// The sessions of a person that ended just now, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn ended_sessions(&self, user: UserId) -> Result<EndedSessions, StoreError> {
        let item = self.table.get("read the sessions that ended", keys::ended(user)).await?;
        item.map_or_else(|| Ok(EndedSessions::default()), |it| ended_sessions(&it))
    }

    /// Remembers that sessions ended, and forgets those of which no access token can be good any more. Where there are too many to
    /// remember, everything issued before now is refused instead: those who go on fetch a new access token.
    pub(crate) async fn remembering_ended(
        &self,
        user: UserId,
        sessions: &BTreeSet<SessionId>,
        now: Timestamp,
    ) -> Result<Write, StoreError> {
        let before = self.ended_sessions(user).await?;
        Ok(remembering(self, user, &before, sessions, now))
    }
}

fn remembering(work: &Work, user: UserId, before: &EndedSessions, ended: &BTreeSet<SessionId>, now: Timestamp) -> Write {
    let until = now.as_second().saturating_add(ENDED_SESSIONS_KEPT.as_secs());
    let Plan { named, dropped, all } = plan(before, ended, now);
    let mut set: Vec<String> = (0..named.len()).map(|place| format!("#ended{place} = :until")).collect();
    set.push("#expires_at = :until".to_owned());
    if all {
        set.push("#all_before = :now".to_owned());
    }
    let mut expression = format!("SET {}", set.join(", "));
    if !dropped.is_empty() {
        let places: Vec<String> = (0..dropped.len()).map(|place| format!("#dropped{place}")).collect();
        expression = format!("{expression} REMOVE {}", places.join(", "));
    }
    let mut write = Write::update(&work.table, keys::ended(user), &expression).value(":until", number(until));
    if all {
        write = write.value(":now", text(keys::timestamp(now)));
    }
    for (place, session) in named.iter().enumerate() {
        write = write.name(&format!("#ended{place}"), keys::ended_attribute(*session));
    }
    for (place, session) in dropped.iter().enumerate() {
        write = write.name(&format!("#dropped{place}"), keys::ended_attribute(*session));
    }
    write
}

/// How the item of ended sessions goes on. DynamoDB refuses to set and remove one attribute at once, so nothing is in both.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    named: Vec<SessionId>,
    dropped: Vec<SessionId>,
    all: bool,
}

fn plan(before: &EndedSessions, ended: &BTreeSet<SessionId>, now: Timestamp) -> Plan {
    let is_over = |session: &SessionId, until: i64| until < now.as_second() && !ended.contains(session);
    let kept = before.sessions.iter().filter(|(session, until)| !is_over(session, **until)).count();
    let all = kept + ended.len() > MOST_REMEMBERED;
    let named = if all { Vec::new() } else { ended.iter().copied().collect() };
    let dropped = before.sessions.iter().filter(|(session, until)| all || is_over(session, **until));
    Plan { named, dropped: dropped.map(|(session, _)| *session).collect(), all }
}

/// The item of ended sessions.
pub(crate) fn ended_sessions(item: &Item) -> Result<EndedSessions, StoreError> {
    let sessions = item.names().filter_map(|name| Some((name, keys::session_of_attribute(name)?)));
    let sessions = sessions.map(|(name, session)| Ok((session, item.number(name)?))).collect::<Result<_, StoreError>>()?;
    Ok(EndedSessions { sessions, all_before: item.some_word("all_before")? })
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::keys::tests::{USER, at};

    fn sessions(count: u128) -> BTreeSet<SessionId> {
        (1..=count).map(|it| SessionId(Uuid::from_u128(it))).collect()
    }

    #[test]
    fn an_ended_session_is_refused_and_no_other() {
        let [first, second] = [1, 2].map(|it| SessionId(Uuid::from_u128(it)));
        let item = Item::new(keys::ended(USER)).with(&keys::ended_attribute(first), number(1_795_000_000));
        let ended = ended_sessions(&item).expect("ended sessions");
        let now = at("2026-11-20T11:00:00Z");
        assert!(ended.contains(first, now));
        assert!(!ended.contains(second, now));
        let all = ended_sessions(&item.with("all_before", text(keys::timestamp(now)))).expect("ended sessions");
        assert!(all.contains(second, at("2026-11-20T10:59:59Z")));
        assert!(!all.contains(second, now));
    }

    #[test]
    fn what_no_access_token_can_be_of_any_more_is_forgotten() {
        let now = at("2026-11-20T11:00:00Z");
        let [old, young, new] = [1, 2, 3].map(|it| SessionId(Uuid::from_u128(it)));
        let remembered = BTreeMap::from([(old, now.as_second() - 1), (young, now.as_second())]);
        let before = EndedSessions { sessions: remembered, all_before: None };
        let expected = Plan { named: vec![new], dropped: vec![old], all: false };
        assert_eq!(plan(&before, &[new].into(), now), expected);
        // The same one again.
        let expected = Plan { named: vec![old], dropped: vec![], all: false };
        assert_eq!(plan(&before, &[old].into(), now), expected);
    }

    #[test]
    fn more_than_can_be_remembered_are_one_time_before_which_all_is_refused() {
        let now = at("2026-11-20T11:00:00Z");
        let until = now.as_second() + 60;
        let before = EndedSessions { sessions: sessions(150).into_iter().map(|it| (it, until)).collect(), all_before: None };
        let more: BTreeSet<SessionId> = (151..=200).map(|it| SessionId(Uuid::from_u128(it))).collect();
        assert!(!plan(&before, &more, now).all);
        let more: BTreeSet<SessionId> = (151..=201).map(|it| SessionId(Uuid::from_u128(it))).collect();
        let plan = plan(&before, &more, now);
        assert!(plan.all && plan.named.is_empty() && plan.dropped.len() == 150);
    }
}
