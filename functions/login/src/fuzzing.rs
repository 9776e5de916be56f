//! What the fuzz targets reach and nobody else should: the tokens of this function's, under keys that are no secret.

use jiff::Timestamp;

use crate::device::KnownDevice;
use crate::refresh_token::RefreshToken;
use crate::second_factor::Code;
use crate::secrets::{Keys, TAG_LENGTH};
use crate::ticket::Ticket;

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
            Self::Refresh => 64,
            Self::Device => 36,
            Self::Ticket => 40,
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
