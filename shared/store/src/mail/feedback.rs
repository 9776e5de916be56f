use domain::ClaimId;
use jiff::Timestamp;

use super::deliveries::kept_until;
use crate::item::{Item, number, text};
use crate::table::write::Write;
use crate::{Mail, RecipientKey, StoreError, keys};

/// What came back of a mail that was taken: it did not reach its reader, or is unwanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    pub reason: String,
    pub at: Timestamp,
}

impl Mail {
    /// Records what came back of a claim's mail; a repeat changes nothing that matters.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record_feedback(&self, recipient: &RecipientKey, claim: ClaimId, feedback: &Feedback) -> Result<(), StoreError> {
        Write::put(&self.table, feedback_item(recipient, claim, feedback)?).run("record what came back of a mail").await
    }
}

fn feedback_item(recipient: &RecipientKey, claim: ClaimId, feedback: &Feedback) -> Result<Item, StoreError> {
    let Feedback { reason, at } = feedback;
    Ok(Item::new(keys::feedback(recipient, claim))
        .with("claim", text(claim))
        .with("reason", text(reason))
        .with("at", text(keys::timestamp(*at)))
        .with("expires_at", number(kept_until(*at)?)))
}

pub(crate) fn feedback(item: &Item) -> Result<(ClaimId, Feedback), StoreError> {
    Ok((item.word("claim")?, Feedback { reason: item.word("reason")?, at: item.word("at")? }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    #[test]
    fn what_came_back_survives_storage() {
        let before = Feedback { reason: "bounced".to_owned(), at: at("2026-11-20T11:00:00Z") };
        let claim = ClaimId(TASK.0);
        let item = feedback_item(&RecipientKey::User(USER), claim, &before).expect("an item");
        assert_eq!(feedback(&item).ok(), Some((claim, before)));
    }
}
