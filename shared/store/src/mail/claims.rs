use std::collections::BTreeSet;

use domain::ClaimId;
use jiff::Timestamp;

use super::parts::{part_item, part_key};
use crate::item::{Item, json, number, text};
use crate::table::write::{Write, transact};
use crate::{Mail, Part, RecipientKey, SHARDS, StoreError, keys};

/// This very claim, whichever attempt.
const THIS: &str = "#claim = :claim";

/// One attempt to tell one recipient: the parts as frozen, until when nobody else may act on them. One per recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    pub id: ClaimId,
    pub recipient: RecipientKey,
    /// At most [`crate::MOST_PARTS_PER_CLAIM`].
    pub parts: Vec<Part>,
    /// From 1; more where an earlier attempt was not closed before its lease ran out.
    pub attempt: u32,
    pub opened_at: Timestamp,
    pub lease_until: Timestamp,
}

impl Claim {
    /// Whether its holder has had its time.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.lease_until <= now
    }
}

impl Mail {
    /// The recipient's open claim, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn claim(&self, recipient: &RecipientKey) -> Result<Option<Claim>, StoreError> {
        let item = self.table.get("read the claim", keys::claim(recipient)).await?;
        item.map(|it| claim(&it)).transpose()
    }

    /// Opens a claim.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the recipient has an open one.
    pub async fn open_claim(&self, claim: &Claim) -> Result<(), StoreError> {
        let opened = Write::create(&self.table, claim_item(claim)?).run("open a claim").await;
        self.unless_mine(opened, claim).await
    }

    /// Takes an expired claim over: the same claim and parts, the next attempt.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is closed, taken over by another, or not expired.
    pub async fn take_over(&self, claim: &Claim, now: Timestamp, lease_until: Timestamp) -> Result<Claim, StoreError> {
        let taken = Claim { attempt: claim.attempt + 1, lease_until, ..claim.clone() };
        let outcome = Write::put(&self.table, claim_item(&taken)?)
            .when("#claim = :claim AND #attempt = :attempt AND #lease_until <= :now")
            .value(":claim", text(claim.id))
            .value(":attempt", number(claim.attempt))
            .value(":now", text(keys::timestamp(now)))
            .run("take a claim over")
            .await;
        self.unless_mine(outcome, &taken).await?;
        Ok(taken)
    }

    /// The SDK repeats a write whose answer was lost: a refusal that finds the claim as wanted is no refusal.
    async fn unless_mine(&self, outcome: Result<(), StoreError>, wanted: &Claim) -> Result<(), StoreError> {
        match outcome {
            Err(conflict @ StoreError::Conflict { .. }) => match self.claim(&wanted.recipient).await? {
                Some(stored) if stored == *wanted => Ok(()),
                _ => Err(conflict),
            },
            outcome => outcome,
        }
    }

    fn release(&self, claim: &Claim) -> Write {
        Write::delete(&self.table, keys::claim(&claim.recipient)).when(THIS).value(":claim", text(claim.id))
    }

    /// Takes the claim and its parts away: the recipient was told, or is not to be.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this claim is not open any more.
    pub async fn close(&self, claim: &Claim) -> Result<(), StoreError> {
        let step = "close the claim";
        let mut writes = vec![self.release(claim)];
        writes.extend(claim.parts.iter().map(|part| Write::delete(&self.table, part_key(part))));
        transact(step, writes).await?.or_conflict(step)
    }

    /// Releases the claim and makes its parts due later.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where this claim is not open any more.
    pub async fn postpone(&self, claim: &Claim, until: Timestamp) -> Result<(), StoreError> {
        let step = "postpone what is owed";
        let mut writes = vec![self.release(claim)];
        for part in &claim.parts {
            let later = Part { due_at: until, ..part.clone() };
            writes.push(Write::put(&self.table, part_item(&later)?));
        }
        transact(step, writes).await?.or_conflict(step)
    }

    /// Lets every open claim expire now. Only for whoever knows that nobody else is at work. Answers how many there were.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn expire_claims(&self, now: Timestamp) -> Result<usize, StoreError> {
        let mut recipients = BTreeSet::new();
        for shard in 0..SHARDS {
            recipients.extend(self.due(shard, now, None, usize::MAX).await?.into_iter().map(|it| it.recipient));
        }
        let mut expired = 0;
        for recipient in recipients {
            let Some(claim) = self.claim(&recipient).await?.filter(|it| !it.is_expired(now)) else { continue };
            let ended = Claim { lease_until: now, ..claim };
            let write = Write::put(&self.table, claim_item(&ended)?).when(THIS).value(":claim", text(ended.id));
            write.run("let a claim expire").await?;
            expired += 1;
        }
        Ok(expired)
    }
}

fn claim_item(claim: &Claim) -> Result<Item, StoreError> {
    let Claim { id, recipient, parts, attempt, opened_at, lease_until } = claim;
    Ok(Item::new(keys::claim(recipient))
        .with("claim", text(id))
        .with("recipient", text(recipient))
        .with("parts", json(parts)?)
        .with("attempt", number(*attempt))
        .with("opened_at", text(keys::timestamp(*opened_at)))
        .with("lease_until", text(keys::timestamp(*lease_until))))
}

fn claim(item: &Item) -> Result<Claim, StoreError> {
    let recipient = item.text("recipient")?;
    Ok(Claim {
        id: item.word("claim")?,
        recipient: recipient.parse().map_err(|why| StoreError::Corrupt { what: format!("{recipient} {why}") })?,
        parts: item.json("parts")?,
        attempt: item.number("attempt")?,
        opened_at: item.word("opened_at")?,
        lease_until: item.word("lease_until")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::parts::tests::{letter_part, task_part};
    use super::*;
    use crate::keys::tests::{TASK, at};

    #[test]
    fn a_claim_survives_storage_with_its_parts_as_frozen() {
        for part in [task_part(), letter_part()] {
            let before = Claim {
                id: ClaimId(TASK.0),
                recipient: part.recipient_key(),
                parts: vec![part],
                attempt: 2,
                opened_at: at("2026-11-20T11:00:00Z"),
                lease_until: at("2026-11-20T11:05:00.000000001Z"),
            };
            assert!(!before.is_expired(at("2026-11-20T11:05:00Z")));
            assert!(before.is_expired(before.lease_until));
            let item = claim_item(&before).expect("an item");
            assert_eq!(claim(&item).ok(), Some(before));
        }
    }
}
