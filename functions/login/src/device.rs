use api::ApiError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::UserId;
use jiff::Timestamp;
use uuid::Uuid;

use crate::random;
use crate::secrets::{Keys, TAG_LENGTH};

/// How long a device is known after its last log-in.
pub(crate) const DEVICE_LIFETIME_DAYS: u32 = 365;
const SECONDS_A_DAY: i64 = 24 * 60 * 60;
pub(crate) const SIGNED_LENGTH: usize = 16 + 16 + 8;

/// A device that somebody has logged in on before. It proves nothing about who uses it: it only gives it a counter of failed log-ins of
/// its own, which strangers cannot run up (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
///
/// The text form is base64url without padding of `user (16) | device (16) | second of issue (8) | tag (16)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownDevice {
    pub(crate) user: UserId,
    pub(crate) id: Uuid,
    /// When it was logged in on last, in seconds since the epoch.
    used_at: i64,
}

impl KnownDevice {
    /// One that was not known before.
    ///
    /// # Errors
    /// 500, if the operating system has no randomness to give.
    pub(crate) fn new(user: UserId, now: Timestamp) -> Result<Self, ApiError> {
        Ok(Self { user, id: Uuid::from_bytes(random::octets()?), used_at: now.as_second() })
    }

    /// Whether somebody logged in on it before the password was set. It keeps its counter; but it may be a thief's, who knew the
    /// password before this one.
    pub(crate) fn was_used_before(&self, password_set_at: Timestamp) -> bool {
        self.used_at < password_set_at.as_second()
    }

    /// What it shows when it comes back, within a year.
    pub(crate) fn token(&self, now: Timestamp, keys: &Keys) -> String {
        let mut octets = [self.user.0.as_bytes().as_slice(), self.id.as_bytes(), &now.as_second().to_be_bytes()].concat();
        octets.extend(keys.device_tag(&octets));
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// The device that shows this; nothing, if it is none of ours or has not been seen for a year.
    pub(crate) fn read(text: &str, now: Timestamp, keys: &Keys) -> Option<Self> {
        let octets: [u8; SIGNED_LENGTH + TAG_LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (signed, tag) = octets.split_at(SIGNED_LENGTH);
        if !keys.is_device_tag(signed, tag) {
            return None;
        }
        let user = UserId(Uuid::from_slice(&signed[..16]).ok()?);
        let id = Uuid::from_slice(&signed[16..32]).ok()?;
        let used_at = i64::from_be_bytes(signed[32..].try_into().ok()?);
        let days = now.as_second().saturating_sub(used_at) / SECONDS_A_DAY;
        (days <= i64::from(DEVICE_LIFETIME_DAYS)).then_some(Self { user, id, used_at })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_device_is_known_for_a_year_by_its_token() {
        let keys = Keys::new(&[7; 32]);
        let now = at("2026-11-20T23:00:00Z");
        let device = KnownDevice::new(UserId(Uuid::from_u128(1)), now).expect("randomness");
        let token = device.token(now, &keys);
        let after = |days: i64| KnownDevice::read(&token, now + SignedDuration::from_hours(24 * days), &keys);
        assert_eq!(after(0), Some(device));
        assert_eq!(after(365), Some(device));
        assert_eq!(after(366), None);
        assert_eq!(after(-1), Some(device), "clocks differ");
    }

    #[test]
    fn a_device_is_told_of_that_was_last_used_under_an_earlier_password() {
        let now = at("2026-11-20T23:00:00.7Z");
        let device = KnownDevice::new(UserId(Uuid::from_u128(1)), now).expect("randomness");
        assert!(device.was_used_before(at("2026-11-20T23:00:01Z")));
        assert!(!device.was_used_before(now), "the log-in right after the password was set");
        assert!(!device.was_used_before(at("2026-11-20T22:00:00Z")));
    }

    #[test]
    fn a_token_that_is_not_ours_makes_no_device_known() {
        let keys = Keys::new(&[7; 32]);
        let now = at("2026-11-20T23:00:00Z");
        let text = KnownDevice::new(UserId(Uuid::from_u128(1)), now).expect("randomness").token(now, &keys);
        let octets = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        for place in 0..octets.len() {
            let mut touched = octets.clone();
            touched[place] ^= 1;
            assert_eq!(KnownDevice::read(&URL_SAFE_NO_PAD.encode(touched), now, &keys), None, "octet {place}");
        }
        for text in ["", "AAAA", "not base64!", &format!("{text}A"), &text[1..]] {
            assert_eq!(KnownDevice::read(text, now, &keys), None, "{text:?}");
        }
        assert_eq!(KnownDevice::read(&text, now, &Keys::new(&[8; 32])), None, "under another key");
    }
}
