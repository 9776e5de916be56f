use std::fmt;
use std::str::FromStr;

use domain::{EmailAddress, Invalid, Recipient, UserId};
use serde::{Deserialize, Serialize};

use super::sha256_hex;

/// SHA-256 of a normalised mail address, in hexadecimal, so that no key or event carries an address.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct AddressHash(String);

impl From<&EmailAddress> for AddressHash {
    fn from(email: &EmailAddress) -> Self {
        Self(sha256_hex(email.as_str()))
    }
}

impl TryFrom<String> for AddressHash {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let is_hash = text.len() == 64 && text.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        if is_hash { Ok(Self(text)) } else { Err(Invalid::new("is not the hash of an address")) }
    }
}

impl fmt::Display for AddressHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A recipient without their address: `USER#<id>` or `ADDRESS#<hash>` as text, `{"user": ..}` or `{"address_hash": ..}` in JSON.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecipientKey {
    #[serde(rename = "user")]
    User(UserId),
    #[serde(rename = "address_hash")]
    Address(AddressHash),
}

impl From<&Recipient> for RecipientKey {
    fn from(recipient: &Recipient) -> Self {
        match recipient {
            Recipient::User(user) => Self::User(*user),
            Recipient::Address(email) => Self::Address(email.into()),
        }
    }
}

impl fmt::Display for RecipientKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(formatter, "USER#{user}"),
            Self::Address(hash) => write!(formatter, "ADDRESS#{hash}"),
        }
    }
}

impl FromStr for RecipientKey {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        match text.split_once('#') {
            Some(("USER", id)) => id.parse().map(Self::User),
            Some(("ADDRESS", hash)) => hash.to_owned().try_into().map(Self::Address),
            _ => Err(Invalid::new("is not a recipient")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::USER;

    #[test]
    fn a_recipient_key_survives_its_travel_and_carries_no_address() {
        let email: EmailAddress = "ada@example.com".parse().expect("an address");
        for recipient in [Recipient::User(USER), Recipient::Address(email)] {
            let key = RecipientKey::from(&recipient);
            assert_eq!(key.to_string().parse(), Ok(key.clone()));
            assert!(!key.to_string().contains('@'));
            let json = serde_json::to_string(&key).expect("JSON");
            assert_eq!(serde_json::from_str::<RecipientKey>(&json).ok(), Some(key));
        }
        assert!("USER#x".parse::<RecipientKey>().is_err());
        assert!("ADDRESS#ABC".parse::<RecipientKey>().is_err());
    }
}
