use std::collections::BTreeSet;

use domain::{Change, Choice, Profile, ProjectId, TaskId, Version, concerned};
use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use store::{Direction, Part, StoreError, TaskSpan, Timing};

use crate::Mailer;
use crate::agenda::{Happened, span};

/// How long after its window a change may still wait for its hint to be followed.
pub(crate) const HINT_DELAY: SignedDuration = SignedDuration::from_secs(30);

/// A project's log is read by so many changes at once, since most windows hold few.
const CHANGES_A_PAGE: usize = 25;

/// Of a project in which more happens within a window, enough is known.
const MOST_PAGES: usize = 8;

/// What happened just now and is not planned yet, in the projects that a recipient is to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Around {
    /// What will be owed to the recipient once its hint comes: until then they only look as if nothing new were owed.
    pub(crate) news: Vec<Happened>,
    /// Whose hint is overdue, so that it can be planned right away.
    pub(crate) unplanned: Vec<(ProjectId, TaskId)>,
}

impl Mailer {
    /// Looks whether more is coming that would go into the same mail as these parts. A hint is one window late, and only of one
    /// task: while somebody works through their tasks, each of them by itself has long been quiet.
    pub(crate) async fn look_around(&self, reader: &Profile, parts: &[Part]) -> Result<Around, StoreError> {
        let spans: Vec<&TaskSpan> = parts.iter().filter_map(span).filter(|it| it.timing == Timing::Now).collect();
        if spans.is_empty() || self.pacing.window.is_zero() {
            return Ok(Around::default());
        }
        let now = self.clock.now();
        let window_began = now.saturating_sub(self.pacing.window).unwrap_or(Timestamp::MIN);
        let since = window_began.saturating_sub(HINT_DELAY).unwrap_or(Timestamp::MIN);
        let projects: BTreeSet<ProjectId> = spans.iter().map(|it| it.project).collect();
        let logs = try_join_all(projects.iter().map(|it| self.project_since(*it, since))).await?;
        let is_news = |it: &&Change| is_news(it, reader, &spans);
        let (fresh, overdue): (Vec<&Change>, Vec<&Change>) =
            logs.iter().flatten().filter(is_news).partition(|it| it.at > window_began);
        // The clock of whoever made it may be ahead of this one.
        let news = fresh.iter().map(|it| Happened { first_at: it.at.min(now), last_at: it.at.min(now) }).collect();
        let is_filed = |it: &&&Change| {
            parts.iter().filter_map(span).any(|span| (span.project, span.task) == (it.project, it.task) && it.version <= span.to)
        };
        let overdue: Vec<&Change> = overdue.iter().filter(|it| !is_filed(it)).copied().collect();
        let unplanned = if overdue.is_empty() { Vec::new() } else { self.unplanned(&overdue).await? };
        Ok(Around { news, unplanned })
    }

    async fn unplanned(&self, overdue: &[&Change]) -> Result<Vec<(ProjectId, TaskId)>, StoreError> {
        let tasks: BTreeSet<(ProjectId, TaskId)> = overdue.iter().map(|it| (it.project, it.task)).collect();
        let tasks: Vec<_> = tasks.into_iter().collect();
        let cursors = self.mail.cursors(&tasks).await?;
        let is_behind = |task: &(ProjectId, TaskId)| {
            let cursor = cursors.get(task).copied().unwrap_or(Version::NONE);
            overdue.iter().any(|it| (it.project, it.task) == *task && it.version > cursor)
        };
        Ok(tasks.into_iter().filter(is_behind).collect())
    }

    /// A project's changes from then on, newest first.
    async fn project_since(&self, project: ProjectId, since: Timestamp) -> Result<Vec<Change>, StoreError> {
        let mut changes: Vec<Change> = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.changes.project_changes(project, Direction::NewestFirst, CHANGES_A_PAGE, after.as_ref()).await?;
            changes.extend(page.items);
            after = page.next;
            if after.is_none() || changes.last().is_some_and(|it| it.at < since) {
                break;
            }
        }
        changes.retain(|it| it.at >= since);
        Ok(changes)
    }
}

/// Whether a change will be told to the reader as soon as it is due, as far as can be known before it is planned.
fn is_news(change: &Change, reader: &Profile, spans: &[&TaskSpan]) -> bool {
    let is_watched = || change.actor != reader.id && spans.iter().any(|it| it.watching && it.project == change.project);
    let is_theirs = concerned(change).any(|user| user == reader.id) || is_watched();
    is_theirs && change.notice_kinds().iter().any(|it| reader.notify.choice(*it) == Choice::Now)
}
