use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Invalid;
use serde::{Deserialize, Serialize};

/// One page of a list, and where the next one begins, if there is more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// At most as many as were asked for; fewer where hidden entries were left out.
    pub items: Vec<T>,
    pub next: Option<Position>,
}

/// A place in a list: the sort position of the last entry seen, never the partition it was seen in, so that a cursor of
/// one tenant says nothing about, and opens nothing of, another's. As text it is base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Position(String);

impl Position {
    /// No sort position is longer; in octets.
    const LONGEST: usize = 256;

    pub(crate) fn new(sort_position: impl Into<String>) -> Self {
        Self(sort_position.into())
    }

    pub(crate) fn sort_position(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        URL_SAFE_NO_PAD.encode(&self.0).fmt(formatter)
    }
}

impl FromStr for Position {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let invalid = || Invalid::new("is not a cursor of this list");
        let octets = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid())?;
        let position = String::from_utf8(octets).map_err(|_| invalid())?;
        let plain = position.bytes().all(|it| it.is_ascii_graphic());
        if !plain || position.is_empty() || position.len() > Self::LONGEST {
            return Err(invalid());
        }
        Ok(Self(position))
    }
}

impl TryFrom<String> for Position {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        text.parse()
    }
}

impl From<Position> for String {
    fn from(position: Position) -> Self {
        position.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_travel_as_a_cursor() {
        let position = Position::new("2026-11-20T11:00:00.000000000Z#a");
        assert_eq!(position.to_string().parse(), Ok(position));
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        for text in ["", "!", "a", "4pi6", "AA", &URL_SAFE_NO_PAD.encode("x".repeat(257))] {
            assert!(text.parse::<Position>().is_err(), "{text}");
        }
    }
}
