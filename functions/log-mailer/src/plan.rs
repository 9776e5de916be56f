use std::collections::{BTreeMap, BTreeSet};

use domain::{Change, MAIL_HORIZON, Membership, Notify, ProjectId, Recipient, Subscriptions, TaskId, UserId, concerned, owed};
use jiff::Timestamp;
use store::{Part, PartContent, RecipientKey, StoreError, TaskSpan};
use tracing::{debug, info};

use crate::Mailer;

/// A change concerns three people at most and DynamoDB takes 100 items in a transaction, so this many are planned at once.
const MOST_CHANGES: usize = 33;

/// How often a plan is made again because another mailer planned the same task meanwhile.
const MOST_CONFLICTS: u32 = 10;

impl Mailer {
    /// Files what the task's log owes since the last plan, and answers to whom. Whoever comes second finds nothing left.
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
            let log = self.changes.log(project, task, cursor, None).await?;
            let is_settled = |last: &Change| settled_before.is_none_or(|it| last.at < it);
            if !log.last().is_some_and(is_settled) {
                return Ok(recipients);
            }
            let span = &log[..log.len().min(MOST_CHANGES)];
            let Some(last) = span.last() else { return Ok(recipients) };
            let parts = self.parts(project, task, span).await?;
            match self.mail.file_plan(project, task, cursor, last.version, &parts).await {
                Ok(()) => {
                    info!(task.id = %task, from = cursor.0, to = last.version.0, parts = parts.len(), "planned a task's mails");
                    self.counters.add_planned(parts.len());
                    recipients.extend(parts.iter().map(Part::recipient_key));
                    if span.len() == log.len() {
                        return Ok(recipients);
                    }
                }
                Err(StoreError::Conflict { .. }) if conflicts < MOST_CONFLICTS => {
                    conflicts += 1;
                    debug!(task.id = %task, conflicts, "another mailer planned the same task, so read it again");
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn parts(&self, project: ProjectId, task: TaskId, span: &[Change]) -> Result<Vec<Part>, StoreError> {
        let now = Timestamp::now();
        let recent = recent(span, now);
        let (Some(first), Some(last)) = (recent.first(), recent.last()) else { return Ok(Vec::new()) };
        let (from, to) = (first.version, last.version);
        let users: Vec<UserId> = recent.iter().flat_map(concerned).collect::<BTreeSet<_>>().into_iter().collect();
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let (profiles, memberships) = futures::try_join!(self.work.profiles(&users), self.work.memberships(project, &users))?;
        let is_member = |user: &UserId| memberships.get(user).is_some_and(Membership::is_current);
        let preferences: BTreeMap<UserId, Notify> =
            profiles.values().filter(|it| is_member(&it.id)).map(|it| (it.id, it.notify)).collect();
        let owed = owed(recent, &preferences, &Subscriptions::default(), now).into_iter().filter(|it| !it.now.is_empty());
        let part = |it: domain::Owed| Part {
            recipient: Recipient::User(it.user),
            due_at: now,
            content: PartContent::Task(TaskSpan { project, task, from, to, kinds: it.now }),
        };
        Ok(owed.map(part).collect())
    }
}

/// The end of a log that is young enough to be told of.
fn recent(span: &[Change], now: Timestamp) -> &[Change] {
    let old = span.iter().take_while(|it| now.duration_since(it.at) > MAIL_HORIZON).count();
    &span[old..]
}
