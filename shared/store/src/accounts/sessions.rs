use domain::{SessionId, UserId};
use jiff::Timestamp;

use crate::item::{Item, number, text};
use crate::table::write::Write;
use crate::{Accounts, StoreError, TokenHash, keys};

/// A log-in on one device. Its refresh token is stored hashed and is good for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub user: UserId,
    pub id: SessionId,
    pub refresh_hash: TokenHash,
    pub created_at: Timestamp,
    pub refreshed_at: Timestamp,
    pub expires_at: Timestamp,
}

impl Accounts {
    /// Starts a session.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        // Its id is new. With a condition, a repeat by the SDK after a lost answer would find itself and fail.
        Write::put(&self.table, session_item(session)).run("start the session").await
    }

    /// A session that has neither ended nor expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn session(&self, user: UserId, id: SessionId, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let item = self.table.get("read the session", keys::session(user, id)).await?;
        let session = item.map(|it| session(&it)).transpose()?;
        Ok(session.filter(|it| now < it.expires_at))
    }

    /// Replaces the refresh token `from` with `to` and lets the session live until `expires_at`, by one conditional write.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where `from` is not the session's token any more or the session is over.
    pub async fn rotate_session(
        &self,
        user: UserId,
        id: SessionId,
        from: &TokenHash,
        to: &TokenHash,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "rotate the refresh token";
        let set = "SET #refresh_hash = :to, #refreshed_at = :refreshed_at, #expires_at = :expires_at, #ends_at = :ends_at";
        let rotated = Write::update(&self.table, keys::session(user, id), set)
            .when("#refresh_hash = :from AND #ends_at > :refreshed_at")
            .value(":from", text(from.as_str()))
            .value(":to", text(to.as_str()))
            .value(":refreshed_at", text(keys::timestamp(now)))
            .value(":ends_at", text(keys::timestamp(expires_at)))
            .value(":expires_at", number(expires_at.as_second()))
            .run(step)
            .await;
        match rotated {
            // The SDK repeats a write whose answer was lost: `to` was made for this rotation, so finding it means it is done.
            Err(conflict @ StoreError::Conflict { .. }) => match self.session(user, id, now).await? {
                Some(session) if session.refresh_hash == *to => Ok(()),
                _ => Err(conflict),
            },
            outcome => outcome,
        }
    }

    /// Ends a session; one that is over already stays so.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn end_session(&self, user: UserId, id: SessionId) -> Result<(), StoreError> {
        Write::delete(&self.table, keys::session(user, id)).run("end the session").await
    }
}

fn session_item(session: &Session) -> Item {
    let Session { user, id, refresh_hash, created_at, refreshed_at, expires_at } = session;
    Item::new(keys::session(*user, *id))
        .with("user", text(user))
        .with("session", text(id))
        .with("refresh_hash", text(refresh_hash.as_str()))
        .with("created_at", text(keys::timestamp(*created_at)))
        .with("refreshed_at", text(keys::timestamp(*refreshed_at)))
        .with("ends_at", text(keys::timestamp(*expires_at)))
        .with("expires_at", number(expires_at.as_second()))
}

fn session(item: &Item) -> Result<Session, StoreError> {
    Ok(Session {
        user: item.word("user")?,
        id: item.word("session")?,
        refresh_hash: item.word("refresh_hash")?,
        created_at: item.word("created_at")?,
        refreshed_at: item.word("refreshed_at")?,
        expires_at: item.word("ends_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    #[test]
    fn a_session_survives_storage() {
        let before = Session {
            user: USER,
            id: SessionId(TASK.0),
            refresh_hash: TokenHash::of("token"),
            created_at: at("2026-11-20T11:00:00Z"),
            refreshed_at: at("2026-11-20T11:00:00.123456789Z"),
            expires_at: at("2026-12-20T11:00:00Z"),
        };
        assert_eq!(session(&session_item(&before)).ok(), Some(before));
    }
}
