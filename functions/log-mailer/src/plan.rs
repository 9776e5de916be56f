use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use domain::{
    Change, Membership, NoticeKinds, Notification, NotificationContent, NotificationId, Notify, Owed, Profile, ProjectId,
    Recipient, TaskId, UserId, Version, audience, concerned, owed, recent,
};
use futures::try_join;
use jiff::Timestamp;
use store::{Cursor, Part, PartContent, Progress, RecipientKey, StoreError, TaskSpan, Timing};
use tracing::{debug, info};

use crate::{Mailer, ids};

/// DynamoDB takes 100 items in a transaction: the cursor, and at most two parts and a notification for each of these.
const MOST_PEOPLE: usize = 30;

/// How often a plan is made again because another mailer planned the same task meanwhile.
const MOST_CONFLICTS: u32 = 10;

/// What one transaction files.
struct Plan {
    /// How far it comes.
    to: Cursor,
    parts: Vec<Part>,
    notifications: Vec<Notification>,
}

impl Mailer {
    /// Files what the task's log owes since the last plan, and answers to whom by mail. Whoever comes second finds nothing left.
    ///
    /// Where it concerns more people than one transaction holds, the cursor says how far it came: whoever goes on, goes on there.
    ///
    /// With `settled_before`, a log that has grown since then is left alone: a hint is still on its way.
    pub(crate) async fn plan(
        &self,
        project: ProjectId,
        task: TaskId,
        settled_before: Option<Timestamp>,
    ) -> Result<BTreeSet<RecipientKey>, StoreError> {
        let mut recipients = BTreeSet::new();
        let mut conflicts = 0;
        loop {
            let cursor = self.mail.cursor(project, task).await?;
            let up_to = cursor.progress.as_ref().map(|it| it.to);
            let log = self.changes.log(project, task, cursor.version, up_to).await?;
            let is_settled = |last: &Change| settled_before.is_none_or(|it| last.at < it);
            let Some(last) = log.last().filter(|it| is_settled(it)) else {
                return Ok(recipients);
            };
            let Plan { to, parts, notifications } = self.next_plan(&cursor, &log, last).await?;
            match self.mail.file_plan(project, task, &cursor, &to, &parts, &notifications).await {
                Ok(()) => {
                    let (from, to) = (cursor.version.0, last.version.0);
                    info!(task.id = %task, from, to, parts = parts.len(), notifications = notifications.len(), "planned a task's mails");
                    self.counters.add_planned(parts.len());
                    recipients.extend(parts.iter().map(Part::recipient_key));
                }
                Err(StoreError::Conflict { .. }) if conflicts < MOST_CONFLICTS => {
                    conflicts += 1;
                    debug!(task.id = %task, conflicts, "another mailer planned the same task, so read it again");
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What is owed to the next of those whom the log after a cursor concerns.
    async fn next_plan(&self, cursor: &Cursor, log: &[Change], last: &Change) -> Result<Plan, StoreError> {
        let now = self.clock.now();
        let done = Cursor { version: last.version, progress: None };
        let recent = recent(log, now);
        let Some(first) = recent.first() else { return Ok(Plan { to: done, parts: Vec::new(), notifications: Vec::new() }) };
        // Most changes have no watchers, so that this is the only round of reads.
        let those_concerned: BTreeSet<UserId> = recent.iter().flat_map(concerned).collect();
        let subscriptions = self.mail.subscriptions(first.project, first.task);
        let members = self.members(first.project, those_concerned.iter().copied().collect());
        let (subscriptions, mut members) = try_join!(subscriptions, members)?;
        let audience = audience(recent, &subscriptions);
        let after = cursor.progress.as_ref().map_or(Bound::Unbounded, |it| Bound::Excluded(it.after));
        let mut left = audience.range((after, Bound::Unbounded)).copied();
        let people: BTreeSet<UserId> = left.by_ref().take(MOST_PEOPLE).collect();
        let watchers: Vec<UserId> = people.difference(&those_concerned).copied().collect();
        if !watchers.is_empty() {
            members.extend(self.members(first.project, watchers).await?);
        }
        members.retain(|user, _| people.contains(user));
        let to = match (left.next(), people.last()) {
            (Some(_), Some(after)) => {
                Cursor { version: cursor.version, progress: Some(Progress { to: last.version, after: *after }) }
            }
            _ => done,
        };
        let notify: BTreeMap<UserId, Notify> = members.iter().map(|(user, it)| (*user, it.notify)).collect();
        let span = Span { project: first.project, task: first.task, from: first.version, to: last.version };
        let mut plan = Plan { to, parts: Vec::new(), notifications: Vec::new() };
        for owed in owed(recent, &notify, &subscriptions, now) {
            let Some(reader) = members.get(&owed.user) else { continue };
            plan.parts.extend(self.parts(span, &owed, reader, now));
            plan.notifications.extend(notification(span, owed, now));
        }
        Ok(plan)
    }

    /// The current members of a project among these people.
    async fn members(&self, project: ProjectId, users: Vec<UserId>) -> Result<BTreeMap<UserId, Profile>, StoreError> {
        if users.is_empty() {
            return Ok(BTreeMap::new());
        }
        let (mut profiles, memberships) = try_join!(self.work.profiles(&users), self.work.memberships(project, &users))?;
        profiles.retain(|user, _| memberships.get(user).is_some_and(Membership::is_current));
        Ok(profiles)
    }

    fn parts(&self, span: Span, owed: &Owed, reader: &Profile, now: Timestamp) -> Vec<Part> {
        let Owed { user, now: kinds_now, digest, watching, urgent, muted: _, net: _, first_at, last_at } = owed;
        let Span { project, task, from, to } = span;
        let zone = reader.time_zone.time_zone();
        let window_ends = last_at.saturating_add(self.pacing.window).unwrap_or(Timestamp::MAX);
        let quiet = reader.notify.quiet_hours.filter(|it| !(*urgent && it.urgent()));
        let quiet_ends = quiet.and_then(|it| it.end(&zone, window_ends.max(now)));
        let due = [
            (Timing::Now, kinds_now, quiet_ends.unwrap_or(window_ends)),
            (Timing::Digest, digest, reader.notify.digest_hour.next(&zone, now)),
        ];
        let part = |(timing, kinds, due_at): (Timing, &NoticeKinds, Timestamp)| Part {
            recipient: Recipient::User(*user),
            due_at,
            content: PartContent::Task(TaskSpan {
                project,
                task,
                from,
                to,
                kinds: kinds.clone(),
                timing,
                first_at: *first_at,
                last_at: *last_at,
                watching: *watching,
                urgent: *urgent,
            }),
        };
        due.into_iter().filter(|(_, kinds, _)| !kinds.is_empty()).map(part).collect()
    }
}

/// Versions of a task's log, both inclusive.
#[derive(Clone, Copy, Debug)]
struct Span {
    project: ProjectId,
    task: TaskId,
    from: Version,
    to: Version,
}

/// What the person finds in the product, whatever they want by mail: already read, where they do not want to hear of the task.
fn notification(span: Span, owed: Owed, now: Timestamp) -> Option<Notification> {
    let Owed { user, muted, net, .. } = owed;
    let net = net?;
    let content = NotificationContent::task(&net, span.from);
    Some(Notification { id: NotificationId(ids::at(now)), user, at: net.at, read: muted, content })
}
