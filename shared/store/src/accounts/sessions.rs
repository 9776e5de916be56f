use std::collections::BTreeSet;

use domain::{Device, SecurityEvent, SessionId, UserId};
use jiff::{SignedDuration, Timestamp};

use super::credentials::AsRead;
use crate::item::{Item, json, number, text};
use crate::table::query::Query;
use crate::table::write::{Contended, Write, transact};
use crate::{Accounts, Bucket, Credential, Mail, Notice, StoreError, TokenHash, Work, keys};

/// How many sessions one transaction ends, so that it stays within DynamoDB's 100 items. A person has fewer.
pub(crate) const MOST_ENDED_AT_ONCE: usize = 80;

/// A log-in on one device. Its refresh token is stored hashed and is good for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: UserId,
    pub id: SessionId,
    pub refresh_hash: TokenHash,
    /// Of the refresh token before this one.
    pub previous_hash: Option<TokenHash>,
    /// From where it was started.
    pub device: Device,
    pub created_at: Timestamp,
    pub refreshed_at: Timestamp,
    /// However often it is refreshed.
    pub expires_at: Timestamp,
}

impl Session {
    /// Whether it goes on: neither over nor left alone for longer than `idle`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp, idle: SignedDuration) -> bool {
        now < self.ends_at(idle)
    }

    /// When it is over, unless it is refreshed before.
    #[must_use]
    pub fn ends_at(&self, idle: SignedDuration) -> Timestamp {
        self.refreshed_at.saturating_add(idle).map_or(self.expires_at, |it| it.min(self.expires_at))
    }
}

/// A session to be started, and what goes with it in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct SessionStart<'a> {
    pub session: &'a Session,
    /// As it was proven: neither password nor second factor may have changed since.
    pub credential: &'a Credential,
    /// Whose guesses are forgotten.
    pub clears: &'a [Bucket],
    pub notice: Option<&'a Notice>,
    /// The session that has to make room.
    pub ends: Option<SessionId>,
    /// How long a session may be left alone.
    pub idle: SignedDuration,
}

/// What is recorded of the end of sessions, and who is told.
#[derive(Clone, Copy, Debug)]
pub enum Ending<'a> {
    /// Nothing: the person logged out.
    Quiet,
    Recorded(&'a SecurityEvent),
    /// Only where none of them is over already, so that it is told once.
    Told(&'a Notice),
}

impl Accounts {
    /// Starts a session.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where password or second factor changed since the credential was read.
    pub async fn start_session(&self, work: &Work, mail: &Mail, start: &SessionStart<'_>) -> Result<(), StoreError> {
        let step = "start the session";
        let SessionStart { session, credential, clears, notice, ends, idle } = *start;
        let mut writes = vec![
            self.updating(credential, "ADD #log_ins :one", &[AsRead::Password, AsRead::Factor], &[]),
            Write::create(&self.table, session_item(session, idle)?),
        ];
        writes.extend(self.forgetting_all(clears));
        if let Some(notice) = notice {
            writes.extend(notice.writes(self, mail)?);
        }
        writes.extend(self.ending(work, session.user, ends.as_slice(), session.created_at).await?);
        transact(step, writes).await?.or_conflict(step)
    }

    /// A session, read consistently; also one that is over and not yet removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn session(&self, user: UserId, id: SessionId) -> Result<Option<Session>, StoreError> {
        let item = self.table.get("read the session", keys::session(user, id)).await?;
        item.map(|it| session(&it)).transpose()
    }

    /// A person's sessions, read consistently; also those that are over and not yet removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn sessions(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::person_partition(user)).and("begins_with(#sk, :sessions)");
        let items = query.value(":sessions", text(keys::SESSIONS_PREFIX)).consistent().all("list the sessions").await?;
        items.iter().map(session).collect()
    }

    /// Replaces the refresh token of a session as it was read with `to`, by one conditional write. Answers the session as it is
    /// stored: where another request rotated it to the same token first, with the time of that rotation.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the session has another refresh token by now or is over.
    pub async fn rotate_session(
        &self,
        read: &Session,
        to: &TokenHash,
        now: Timestamp,
        idle: SignedDuration,
    ) -> Result<Session, StoreError> {
        let step = "rotate the refresh token";
        let rotated = Session {
            refresh_hash: to.clone(),
            previous_hash: Some(read.refresh_hash.clone()),
            refreshed_at: now,
            ..read.clone()
        };
        let set = "SET #refresh_hash = :to, #previous_hash = :from, #refreshed_at = :now, #expires_at = :expires_at";
        let oldest = now.saturating_sub(idle).unwrap_or(Timestamp::MIN);
        let written = Write::update(&self.table, keys::session(read.user, read.id), set)
            .when("#refresh_hash = :from AND #ends_at > :now AND #refreshed_at > :oldest")
            .value(":from", text(read.refresh_hash.as_str()))
            .value(":to", text(to.as_str()))
            .value(":now", text(keys::timestamp(now)))
            .value(":oldest", text(keys::timestamp(oldest)))
            .value(":expires_at", number(removal(&rotated, idle)))
            .run(step)
            .await;
        match written {
            Ok(()) => Ok(rotated),
            // The SDK repeats a write whose answer was lost, and others present the same token at the same moment: all derive `to` from
            // it, so finding `to` means that it is done.
            Err(conflict @ StoreError::Conflict { .. }) => match self.session(read.user, read.id).await? {
                Some(session) if session.refresh_hash == *to => Ok(session),
                _ => Err(conflict),
            },
            Err(error) => Err(error),
        }
    }

    /// Ends sessions; those that are over already stay so.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for [`Ending::Told`], where one of them is over already.
    pub async fn end_sessions(
        &self,
        work: &Work,
        mail: &Mail,
        user: UserId,
        sessions: &[SessionId],
        ending: Ending<'_>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "end the sessions";
        let mut writes = self.ending(work, user, sessions, now).await?;
        match ending {
            Ending::Quiet => {}
            Ending::Recorded(event) => writes.push(self.recording(event)?),
            Ending::Told(notice) => {
                let there = |write: Write| if write.is_delete() { write.when("attribute_exists(#pk)") } else { write };
                writes = writes.into_iter().map(there).collect();
                writes.extend(notice.writes(self, mail)?);
            }
        }
        match (transact(step, writes).await, ending) {
            // Without a condition it is others at work on the same items, all the time, that stand in the way.
            (Err(StoreError::Conflict { step }), Ending::Quiet | Ending::Recorded(_)) => {
                Err(StoreError::Unavailable { step, source: Contended.into() })
            }
            (outcome, _) => outcome?.or_conflict(step),
        }
    }

    /// What ends sessions and remembers that they did, for a transaction with others. More than fit there end at once.
    pub(crate) async fn ending(
        &self,
        work: &Work,
        user: UserId,
        sessions: &[SessionId],
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        let unique: Vec<SessionId> = sessions.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        let mut rest = unique.as_slice();
        while rest.len() > MOST_ENDED_AT_ONCE {
            let (surplus, fitting) = rest.split_at(MOST_ENDED_AT_ONCE);
            let step = "end sessions that are too many for one transaction";
            transact(step, self.ending_few(work, user, surplus, now).await?).await?.or_conflict(step)?;
            rest = fitting;
        }
        self.ending_few(work, user, rest, now).await
    }

    async fn ending_few(
        &self,
        work: &Work,
        user: UserId,
        sessions: &[SessionId],
        now: Timestamp,
    ) -> Result<Vec<Write>, StoreError> {
        if sessions.is_empty() {
            return Ok(Vec::new());
        }
        let mut writes: Vec<Write> = sessions.iter().map(|id| Write::delete(&self.table, keys::session(user, *id))).collect();
        writes.push(work.remembering_ended(user, &sessions.iter().copied().collect(), now).await?);
        Ok(writes)
    }

    pub(crate) fn forgetting_all(&self, buckets: &[Bucket]) -> Vec<Write> {
        let unique: BTreeSet<&Bucket> = buckets.iter().collect();
        unique.into_iter().map(|it| self.forgetting(it)).collect()
    }
}

