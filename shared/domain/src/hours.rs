use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::Invalid;

/// A time of day to the minute: `HH:MM`, from `00:00` to `23:59`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(Time);

impl FromStr for ClockTime {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("is not a time of day such as 22:00");
        let &[h1, h2, b':', m1, m2] = text.as_bytes() else { return Err(invalid()) };
        if ![h1, h2, m1, m2].iter().all(u8::is_ascii_digit) {
            return Err(invalid());
        }
        let number = |tens: u8, ones: u8| i8::try_from((tens - b'0') * 10 + (ones - b'0')).map_err(|_| invalid());
        Time::new(number(h1, h2)?, number(m1, m2)?, 0, 0).map(Self).map_err(|_| invalid())
    }
}

impl TryFrom<String> for ClockTime {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        time.to_string()
    }
}

impl fmt::Display for ClockTime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

/// Hours of each day in which a person wants no mail about tasks, by the clock on their wall; they may span midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "AskedQuietHours")]
pub struct QuietHours {
    from: ClockTime,
    to: ClockTime,
    urgent: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AskedQuietHours {
    from: ClockTime,
    to: ClockTime,
    #[serde(default)]
    urgent: bool,
}

impl TryFrom<AskedQuietHours> for QuietHours {
    type Error = Invalid;

    fn try_from(AskedQuietHours { from, to, urgent }: AskedQuietHours) -> Result<Self, Invalid> {
        Self::new(from, to, urgent)
    }
}

impl QuietHours {
    /// From `from`, inclusive, to `to`, exclusive.
    ///
    /// # Errors
    /// [`Invalid`], where the two are the same: that could mean never or always.
    pub fn new(from: ClockTime, to: ClockTime, urgent: bool) -> Result<Self, Invalid> {
        if from == to {
            return Err(Invalid::new("begin and end at the same time"));
        }
        Ok(Self { from, to, urgent })
    }

    /// When they begin.
    #[must_use]
    pub fn from(&self) -> ClockTime {
        self.from
    }

    /// When they are over.
    #[must_use]
    pub fn to(&self) -> ClockTime {
        self.to
    }

    /// Whether mail about an urgent task may come all the same.
    #[must_use]
    pub fn urgent(&self) -> bool {
        self.urgent
    }

    /// Where `at` lies in them, the first moment after it that does not.
    ///
    /// The clock on the wall decides, also on a day on which it is put forward or back.
    #[must_use]
    pub fn end(&self, zone: &TimeZone, at: Timestamp) -> Option<Timestamp> {
        if !self.contain(zone, at) {
            return None;
        }
        // A clock that runs on leaves them at `to`, and one that is put forward or back can leave them there.
        let today = zone.to_datetime(at).date();
        let clock_ends = days(today, 0..=2).flat_map(|day| occurrences(zone, day, self.to.0));
        let transitions = zone.following(at).take(2).map(|it| it.timestamp());
        clock_ends.chain(transitions).filter(|it| *it > at && !self.contain(zone, *it)).min()
    }

    fn contain(&self, zone: &TimeZone, at: Timestamp) -> bool {
        let time = zone.to_datetime(at).time();
        let (from, to) = (self.from.0, self.to.0);
        if from < to { from <= time && time < to } else { from <= time || time < to }
    }
}

/// The hour of the day at which a person gets their digest: 0 to 23, in their time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct DigestHour(u8);

impl DigestHour {
    /// As a number, 0 to 23.
    #[must_use]
    pub fn hour(self) -> u8 {
        self.0
    }

    /// The first such hour strictly after `after`: one for each day, also where the hour comes twice or is left out.
    #[must_use]
    pub fn next(self, zone: &TimeZone, after: Timestamp) -> Timestamp {
        let time = Time::MIN.with().hour(i8::try_from(self.0).unwrap_or_default()).build().unwrap_or(Time::MIN);
        let today = zone.to_datetime(after).date();
        // Where the hour is left out, the clock is that much further: a digest of 02:00 comes at 03:00.
        let hours = days(today, -1..=2).filter_map(|day| zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok());
        hours.filter(|it| *it > after).min().unwrap_or(Timestamp::MAX)
    }

    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Default for DigestHour {
    fn default() -> Self {
        Self(8)
    }
}

impl TryFrom<u8> for DigestHour {
    type Error = Invalid;

    fn try_from(hour: u8) -> Result<Self, Invalid> {
        if hour > 23 {
            return Err(Invalid::new("is not an hour of the day from 0 to 23"));
        }
        Ok(Self(hour))
    }
}

impl From<DigestHour> for u8 {
    fn from(hour: DigestHour) -> Self {
        hour.0
    }
}

fn days(today: Date, offsets: std::ops::RangeInclusive<i8>) -> impl Iterator<Item = Date> {
    offsets.filter_map(move |offset| today.checked_add(offset.days()).ok())
}

/// When the clock on the wall shows this time on this day: twice, where it is put back over it.
fn occurrences(zone: &TimeZone, day: Date, time: Time) -> impl Iterator<Item = Timestamp> + use<> {
    let occurrence = zone.to_ambiguous_timestamp(day.to_datetime(time));
    [occurrence.earlier(), occurrence.later()].into_iter().filter_map(Result::ok)
}
