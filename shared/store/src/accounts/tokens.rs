use std::fmt;

use domain::{EmailAddress, EventId, Locale, Name, TimeZoneName, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item::{Item, json, number, text};
use crate::mail::parts::part_item;
use crate::table::write::{Transacted, Write, transact};
use crate::{Accounts, AddressSide, Filed, LetterLimit, Mail, Part, StoreError, keys};

/// What is stored of a secret token: SHA-256 of its text, in hexadecimal. Good for tokens of full entropy only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenHash(String);

impl TokenHash {
    /// The hash of a token's text.
    #[must_use]
    pub fn of(token: &str) -> Self {
        Self(crate::keys::sha256_hex(token))
    }

    /// A hash as it was stored.
    pub(crate) fn stored(hash: &str) -> Self {
        Self(hash.to_owned())
    }

    /// The hash, in hexadecimal; 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("TokenHash(..)")
    }
}

/// A token that was sent to an address and works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeToken {
    pub hash: TokenHash,
    pub purpose: TokenPurpose,
    pub expires_at: Timestamp,
}

/// What a one-time token is good for, with what will be needed then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "purpose", rename_all = "snake_case")]
pub enum TokenPurpose {
    /// Prove an address and make the account.
    VerifyAddress { email: EmailAddress, name: Name, locale: Locale, time_zone: TimeZoneName },
    /// Set a new password, while the old one is the one it was asked for; nobody's, where the address has no account.
    ResetPassword { user: Option<UserId>, email: EmailAddress, password_fingerprint: Option<TokenHash> },
    /// Agree to a change of address.
    ChangeEmail { user: UserId, change: EventId, side: AddressSide },
}

impl Accounts {
    /// Stores a one-time token together with the letter that carries it, unless the recipient got enough of these letters.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn file_token(
        &self,
        mail: &Mail,
        token: &OneTimeToken,
        letter: &Part,
        limit: &LetterLimit,
    ) -> Result<Filed, StoreError> {
        let step = "store the one-time token";
        let writes = vec![
            limit.counting(mail, &letter.recipient_key(), letter.due_at),
            Write::create(&self.table, token_item(token)?),
            Write::create(&mail.table, part_item(letter)?),
        ];
        match transact(step, writes).await? {
            Transacted::Done => Ok(Filed::Yes),
            Transacted::Refused(places) if places.first() == Some(&0) => Ok(Filed::TooMany),
            Transacted::Refused(_) => Err(StoreError::Conflict { step }),
        }
    }

    /// Uses a one-time token up, in a transaction with what it is good for.
    pub(crate) fn using_up(&self, token: &TokenHash, now: Timestamp) -> Write {
        Write::delete(&self.table, keys::token(token))
            .when("attribute_exists(#pk) AND #ends_at > :now")
            .value(":now", text(keys::timestamp(now)))
    }

    /// A one-time token that was neither used nor has expired.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn token(&self, hash: &TokenHash, now: Timestamp) -> Result<Option<OneTimeToken>, StoreError> {
        let item = self.table.get("read the one-time token", keys::token(hash)).await?;
        let token = item.map(|it| one_time_token(&it)).transpose()?;
        Ok(token.filter(|it| now < it.expires_at))
    }
}

pub(crate) fn token_item(token: &OneTimeToken) -> Result<Item, StoreError> {
    let OneTimeToken { hash, purpose, expires_at } = token;
    Ok(Item::new(keys::token(hash))
        .with("hash", text(hash.as_str()))
        .with("purpose", json(purpose)?)
        .with("ends_at", text(keys::timestamp(*expires_at)))
        .with("expires_at", number(expires_at.as_second())))
}

fn one_time_token(item: &Item) -> Result<OneTimeToken, StoreError> {
    Ok(OneTimeToken { hash: item.word("hash")?, purpose: item.json("purpose")?, expires_at: item.word("ends_at")? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::at;

    #[test]
    fn a_one_time_token_survives_storage() {
        let purpose = TokenPurpose::VerifyAddress {
            email: "ada@example.com".parse().expect("an address"),
            name: "Ada".parse().expect("a name"),
            locale: Locale::Ko,
            time_zone: TimeZoneName::default(),
        };
        let before = OneTimeToken { hash: TokenHash::of("token"), purpose, expires_at: at("2026-11-20T11:00:00Z") };
        let item = token_item(&before).expect("an item");
        assert_eq!(one_time_token(&item).ok(), Some(before));
    }
}
