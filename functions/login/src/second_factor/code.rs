use std::fmt;
use std::str::FromStr;

use api::ApiError;
use base32::Alphabet;
use domain::{EmailAddress, Invalid};
use jiff::Timestamp;
use serde::Deserialize;
use store::TokenHash;
use totp_rs::{Algorithm, Builder, Totp};

use crate::random;

/// Octets of a secret: 160 bits (RFC 4226, section 4).
pub(crate) const SECRET_LENGTH: usize = 20;
/// How many recovery codes one gets at a time.
pub(crate) const RECOVERY_CODES: usize = 10;

const DIGITS: u8 = 6;
const STEP_SECONDS: u64 = 30;
/// Steps before and after the current one whose codes are taken as well, for clocks that differ (RFC 6238, section 5.2).
const SKEW: u16 = 1;
const ISSUER: &str = "Baton";

const ALPHABET: Alphabet = Alphabet::Rfc4648 { padding: false };
const RECOVERY_CODE_OCTETS: usize = 15;
const RECOVERY_CODE_LENGTH: usize = 24;
const GROUP_LENGTH: usize = 6;

/// What somebody shows as their second factor.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Code {
    /// Six digits of an authenticator app.
    Totp(String),
    /// One of the ten kept on paper, in the form it is hashed in: upper case without hyphens.
    Recovery(String),
}

impl FromStr for Code {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        // Apps show codes in groups, and people type what they see.
        let plain: String = text.chars().filter(|it| !matches!(it, ' ' | '-')).map(|it| it.to_ascii_uppercase()).collect();
        if plain.len() == usize::from(DIGITS) && plain.bytes().all(|it| it.is_ascii_digit()) {
            return Ok(Self::Totp(plain));
        }
        let is_base32 = plain.bytes().all(|it| matches!(it, b'A'..=b'Z' | b'2'..=b'7'));
        if plain.len() == RECOVERY_CODE_LENGTH && is_base32 {
            return Ok(Self::Recovery(plain));
        }
        Err(Invalid::new("is neither a code of six digits nor a recovery code"))
    }
}

impl TryFrom<String> for Code {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Totp(_) => "Totp(..)",
            Self::Recovery(_) => "Recovery(..)",
        })
    }
}

/// The step whose code this is, of the current one and its neighbours; nothing, if it is of none. Whether the step was used already
/// is not known here.
///
/// # Errors
/// 500, if what is stored is no secret of ours.
pub(crate) fn step_of(code: &str, secret: &[u8], now: Timestamp) -> Result<Option<u64>, ApiError> {
    let seconds = u64::try_from(now.as_second()).map_err(ApiError::internal)?;
    Ok(builder(secret).build().map_err(|error| fault(&error))?.check(code, seconds))
}

/// A secret as people carry it into their app: as a link (also what a QR code holds) and as text to be typed.
///
/// # Errors
/// 500, if the secret is too short.
pub(crate) fn provisioning(secret: &[u8], email: &EmailAddress) -> Result<(String, String), ApiError> {
    let builder = builder(secret).with_issuer(Some(ISSUER)).with_account_name(email.as_str());
    let totp: Totp = builder.build().map_err(|error| fault(&error))?;
    Ok((totp.to_url().map_err(|error| fault(&error))?, totp.secret().to_base32()))
}

/// HMAC-SHA-1, as some apps silently take any other algorithm for it; its collisions do not matter here (RFC 4226, appendix B.2).
fn builder(secret: &[u8]) -> Builder {
    let builder = Builder::new().with_algorithm(Algorithm::SHA1).with_digits(DIGITS);
    builder.with_step_duration(STEP_SECONDS).with_skew(SKEW).with_secret(secret.to_vec())
}

fn fault(error: &totp_rs::TotpError) -> ApiError {
    // Its text may hold the address.
    ApiError::internal(match error {
        totp_rs::TotpError::SecretTooShort { .. } => "a stored TOTP secret is too short",
        _ => "TOTP cannot be set up",
    })
}

