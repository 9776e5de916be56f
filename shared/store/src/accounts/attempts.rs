use std::fmt;

use domain::UserId;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::item::{Item, number, text};
use crate::table::write::Write;
use crate::{Accounts, AddressHash, StoreError, keys};

/// How long after the last one guesses are remembered.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What failures are counted by, so that a stranger's guesses do not lock out the owner.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bucket {
    /// Log-ins to an address, known or not, from no known device.
    Address(AddressHash),
    /// Log-ins from one known device of a person.
    Device(UserId, Uuid),
    /// Codes of a second factor at log-in, from one known device or from no known one.
    Factor(UserId, Option<Uuid>),
    /// Passwords and codes asked again of somebody who is logged in.
    Proof(UserId),
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(formatter, "ADDRESS#{address}"),
            Self::Device(user, device) => write!(formatter, "DEVICE#{user}#{device}"),
            Self::Factor(user, None) => write!(formatter, "FACTOR#{user}"),
            Self::Factor(user, Some(device)) => write!(formatter, "FACTOR#{user}#{device}"),
            Self::Proof(user) => write!(formatter, "PROOF#{user}"),
        }
    }
}

/// What is remembered of the guesses in one bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    pub failures: u32,
    /// Until when none is let through; at the longest until it is forgotten.
    pub blocked_until: Option<Timestamp>,
}

impl Accounts {
    /// What is remembered of the guesses in a bucket, read consistently; none where nothing is.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn attempts(&self, bucket: &Bucket) -> Result<Attempts, StoreError> {
        let item = self.table.get("read the failed attempts", keys::attempts(bucket)).await?;
        item.map_or_else(|| Ok(Attempts::default()), |it| attempts(&it))
    }

    /// Counts one more failure, before it is known to be one, where the count is still `read`.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is not: read it again.
    pub async fn count_attempt(
        &self,
        bucket: &Bucket,
        read: &Attempts,
        blocked_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "count the attempt";
        let mark = Uuid::now_v7();
        let counted = Attempts { failures: read.failures.saturating_add(1), blocked_until };
        let write = Write::put(&self.table, attempts_item(bucket, &counted, mark, now)?);
        let write = match read.failures {
            0 => write.when("attribute_not_exists(#pk)"),
            failures => write.when("#failures = :read").value(":read", number(failures)),
        };
        match write.run(step).await {
            // The SDK repeats a write whose answer was lost: finding its mark means it is done.
            Err(conflict @ StoreError::Conflict { .. }) => {
                let stored = self.table.get(step, keys::attempts(bucket)).await?;
                let is_mine = stored.is_some_and(|it| it.word::<Uuid>("mark").is_ok_and(|it| it == mark));
                if is_mine { Ok(()) } else { Err(conflict) }
            }
            outcome => outcome,
        }
    }

    /// Forgets the guesses in a bucket.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn forget_attempts(&self, bucket: &Bucket) -> Result<(), StoreError> {
        self.forgetting(bucket).run("forget the failed attempts").await
    }

    pub(crate) fn forgetting(&self, bucket: &Bucket) -> Write {
        Write::delete(&self.table, keys::attempts(bucket))
    }
}

fn attempts_item(bucket: &Bucket, attempts: &Attempts, mark: Uuid, now: Timestamp) -> Result<Item, StoreError> {
    let Attempts { failures, blocked_until } = attempts;
    let forgotten = now.saturating_add(REMEMBERED).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(Item::new(keys::attempts(bucket))
        .with("failures", number(*failures))
        .with_some("blocked_until", blocked_until.map(|it| text(keys::timestamp(it))))
        .with("mark", text(mark))
        .with("expires_at", number(forgotten.as_second())))
}

fn attempts(item: &Item) -> Result<Attempts, StoreError> {
    Ok(Attempts { failures: item.number("failures")?, blocked_until: item.some_word("blocked_until")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{USER, at};

    #[test]
    fn attempts_survive_storage_and_are_forgotten_some_day() {
        let now = at("2026-11-20T11:00:00Z");
        for blocked_until in [None, Some(at("2026-11-20T11:00:04Z"))] {
            let before = Attempts { failures: 8, blocked_until };
            let item = attempts_item(&Bucket::Proof(USER), &before, Uuid::nil(), now).expect("an item");
            assert_eq!(attempts(&item).ok(), Some(before));
            let forgotten: i64 = item.number("expires_at").expect("a TTL");
            assert_eq!(forgotten, now.as_second() + 30 * 86_400);
        }
    }
}
