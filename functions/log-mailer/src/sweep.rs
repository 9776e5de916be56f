use std::collections::{BTreeMap, BTreeSet};

use domain::{Pacing, ProjectId, TaskId, Version};
use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use jiff::{SignedDuration, Timestamp};
use store::{DuePart, LogPosition, Mailbox, RecipientKey, SHARDS, StoreError};
use tracing::{error, info};

use crate::agenda::Moment;
use crate::{Deadline, Mailer};

/// How far back the log is compared with the cursors, in hours.
const HOURS: i64 = 25;

/// A change younger than this may still have its hint under way: SQS brings one that failed again after six minutes.
const SETTLED_AFTER: SignedDuration = SignedDuration::from_mins(20);

const PARTS_A_SHARD: usize = 200;
const READS_AT_ONCE: usize = 16;

impl Mailer {
    /// Sends whatever is due and was not sent, as far as it gets by the deadline. Answers how many recipients could not be told.
    ///
    /// # Errors
    /// [`StoreError`], where what is due could not be read; what was read was told.
    pub async fn sweep_due(&self, deadline: Deadline) -> Result<usize, StoreError> {
        let (mut tried, mut held): (BTreeSet<RecipientKey>, BTreeSet<RecipientKey>) = Default::default();
        let mut failures = 0;
        let mut due = self.due_by(self.clock.now());
        while !deadline.has_passed() {
            let Some(page) = due.next_page().await else { break };
            let (paced, unpaced) = page.into_iter().partition::<Vec<_>, _>(DuePart::is_paced);
            let unpaced: BTreeSet<RecipientKey> = unpaced.into_iter().map(|it| it.recipient).collect();
            // Whoever was just told is owed nothing more for a while, though their parts are overdue, minute by minute. One read
            // shows that, and what has a time of its own, as a digest on a later page, is told all the same.
            let paced = paced.into_iter().map(|it| it.recipient).filter(|it| !unpaced.contains(it) && !held.contains(it));
            let paced: BTreeSet<RecipientKey> = paced.filter(|it| !tried.contains(it)).collect();
            let (open, shut) = self.by_rhythm(paced).await;
            held.extend(shut);
            let recipients: BTreeSet<RecipientKey> = unpaced.into_iter().chain(open).filter(|it| !tried.contains(it)).collect();
            if !recipients.is_empty() {
                info!(recipients = recipients.len(), "sweep what is due");
            }
            tried.extend(recipients.iter().cloned());
            failures += self.send_all(recipients, deadline).await.failures;
        }
        due.failure.map_or(Ok(failures), Err)
    }

    /// How many recipients a sweep would tell now: something on their agenda is due, and nobody else is at it.
    ///
    /// # Errors
    /// [`StoreError`], where what is due could not be read.
    pub async fn tellable_now(&self) -> Result<usize, StoreError> {
        let mut recipients = BTreeSet::new();
        let mut due = self.due_by(self.clock.now());
        while let Some(page) = due.next_page().await {
            recipients.extend(page.into_iter().map(|it| it.recipient));
        }
        if let Some(error) = due.failure {
            return Err(error);
        }
        let tellable = futures::stream::iter(recipients).map(async |recipient| self.is_tellable(&recipient).await);
        let tellable: Vec<bool> = tellable.buffer_unordered(READS_AT_ONCE).try_collect().await?;
        Ok(tellable.into_iter().filter(|it| *it).count())
    }

    /// Those among recipients of paced parts whose rhythm lets a mail out now, and those whose does not, or whose claim is held.
    async fn by_rhythm(&self, recipients: BTreeSet<RecipientKey>) -> (Vec<RecipientKey>, Vec<RecipientKey>) {
        let now = self.clock.now();
        let looked = futures::stream::iter(recipients).map(async |recipient| {
            let is_open = match self.mail.mailbox(&recipient).await {
                Ok(mailbox) => is_open(&mailbox, &self.pacing, now),
                // Whoever tells them sees the error, and counts it.
                Err(_) => true,
            };
            (is_open, recipient)
        });
        let looked: Vec<(bool, RecipientKey)> = looked.buffer_unordered(READS_AT_ONCE).collect().await;
        let (open, shut) = looked.into_iter().partition::<Vec<_>, _>(|it| it.0);
        (open.into_iter().map(|it| it.1).collect(), shut.into_iter().map(|it| it.1).collect())
    }

