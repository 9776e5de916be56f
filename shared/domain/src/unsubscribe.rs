use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::{Choice, Invalid, NoticeKind, Notify, ProjectId, UserId};

/// `layout (1) | user (16) | scope (1)`: another layout has another number, and links in old mails go on working.
const LAYOUT: u8 = 1;
/// `layout (1) | user (16) | scope (1) | project (16)`.
const LAYOUT_WITH_PROJECT: u8 = 2;
const PROJECT_SCOPE: u8 = 5;
const MAC_LENGTH: usize = 32;

/// What a click on "unsubscribe" ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsubscribeScope {
    /// Every mail about tasks.
    Everything,
    /// Mails of one kind.
    Kind(NoticeKind),
    /// Mails about the tasks of one project.
    Project(ProjectId),
}

impl UnsubscribeScope {
    /// The choices that are left after unsubscribing from this. A project is muted beside them, so they stay as they are.
    #[must_use]
    pub fn silence(self, notify: Notify) -> Notify {
        match self {
            Self::Everything => notify.silent(),
            Self::Kind(NoticeKind::Assigned) => Notify { assigned: Choice::None, ..notify },
            Self::Kind(NoticeKind::Status) => Notify { status: Choice::None, ..notify },
            Self::Kind(NoticeKind::Edited) => Notify { edited: Choice::None, ..notify },
            Self::Kind(NoticeKind::Deleted) => Notify { deleted: Choice::None, ..notify },
            Self::Project(_) => notify,
        }
    }

    fn to_byte(self) -> u8 {
        match self {
            Self::Everything => 0,
            Self::Kind(NoticeKind::Assigned) => 1,
            Self::Kind(NoticeKind::Status) => 2,
            Self::Kind(NoticeKind::Edited) => 3,
            Self::Kind(NoticeKind::Deleted) => 4,
            Self::Project(_) => PROJECT_SCOPE,
        }
    }

    /// The scopes that one octet says.
    fn from_byte(byte: u8) -> Option<Self> {
        [Self::Everything].into_iter().chain(NoticeKind::ALL.map(Self::Kind)).find(|it| it.to_byte() == byte)
    }
}

/// What an unsubscribe link carries: whose mails, which of them, and a proof that we wrote it (RFC 8058, section 4).
///
/// The text form is base64url without padding of what is signed, as its layout says, and an HMAC-SHA256 over that (32),
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
        let mut bytes = signed(self.user, self.scope);
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
        let (signed, mac) = bytes.split_last_chunk::<MAC_LENGTH>().ok_or_else(invalid)?;
        let (user, scope) = read_signed(signed).ok_or_else(invalid)?;
        Ok(Self { user, scope, mac: *mac })
    }
}

fn signed(user: UserId, scope: UnsubscribeScope) -> Vec<u8> {
    let (layout, project) = match scope {
        UnsubscribeScope::Everything | UnsubscribeScope::Kind(_) => (LAYOUT, None),
        UnsubscribeScope::Project(project) => (LAYOUT_WITH_PROJECT, Some(project)),
    };
    let mut bytes = vec![layout];
    bytes.extend(user.0.as_bytes());
    bytes.push(scope.to_byte());
    bytes.extend(project.iter().flat_map(|it| it.0.as_bytes()));
    bytes
}

fn read_signed(bytes: &[u8]) -> Option<(UserId, UnsubscribeScope)> {
    let (layout, rest) = bytes.split_first()?;
    let (user, rest) = rest.split_first_chunk::<16>()?;
    let scope = match (*layout, rest) {
        (LAYOUT, [scope]) => UnsubscribeScope::from_byte(*scope)?,
        (LAYOUT_WITH_PROJECT, [PROJECT_SCOPE, project @ ..]) => {
            UnsubscribeScope::Project(ProjectId(Uuid::from_slice(project).ok()?))
        }
        _ => return None,
    };
    Some((UserId(Uuid::from_bytes(*user)), scope))
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

    fn scopes() -> Vec<UnsubscribeScope> {
        let kinds = NoticeKind::ALL.map(UnsubscribeScope::Kind);
        let project = UnsubscribeScope::Project(ProjectId(Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_0002)));
        [UnsubscribeScope::Everything, project].into_iter().chain(kinds).collect()
    }

    #[test]
    fn a_token_in_a_link_says_whose_mails_end_and_which() {
        for scope in scopes() {
            let text = UnsubscribeToken::sign(reader(), scope, &SECRET).to_string();
            let token: UnsubscribeToken = text.parse().expect("what was printed can be read");
            assert_eq!((token.user(), token.verify(&SECRET)), (reader(), Some(scope)));
            assert_eq!(token.to_string(), text);
            assert_eq!(token.verify(&[8; 32]), None, "another person's secret proves nothing");
        }
    }

    #[test]
    fn a_link_in_an_old_mail_goes_on_working() {
        let old = "AQGSAAAAAHAAgAAAAAAAAAECJjLcief-naSBtnII3MocgKnJX3yXiMFqQHcpmySInjE";
        let token: UnsubscribeToken = old.parse().expect("a token of the first layout");
        assert_eq!((token.user(), token.verify(&SECRET)), (reader(), Some(UnsubscribeScope::Kind(NoticeKind::Status))));
    }

    #[test]
    fn a_token_that_was_touched_is_refused() {
        for scope in scopes() {
            let text = UnsubscribeToken::sign(reader(), scope, &SECRET).to_string();
            let bytes = URL_SAFE_NO_PAD.decode(&text).expect("base64url");
            for index in 0..bytes.len() {
                for bit in 0..8 {
                    let mut touched = bytes.clone();
                    touched[index] ^= 1 << bit;
                    let read = URL_SAFE_NO_PAD.encode(touched).parse::<UnsubscribeToken>();
                    assert_eq!(read.ok().and_then(|it| it.verify(&SECRET)), None, "{scope:?}, bit {bit} of octet {index}");
                }
            }
            for text in
                ["", "AA", "not base64!", &text[1..], &text[..text.len() - 4], &format!("{text}AA"), &format!("{text}AAAA")]
            {
                assert!(text.parse::<UnsubscribeToken>().is_err(), "{text:?}");
            }
        }
    }

    #[test]
    fn unsubscribing_from_one_kind_keeps_the_others() {
        let all = Notify::default();
        let check = |kind, left: Notify| assert_eq!(UnsubscribeScope::Kind(kind).silence(all), left, "{kind:?}");
        check(NoticeKind::Assigned, Notify { assigned: Choice::None, ..all });
        check(NoticeKind::Status, Notify { status: Choice::None, ..all });
        check(NoticeKind::Edited, Notify { edited: Choice::None, ..all });
        check(NoticeKind::Deleted, Notify { deleted: Choice::None, ..all });
        assert_eq!(UnsubscribeScope::Everything.silence(all), all.silent());
        assert_eq!(UnsubscribeScope::Project(ProjectId(Uuid::nil())).silence(all), all);
    }
}
