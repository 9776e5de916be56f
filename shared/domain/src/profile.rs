use std::collections::BTreeSet;
use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{EmailAddress, Invalid, Name, UserId, set};

/// The language of a person's mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Locale {
    #[default]
    En,
    Ko,
}

words_only!(Locale);

/// A name of the IANA time zone database, `Asia/Seoul` for one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct TimeZoneName(String);

impl TimeZoneName {
    /// The name as in the database.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The rules behind the name; UTC, should a later database have dropped it.
    #[must_use]
    pub fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }
}

impl Default for TimeZoneName {
    fn default() -> Self {
        Self("UTC".to_owned())
    }
}

impl TryFrom<String> for TimeZoneName {
    type Error = Invalid;

    fn try_from(name: String) -> Result<Self, Invalid> {
        let zone = TimeZone::get(&name).map_err(|_| Invalid::new("is not the name of a time zone, such as Asia/Seoul"))?;
        Ok(Self(zone.iana_name().unwrap_or("UTC").to_owned()))
    }
}

impl fmt::Display for TimeZoneName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// What a person can ask to be told of, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A task was given to, or taken from, somebody.
    Assigned,
    /// A task moved between waiting, in progress and done.
    Status,
    /// Anything else about a task was edited.
    Edited,
    /// A task was deleted.
    Deleted,
}

impl NoticeKind {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [Self::Assigned, Self::Status, Self::Edited, Self::Deleted];
}

/// A set of kinds.
pub type NoticeKinds = BTreeSet<NoticeKind>;

/// When a person is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Choice {
    #[default]
    Now,
    None,
}

words_only!(Choice);

/// A person's choice for each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    pub assigned: Choice,
    pub status: Choice,
    pub edited: Choice,
    pub deleted: Choice,
}

impl Notify {
    /// The kinds the person wants to hear of.
    #[must_use]
    pub fn wanted(&self) -> NoticeKinds {
        NoticeKind::ALL.into_iter().filter(|kind| self.choice(*kind) == Choice::Now).collect()
    }

    /// The choice for one kind.
    #[must_use]
    pub fn choice(&self, kind: NoticeKind) -> Choice {
        match kind {
            NoticeKind::Assigned => self.assigned,
            NoticeKind::Status => self.status,
            NoticeKind::Edited => self.edited,
            NoticeKind::Deleted => self.deleted,
        }
    }

    /// Nothing at all any more.
    #[must_use]
    pub fn silent() -> Self {
        Self { assigned: Choice::None, status: Choice::None, edited: Choice::None, deleted: Choice::None }
    }
}

/// A person, as they and the mailer see them.
#[derive(Clone, PartialEq, Eq)]
pub struct Profile {
    pub id: UserId,
    pub email: EmailAddress,
    pub name: Name,
    pub locale: Locale,
    pub time_zone: TimeZoneName,
    pub notify: Notify,
    /// The key under which this person's unsubscribe links are authentic: 32 random octets. Never shown.
    pub unsubscribe_secret: [u8; 32],
}

impl fmt::Debug for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Profile").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a person may change about themselves; absent keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfilePatch {
    #[serde(deserialize_with = "set")]
    pub name: Option<Name>,
    #[serde(deserialize_with = "set")]
    pub locale: Option<Locale>,
    #[serde(deserialize_with = "set")]
    pub time_zone: Option<TimeZoneName>,
    #[serde(deserialize_with = "set")]
    pub notify: Option<NotifyPatch>,
}

/// Choices to change; absent keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyPatch {
    #[serde(deserialize_with = "set")]
    pub assigned: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub status: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub edited: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub deleted: Option<Choice>,
}

impl Profile {
    /// This profile with the patch applied.
    #[must_use]
    pub fn apply(&self, patch: ProfilePatch) -> Self {
        let ProfilePatch { name, locale, time_zone, notify } = patch;
        let notify = notify.unwrap_or_default();
        Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            locale: locale.unwrap_or(self.locale),
            time_zone: time_zone.unwrap_or_else(|| self.time_zone.clone()),
            notify: Notify {
                assigned: notify.assigned.unwrap_or(self.notify.assigned),
                status: notify.status.unwrap_or(self.notify.status),
                edited: notify.edited.unwrap_or(self.notify.edited),
                deleted: notify.deleted.unwrap_or(self.notify.deleted),
            },
            ..self.clone()
        }
    }
}
