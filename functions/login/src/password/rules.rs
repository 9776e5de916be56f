use api::ApiError;
use domain::{EmailAddress, Invalid, Name};
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

use super::common::is_common;

/// The longest password, in characters: Unicode scalar values after NFC.
const LONGEST: usize = 128;
/// The shortest where it is all that stands between an account and a stranger (NIST SP 800-63B-4, section 3.1.1.2).
const SHORTEST: usize = 15;
/// The shortest where a second factor is asked for as well.
const SHORTEST_WITH_SECOND_FACTOR: usize = 8;

/// A password somebody tries to log in with: a text in NFC, of no length that no password can have. All other rules may have been
/// others when it was set.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Attempt(pub(super) String);

impl TryFrom<String> for Attempt {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        // A control character is a slip of the clipboard, or worse (RFC 8265, section 4.2.2, has none in a password).
        if text.chars().any(char::is_control) {
            return Err(Invalid::new("contains a control character or a line break"));
        }
        let text: String = text.nfc().collect();
        if text.chars().count() > LONGEST {
            return Err(Invalid::new(format!("is longer than {LONGEST} characters")));
        }
        Ok(Self(text))
    }
}

/// A password somebody wants to have, by the rules that need to know nothing of its owner: 8 to 128 characters, and not common.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct WantedPassword(Attempt);

impl TryFrom<String> for WantedPassword {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let attempt = Attempt::try_from(text)?;
        at_least(&attempt, SHORTEST_WITH_SECOND_FACTOR)?;
        if is_common(&fold(&attempt.0)) {
            return Err(Invalid::new("is among the commonest passwords, which are tried first"));
        }
        Ok(Self(attempt))
    }
}

impl WantedPassword {
    /// The password, for this owner, who has a second factor or not.
    ///
    /// # Errors
    /// 422 at `pointer`, where it is too short without a second factor, or contains the owner's name or address.
    pub(crate) fn accept(self, pointer: &str, owner: &Owner<'_>, has_second_factor: bool) -> Result<Password, ApiError> {
        self.judge(owner, has_second_factor).map_err(|error| ApiError::invalid(pointer, error.to_string()))
    }

    fn judge(self, owner: &Owner<'_>, has_second_factor: bool) -> Result<Password, Invalid> {
        if !has_second_factor {
            at_least(&self.0, SHORTEST)?;
        }
        let folded = fold(&self.0.0);
        if owner.words().any(|it| folded.contains(&it)) {
            return Err(Invalid::new("contains your name or your address"));
        }
        let is_short = self.0.0.chars().count() < SHORTEST;
        Ok(Password { attempt: self.0, is_short })
    }
}

/// A password that fits its owner; only such a one is ever hashed to be stored.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Password {
    pub(super) attempt: Attempt,
    /// Whether it is one for an account with a second factor only.
    pub(super) is_short: bool,
}

impl Password {
    /// Judges the length once more, where it is known only now whether there is a second factor.
    ///
    /// # Errors
    /// 422 at `pointer`, where there is none and the password is too short without.
    pub(crate) fn fits(&self, pointer: &str, has_second_factor: bool) -> Result<(), ApiError> {
        let judged = if has_second_factor { Ok(()) } else { at_least(&self.attempt, SHORTEST) };
        judged.map_err(|error| ApiError::invalid(pointer, error.to_string()))
    }
}

/// Whose password it is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner<'a> {
    pub(crate) email: &'a EmailAddress,
    pub(crate) name: &'a Name,
}

impl Owner<'_> {
    /// What is known of the owner and must not be in the password, folded: the address, its local part (with and without what follows
    /// a `+`), the name with and without its spaces, and each word of it. Parts too short to mean anything are left out.
    fn words(&self) -> impl Iterator<Item = String> {
        let is_break = |it: char| it.is_whitespace() || it.is_ascii_punctuation();
        let (email, name) = (self.email.as_str(), self.name.as_str());
        let local = email.rsplit_once('@').map_or(email, |(local, _)| local);
        let bare = local.split_once('+').map_or(local, |(bare, _)| bare);
        let joined: String = name.chars().filter(|it| !is_break(*it)).collect();
        let words = name.split(is_break).chain([email, local, bare, name, &joined]);
        let words: Vec<String> = words.map(fold).filter(|it| is_telling(it)).collect();
        words.into_iter()
    }
}

/// Two characters of a script other than Latin can be a whole name.
fn is_telling(word: &str) -> bool {
    word.chars().count() >= if word.is_ascii() { 3 } else { 2 }
}

