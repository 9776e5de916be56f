use std::collections::{BTreeMap, BTreeSet};

use domain::{ClaimId, ProjectId, Recipient, TaskId, UserId, Version};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::feedback::{Feedback, feedback};
use crate::item::{Item, number, text, word};
use crate::keys::Key;
use crate::table::query::Query;
use crate::table::write::Write;
use crate::{Claim, Mail, PartContent, RecipientKey, StoreError, Timing, keys};

/// How long it can be seen who was told of a change.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// How a person was told of a span of a task's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    pub project: ProjectId,
    pub task: TaskId,
    /// The first version of the span.
    pub from: Version,
    /// The last version of the span.
    pub to: Version,
    pub user: UserId,
    pub state: DeliveryState,
    pub reason: Option<String>,
    pub at: Timestamp,
    pub claim: ClaimId,
    /// Whether it was told in a digest.
    pub timing: Timing,
}

/// What became of a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    Waiting,
    Sent,
    Suppressed,
    Bounced,
}

impl Mail {
    /// Records that a claim's mail was handed over (or deliberately not sent), before the claim is closed.
    /// A claim of letters has no deliveries; that it was sent is recorded all the same.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_deliveries(&self, claim: &Claim, deliveries: &[Delivery], at: Timestamp) -> Result<(), StoreError> {
        let mut items: Vec<Item> = deliveries.iter().map(delivery_item).collect::<Result<_, _>>()?;
        if is_of_letters(claim) {
            let kept_until = number(kept_until(at)?);
            items.push(Item::new(keys::sent(&claim.recipient, claim.id)).with("expires_at", kept_until));
        }
        match (items.pop(), items.is_empty()) {
            (None, _) => Ok(()),
            (Some(only), true) => Write::put(&self.table, only).run("record the delivery").await,
            (Some(last), false) => {
                items.push(last);
                self.table.put_many("record the deliveries", items).await
            }
        }
    }

    /// Whether a claim's outcome was recorded: then it is only to be closed, never sent again.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn is_recorded(&self, claim: &Claim) -> Result<bool, StoreError> {
        if is_of_letters(claim) {
            let step = "read whether the claim was sent";
            return Ok(self.table.get(step, keys::sent(&claim.recipient, claim.id)).await?.is_some());
        }
        Ok(!self.recorded(claim).await?.is_empty())
    }

    /// The deliveries recorded of a claim of tasks: fewer than it has parts, where whoever recorded them died on the way.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn recorded(&self, claim: &Claim) -> Result<Vec<Delivery>, StoreError> {
        let spans = claim.parts.iter().filter_map(|part| match (&part.content, &part.recipient) {
            (PartContent::Task(span), Recipient::User(user)) => {
                Some(keys::delivery(span.project, span.task, span.to, *user, span.timing))
            }
            _ => None,
        });
        let items = self.table.get_many("read what was recorded of the claim", spans.collect()).await?;
        let deliveries: Vec<Delivery> = items.iter().map(delivery).collect::<Result<_, _>>()?;
        Ok(deliveries.into_iter().filter(|it| it.claim == claim.id).collect())
    }

    /// Who was told of a version, by any span that covers it, with what came back of those mails since.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn deliveries_of(&self, project: ProjectId, task: TaskId, version: Version) -> Result<Vec<Delivery>, StoreError> {
        let deliveries = self.deliveries_from(project, task, version).await?;
        let covering = deliveries.into_iter().filter(|it| it.from <= version).collect();
        self.with_feedback(covering).await
    }

    /// The deliveries of spans that end at a version or later.
    async fn deliveries_from(&self, project: ProjectId, task: TaskId, version: Version) -> Result<Vec<Delivery>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::log_partition(project, task)).and("#sk BETWEEN :first AND :last");
        let query = query.value(":first", text(keys::delivery_prefix(version))).value(":last", text(keys::AFTER_DELIVERIES));
        query.all("read the deliveries").await?.iter().map(delivery).collect()
    }

    /// The deliveries of spans that end after a version. For operators.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn deliveries_after(
        &self,
        project: ProjectId,
        task: TaskId,
        version: Version,
    ) -> Result<Vec<Delivery>, StoreError> {
        self.deliveries_from(project, task, version.next()).await
    }

    /// Takes the deliveries of spans away that end after a version, and answers how many there were: after a log was put back, other
    /// changes take its later versions. For operators.
    ///
    /// # Errors
    /// See [`StoreError`]; it can be repeated.
    pub async fn forget_deliveries(&self, project: ProjectId, task: TaskId, after: Version) -> Result<usize, StoreError> {
        let lying = self.deliveries_after(project, task, after).await?;
        self.table.delete_keys("forget deliveries", lying.iter().map(delivery_key).collect()).await?;
        Ok(lying.len())
    }

    async fn with_feedback(&self, deliveries: Vec<Delivery>) -> Result<Vec<Delivery>, StoreError> {
        let mails: BTreeSet<(UserId, ClaimId)> = deliveries.iter().map(|it| (it.user, it.claim)).collect();
        let keys = mails.into_iter().map(|(user, claim)| keys::feedback(&RecipientKey::User(user), claim)).collect();
        let items = self.table.get_many("read what came back of mails", keys).await?;
        let feedback: BTreeMap<ClaimId, Feedback> = items.iter().map(feedback).collect::<Result<_, _>>()?;
        let joined = deliveries.into_iter().map(|it| match (it.state, feedback.get(&it.claim)) {
            (DeliveryState::Sent, Some(Feedback { reason, at })) => {
                Delivery { state: DeliveryState::Bounced, reason: Some(reason.clone()), at: *at, ..it }
            }
            _ => it,
        });
        Ok(joined.collect())
    }
}

