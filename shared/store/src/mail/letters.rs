use jiff::{SignedDuration, Timestamp};

use crate::item::number;
use crate::table::write::Write;
use crate::{Mail, RecipientKey, keys};

/// What letters are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LetterKind {
    SignUp,
    Reset,
    EmailChange,
    /// Invitations to one recipient.
    Invitation,
    /// Invitations by one person.
    Inviter,
}

impl LetterKind {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::SignUp => "SIGN_UP",
            Self::Reset => "RESET",
            Self::EmailChange => "EMAIL_CHANGE",
            Self::Invitation => "INVITATION",
            Self::Inviter => "INVITER",
        }
    }
}

/// How many letters of a kind are filed within one window of time. Windows follow one another without a gap, from the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LetterLimit {
    pub kind: LetterKind,
    pub most: u32,
    /// Whole seconds, at least one.
    pub window: SignedDuration,
}

/// Whether a letter was filed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filed {
    Yes,
    /// There were enough of its kind: nothing was stored.
    TooMany,
}

impl LetterLimit {
    /// When the window ends that this moment is in.
    #[must_use]
    pub fn window_end(&self, at: Timestamp) -> Timestamp {
        self.window_start(at).saturating_add(self.window).unwrap_or(Timestamp::MAX)
    }

    fn window_start(&self, at: Timestamp) -> Timestamp {
        let length = self.window.as_secs().max(1);
        let start = at.as_second().div_euclid(length).saturating_mul(length);
        Timestamp::from_second(start).unwrap_or(Timestamp::MIN)
    }

    /// Counts one more letter; refused where there were enough.
    pub(crate) fn counting(&self, mail: &Mail, recipient: &RecipientKey, at: Timestamp) -> Write {
        let key = keys::letters(recipient, self.kind, self.window_start(at));
        Write::update(&mail.table, key, "SET #expires_at = :expires_at ADD #letters :one")
            .when("attribute_not_exists(#letters) OR #letters < :most")
            .value(":expires_at", number(self.window_end(at).as_second().saturating_add(1)))
            .value(":one", number(1))
            .value(":most", number(self.most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::at;

    #[test]
    fn letters_are_counted_apart_by_kind() {
        let kinds = [LetterKind::SignUp, LetterKind::Reset, LetterKind::EmailChange, LetterKind::Invitation, LetterKind::Inviter];
        let names: std::collections::BTreeSet<&str> = kinds.iter().map(|it| it.as_str()).collect();
        assert_eq!(names.len(), kinds.len());
    }

    #[test]
    fn windows_follow_one_another() {
        let limit = LetterLimit { kind: LetterKind::Reset, most: 3, window: SignedDuration::from_hours(1) };
        let start = at("2026-11-20T11:00:00Z");
        for inside in [start, at("2026-11-20T11:59:59.999999999Z")] {
            assert_eq!((limit.window_start(inside), limit.window_end(inside)), (start, at("2026-11-20T12:00:00Z")));
        }
        assert_eq!(limit.window_start(limit.window_end(start)), at("2026-11-20T12:00:00Z"));
    }
}