    /// All that is due by then, shard by shard at once.
    fn due_by(&self, due_by: Timestamp) -> Due<'_> {
        Due { mailer: self, due_by, shards: (0..SHARDS).map(|shard| (shard, None)).collect(), failure: None }
    }

    /// Plans and sends what the log of the last 25 hours holds and no hint has reached.
    /// A task whose log has grown since `settled_before` is left to its hint. What is not planned by the deadline is left to the
    /// next time. Answers how many tasks were behind.
    ///
    /// # Errors
    /// [`StoreError`], where the log or the cursors could not be read, or a task could not be planned; all others were.
    pub async fn reconcile(&self, settled_before: Timestamp, deadline: Deadline) -> Result<usize, StoreError> {
        let (behind, mut failure) = self.behind(self.clock.now()).await?;
        let mut recipients = BTreeSet::new();
        let tasks = behind.len();
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
        self.reconcile(self.clock.now() - SETTLED_AFTER, deadline).await
    }

    /// The tasks whose log goes on after their cursor, and why not all of them are known, where something could not be read.
    async fn behind(&self, now: Timestamp) -> Result<(Vec<(ProjectId, TaskId)>, Option<StoreError>), StoreError> {
        let hours = (0..=HOURS).map(|hour| now - SignedDuration::from_hours(hour));
        let reads = hours.flat_map(|at| (0..SHARDS).map(move |shard| (at, shard)));
        let logged: Vec<_> = futures::stream::iter(reads)
            .map(|(at, shard)| self.changes.hour(at, shard))
            .buffer_unordered(READS_AT_ONCE)
            .collect()
            .await;
        let mut failure = None;
        let mut latest: BTreeMap<(ProjectId, TaskId), Version> = BTreeMap::new();
        for hour in logged {
            match hour {
                Ok(positions) => {
                    for LogPosition { project, task, version } in positions {
                        let latest = latest.entry((project, task)).or_insert(version);
                        *latest = version.max(*latest);
                    }
                }
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "could not read an hour of the log");
                    failure = Some(error);
                }
            }
        }
        let tasks: Vec<_> = latest.keys().copied().collect();
        let cursors = self.mail.cursors(&tasks).await?;
        let is_behind = |task: &(ProjectId, TaskId), version: Version| cursors.get(task).is_none_or(|cursor| *cursor < version);
        let behind = latest.into_iter().filter(|(task, version)| is_behind(task, *version)).map(|(task, _)| task);
        Ok((behind.collect(), failure))
    }
}

/// What is due, page by page. Each shard is read on from the last part seen: those that fail or are held by somebody else hide
/// nothing behind them.
struct Due<'m> {
    mailer: &'m Mailer,
    due_by: Timestamp,
    /// Those that are not at their end, each after its last part.
    shards: BTreeMap<u8, Option<DuePart>>,
    /// Why a shard could not be read on. The others are.
    failure: Option<StoreError>,
}

impl Due<'_> {
    /// The next of all shards; nothing at the end.
    async fn next_page(&mut self) -> Option<Vec<DuePart>> {
        if self.shards.is_empty() {
            return None;
        }
        let pages = self
            .shards
            .iter()
            .map(async |(shard, last)| (*shard, self.mailer.mail.due(*shard, self.due_by, last.as_ref(), PARTS_A_SHARD).await));
        let pages = join_all(pages).await;
        let mut parts = Vec::new();
        self.shards.clear();
        for (shard, page) in pages {
            match page {
                Ok(page) => {
                    if page.len() == PARTS_A_SHARD {
                        self.shards.insert(shard, page.last().cloned());
                    }
                    parts.extend(page);
                }
                Err(error) => {
                    error!(shard, error = &error as &dyn std::error::Error, "could not read what is due");
                    self.failure = Some(error);
                }
            }
        }
        Some(parts)
    }
}

/// Whether a paced part of this recipient could be told now, as far as the mailbox shows.
fn is_open(mailbox: &Mailbox, pacing: &Pacing, now: Timestamp) -> bool {
    let Mailbox { claim, rhythm } = mailbox;
    match claim {
        Some(claim) => claim.is_expired(now) || claim.accepted && claim.unknown,
        None => Moment { now, pacing, rhythm: rhythm.as_ref(), quiet: None }.is_open(),
    }
}
