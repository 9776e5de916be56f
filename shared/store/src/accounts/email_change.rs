use aws_sdk_dynamodb::types::AttributeValue;
use domain::{EmailAddress, EventId, SecurityEvent, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::credentials::{AsRead, credential_item, where_as_read};
use super::tokens::token_item;
use crate::item::{Item, number, text};
use crate::mail::parts::part_item;
use crate::table::write::{Transacted, Write, transact};
use crate::{Accounts, Credential, Filed, LetterLimit, Mail, Notice, OneTimeToken, Part, StoreError, Work, keys};

/// A change of address under way: it happens once a link to either address was followed. A person has one at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailChange {
    /// Of the event that it was asked for; the links of an earlier one say another and are good for nothing.
    pub id: EventId,
    pub user: UserId,
    pub old: EmailAddress,
    pub new: EmailAddress,
    pub old_confirmed: bool,
    pub new_confirmed: bool,
    pub expires_at: Timestamp,
}

/// Whose agreement a link stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressSide {
    Old,
    New,
}

impl EmailChange {
    /// Whose agreement is still missing; the old address's first.
    #[must_use]
    pub fn waiting_for(&self) -> Option<AddressSide> {
        match (self.old_confirmed, self.new_confirmed) {
            (false, _) => Some(AddressSide::Old),
            (true, false) => Some(AddressSide::New),
            (true, true) => None,
        }
    }
}

impl Accounts {
    /// Begins a change of address, in place of any earlier one, with the tokens and the letters that carry them, the old address's
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the password is another than the one it was proven with.
    #[expect(clippy::too_many_arguments, reason = "all of it is one transaction")]
    pub async fn start_email_change(
        &self,
        mail: &Mail,
        credential: &Credential,
        change: &EmailChange,
        tokens: [&OneTimeToken; 2],
        letters: [&Part; 2],
        limit: &LetterLimit,
        event: &SecurityEvent,
    ) -> Result<Filed, StoreError> {
        let step = "begin the change of address";
        let mut writes: Vec<Write> = letters.iter().map(|it| limit.counting(mail, &it.recipient_key(), it.due_at)).collect();
        for letter in letters {
            writes.push(Write::put(&mail.table, part_item(letter)?));
        }
        for token in tokens {
            writes.push(Write::create(&self.table, token_item(token)?));
        }
        writes.push(Write::put(&self.table, change_item(change)));
        writes.push(self.recording(event)?);
        let proven = Write::check(&self.table, keys::credential(&credential.email));
        writes.push(where_as_read(proven, credential, &[AsRead::Password], &[]));
        match transact(step, writes).await? {
            Transacted::Done => Ok(Filed::Yes),
            Transacted::Refused(places) if places.iter().any(|it| *it < letters.len()) => Ok(Filed::TooMany),
            Transacted::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }

    /// The change of address that is under way, read consistently; also one that expired and is not yet removed.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn email_change(&self, user: UserId) -> Result<Option<EmailChange>, StoreError> {
        let item = self.table.get("read the change of address", keys::email_change(user)).await?;
        item.map(|it| email_change(&it)).transpose()
    }

    /// Notes that the link to one address was followed, and answers what there is then: of two at the same moment, at least one
    /// finds that both were followed. Doing it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the change is over, has expired, or was replaced by another.
    pub async fn confirm_email_side(
        &self,
        change: &EmailChange,
        side: AddressSide,
        now: Timestamp,
    ) -> Result<EmailChange, StoreError> {
        let step = "note that a link was followed";
        let set = match side {
            AddressSide::Old => "SET #old_confirmed = :true",
            AddressSide::New => "SET #new_confirmed = :true",
        };
        Write::update(&self.table, keys::email_change(change.user), set)
            .when("#change = :change AND #ends_at > :now")
            .value(":true", AttributeValue::Bool(true))
            .value(":change", text(change.id))
            .value(":now", text(keys::timestamp(now)))
            .run(step)
            .await?;
        let stored = self.email_change(change.user).await?;
        stored.filter(|it| it.id == change.id).ok_or(StoreError::Conflict { step })
    }

    /// Moves an account to the address it was proven for: its credential, its profile, word of it, all or nothing.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the change is over or not agreed to by both, the credential is not as read any more, or the
    /// new address has an account.
    #[expect(clippy::too_many_arguments, reason = "all of it is one transaction")]
    pub async fn finish_email_change(
        &self,
        work: &Work,
        mail: &Mail,
        change: &EmailChange,
        credential: &Credential,
        notice: &Notice,
        to_old: &Part,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let step = "change the address";
        let moved = Credential { email: change.new.clone(), revision: credential.revision + 1, ..credential.clone() };
        let agreed = Write::delete(&self.table, keys::email_change(change.user))
            .when("#change = :change AND #old_confirmed = :true AND #new_confirmed = :true AND #ends_at > :now")
            .value(":change", text(change.id))
            .value(":true", AttributeValue::Bool(true))
            .value(":now", text(keys::timestamp(now)));
        let gone = Write::delete(&self.table, keys::credential(&change.old));
        let profile = Write::update(&work.table, keys::profile(change.user), "SET #email = :new")
            .when("#email = :old")
            .value(":new", text(&change.new))
            .value(":old", text(&change.old));
        let mut writes = vec![
            agreed,
            where_as_read(gone, credential, &[AsRead::Revision, AsRead::Password], &[]),
            Write::create(&self.table, credential_item(&moved)),
            profile,
            Write::put(&mail.table, part_item(to_old)?),
        ];
        writes.extend(notice.writes(self, mail)?);
        transact(step, writes).await?.or_conflict(step)
    }
}

fn change_item(change: &EmailChange) -> Item {
    let EmailChange { id, user, old, new, old_confirmed, new_confirmed, expires_at } = change;
    Item::new(keys::email_change(*user))
        .with("change", text(id))
        .with("user", text(user))
        .with("old", text(old))
        .with("new", text(new))
        .with("old_confirmed", AttributeValue::Bool(*old_confirmed))
        .with("new_confirmed", AttributeValue::Bool(*new_confirmed))
        .with("ends_at", text(keys::timestamp(*expires_at)))
        .with("expires_at", number(expires_at.as_second().saturating_add(1)))
}

fn email_change(item: &Item) -> Result<EmailChange, StoreError> {
    Ok(EmailChange {
        id: item.word("change")?,
        user: item.word("user")?,
        old: item.word("old")?,
        new: item.word("new")?,
        old_confirmed: item.boolean("old_confirmed")?,
        new_confirmed: item.boolean("new_confirmed")?,
        expires_at: item.word("ends_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    #[test]
    fn a_change_of_address_survives_storage_and_waits_for_both() {
        for (old_confirmed, new_confirmed, waiting_for) in [
            (false, false, Some(AddressSide::Old)),
            (false, true, Some(AddressSide::Old)),
            (true, false, Some(AddressSide::New)),
            (true, true, None),
        ] {
            let before = EmailChange {
                id: EventId(TASK.0),
                user: USER,
                old: "ada@example.com".parse().expect("an address"),
                new: "ada@example.org".parse().expect("an address"),
                old_confirmed,
                new_confirmed,
                expires_at: at("2026-11-21T11:00:00Z"),
            };
            assert_eq!(before.waiting_for(), waiting_for);
            assert_eq!(email_change(&change_item(&before)).ok(), Some(before));
        }
    }
}
