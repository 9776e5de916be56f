use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EmailAddress, Locale, Name, ProjectId, ProjectName, SecurityEvent, UserId};

/// Whom a mail is for. An address without an account has no profile to read: the letter itself says how to address it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    User(UserId),
    Address(EmailAddress),
}

/// A mail about an account or an invitation: sent alone and at once, whatever the preferences. A letter to a person is in the
/// language of their profile; one to an address says its language.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// Prove the address: `token` is base64url and goes into the link.
    VerifyAddress { name: Name, token: String, locale: Locale },
    /// Somebody signed up with an address that has an account already, or wants to move theirs there.
    AddressTaken { locale: Locale },
    /// Somebody forgot the password of an account that this address does not have.
    NoAccount { locale: Locale },
    /// Set a new password: `token` is base64url and goes into the link. To the person.
    ResetPassword { token: String },
    /// Prove the address an account is to move to: `token` is base64url and goes into the link.
    ConfirmNewEmail { token: String, locale: Locale },
    /// Agree that the account moves to the address `new`: `token` is base64url and goes into the link. To the person.
    ApproveEmailChange { token: String, new: EmailAddress },
    /// The account moved away from this address.
    EmailChanged { locale: Locale },
    /// Something happened that bears on who can get into the account. To the person.
    Security { event: SecurityEvent },
    /// Somebody invited the address to a project.
    Invitation { project: ProjectId, project_name: ProjectName, inviter: Name, locale: Locale },
}

/// Tells which letter it is and nothing of what stands in it: a token in a link is as good as a password.
impl fmt::Debug for Letter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::VerifyAddress { .. } => "VerifyAddress",
            Self::AddressTaken { .. } => "AddressTaken",
            Self::NoAccount { .. } => "NoAccount",
            Self::ResetPassword { .. } => "ResetPassword",
            Self::ConfirmNewEmail { .. } => "ConfirmNewEmail",
            Self::ApproveEmailChange { .. } => "ApproveEmailChange",
            Self::EmailChanged { .. } => "EmailChanged",
            Self::Security { .. } => "Security",
            Self::Invitation { .. } => "Invitation",
        };
        formatter.debug_struct(name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;
    use crate::{Device, EventId, SecurityEventKind};

    #[test]
    fn a_letter_survives_its_travel_and_debug_does_not_tell_its_token() {
        let id = Uuid::from_u128(1);
        let device = Device { network_address: "2001:db8::1".parse().ok(), ..Device::default() };
        let kind = SecurityEventKind::TokenMade { name: "nightly".parse().expect("a name") };
        let event = SecurityEvent { id: EventId(id), user: UserId(id), at: Timestamp::UNIX_EPOCH, kind, device };
        let new = "ada@example.com".parse().expect("an address");
        for letter in [
            Letter::NoAccount { locale: Locale::Ko },
            Letter::ResetPassword { token: "hidden".to_owned() },
            Letter::ConfirmNewEmail { token: "hidden".to_owned(), locale: Locale::En },
            Letter::ApproveEmailChange { token: "hidden".to_owned(), new },
            Letter::EmailChanged { locale: Locale::En },
            Letter::Security { event },
        ] {
            let json = serde_json::to_string(&letter).expect("JSON");
            assert_eq!(serde_json::from_str::<Letter>(&json).ok().as_ref(), Some(&letter), "{json}");
            assert!(!format!("{letter:?}").contains("hidden"));
        }
    }
}