/// When a session can be removed, in seconds since the epoch: in whole ones, so the one after, never before it is over.
fn removal(session: &Session, idle: SignedDuration) -> i64 {
    session.ends_at(idle).as_second().saturating_add(1)
}

fn session_item(session: &Session, idle: SignedDuration) -> Result<Item, StoreError> {
    let Session { user, id, refresh_hash, previous_hash, device, created_at, refreshed_at, expires_at } = session;
    Ok(Item::new(keys::session(*user, *id))
        .with("user", text(user))
        .with("session", text(id))
        .with("refresh_hash", text(refresh_hash.as_str()))
        .with_some("previous_hash", previous_hash.as_ref().map(|it| text(it.as_str())))
        .with("device", json(device)?)
        .with("created_at", text(keys::timestamp(*created_at)))
        .with("refreshed_at", text(keys::timestamp(*refreshed_at)))
        .with("ends_at", text(keys::timestamp(*expires_at)))
        .with("expires_at", number(removal(session, idle))))
}

fn session(item: &Item) -> Result<Session, StoreError> {
    Ok(Session {
        user: item.word("user")?,
        id: item.word("session")?,
        refresh_hash: item.word("refresh_hash")?,
        previous_hash: item.some_word("previous_hash")?,
        // Absent where it was started by an older release.
        device: if item.has("device") { item.json("device")? } else { Device::default() },
        created_at: item.word("created_at")?,
        refreshed_at: item.word("refreshed_at")?,
        expires_at: item.word("ends_at")?,
    })
}

#[cfg(test)]
mod tests {
    use domain::UserAgent;

    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    fn sample() -> Session {
        Session {
            user: USER,
            id: SessionId(TASK.0),
            refresh_hash: TokenHash::of("token"),
            previous_hash: Some(TokenHash::of("before")),
            device: Device { user_agent: UserAgent::new("curl/8"), network_address: "192.0.2.1".parse().ok() },
            created_at: at("2026-11-20T11:00:00Z"),
            refreshed_at: at("2026-11-20T11:00:00.123456789Z"),
            expires_at: at("2026-12-20T11:00:00Z"),
        }
    }

    #[test]
    fn a_session_survives_storage_and_is_removed_once_it_is_over() {
        let idle = SignedDuration::from_hours(7 * 24);
        for before in [sample(), Session { previous_hash: None, ..sample() }] {
            let item = session_item(&before, idle).expect("an item");
            assert_eq!(item.number("expires_at").ok(), Some(at("2026-11-27T11:00:01Z").as_second()));
            assert_eq!(session(&item).ok(), Some(before));
        }
    }

    #[test]
    fn a_session_is_over_when_left_alone_or_after_its_whole_life() {
        let idle = SignedDuration::from_hours(7 * 24);
        assert!(sample().is_live(at("2026-11-27T11:00:00Z"), idle));
        assert!(!sample().is_live(at("2026-11-27T11:00:01Z"), idle));
        let late = Session { refreshed_at: at("2026-12-20T10:59:00Z"), ..sample() };
        assert!(late.is_live(at("2026-12-20T10:59:59Z"), idle));
        assert!(!late.is_live(at("2026-12-20T11:00:00Z"), idle));
    }
}
