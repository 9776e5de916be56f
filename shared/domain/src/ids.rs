use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Invalid;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(formatter)
            }
        }

        /// Accepts the hyphenated form only (RFC 9562, section 4), so that one id has one spelling in a path.
        impl FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                let id = Uuid::try_parse(text).map_err(|_| Invalid::new("is not a UUID"))?;
                if text.len() != 36 {
                    return Err(Invalid::new("is not a hyphenated UUID"));
                }
                Ok(Self(id))
            }
        }
    };
}

id!(/// A person with an account.
    UserId);
id!(/// A project, the unit of membership.
    ProjectId);
id!(/// A task; unique over all projects.
    TaskId);
id!(/// An invitation of one address to one project.
    InvitationId);
id!(/// A log-in on one device.
    SessionId);
id!(/// One attempt to tell one recipient what is due.
    ClaimId);
id!(/// One letter part owed to one recipient.
    PartId);
id!(/// One notification in the product, in the order of its time.
    NotificationId);
id!(/// One entry of the audit trail of an account.
    EventId);
id!(/// A token for scripts; tells nothing of its secret.
    ApiTokenId);

/// The version of a task, from 1, without a gap: also the position in the task's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub u64);

impl Version {
    /// Before the first change: nothing has been logged, nothing planned.
    pub const NONE: Self = Self(0);
    /// The version a task is created with.
    pub const FIRST: Self = Self(1);

    /// The version that follows.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Accepts decimal digits without a sign or a leading zero only, so that one version has one spelling in a path and in an ETag.
impl FromStr for Version {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("is not a version");
        let plain = text.bytes().all(|it| it.is_ascii_digit()) && !text.starts_with('0');
        if !plain {
            return Err(invalid());
        }
        text.parse().map(Self).map_err(|_| invalid())
    }
}