fn is_of_letters(claim: &Claim) -> bool {
    claim.parts.iter().any(|it| matches!(it.content, PartContent::Letter { .. }))
}

/// In seconds since the epoch, as DynamoDB's TTL wants it.
pub(crate) fn kept_until(at: Timestamp) -> Result<i64, StoreError> {
    let until = at.saturating_add(KEPT_FOR).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(until.as_second())
}

fn delivery_key(delivery: &Delivery) -> Key {
    keys::delivery(delivery.project, delivery.task, delivery.to, delivery.user, delivery.timing)
}

fn delivery_item(delivery: &Delivery) -> Result<Item, StoreError> {
    let Delivery { project: _, task: _, from, to, user, state, reason, at, claim, timing } = delivery;
    Ok(Item::new(delivery_key(delivery))
        .with("from", number(from.0))
        .with("to", number(to.0))
        .with("user", text(user))
        .with("state", word(state)?)
        .with_some("reason", reason.as_ref().map(text))
        .with("at", text(keys::timestamp(*at)))
        .with("claim", text(claim))
        .with("timing", word(timing)?)
        .with("expires_at", number(kept_until(*at)?)))
}

fn delivery(item: &Item) -> Result<Delivery, StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a log") };
    let (project, task) = keys::log_of_partition(partition).ok_or_else(corrupt)?;
    Ok(Delivery {
        project,
        task,
        from: Version(item.number("from")?),
        to: Version(item.number("to")?),
        user: item.word("user")?,
        state: item.word("state")?,
        reason: item.some_word("reason")?,
        at: item.word("at")?,
        claim: item.word("claim")?,
        timing: item.some_word("timing")?.unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    #[test]
    fn a_delivery_survives_storage() {
        for reason in [None, Some("the address is suppressed".to_owned())] {
            let before = Delivery {
                project: PROJECT,
                task: TASK,
                from: Version(3),
                to: Version(5),
                user: USER,
                state: DeliveryState::Suppressed,
                reason,
                at: at("2026-11-20T11:00:00Z"),
                claim: ClaimId(TASK.0),
                timing: Timing::Digest,
            };
            let item = delivery_item(&before).expect("an item");
            assert_eq!(delivery(&item).ok(), Some(before));
        }
    }
}
