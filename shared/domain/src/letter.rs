use serde::{Deserialize, Serialize};

use crate::{EmailAddress, Locale, Name, ProjectId, ProjectName, UserId};

/// Whom a mail is for. An address without an account has no profile to read: the letter itself says how to address it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    User(UserId),
    Address(EmailAddress),
}

/// A mail about an account or an invitation: sent alone and at once, whatever the preferences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "letter", rename_all = "snake_case")]
pub enum Letter {
    /// Prove the address: `token` is base64url and goes into the link.
    VerifyAddress { name: Name, token: String, locale: Locale },
    /// Somebody signed up with an address that has an account already.
    AddressTaken { locale: Locale },
    /// Somebody invited the address to a project.
    Invitation { project: ProjectId, project_name: ProjectName, inviter: Name, locale: Locale },
}