/// Ten codes of 120 bits (more than the 112 from which on a fast hash will do, ASVS 6.5.2), as they are shown, and their hashes.
///
/// # Errors
/// 500, if the operating system has no randomness to give.
pub(crate) fn recovery_codes() -> Result<(Vec<String>, Vec<TokenHash>), ApiError> {
    let mut shown = Vec::with_capacity(RECOVERY_CODES);
    let mut hashes = Vec::with_capacity(RECOVERY_CODES);
    for _ in 0..RECOVERY_CODES {
        let code = base32::encode(ALPHABET, &random::octets::<RECOVERY_CODE_OCTETS>()?);
        hashes.push(TokenHash::of(&code));
        let letters: Vec<char> = code.chars().collect();
        let groups: Vec<String> = letters.chunks(GROUP_LENGTH).map(String::from_iter).collect();
        shown.push(groups.join("-"));
    }
    Ok((shown, hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let check = |text: &str, expected: Option<Code>| assert_eq!(text.parse().ok(), expected, "{text:?}");
        let recovery = Some(Code::Recovery("ABCDEFGHIJKLMNOPQRSTUVW2".to_owned()));
        check("123456", Some(Code::Totp("123456".to_owned())));
        check(" 123 456", Some(Code::Totp("123456".to_owned())));
        check("ABCDEF-GHIJKL-MNOPQR-STUVW2", recovery.clone());
        check("abcdefghijklmnopqrstuvw2", recovery.clone());
        check("AbCd EfGh-IjKl MnOp qrst-uvw2", recovery);
        for text in ["", "12345", "1234567", "+12345", "12345x", "１２３４５６", "ABCDEF-GHIJKL-MNOPQR-STUVW1", "ABCDEF", "\0"]
        {
            check(text, None);
        }
    }

    /// The last six digits of the vectors of RFC 6238, appendix B.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            let now = Timestamp::from_second(seconds).expect("a time");
            let step = u64::try_from(seconds).expect("after 1970") / STEP_SECONDS;
            assert_eq!(step_of(code, secret, now).expect("a secret"), Some(step), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_or_late_and_no_more() {
        let secret = b"12345678901234567890";
        let check = |seconds: i64, expected: Option<u64>| {
            let now = Timestamp::from_second(seconds).expect("a time");
            assert_eq!(step_of("081804", secret, now).expect("a secret"), expected, "{seconds}");
        };
        // Of the step from 1111111080 to 1111111109.
        let step = Some(1_111_111_109 / STEP_SECONDS);
        check(1_111_111_049, None);
        check(1_111_111_050, step);
        check(1_111_111_139, step);
        check(1_111_111_140, None);
    }

    #[test]
    fn an_app_is_told_issuer_account_and_secret() {
        let email = "ada+baton@example.com".parse().expect("an address");
        let (uri, secret) = provisioning(b"12345678901234567890", &email).expect("a link");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let label = "Baton:ada%2Bbaton%40example.com";
        assert_eq!(uri, format!("otpauth://totp/{label}?secret={secret}&issuer=Baton"));
    }

    #[test]
    fn recovery_codes_differ_and_are_accepted_as_shown() {
        let (shown, hashes) = recovery_codes().expect("randomness");
        assert_eq!((shown.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        for (code, hash) in shown.iter().zip(&hashes) {
            let Ok(Code::Recovery(plain)) = code.parse() else { panic!("{code}") };
            assert_eq!((code.len(), TokenHash::of(&plain)), (27, hash.clone()));
        }
        let distinct: std::collections::BTreeSet<&String> = shown.iter().collect();
        assert_eq!(distinct.len(), RECOVERY_CODES);
    }

    #[test]
    fn a_code_is_not_told_by_its_debug_form() {
        let code: Code = "123456".parse().expect("a code");
        assert_eq!(format!("{code:?}"), "Totp(..)");
    }
}
