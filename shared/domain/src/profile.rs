use std::fmt;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{EmailAddress, Invalid, Name, Notify, NotifyPatch, UserId, set};

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

impl Profile {
    /// This profile with the patch applied.
    #[must_use]
    pub fn apply(&self, patch: ProfilePatch) -> Self {
        let ProfilePatch { name, locale, time_zone, notify } = patch;
        Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            locale: locale.unwrap_or(self.locale),
            time_zone: time_zone.unwrap_or_else(|| self.time_zone.clone()),
            notify: self.notify.apply(notify.unwrap_or_default()),
            ..self.clone()
        }
    }
}
