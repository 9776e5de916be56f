use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::UserId;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::secrets::{Keys, TAG_LENGTH};

/// How long somebody has for the second step of a log-in.
pub(crate) const TICKET_LIFETIME: SignedDuration = SignedDuration::from_mins(5);
pub(crate) const SIGNED_LENGTH: usize = 16 + 8 + TAG_LENGTH;

/// That somebody has given their password, in the first of two steps of a log-in. Nothing of it is stored.
///
/// The text form is base64url without padding of `user (16) | seconds it is good until (8) | fingerprint of the password's hash (16) |
/// tag (16)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) user: UserId,
    fingerprint: [u8; TAG_LENGTH],
}

impl Ticket {
    /// A ticket for somebody whose password has this hash.
    pub(crate) fn new(user: UserId, password_hash: &str, keys: &Keys) -> Self {
        Self { user, fingerprint: keys.fingerprint(password_hash) }
    }

    pub(crate) fn text(&self, now: Timestamp, keys: &Keys) -> String {
        let until = now.as_second().saturating_add(TICKET_LIFETIME.as_secs());
        let mut octets = [self.user.0.as_bytes().as_slice(), &until.to_be_bytes(), &self.fingerprint].concat();
        octets.extend(keys.ticket_tag(&octets));
        URL_SAFE_NO_PAD.encode(octets)
    }

    /// What a client sent; nothing, if it is none of ours or has expired.
    pub(crate) fn read(text: &str, now: Timestamp, keys: &Keys) -> Option<Self> {
        let octets: [u8; SIGNED_LENGTH + TAG_LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (signed, tag) = octets.split_at(SIGNED_LENGTH);
        if !keys.is_ticket_tag(signed, tag) {
            return None;
        }
        let until = i64::from_be_bytes(signed[16..24].try_into().ok()?);
        let ticket = Self { user: UserId(Uuid::from_slice(&signed[..16]).ok()?), fingerprint: signed[24..].try_into().ok()? };
        (now.as_second() < until).then_some(ticket)
    }

    /// Whether the password is still the one that was given.
    pub(crate) fn is_for(&self, password_hash: &str, keys: &Keys) -> bool {
        self.fingerprint == keys.fingerprint(password_hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserId = UserId(Uuid::from_u128(1));

    #[test]
    fn a_ticket_is_good_for_five_minutes_and_while_the_password_stays() {
        let keys = Keys::new(&[7; 32]);
        let now: Timestamp = "2026-11-20T11:00:00.9Z".parse().expect("a time");
        let ticket = Ticket::new(USER, "a hash", &keys);
        let text = ticket.text(now, &keys);
        assert_eq!(Ticket::read(&text, now, &keys), Some(ticket));
        assert_eq!(Ticket::read(&text, now + SignedDuration::from_secs(299), &keys), Some(ticket));
        assert_eq!(Ticket::read(&text, now + TICKET_LIFETIME, &keys), None);
        assert!(ticket.is_for("a hash", &keys));
        assert!(!ticket.is_for("another hash", &keys));
    }

    #[test]
    fn a_ticket_that_is_not_ours_is_none() {
        let keys = Keys::new(&[7; 32]);
        let now = Timestamp::UNIX_EPOCH;
        let text = Ticket::new(USER, "a hash", &keys).text(now, &keys);
        let octets = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        for place in 0..octets.len() {
            let mut touched = octets.clone();
            touched[place] ^= 1;
            assert_eq!(Ticket::read(&URL_SAFE_NO_PAD.encode(touched), now, &keys), None, "octet {place}");
        }
        for text in ["", "AAAA", "not base64!", &format!("{text}A"), &text[1..]] {
            assert_eq!(Ticket::read(text, now, &keys), None, "{text:?}");
        }
    }
}