fn at_least(attempt: &Attempt, shortest: usize) -> Result<(), Invalid> {
    if attempt.0.chars().count() < shortest {
        return Err(Invalid::new(format!("is shorter than {shortest} characters")));
    }
    Ok(())
}

/// One spelling for what differs in case only: upper case first, so that `ß` and `SS` meet.
pub(super) fn fold(text: &str) -> String {
    let composed: String = text.nfc().collect();
    composed.to_uppercase().to_lowercase().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, email: &str, name: &str, has_second_factor: bool, expected: Result<bool, &str>) {
        let (email, name) = (email.parse().expect("an address"), name.parse().expect("a name"));
        let wanted = WantedPassword::try_from(text.to_owned());
        let judged = wanted.and_then(|it| it.judge(&Owner { email: &email, name: &name }, has_second_factor));
        assert_eq!(judged.map(|it| it.is_short).map_err(|it| it.to_string()), expected.map_err(str::to_owned), "{text:?}");
    }

    fn check_text(text: &str, has_second_factor: bool, expected: Result<bool, &str>) {
        check(text, "ada@example.com", "Ada", has_second_factor, expected);
    }

    #[test]
    fn a_password_has_15_to_128_characters_after_nfc() {
        check_text(&"xy".repeat(7), false, Err("is shorter than 15 characters"));
        check_text(&format!("{}z", "xy".repeat(7)), false, Ok(false));
        check_text(&"한글".repeat(64), false, Ok(false));
        check_text(&format!("{}글", "한글".repeat(64)), false, Err("is longer than 128 characters"));
        check_text(&"e\u{301}".repeat(14), false, Err("is shorter than 15 characters"));
        check_text(&"e\u{301}\u{327}".repeat(200_000), false, Err("is longer than 128 characters"));
        check_text("", false, Err("is shorter than 8 characters"));
    }

    #[test]
    fn eight_characters_are_enough_with_a_second_factor() {
        check_text("xyzzy 7", true, Err("is shorter than 8 characters"));
        check_text("xyzzy 72", true, Ok(true));
        check_text("xyzzy 72 xyzzy 72", true, Ok(false));
    }

    #[test]
    fn a_common_password_is_refused_in_any_case() {
        let refusal = Err("is among the commonest passwords, which are tried first");
        for text in ["passwordpassword", "PasswordPassword", "123456789qwerty", "1QAZ2wsx3edc4rfv", "qwertyuiop123456789"] {
            check_text(text, false, refusal);
        }
        check_text("iloveyou", true, refusal);
        check_text("I love you, Fortran", false, Ok(false));
    }

    #[test]
    fn nothing_is_asked_of_the_kinds_of_characters() {
        for text in [
            "alllowercaseletters",
            "ALLUPPERCASELETTERS",
            "5820974944592307816",
            "비밀번호는길수록좋다고들합니다",
            "🦀🦞🦐🦑🐙🐚🪸🐠🐡🐟🦈🐬🐳🐋🦭",
        ] {
            check_text(text, false, Ok(false));
        }
    }

    #[test]
    fn control_characters_are_refused() {
        for text in ["a long phrase with a \0", "a long phrase\nof two lines", "a long phrase\u{7f} deleted"] {
            check_text(text, false, Err("contains a control character or a line break"));
            assert!(Attempt::try_from(text.to_owned()).is_err());
        }
    }

    #[test]
    fn the_owners_name_and_address_are_refused_in_any_case() {
        let refused = |text: &str, email: &str, name: &str| {
            check(text, email, name, false, Err("contains your name or your address"));
            check(text, email, name, true, Err("contains your name or your address"));
        };
        refused("a long passphrase of ADA", "x1@example.com", "Ada");
        refused("my lovelace passphrase", "x1@example.com", "Ada King-Lovelace");
        refused("adakinglovelace 12", "x1@example.com", "A. da King-Lovelace");
        refused("the tiny joli machine", "x1@example.com", "Jo Li");
        refused("pumps and lady.byron too", "Lady.Byron+work@example.com", "Ada");
        refused("write to jo@example.com", "jo@example.com", "Ada");
        refused("나는 영희 입니다 정말로 그렇습니다", "x1@example.com", "김 영희");
        refused("GROSSE Strasse 12 b links", "x1@example.com", "Straße");
        refused("cafe\u{301} at the corner shop", "x1@example.com", "Caf\u{e9}");
    }

    #[test]
    fn what_is_too_short_to_tell_anything_is_allowed() {
        check("joyful lizards jump", "jo@example.com", "Li", false, Ok(false));
        check("김치는 언제나 맛있습니다 그렇죠", "x1@example.com", "김", false, Ok(false));
        check("some - dashes . and dots", "x1@example.com", "- . -", false, Ok(false));
    }
}
