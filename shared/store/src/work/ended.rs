use std::collections::{BTreeMap, BTreeSet};

use domain::{SessionId, UserId};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Item, number, text};
use crate::table::write::Write;
use crate::{StoreError, Work, keys};

/// How long it is remembered that a session ended: longer than the ten minutes its last access token is good for, with room for
/// clocks that differ.
pub const ENDED_SESSIONS_KEPT: SignedDuration = SignedDuration::from_mins(11);
/// How many are remembered one by one; more than a person ends by hand. With those that one transaction ends, they fit into the 4 KB
/// of an update expression.
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
    /// remember, everything issued before this second is refused instead: those who go on fetch a new access token.
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
    let Plan { dropped, all_before } = plan(before, ended, now);
    let mut write = Write::update(&work.table, keys::ended(user), &expression(ended.len(), dropped.len(), all_before.is_some()));
    write = write.value(":until", number(until));
    if let Some(all_before) = all_before {
        write = write.value(":all_before", text(keys::timestamp(all_before)));
    }
    for (place, session) in ended.iter().enumerate() {
        write = write.name(&format!("#e{place}"), keys::ended_attribute(*session));
    }
    for (place, session) in dropped.iter().enumerate() {
        write = write.name(&format!("#d{place}"), keys::ended_attribute(*session));
    }
    write
}

fn expression(ended: usize, dropped: usize, all: bool) -> String {
    let mut set: Vec<String> = (0..ended).map(|place| format!("#e{place} = :until")).collect();
    set.push("#expires_at = :until".to_owned());
    if all {
        set.push("#all_before = :all_before".to_owned());
    }
    let set = set.join(", ");
    if dropped == 0 {
        return format!("SET {set}");
    }
    let remove: Vec<String> = (0..dropped).map(|place| format!("#d{place}")).collect();
    format!("SET {set} REMOVE {}", remove.join(", "))
}

/// How the item of ended sessions goes on, beside those that end now.
#[derive(Debug, PartialEq, Eq)]
struct Plan {
    /// None of those that end now: DynamoDB refuses to set and remove one attribute at once.
    dropped: Vec<SessionId>,
    all_before: Option<Timestamp>,
}

fn plan(before: &EndedSessions, ended: &BTreeSet<SessionId>, now: Timestamp) -> Plan {
    let others = || before.sessions.iter().filter(|(session, _)| !ended.contains(session));
    let is_over = |until: i64| until < now.as_second();
    let kept = others().filter(|(_, until)| !is_over(**until)).count();
    // Access tokens say the second they were issued in. One of this second may be of a session that goes on, as of the log-in whose
    // session these make room for: which of this second have ended is told one by one.
    let this_second = Timestamp::from_second(now.as_second()).unwrap_or(now);
    let all_before = (kept + ended.len() > MOST_REMEMBERED).then_some(this_second);
    let is_told = |until: i64| all_before.is_some() && until < now.as_second().saturating_add(ENDED_SESSIONS_KEPT.as_secs());
    let dropped = others().filter(|(_, until)| is_over(**until) || is_told(**until)).take(MOST_REMEMBERED);
    Plan { dropped: dropped.map(|(session, _)| *session).collect(), all_before }
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
        assert_eq!(plan(&before, &[new].into(), now), Plan { dropped: vec![old], all_before: None });
        assert_eq!(plan(&before, &[old].into(), now), Plan { dropped: vec![], all_before: None }, "the same one again");
    }

    #[test]
    fn more_than_can_be_remembered_are_one_time_before_which_all_is_refused() {
        let now = at("2026-11-20T11:00:00.7Z");
        let until = now.as_second() + 60;
        let before = EndedSessions { sessions: sessions(150).into_iter().map(|it| (it, until)).collect(), all_before: None };
        let more: BTreeSet<SessionId> = (151..=200).map(|it| SessionId(Uuid::from_u128(it))).collect();
        assert_eq!(plan(&before, &more, now).all_before, None);
        let more: BTreeSet<SessionId> = (151..=201).map(|it| SessionId(Uuid::from_u128(it))).collect();
        let plan = plan(&before, &more, now);
        assert_eq!((plan.all_before, plan.dropped.len()), (Some(at("2026-11-20T11:00:00Z")), 150));
    }

    #[test]
    fn what_ended_in_the_second_before_which_all_is_refused_is_told_one_by_one() {
        let now = at("2026-11-20T11:00:00.7Z");
        let this_second = at("2026-11-20T11:00:00Z");
        let until = this_second.as_second() + ENDED_SESSIONS_KEPT.as_secs();
        let ids = sessions(201);
        let before = EndedSessions { sessions: ids.iter().map(|it| (*it, until)).collect(), all_before: None };
        let [ends, starts] = [300, 301].map(|it| SessionId(Uuid::from_u128(it)));
        let Plan { dropped, all_before } = plan(&before, &[ends].into(), now);
        assert_eq!((dropped, all_before), (vec![], Some(this_second)));
        let after = EndedSessions { sessions: before.sessions, all_before };
        assert!(ids.iter().all(|it| after.contains(*it, this_second)));
        assert!(!after.contains(starts, this_second), "a session that starts now");
        assert!(after.contains(starts, this_second - SignedDuration::from_secs(1)));
    }

    #[test]
    fn as_many_as_end_at_once_fit_into_an_expression() {
        for all in [false, true] {
            let longest = expression(crate::accounts::sessions::MOST_ENDED_AT_ONCE, MOST_REMEMBERED, all);
            assert!(longest.len() <= 4_096, "{} octets", longest.len());
        }
        assert_eq!(expression(1, 0, false), "SET #e0 = :until, #expires_at = :until");
        let whole = "SET #e0 = :until, #expires_at = :until, #all_before = :all_before REMOVE #d0, #d1";
        assert_eq!(expression(1, 2, true), whole);
    }
}
