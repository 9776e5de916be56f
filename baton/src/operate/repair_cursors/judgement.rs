//! What the log says of what is owed.

use std::collections::BTreeMap;

use domain::{ProjectId, TaskId, Version};
use jiff::Timestamp;
use store::{LogPosition, Part, PartContent, TaskSpan};

/// The last version of every log there is.
#[derive(Debug, Default)]
pub(super) struct Heads(BTreeMap<(ProjectId, TaskId), Version>);

/// What is owed of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owed {
    AsIs,
    /// Only the begin of its span is in the log.
    Less(Part),
    Nothing,
}

impl Heads {
    pub(super) fn of(&self, project: ProjectId, task: TaskId) -> Version {
        self.0.get(&(project, task)).copied().unwrap_or(Version::NONE)
    }

    pub(super) fn tasks(&self) -> Vec<(ProjectId, TaskId)> {
        self.0.keys().copied().collect()
    }

    /// What was due when everything was mailed was mailed, a digest and a letter too.
    pub(super) fn judge(&self, part: &Part, mailed_until: Option<Timestamp>) -> Owed {
        if mailed_until.is_some_and(|until| part.due_at < until) {
            return Owed::Nothing;
        }
        let PartContent::Task(span) = &part.content else { return Owed::AsIs };
        let head = self.of(span.project, span.task);
        if span.from > head {
            return Owed::Nothing;
        }
        if span.to > head {
            let span = TaskSpan { to: head, ..span.clone() };
            return Owed::Less(Part { content: PartContent::Task(span), ..part.clone() });
        }
        Owed::AsIs
    }
}

impl Extend<LogPosition> for Heads {
    fn extend<T: IntoIterator<Item = LogPosition>>(&mut self, positions: T) {
        for LogPosition { project, task, version } in positions {
            let head = self.0.entry((project, task)).or_insert(version);
            *head = version.max(*head);
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::{Letter, Locale, NoticeKinds, PartId, Recipient, UserId};
    use store::Timing;
    use uuid::Uuid;

    use super::*;

    const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
    const TASK: TaskId = TaskId(Uuid::from_u128(2));

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn part(from: u64, to: u64) -> Part {
        let due_at = at("2026-11-20T11:00:00Z");
        let span = TaskSpan {
            project: PROJECT,
            task: TASK,
            from: Version(from),
            to: Version(to),
            kinds: NoticeKinds::default(),
            timing: Timing::Now,
            first_at: due_at,
            last_at: due_at,
            watching: false,
            urgent: false,
        };
        Part { recipient: Recipient::User(UserId(Uuid::from_u128(3))), due_at, content: PartContent::Task(span) }
    }

    fn heads(version: u64) -> Heads {
        let mut heads = Heads::default();
        heads.extend((1..=version).rev().map(|it| LogPosition { project: PROJECT, task: TASK, version: Version(it) }));
        heads
    }

    #[test]
    fn what_is_owed_ends_with_the_log() {
        assert_eq!(heads(4).judge(&part(2, 4), None), Owed::AsIs);
        assert_eq!(heads(4).judge(&part(4, 7), None), Owed::Less(part(4, 4)));
        assert_eq!(heads(4).judge(&part(5, 7), None), Owed::Nothing);
        assert_eq!(heads(0).judge(&part(1, 1), None), Owed::Nothing, "its log is gone");
    }

    #[test]
    fn what_was_due_while_the_mailer_worked_was_mailed() {
        let mailed = |until: &str| heads(4).judge(&part(2, 4), Some(at(until)));
        assert_eq!(mailed("2026-11-20T11:00:00.1Z"), Owed::Nothing);
        assert_eq!(mailed("2026-11-20T11:00:00Z"), Owed::AsIs);
        let letter = PartContent::Letter { id: PartId(TASK.0), letter: Letter::AddressTaken { locale: Locale::En } };
        let letter = Part { content: letter, ..part(1, 1) };
        assert_eq!(heads(0).judge(&letter, None), Owed::AsIs);
        assert_eq!(heads(0).judge(&letter, Some(at("2026-11-20T12:00:00Z"))), Owed::Nothing);
    }
}
