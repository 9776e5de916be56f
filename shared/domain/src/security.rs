use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{Device, EventId, TokenName, UserId};

/// Something that bears on who can get into an account, as its owner can read it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityEvent {
    /// A UUID of version 7, so that events of one moment have an order.
    pub id: EventId,
    pub user: UserId,
    pub at: Timestamp,
    pub kind: SecurityEventKind,
    /// From where it was done.
    pub device: Device,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecurityEventKind {
    /// Somebody logged in from a device that was not known.
    NewDevice,
    PasswordChanged,
    /// By a link that was mailed.
    PasswordReset,
    SecondFactorOn,
    SecondFactorOff,
    /// `left` of them can still be used.
    RecoveryCodeUsed {
        left: u32,
    },
    RecoveryCodesRenewed,
    TokenMade {
        name: TokenName,
    },
    TokenRevoked {
        name: TokenName,
    },
    /// A refresh token was used a second time, so it was copied: its session was ended.
    RefreshTokenReused,
    EmailChangeAsked,
    EmailChanged,
    SessionsEnded,
}

impl SecurityEventKind {
    /// As written in JSON.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::SecondFactorOn => "second_factor_on",
            Self::SecondFactorOff => "second_factor_off",
            Self::RecoveryCodeUsed { .. } => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
            Self::TokenMade { .. } => "token_made",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::RefreshTokenReused => "refresh_token_reused",
            Self::EmailChangeAsked => "email_change_asked",
            Self::EmailChanged => "email_changed",
            Self::SessionsEnded => "sessions_ended",
        }
    }

    /// The API token it is about, by its name.
    #[must_use]
    pub fn token_name(&self) -> Option<&TokenName> {
        match self {
            Self::TokenMade { name } | Self::TokenRevoked { name } => Some(name),
            _ => None,
        }
    }
}

/// What an API token may do: read, or also write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum TokenAccess {
    Read,
    Write,
}

words_only!(TokenAccess);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_called_the_same_in_json_and_in_code() {
        let name: TokenName = "nightly export".parse().expect("a name");
        for kind in [
            SecurityEventKind::NewDevice,
            SecurityEventKind::PasswordChanged,
            SecurityEventKind::PasswordReset,
            SecurityEventKind::SecondFactorOn,
            SecurityEventKind::SecondFactorOff,
            SecurityEventKind::RecoveryCodeUsed { left: 9 },
            SecurityEventKind::RecoveryCodesRenewed,
            SecurityEventKind::TokenMade { name: name.clone() },
            SecurityEventKind::TokenRevoked { name },
            SecurityEventKind::RefreshTokenReused,
            SecurityEventKind::EmailChangeAsked,
            SecurityEventKind::EmailChanged,
            SecurityEventKind::SessionsEnded,
        ] {
            let json = serde_json::to_value(&kind).expect("JSON");
            assert_eq!(json["kind"], kind.as_str());
            assert_eq!(serde_json::from_value(json).ok(), Some(kind));
        }
    }
}
