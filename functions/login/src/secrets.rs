use std::fmt;

use api::ApiError;
use ring::hmac;
use store::Accounts;
use subtle::ConstantTimeEq;
use tokio::sync::OnceCell;

use crate::random;

/// Octets of the tags below: 128 bits of HMAC-SHA-256 (RFC 2104, section 5, allows half).
pub(crate) const TAG_LENGTH: usize = 16;

/// The one secret of this function's, which the first who needs it makes.
pub(crate) struct Secrets {
    accounts: Accounts,
    keys: OnceCell<Keys>,
}

impl Secrets {
    pub(crate) fn new(accounts: Accounts) -> Self {
        Self { accounts, keys: OnceCell::new() }
    }

    /// The keys, which are the same for ever.
    ///
    /// # Errors
    /// 503, if they are not known yet and the table does not answer.
    pub(crate) async fn keys(&self) -> Result<&Keys, ApiError> {
        self.keys.get_or_try_init(|| async { Ok(Keys::new(&self.find_or_create().await?)) }).await
    }

    async fn find_or_create(&self) -> Result<[u8; 32], ApiError> {
        match self.accounts.secret().await? {
            Some(secret) => Ok(secret),
            None => Ok(self.accounts.create_secret(&random::octets()?).await?),
        }
    }
}

/// A key for each purpose, so that what is made for one is never taken for another.
pub(crate) struct Keys {
    refresh_tag: hmac::Key,
    successor: hmac::Key,
    device: hmac::Key,
    ticket: hmac::Key,
    fingerprint: hmac::Key,
}

impl Keys {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        let master = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let key = |label: &str| hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&master, label.as_bytes()).as_ref());
        Self {
            refresh_tag: key("tag"),
            successor: key("successor"),
            device: key("device"),
            ticket: key("ticket"),
            fingerprint: key("fingerprint"),
        }
    }

    /// Marks a refresh token as made here.
    pub(crate) fn refresh_tag(&self, signed: &[u8]) -> [u8; TAG_LENGTH] {
        tag(&self.refresh_tag, signed)
    }

    pub(crate) fn is_refresh_tag(&self, signed: &[u8], tag: &[u8]) -> bool {
        is_tag(&self.refresh_tag, signed, tag)
    }

    /// The secret of the refresh token that follows the one of this text.
    pub(crate) fn successor_of(&self, presented: &str) -> [u8; 32] {
        octets(&self.successor, presented.as_bytes())
    }

    /// Marks a device token as made here.
    pub(crate) fn device_tag(&self, signed: &[u8]) -> [u8; TAG_LENGTH] {
        tag(&self.device, signed)
    }

    pub(crate) fn is_device_tag(&self, signed: &[u8], tag: &[u8]) -> bool {
        is_tag(&self.device, signed, tag)
    }

    /// Marks the ticket of a second step as made here.
    pub(crate) fn ticket_tag(&self, signed: &[u8]) -> [u8; TAG_LENGTH] {
        tag(&self.ticket, signed)
    }

    pub(crate) fn is_ticket_tag(&self, signed: &[u8], tag: &[u8]) -> bool {
        is_tag(&self.ticket, signed, tag)
    }

    /// Something that changes whenever the password does, and tells nothing of it.
    pub(crate) fn fingerprint(&self, password_hash: &str) -> [u8; TAG_LENGTH] {
        tag(&self.fingerprint, password_hash.as_bytes())
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Keys").finish_non_exhaustive()
    }
}

fn octets(key: &hmac::Key, message: &[u8]) -> [u8; 32] {
    let mut octets = [0; 32];
    octets.copy_from_slice(hmac::sign(key, message).as_ref());
    octets
}

fn tag(key: &hmac::Key, message: &[u8]) -> [u8; TAG_LENGTH] {
    let mut tag = [0; TAG_LENGTH];
    tag.copy_from_slice(&octets(key, message)[..TAG_LENGTH]);
    tag
}

fn is_tag(key: &hmac::Key, message: &[u8], sent: &[u8]) -> bool {
    tag(key, message)[..].ct_eq(sent).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_purposes_share_a_key() {
        let keys = Keys::new(&[7; 32]);
        let made = [
            keys.refresh_tag(b"x").to_vec(),
            keys.successor_of("x")[..TAG_LENGTH].to_vec(),
            keys.device_tag(b"x").to_vec(),
            keys.ticket_tag(b"x").to_vec(),
            keys.fingerprint("x").to_vec(),
        ];
        let distinct: std::collections::BTreeSet<&Vec<u8>> = made.iter().collect();
        assert_eq!(distinct.len(), made.len());
        assert_ne!(Keys::new(&[8; 32]).refresh_tag(b"x"), keys.refresh_tag(b"x"));
    }

    #[test]
    fn a_tag_fits_what_it_was_made_for_and_in_full() {
        let keys = Keys::new(&[7; 32]);
        let tag = keys.device_tag(b"signed");
        assert!(keys.is_device_tag(b"signed", &tag));
        assert!(!keys.is_device_tag(b"other", &tag));
        assert!(!keys.is_device_tag(b"signed", &tag[..TAG_LENGTH - 1]));
        assert!(!keys.is_device_tag(b"signed", &[]));
        assert!(!keys.is_ticket_tag(b"signed", &tag));
    }
}
