use domain::{Pacing, ProjectId, Rhythm, TaskId};
use jiff::{SignedDuration, Timestamp};
use store::{MOST_PARTS_PER_CLAIM, Part, PartContent, TaskSpan, Timing};

/// By how much the clocks of two mailers may differ. A mail said to have gone later than that from now says nothing.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(1);

/// What is to be done about all that one recipient is owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Agenda {
    /// Nothing yet; until then, where it is known when that changes.
    Wait { until: Option<Timestamp> },
    /// Tell these in one mail.
    Tell(Vec<Part>),
    /// These came into the recipient's quiet hours while they waited.
    Postpone { parts: Vec<Part>, until: Timestamp },
}

/// The quiet hours a recipient is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quiet {
    pub(crate) until: Timestamp,
    /// Whether urgent tasks are told of all the same.
    pub(crate) lets_urgent_through: bool,
}

/// When a look at what is owed is taken, and what bears on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    pub(crate) now: Timestamp,
    pub(crate) pacing: &'a Pacing,
    pub(crate) rhythm: Option<&'a Rhythm>,
    pub(crate) quiet: Option<Quiet>,
}

/// A part of a task beside what it is about.
type TaskPart<'a> = (&'a Part, &'a TaskSpan);

impl Moment<'_> {
    /// What one mail tells of all that is owed. A letter that is due goes alone and waits for nothing; tasks go together.
    ///
    /// A task's parts that share a kind with one that goes, go along, even where they are not due: told later, they would be told
    /// after what followed them, and parts of one kind would be told apart. So do all that would go as soon as they may, of any kind:
    /// nobody is to hear of a new task after they heard what became of it.
    pub(crate) fn agenda(&self, owed: &[Part]) -> Agenda {
        let letters = owed.iter().filter(|it| it.due_at <= self.now && matches!(it.content, PartContent::Letter { .. }));
        if let Some(letter) = letters.min_by_key(|it| it.due_at) {
            return Agenda::Tell(vec![letter.clone()]);
        }
        let tasks: Vec<TaskPart<'_>> = owed.iter().filter_map(|part| Some((part, span(part)?))).collect();
        let (silenced, audible): (Vec<_>, Vec<_>) = tasks.iter().partition(|it| self.is_silenced(it.1));
        let paced_due = self.paced_due(&audible);
        let are_paced_due = paced_due.is_some_and(|it| it <= self.now);
        let is_told_now = |(part, span): &TaskPart<'_>| match span.timing {
            Timing::Now => are_paced_due && !self.is_held(part, span),
            Timing::Digest => part.due_at <= self.now,
        };
        let told_now: Vec<TaskPart<'_>> = audible.into_iter().filter(is_told_now).collect();
        let groups = groups(&told_now, &tasks);
        if !groups.is_empty() {
            return Agenda::Tell(in_one_mail(groups));
        }
        match self.quiet {
            Some(Quiet { until, .. }) if silenced.iter().any(|it| it.0.due_at <= self.now) => {
                let parts = silenced.iter().filter(|it| it.0.due_at <= self.now).map(|it| it.0.clone());
                Agenda::Postpone { parts: parts.take(MOST_PARTS_PER_CLAIM).collect(), until }
            }
            _ => Agenda::Wait { until: paced_due },
        }
    }

    /// Whether anything paced could be due now, were it only quiet for long enough.
    pub(crate) fn is_open(&self) -> bool {
        self.pacing.due(std::iter::once((Timestamp::MIN, Timestamp::MIN)), self.rhythm()).is_some_and(|it| it <= self.now)
    }

    fn rhythm(&self) -> Option<&Rhythm> {
        let latest = self.now.saturating_add(CLOCK_SKEW).unwrap_or(Timestamp::MAX);
        self.rhythm.filter(|it| it.told_at <= latest)
    }

    /// Digests come at an hour the recipient chose, so quiet hours are not about them.
    fn is_silenced(&self, span: &TaskSpan) -> bool {
        let is_let_through = |it: Quiet| it.lets_urgent_through && span.urgent;
        span.timing == Timing::Now && self.quiet.is_some_and(|it| !is_let_through(it))
    }

    /// Whether it was put off beyond its window: by quiet hours, or by the mail service.
    fn is_held(&self, part: &Part, span: &TaskSpan) -> bool {
        let window_ends = span.last_at.saturating_add(self.pacing.window).unwrap_or(Timestamp::MAX);
        part.due_at > self.now && part.due_at > window_ends
    }

    /// When it will have been quiet long enough, or the oldest has waited long enough, and long enough ago that the recipient got a mail.
    fn paced_due(&self, audible: &[TaskPart<'_>]) -> Option<Timestamp> {
        let waiting = audible.iter().filter(|(part, span)| span.timing == Timing::Now && !self.is_held(part, span));
        self.pacing.due(waiting.map(|(_, span)| (span.first_at, span.last_at)), self.rhythm())
    }
}

pub(crate) fn span(part: &Part) -> Option<&TaskSpan> {
    match &part.content {
        PartContent::Task(span) => Some(span),
        PartContent::Letter { .. } => None,
    }
}

/// Parts of one task that share kinds or are not for the digest, directly or by way of one another: told together or not at all, in
/// the order of the log.
type Group<'a> = Vec<TaskPart<'a>>;

/// Those that `told_now` are in, among `all`; the longest waiting first.
fn groups<'a>(told_now: &[TaskPart<'a>], all: &[TaskPart<'a>]) -> Vec<Group<'a>> {
    let mut left: Vec<TaskPart<'a>> = all.to_vec();
    let mut groups: Vec<Group<'a>> = Vec::new();
    for first in told_now {
        let Some(index) = left.iter().position(|it| std::ptr::eq(it.0, first.0)) else { continue };
        let mut group = vec![left.swap_remove(index)];
        let task: (ProjectId, TaskId) = (first.1.project, first.1.task);
        let mut kinds = first.1.kinds.clone();
        loop {
            let goes_soon = group.iter().any(|it| it.1.timing == Timing::Now);
            let is_akin = |it: &TaskPart<'_>| {
                let goes_along = !it.1.kinds.is_disjoint(&kinds) || goes_soon && it.1.timing == Timing::Now;
                (it.1.project, it.1.task) == task && goes_along
            };
            let (akin, rest): (Vec<_>, Vec<_>) = left.into_iter().partition(is_akin);
            left = rest;
            if akin.is_empty() {
                break;
            }
            kinds.extend(akin.iter().flat_map(|it| &it.1.kinds));
            group.extend(akin);
        }
        group.sort_by_key(|it| (it.1.from, it.1.to));
        groups.push(group);
    }
    groups.sort_by_key(|it| it.iter().map(|it| it.1.first_at).min());
    groups
}

/// As many groups as one claim takes; of one that is too large by itself, what comes first in the log.
fn in_one_mail(groups: Vec<Group<'_>>) -> Vec<Part> {
    let mut told: Vec<Part> = Vec::new();
    for group in groups {
        if told.is_empty() || told.len() + group.len() <= MOST_PARTS_PER_CLAIM {
            told.extend(group.into_iter().take(MOST_PARTS_PER_CLAIM).map(|it| it.0.clone()));
        }
    }
    told
}

#[cfg(test)]
mod tests;
