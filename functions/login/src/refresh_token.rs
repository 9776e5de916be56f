use api::ApiError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SessionId, UserId};
use store::TokenHash;
use uuid::Uuid;

use crate::random;

/// What keeps a session going: whose, which, and 256 bits. Good for one use; stored hashed.
///
/// The text form is base64url without padding of `user (16) | session (16) | secret (32)`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    text: String,
}

impl RefreshToken {
    /// A new one for a session.
    pub(crate) fn new(user: UserId, session: SessionId) -> Result<Self, ApiError> {
        let secret = random::octets::<32>()?;
        let bytes = [user.0.as_bytes().as_slice(), session.0.as_bytes(), &secret].concat();
        Ok(Self { user, session, text: URL_SAFE_NO_PAD.encode(bytes) })
    }

    /// What a client sent; nothing, if it cannot be one of ours.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let bytes: [u8; 64] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let user = UserId(Uuid::from_slice(&bytes[..16]).ok()?);
        let session = SessionId(Uuid::from_slice(&bytes[16..32]).ok()?);
        Some(Self { user, session, text: text.to_owned() })
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.text)
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_says_which_session_it_is_of() {
        let (user, session) = (UserId(Uuid::from_u128(1)), SessionId(Uuid::from_u128(2)));
        let token = RefreshToken::new(user, session).expect("randomness");
        let read = RefreshToken::read(&token.clone().into_text()).expect("one of ours");
        assert_eq!((read.user, read.session), (user, session));
        assert_eq!(read.hash(), token.hash());
        assert_ne!(RefreshToken::new(user, session).expect("randomness").hash(), token.hash());
        for text in ["", "AAAA", "not base64!", &format!("{}A", read.into_text())] {
            assert!(RefreshToken::read(text).is_none(), "{text:?}");
        }
    }
}
