use std::collections::BTreeMap;

use domain::{
    Change, ChangeKind, NetChange, NoticeKinds, OwedSpan, ProjectId, Reader, TaskId, UserId, Version, concerned, net_change_of,
};
use store::{TaskSpan, Timing};

/// As many versions after what somebody is owed now are looked at.
const LATER: u64 = 20;

/// All that one mail owes of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Debt {
    pub(crate) project: ProjectId,
    pub(crate) task: TaskId,
    /// As planned bit by bit: where somebody chose differently for two kinds, they differ.
    spans: Vec<OwedSpan>,
    /// Whether its reader watched when any of it was planned.
    pub(crate) watching: bool,
    /// Whether any of it has waited for the digest.
    is_digest: bool,
}

/// One debt for each task, in the order of their ids.
pub(crate) fn debts<'a>(spans: impl Iterator<Item = &'a TaskSpan>) -> Vec<Debt> {
    let mut debts: BTreeMap<TaskId, Debt> = BTreeMap::new();
    for TaskSpan { project, task, from, to, kinds, watching, timing, first_at: _, last_at: _, urgent: _ } in spans {
        let none = || Debt { project: *project, task: *task, spans: Vec::new(), watching: false, is_digest: false };
        let debt = debts.entry(*task).or_insert_with(none);
        debt.watching |= watching;
        debt.is_digest |= *timing == Timing::Digest;
        debt.spans.push(OwedSpan { from: *from, to: *to, kinds: kinds.clone() });
    }
    debts.into_values().collect()
}

impl Debt {
    /// The last version before it.
    pub(crate) fn after(&self) -> Version {
        let first = self.spans.iter().map(|it| it.from).min().unwrap_or(Version::NONE);
        Version(first.0.saturating_sub(1))
    }

    /// The last version of it.
    pub(crate) fn to(&self) -> Version {
        self.spans.iter().map(|it| it.to).max().unwrap_or(Version::NONE)
    }

    /// What of it the person still wants to hear of; nothing, where that is nothing.
    pub(crate) fn wanted(&self, wanted: &NoticeKinds) -> Option<Self> {
        let kept = |it: &OwedSpan| OwedSpan { kinds: &it.kinds & wanted, ..it.clone() };
        let spans: Vec<OwedSpan> = self.spans.iter().map(kept).filter(|it| !it.kinds.is_empty()).collect();
        (!spans.is_empty()).then(|| Self { spans, ..self.clone() })
    }

    /// The last version to read for [`Self::net`]; none, where it is the whole log, since what waited for a digest may be long past.
    pub(crate) fn read_to(&self) -> Option<Version> {
        (!self.is_digest).then(|| Version(self.to().0.saturating_add(LATER)))
    }

    /// That somebody else deleted the task after all this.
    pub(crate) fn later_deletion<'l>(&self, log: &'l [Change], reader: UserId) -> Option<&'l Change> {
        log.last().filter(|it| it.kind == ChangeKind::Deleted && it.version > self.to() && it.actor != reader)
    }

    /// What the log comes to for this reader: the log from the version after [`Self::after`] to [`Self::to`] at least.
    ///
    /// What the reader did right after it counts, though it is owed to nobody: who has finished a new task, or passed it on, before the
    /// mail goes out, is not told of it as if it waited for them. Of a task that is gone nothing more is told to who deleted it or whom that
    /// concerned; who had it taken before hears of that all the same.
    pub(crate) fn net(&self, log: &[Change], reader: Reader) -> Option<NetChange> {
        let (after, to) = (self.after(), self.to());
        let begin = log.partition_point(|it| it.version <= after);
        let end = log.partition_point(|it| it.version <= to);
        let is_own = |it: &&Change| it.actor == reader.user;
        let concerns = |it: &Change| reader.watching || concerned(it).any(|user| user == reader.user);
        let later = log.get(end..)?;
        if later.last().is_some_and(|it| it.kind == ChangeKind::Deleted && (is_own(&it) || concerns(it))) {
            return None;
        }
        // Not further: what others did in between could be in the way of a step that is owed.
        let known = end + later.iter().take_while(is_own).count();
        net_change_of(log.get(begin..known)?, reader, &self.spans)
    }
}
