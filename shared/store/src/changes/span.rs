use std::collections::{BTreeMap, VecDeque};

use domain::{Change, ProjectId, TaskId, Version};
use jiff::Timestamp;
use tracing::error;

use super::{LogPosition, change, log_position};
use crate::item::{Item, text};
use crate::keys;
use crate::table::query::Query;
use crate::table::scan::Scan;
use crate::{Changes, SHARDS, StoreError};

/// In seconds.
const HOUR: i64 = 60 * 60;

/// How many changes a page has at most.
const PAGE: usize = 100;

/// What happened over a span of time, in order of time, page by page.
#[derive(Debug)]
pub struct ChangesSpan<'c> {
    changes: &'c Changes,
    until: Timestamp,
    project: Option<ProjectId>,
    /// Found and not answered yet.
    found: VecDeque<LogPosition>,
    /// Up to where it was looked for.
    looked_until: Timestamp,
}

/// The heads of all logs, page by page.
#[derive(Debug)]
pub struct ChangesHeads<'c> {
    scan: Scan<'c>,
}

impl Changes {
    /// The changes from `since` on and before `until`, of all projects or of one. For operators; what was logged in the last moments
    /// may be missing.
    #[must_use]
    pub fn span(&self, since: Timestamp, until: Timestamp, project: Option<ProjectId>) -> ChangesSpan<'_> {
        ChangesSpan { changes: self, until, project, found: VecDeque::new(), looked_until: since }
    }

    /// The heads of all logs: for operators only, since the whole table is read.
    #[must_use]
    pub fn heads(&self) -> ChangesHeads<'_> {
        let scan = Scan::new(&self.table).only("begins_with(#pk, :logs)").value(":logs", text(keys::LOGS));
        ChangesHeads { scan: scan.attributes("#pk, #version") }
    }

    /// The last version of a task's log, read consistently; [`Version::NONE`] of an empty one.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn head(&self, project: ProjectId, task: TaskId) -> Result<Version, StoreError> {
        let query = Query::new(&self.table, "pk", keys::log_partition(project, task)).consistent().backward();
        let last = query.take("read the head of the task's log", 1).await?;
        last.first().map_or(Ok(Version::NONE), |it| Ok(log_position(it)?.version))
    }
}

impl ChangesSpan<'_> {
    /// Some more of them, perhaps none; nothing, when there are no more. One that cannot be read is logged and left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<Change>>, StoreError> {
        if self.found.is_empty() {
            if self.looked_until >= self.until {
                return Ok(None);
            }
            self.look().await?;
        }
        let page: Vec<LogPosition> = self.found.drain(..self.found.len().min(PAGE)).collect();
        let wanted = page.iter().map(|it| keys::change(it.project, it.task, it.version)).collect();
        let items = self.changes.table.get_many("read the changes of a span", wanted).await?;
        let mut changes: Vec<Change> = items.iter().filter_map(readable).collect();
        changes.sort_by_cached_key(|it| keys::change_by_time(it.at, it.task, it.version));
        Ok(Some(changes))
    }

    /// Looks for the changes of the next hour, or for all of the project.
    async fn look(&mut self) -> Result<(), StoreError> {
        let (since, step) = (self.looked_until, "read the log of a span");
        let next_hour = since.as_second().div_euclid(HOUR).saturating_add(1).saturating_mul(HOUR);
        let next_hour = Timestamp::from_second(next_hour).unwrap_or(Timestamp::MAX);
        let until = if self.project.is_some() { self.until } else { next_hour.min(self.until) };
        let table = &self.changes.table;
        let queries: Vec<Query<'_>> = match self.project {
            Some(project) => vec![Query::new(table, "project_pk", keys::project_partition(project)).index(keys::BY_PROJECT)],
            None => {
                let shard = |it| Query::new(table, "hour_pk", keys::hour_partition(since, it)).index(keys::BY_HOUR);
                (0..SHARDS).map(shard).collect()
            }
        };
        let mut found = Vec::new();
        for query in queries {
            let query = query.and("#project_sk BETWEEN :since AND :until");
            let query = query.value(":since", text(keys::changes_from(since))).value(":until", text(keys::changes_from(until)));
            for item in query.all(step).await? {
                found.push((item.text("project_sk")?.to_owned(), log_position(&item)?));
            }
        }
        found.sort();
        self.found.extend(found.into_iter().map(|(_, position)| position));
        self.looked_until = until;
        Ok(())
    }
}

impl ChangesHeads<'_> {
    /// Some more of them, each task once in a page, perhaps none; nothing, when there are no more. A log that reaches over several
    /// pages is on each of them: its head is the greatest.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<LogPosition>>, StoreError> {
        let Some(items) = self.scan.next_page("read the heads of all logs").await? else { return Ok(None) };
        let mut heads: BTreeMap<(ProjectId, TaskId), Version> = BTreeMap::new();
        for item in &items {
            let LogPosition { project, task, version } = log_position(item)?;
            let head = heads.entry((project, task)).or_insert(version);
            *head = version.max(*head);
        }
        Ok(Some(heads.into_iter().map(|((project, task), version)| LogPosition { project, task, version }).collect()))
    }
}

fn readable(item: &Item) -> Option<Change> {
    match change(item) {
        Ok(change) => Some(change),
        Err(error) => {
            error!(error = &error as &dyn std::error::Error, "a change cannot be read, so it is left out");
            None
        }
    }
}
