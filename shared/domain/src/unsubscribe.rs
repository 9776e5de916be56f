use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{Choice, Invalid, NoticeKind, Notify, UserId};

/// The layout that follows; another layout gets another number, and links in old mails go on working.
const LAYOUT: u8 = 1;
const SIGNED_LENGTH: usize = 18;
const MAC_LENGTH: usize = 32;

/// What a click on "unsubscribe" ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsubscribeScope {
    /// Every mail about tasks.
    Everything,
    /// Mails of one kind.
    Kind(NoticeKind),
}

impl UnsubscribeScope {
    /// The choices that are left after unsubscribing from this.
    #[must_use]
    pub fn silence(self, notify: Notify) -> Notify {
        match self {
            Self::Everything => Notify::silent(),
            Self::Kind(NoticeKind::Assigned) => Notify { assigned: Choice::None, ..notify },
            Self::Kind(NoticeKind::Status) => Notify { status: Choice::None, ..notify },
            Self::Kind(NoticeKind::Edited) => Notify { edited: Choice::None, ..notify },
            Self::Kind(NoticeKind::Deleted) => Notify { deleted: Choice::None, ..notify },
        }
    }

    fn to_byte(self) -> u8 {
        match self {
            Self::Everything => 0,
            Self::Kind(NoticeKind::Assigned) => 1,
            Self::Kind(NoticeKind::Status) => 2,
            Self::Kind(NoticeKind::Edited) => 3,
            Self::Kind(NoticeKind::Deleted) => 4,
        }
    }

    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Everything].into_iter().chain(NoticeKind::ALL.map(Self::Kind)).find(|it| it.to_byte() == byte)
    }
}

/// What an unsubscribe link carries: whose mails, which of them, and a proof that we wrote it (RFC 8058, section 4).
///
/// The text form is base64url without padding of `layout (1) | user (16) | scope (1) | HMAC-SHA256 over those (32)`,
/// under the secret in the person's profile: a link never expires, and a new secret ends all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnsubscribeToken {
    user: UserId,
    scope: UnsubscribeScope,
    mac: [u8; MAC_LENGTH],
}

impl UnsubscribeToken {
    /// A token for a link in a mail to `user`, under the secret of their profile.
    #[must_use]
    pub fn sign(user: UserId, scope: UnsubscribeScope, secret: &[u8; 32]) -> Self {
        Self { user, scope, mac: mac(user, scope, secret) }
    }

    /// Who claims to unsubscribe: whose profile holds the secret to [`verify`](Self::verify) with.
    #[must_use]
    pub fn user(&self) -> UserId {
        self.user
    }

    /// What to end; nothing, unless the token was made under this secret. Takes the same time either way.
    #[must_use]
    pub fn verify(&self, secret: &[u8; 32]) -> Option<UnsubscribeScope> {
        let authentic = bool::from(mac(self.user, self.scope, secret).ct_eq(&self.mac));
        authentic.then_some(self.scope)
    }
}

impl fmt::Display for UnsubscribeToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = signed(self.user, self.scope).to_vec();
        bytes.extend(self.mac);
        formatter.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

/// Reads the form only: whether the token is authentic is known after [`UnsubscribeToken::verify`].
impl FromStr for UnsubscribeToken {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("is not an unsubscribe token");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let bytes: [u8; SIGNED_LENGTH + MAC_LENGTH] = bytes.try_into().map_err(|_| invalid())?;
        let [LAYOUT, user @ .., scope] = &bytes[..SIGNED_LENGTH] else { return Err(invalid()) };
        let user = Uuid::from_slice(user).map_err(|_| invalid())?;
        let scope = UnsubscribeScope::from_byte(*scope).ok_or_else(invalid)?;
        let mac = bytes[SIGNED_LENGTH..].try_into().map_err(|_| invalid())?;
        Ok(Self { user: UserId(user), scope, mac })
    }
}

fn signed(user: UserId, scope: UnsubscribeScope) -> [u8; SIGNED_LENGTH] {
    let mut bytes = [0; SIGNED_LENGTH];
    bytes[0] = LAYOUT;
    bytes[1..17].copy_from_slice(user.0.as_bytes());
    bytes[17] = scope.to_byte();
    bytes
}

fn mac(user: UserId, scope: UnsubscribeScope, secret: &[u8; 32]) -> [u8; MAC_LENGTH] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("HMAC takes a key of any length");
    mac.update(b"baton unsubscribe");
    mac.update(&signed(user, scope));
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: [u8; 32] = [7; 32];

    fn reader() -> UserId {
        UserId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0001))
    }

    #[test]
    fn a_token_in_a_link_says_whose_mails_end_and_which() {
        for scope in [UnsubscribeScope::Everything].into_iter().chain(NoticeKind::ALL.map(UnsubscribeScope::Kind)) {
            let text = UnsubscribeToken::sign(reader(), scope, &SECRET).to_string();
            let token: UnsubscribeToken = text.parse().expect("what was printed can be read");
            assert_eq!((token.user(), token.verify(&SECRET)), (reader(), Some(scope)));
            assert_eq!(token.verify(&[8; 32]), None, "another person's secret proves nothing");
        }
    }

    #[test]
    fn a_token_that_was_touched_is_refused() {
        let text = UnsubscribeToken::sign(reader(), UnsubscribeScope::Everything, &SECRET).to_string();
        let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        for index in 0..bytes.len() {
            let mut touched = bytes.clone();
            touched[index] ^= 1;
            let scope = URL_SAFE_NO_PAD.encode(touched).parse::<UnsubscribeToken>().ok().and_then(|it| it.verify(&SECRET));
            assert_eq!(scope, None, "octet {index}");
        }
        for text in ["", "AA", "not base64!", &text[1..], &format!("{text}AA")] {
            assert!(text.parse::<UnsubscribeToken>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn unsubscribing_from_one_kind_keeps_the_others() {
        let left = UnsubscribeScope::Kind(NoticeKind::Status).silence(Notify::default());
        assert_eq!(left, Notify { status: Choice::None, ..Notify::default() });
        assert_eq!(UnsubscribeScope::Everything.silence(Notify::default()), Notify::silent());
    }
}
