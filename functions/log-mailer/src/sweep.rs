use std::collections::{BTreeMap, BTreeSet};

use domain::{ProjectId, TaskId, Version};
use futures::future::try_join_all;
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use store::{DuePart, RecipientKey, SHARDS, StoreError};
use tracing::{error, info};

use crate::{Deadline, Mailer};

/// How far back the log is compared with the cursors, in hours.
const HOURS: i64 = 25;

/// A change younger than this may still have its hint under way: SQS delays a message for 15 minutes at most.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(20);

const PARTS_A_SHARD: usize = 200;
const READS_AT_ONCE: usize = 16;

impl Mailer {
    /// Sends whatever is due and was not sent, as far as it gets by the deadline. Answers how many recipients could not be told.
    ///
    /// # Errors
    /// [`StoreError`], where what is due could not be read.
    pub async fn sweep_due(&self, deadline: Deadline) -> Result<usize, StoreError> {
        let mut tried: BTreeSet<RecipientKey> = BTreeSet::new();
        let mut failures = 0;
        let due_by = Timestamp::now();
        // Each shard is read on from the last part seen: those that fail or are held by somebody else hide nothing behind them.
        let mut shards: BTreeMap<u8, Option<DuePart>> = (0..SHARDS).map(|shard| (shard, None)).collect();
        while !shards.is_empty() && !deadline.has_passed() {
            let pages = shards.iter().map(async |(shard, last)| {
                let page = self.mail.due(*shard, due_by, last.as_ref(), PARTS_A_SHARD).await?;
                Ok::<_, StoreError>((*shard, page))
            });
            let pages = try_join_all(pages).await?;
            let seen: BTreeSet<RecipientKey> = pages.iter().flat_map(|(_, page)| page).map(|it| it.recipient.clone()).collect();
            let recipients: BTreeSet<RecipientKey> = seen.difference(&tried).cloned().collect();
            if !recipients.is_empty() {
                info!(recipients = recipients.len(), "sweep what is due");
            }
            tried.extend(recipients.iter().cloned());
            failures += self.send_all(recipients, deadline).await;
            let is_full = |page: &Vec<DuePart>| page.len() == PARTS_A_SHARD;
            shards = pages.into_iter().filter(|(_, it)| is_full(it)).map(|(shard, mut it)| (shard, it.pop())).collect();
        }
        Ok(failures)
    }

    /// Plans and sends what the log of the last 25 hours holds and no hint has reached.
    /// A task whose log has grown since `settled_before` is left to its hint. What is not planned by the deadline is left to the
    /// next time. Answers how many tasks were behind.
    ///
    /// # Errors
    /// [`StoreError`], where the log or the cursors could not be read, or a task could not be planned; all others were.
    pub async fn reconcile(&self, settled_before: Timestamp, deadline: Deadline) -> Result<usize, StoreError> {
        let behind = self.behind(Timestamp::now()).await?;
        let mut recipients = BTreeSet::new();
        let tasks = behind.len();
        let mut failure = None;
        for (project, task) in behind {
            if deadline.has_passed() {
                break;
            }
            match self.plan(project, task, Some(settled_before)).await {
                Ok(owed) => recipients.extend(owed),
                Err(error) => {
                    error!(task.id = %task, error = &error as &dyn std::error::Error, "could not plan a task that is behind");
                    failure = Some(error);
                }
            }
        }
        info!(tasks, recipients = recipients.len(), "compared the log with what was planned");
        self.send_all(recipients, deadline).await;
        failure.map_or(Ok(tasks), Err)
    }

    /// As [`Self::reconcile`], of everything whose hint should have come by now.
    pub(crate) async fn sweep_log(&self, deadline: Deadline) -> Result<usize, StoreError> {
        self.reconcile(Timestamp::now() - SETTLED_AFTER, deadline).await
    }

    async fn behind(&self, now: Timestamp) -> Result<Vec<(ProjectId, TaskId)>, StoreError> {
        let hours = (0..=HOURS).map(|hour| now - SignedDuration::from_hours(hour));
        let reads = hours.flat_map(|at| (0..SHARDS).map(move |shard| (at, shard)));
        let logged: Vec<_> = futures::stream::iter(reads)
            .map(|(at, shard)| self.changes.hour(at, shard))
            .buffer_unordered(READS_AT_ONCE)
            .try_collect()
            .await?;
        let mut latest: BTreeMap<(ProjectId, TaskId), Version> = BTreeMap::new();
        for position in logged.into_iter().flatten() {
            let version = latest.entry((position.project, position.task)).or_insert(position.version);
            *version = position.version.max(*version);
        }
        let tasks: Vec<_> = latest.keys().copied().collect();
        let cursors = self.mail.cursors(&tasks).await?;
        let is_behind = |task: &(ProjectId, TaskId), version: Version| cursors.get(task).is_none_or(|cursor| *cursor < version);
        Ok(latest.into_iter().filter(|(task, version)| is_behind(task, *version)).map(|(task, _)| task).collect())
    }
}
