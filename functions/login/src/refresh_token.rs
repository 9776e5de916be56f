use std::fmt;

use api::ApiError;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{SessionId, UserId};
use sha2::{Digest, Sha256};
use store::TokenHash;
use uuid::Uuid;

use crate::random;
use crate::secrets::{Keys, TAG_LENGTH};

const SECRET_LENGTH: usize = 32;
pub(crate) const SIGNED_LENGTH: usize = 16 + 16 + SECRET_LENGTH;

/// What keeps a session going: whose, which, and 256 bits. Good for one use; stored hashed.
///
/// The text form is base64url without padding of `user (16) | session (16) | secret (32) | tag (16)`. The tag is ours: who knows which
/// sessions there are cannot pass for somebody who held one of their tokens, and so ends none.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) user: UserId,
    pub(crate) session: SessionId,
    text: String,
}

impl RefreshToken {
    /// The first of a session.
    ///
    /// # Errors
    /// 500, if the operating system has no randomness to give.
    pub(crate) fn first(user: UserId, session: SessionId, keys: &Keys) -> Result<Self, ApiError> {
        Ok(Self::make(user, session, random::octets()?, keys))
    }

    /// The token that follows this one, always the same: whoever asks again after a lost answer is told what they were not told, without
    /// it having been kept anywhere.
    pub(crate) fn successor(&self, keys: &Keys) -> Self {
        Self::make(self.user, self.session, keys.successor_of(&self.text), keys)
    }

    fn make(user: UserId, session: SessionId, secret: [u8; SECRET_LENGTH], keys: &Keys) -> Self {
        let mut octets = [user.0.as_bytes().as_slice(), session.0.as_bytes(), &secret].concat();
        octets.extend(keys.refresh_tag(&octets));
        Self { user, session, text: URL_SAFE_NO_PAD.encode(octets) }
    }

    /// What a client sent; nothing, if it was never one of ours.
    pub(crate) fn read(text: &str, keys: &Keys) -> Option<Self> {
        let octets: [u8; SIGNED_LENGTH + TAG_LENGTH] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (signed, tag) = octets.split_at(SIGNED_LENGTH);
        if !keys.is_refresh_tag(signed, tag) {
            return None;
        }
        let user = UserId(Uuid::from_slice(&signed[..16]).ok()?);
        let session = SessionId(Uuid::from_slice(&signed[16..32]).ok()?);
        Some(Self { user, session, text: text.to_owned() })
    }

    pub(crate) fn hash(&self) -> TokenHash {
        TokenHash::of(&self.text)
    }

    /// The id of the access token that is handed out with this one: the same however often both are.
    pub(crate) fn access_token_id(&self) -> Uuid {
        Uuid::new_v5(&self.session.0, &Sha256::digest(&self.text))
    }

    pub(crate) fn into_text(self) -> String {
        self.text
    }
}

impl fmt::Debug for RefreshToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RefreshToken").field("session", &self.session).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER: UserId = UserId(Uuid::from_u128(1));
    const SESSION: SessionId = SessionId(Uuid::from_u128(2));

    fn keys() -> Keys {
        Keys::new(&[7; 32])
    }

    fn first() -> RefreshToken {
        RefreshToken::first(USER, SESSION, &keys()).expect("randomness")
    }

    #[test]
    fn a_refresh_token_says_which_session_it_is_of() {
        let token = first();
        let read = RefreshToken::read(&token.clone().into_text(), &keys()).expect("one of ours");
        assert_eq!((read.user, read.session), (USER, SESSION));
        assert_eq!(read, token);
        assert_ne!(first().hash(), token.hash());
    }

    #[test]
    fn a_token_that_is_not_ours_is_none() {
        let text = first().into_text();
        let octets = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
        for place in 0..octets.len() {
            let mut touched = octets.clone();
            touched[place] ^= 1;
            assert!(RefreshToken::read(&URL_SAFE_NO_PAD.encode(touched), &keys()).is_none(), "octet {place}");
        }
        let untagged = URL_SAFE_NO_PAD.encode(&octets[..SIGNED_LENGTH]);
        for text in ["", "AAAA", "not base64!", &format!("{text}A"), &text[1..], &untagged] {
            assert!(RefreshToken::read(text, &keys()).is_none(), "{text:?}");
        }
        assert!(RefreshToken::read(&text, &Keys::new(&[8; 32])).is_none(), "under another key");
    }

    #[test]
    fn a_successor_is_always_the_same_and_of_the_same_session() {
        let token = first();
        let next = token.successor(&keys());
        assert_eq!(next, token.successor(&keys()));
        assert_eq!(RefreshToken::read(&next.clone().into_text(), &keys()).as_ref(), Some(&next));
        assert_eq!((next.user, next.session), (USER, SESSION));
        assert_ne!(next.hash(), token.hash());
        assert_ne!(next.successor(&keys()), next);
        assert_ne!(first().successor(&keys()), next, "each token has its own");
        assert_eq!(next.access_token_id(), token.successor(&keys()).access_token_id());
        assert_ne!(next.access_token_id(), token.access_token_id());
        assert!(!format!("{token:?}").contains(&token.into_text()));
    }
}
