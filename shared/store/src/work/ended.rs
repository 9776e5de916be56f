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
    let is_forgotten = |session: &SessionId, until: i64| until < now.as_second() && !ended.contains(session);
    let kept = before.sessions.iter().filter(|(session, until)| !is_forgotten(session, **until)).count();
    let too_many = kept + ended.len() > MOST_REMEMBERED;
    let named: Vec<SessionId> = if too_many { Vec::new() } else { ended.iter().copied().collect() };
    let dropped = before.sessions.iter().filter(|(session, until)| too_many || is_forgotten(session, **until));
    let dropped: Vec<SessionId> = dropped.map(|(session, _)| *session).collect();
    let mut set: Vec<String> = (0..named.len()).map(|place| format!("#ended{place} = :until")).collect();
    set.push("#expires_at = :until".to_owned());
    if too_many {
        set.push("#all_before = :now".to_owned());
    }
    let mut expression = format!("SET {}", set.join(", "));
    if !dropped.is_empty() {
        let places: Vec<String> = (0..dropped.len()).map(|place| format!("#dropped{place}")).collect();
        expression = format!("{expression} REMOVE {}", places.join(", "));
    }
    let mut write = Write::update(&work.table, keys::ended(user), &expression).value(":until", number(until));
    if too_many {
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

/// The item of ended sessions.
pub(crate) fn ended_sessions(item: &Item) -> Result<EndedSessions, StoreError> {
    let sessions = item.names().filter_map(|name| Some((name, keys::session_of_attribute(name)?)));
    let sessions = sessions.map(|(name, session)| Ok((session, item.number(name)?))).collect::<Result<_, StoreError>>()?;
    Ok(EndedSessions { sessions, all_before: item.some_word("all_before")? })
}
