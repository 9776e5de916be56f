use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::word::words_only;
use crate::{DigestHour, QuietHours, set};

/// What a person can ask to be told of, or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A task was given to, or taken from, somebody; for who watches, also that it was made.
    Assigned,
    /// A task moved between waiting, in progress and done.
    Status,
    /// Anything else about a task was edited.
    Edited,
    /// A task was deleted.
    Deleted,
}

impl NoticeKind {
    /// Every kind there is.
    pub const ALL: [Self; 4] = [Self::Assigned, Self::Status, Self::Edited, Self::Deleted];
}

/// A set of kinds.
pub type NoticeKinds = BTreeSet<NoticeKind>;

/// When a person is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", remote = "Self")]
pub enum Choice {
    /// As soon as the quiet window is over.
    #[default]
    Now,
    /// Once a day.
    Digest,
    /// Never by mail.
    None,
}

words_only!(Choice);

/// A person's choice for each kind, and the hours that suit them.
///
/// As stored. What was not there from the beginning is left out where it is the default, so that a profile of then is written as it was read:
/// it is replaced on condition that it still is as it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notify {
    pub assigned: Choice,
    pub status: Choice,
    pub edited: Choice,
    pub deleted: Choice,
    #[serde(default, skip_serializing_if = "DigestHour::is_default")]
    pub digest_hour: DigestHour,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
}

impl Notify {
    /// The choice for one kind.
    #[must_use]
    pub fn choice(&self, kind: NoticeKind) -> Choice {
        match kind {
            NoticeKind::Assigned => self.assigned,
            NoticeKind::Status => self.status,
            NoticeKind::Edited => self.edited,
            NoticeKind::Deleted => self.deleted,
        }
    }

    /// The kinds for which the person chose this.
    #[must_use]
    pub fn with(&self, choice: Choice) -> NoticeKinds {
        NoticeKind::ALL.into_iter().filter(|kind| self.choice(*kind) == choice).collect()
    }

    /// No mail of any kind any more; the hours stay as they were set.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { assigned: Choice::None, status: Choice::None, edited: Choice::None, deleted: Choice::None, ..self }
    }

    /// These choices with the patch applied.
    #[must_use]
    pub fn apply(self, patch: NotifyPatch) -> Self {
        let NotifyPatch { assigned, status, edited, deleted, digest_hour, quiet_hours } = patch;
        Self {
            assigned: assigned.unwrap_or(self.assigned),
            status: status.unwrap_or(self.status),
            edited: edited.unwrap_or(self.edited),
            deleted: deleted.unwrap_or(self.deleted),
            digest_hour: digest_hour.unwrap_or(self.digest_hour),
            quiet_hours: quiet_hours.unwrap_or(self.quiet_hours),
        }
    }
}

/// Choices to change; absent keeps, and `null` clears the quiet hours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NotifyPatch {
    #[serde(deserialize_with = "set")]
    pub assigned: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub status: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub edited: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub deleted: Option<Choice>,
    #[serde(deserialize_with = "set")]
    pub digest_hour: Option<DigestHour>,
    #[serde(deserialize_with = "set")]
    pub quiet_hours: Option<Option<QuietHours>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet_hours() -> QuietHours {
        serde_json::from_str(r#"{"from": "22:00", "to": "07:00", "urgent": true}"#).expect("quiet hours")
    }

    #[test]
    fn a_profile_from_before_digests_and_quiet_hours_is_read_and_written_as_it_was() {
        let stored = r#"{"assigned":"now","status":"none","edited":"now","deleted":"now"}"#;
        let notify: Notify = serde_json::from_str(stored).expect("what was stored can be read");
        assert_eq!(notify, Notify { status: Choice::None, ..Notify::default() });
        assert_eq!((notify.digest_hour.hour(), notify.quiet_hours), (8, None));
        assert_eq!(serde_json::to_string(&notify).ok().as_deref(), Some(stored));
    }

    #[test]
    fn choices_and_hours_survive_storage() {
        let digest_hour = DigestHour::try_from(0).expect("an hour");
        let notify = Notify { edited: Choice::Digest, digest_hour, quiet_hours: Some(quiet_hours()), ..Notify::default() };
        let json = serde_json::to_string(&notify).expect("JSON");
        assert_eq!(serde_json::from_str::<Notify>(&json).ok(), Some(notify), "{json}");
    }

    #[test]
    fn each_kind_has_one_choice() {
        let notify = Notify { status: Choice::Digest, edited: Choice::None, ..Notify::default() };
        assert_eq!(notify.with(Choice::Now), NoticeKinds::from([NoticeKind::Assigned, NoticeKind::Deleted]));
        assert_eq!(notify.with(Choice::Digest), NoticeKinds::from([NoticeKind::Status]));
        assert_eq!(notify.with(Choice::None), NoticeKinds::from([NoticeKind::Edited]));
    }

    #[test]
    fn silence_keeps_the_hours() {
        let notify = Notify { quiet_hours: Some(quiet_hours()), ..Notify::default() };
        assert_eq!(notify.silent().with(Choice::None), NoticeKinds::from(NoticeKind::ALL));
        assert_eq!(notify.silent().quiet_hours, Some(quiet_hours()));
    }

    #[test]
    fn a_patch_changes_what_it_names_and_null_clears_the_quiet_hours_alone() {
        let patch = |json: &str| serde_json::from_str::<NotifyPatch>(json).expect(json);
        let before = Notify { deleted: Choice::None, quiet_hours: Some(quiet_hours()), ..Notify::default() };
        assert_eq!(before.apply(patch("{}")), before);
        let named = before.apply(patch(r#"{"assigned": "none", "status": "digest", "edited": "digest", "deleted": "now"}"#));
        let expected =
            Notify { assigned: Choice::None, status: Choice::Digest, edited: Choice::Digest, deleted: Choice::Now, ..before };
        assert_eq!(named, expected);
        let hours = before.apply(patch(r#"{"digest_hour": 23, "quiet_hours": {"from": "00:00", "to": "00:01"}}"#));
        assert_eq!((hours.digest_hour.hour(), hours.quiet_hours.map(|it| it.urgent())), (23, Some(false)));
        assert_eq!(before.apply(patch(r#"{"quiet_hours": null}"#)), Notify { quiet_hours: None, ..before });
        for refused in [r#"{"digest_hour": null}"#, r#"{"digest_hour": 24}"#, r#"{"assigned": null}"#, r#"{"hours": 1}"#] {
            assert!(serde_json::from_str::<NotifyPatch>(refused).is_err(), "{refused}");
        }
    }
}
