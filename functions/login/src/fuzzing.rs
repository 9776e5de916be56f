//! What the fuzz targets reach and nobody else should: the tokens of this function's, under keys that are no secret.

use jiff::Timestamp;

use crate::device::{self, KnownDevice};
use crate::refresh_token::{self, RefreshToken};
use crate::second_factor::Code;
use crate::secrets::{Keys, TAG_LENGTH};
use crate::ticket::{self, Ticket};

/// The kinds of tokens that carry a tag of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Refresh,
    Device,
    Ticket,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Refresh, Self::Device, Self::Ticket];

    /// The octets that the tag is over, as many as the kind has.
    #[must_use]
    pub fn signed_length(self) -> usize {
        match self {
            Self::Refresh => refresh_token::SIGNED_LENGTH,
            Self::Device => device::SIGNED_LENGTH,
            Self::Ticket => ticket::SIGNED_LENGTH,
        }
    }

    /// The tag of ours over these octets.
    #[must_use]
    pub fn tag(self, signed: &[u8]) -> [u8; TAG_LENGTH] {
        match self {
            Self::Refresh => keys().refresh_tag(signed),
            Self::Device => keys().device_tag(signed),
            Self::Ticket => keys().ticket_tag(signed),
        }
    }

    /// Whether a text is read as a token of this kind, at a time.
    #[must_use]
    pub fn accepts(self, text: &str, now: Timestamp) -> bool {
        match self {
            Self::Refresh => RefreshToken::read(text, &keys()).is_some(),
            Self::Device => KnownDevice::read(text, now, &keys()).is_some(),
            Self::Ticket => Ticket::read(text, now, &keys()).is_some(),
        }
    }
}

/// Whether a text is read as a code of a second factor.
#[must_use]
pub fn accepts_code(text: &str) -> bool {
    text.parse::<Code>().is_ok()
}

fn keys() -> Keys {
    Keys::new(&[7; 32])
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn what_is_tagged_for_a_fuzz_target_is_read_as_its_kind() {
        // What says of itself that it is of the first second, or good until then, is so before it.
        let now = Timestamp::from_second(-1).expect("a time");
        for kind in Kind::ALL {
            let mut octets = vec![0; kind.signed_length()];
            octets.extend(kind.tag(&octets));
            let text = URL_SAFE_NO_PAD.encode(octets);
            let read = Kind::ALL.map(|it| it.accepts(&text, now));
            assert_eq!(read, Kind::ALL.map(|it| it == kind), "{kind:?}");
        }
    }
}
