use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::Invalid;

/// An address that mail can be sent to, normalised: the domain in its ASCII form (UTS 46), everything in lower case,
/// so that one mailbox has one account. At most 254 octets (RFC 5321, section 4.5.3.1.3).
///
/// Only ASCII local parts without quotes or comments are accepted: SES takes no others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct EmailAddress(String);

impl EmailAddress {
    /// The bare address, `local@domain`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EmailAddress {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("is not an e-mail address");
        let (local, domain) = text.trim().rsplit_once('@').ok_or_else(invalid)?;
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| invalid())?;
        let local_is_plain = local.chars().all(|it| it.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.".contains(it));
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if !local_is_plain || !domain.contains('.') || address.len() > 254 {
            return Err(invalid());
        }
        let options = email_address::Options::default().without_display_text().without_domain_literal().with_required_tld();
        email_address::EmailAddress::parse_with_options(&address, options).map_err(|_| invalid())?;
        Ok(Self(address))
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let parsed = text.parse::<EmailAddress>();
        assert_eq!(parsed.as_ref().map(EmailAddress::as_str).ok(), expected, "{text:?}");
    }

    #[test]
    fn one_mailbox_has_one_spelling() {
        check(" Ada@Example.COM ", Some("ada@example.com"));
        check("ada+baton@example.com", Some("ada+baton@example.com"));
        check("ada@bücher.example", Some("ada@xn--bcher-kva.example"));
    }

    #[test]
    fn what_is_not_one_plain_address_is_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@localhost",
            "a@b@example.com",
            "ada @example.com",
            "ada@example.com\r\nBcc: eve@example.com",
            "Ada <ada@example.com>",
            "\"a b\"@example.com",
            "ada@[127.0.0.1]",
            "ada@example.com, eve@example.com",
            "ada..x@example.com",
            ".ada@example.com",
            "ädä@example.com",
        ] {
            check(text, None);
        }
        check(&format!("{}@example.com", "a".repeat(65)), None);
        check(&format!("ada@{}.com", "a".repeat(260)), None);
    }
}
