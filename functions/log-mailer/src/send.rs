use std::collections::BTreeSet;
use std::time::Duration;

use domain::{ClaimId, MAIL_HORIZON, TaskId};
use futures::StreamExt;
use jiff::Timestamp;
use store::{Claim, Delivery, DeliveryState, MOST_PARTS_PER_CLAIM, Part, PartContent, RecipientKey, StoreError};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::compose::{Composed, suppressed};
use crate::mail::Mail;
use crate::ses::Outcome;
use crate::{Deadline, Mailer};

/// The function's timeout in template.yaml: after it, nobody acts on a claim any more.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a claim is its holder's: the function's timeout, and two minutes for the mail service to say what it accepted.
pub const LEASE: Duration = Duration::from_secs(FUNCTION_TIMEOUT.as_secs() + 120);

/// A claim with less than this left of its lease is left to expire: the mail service may take its time.
const SENDING_TIME: Duration = Duration::from_secs(30);

/// From this attempt on somebody has to look: the process ends, or the mail service stays silent, whenever this mail is tried.
const ALARMING_ATTEMPT: u32 = 5;

/// How many recipients are told at once.
const RECIPIENTS_AT_ONCE: usize = 8;

const AFTER_THROTTLE: Duration = Duration::from_secs(60);
const AFTER_ACCOUNT_TROUBLE: Duration = Duration::from_secs(300);

const TOO_OLD: &str = "no attempt of a week came to an end";

/// Whether the recipient may be owed more that can be told now.
enum Next {
    LookAgain,
    Leave,
}

impl Mailer {
    /// Tells several recipients what is due. What fails, or is not begun by the deadline, stays due, for the next sweep; the
    /// number of failures is answered.
    pub(crate) async fn send_all(&self, recipients: impl IntoIterator<Item = RecipientKey>, deadline: Deadline) -> usize {
        let told = futures::stream::iter(recipients).map(async |recipient| {
            let sent = Box::pin(self.send(&recipient, deadline)).await;
            if let Err(error) = &sent {
                error!(error = error as &dyn std::error::Error, "could not tell a recipient what is due");
            }
            usize::from(sent.is_err())
        });
        told.buffer_unordered(RECIPIENTS_AT_ONCE).fold(0, async |failures, it| failures + it).await
    }

    /// Tells one recipient all that is due, unless somebody else is at it. Parts that come meanwhile are seen on the way out.
    pub(crate) async fn send(&self, recipient: &RecipientKey, deadline: Deadline) -> Result<(), StoreError> {
        while !deadline.has_passed() {
            let Some(claim) = self.claim_due(recipient, deadline).await? else { break };
            match self.tell(&claim).await? {
                Next::LookAgain => {}
                Next::Leave => break,
            }
        }
        Ok(())
    }

    /// Claims what is due, once it is its turn to be sent: a claim that waited for its turn could be cut off before it was told,
    /// and nobody would know that it was not. Nothing to claim takes no turn.
    async fn claim_due(&self, recipient: &RecipientKey, deadline: Deadline) -> Result<Option<Claim>, StoreError> {
        let owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX);
        let (owed, open) = futures::try_join!(owed, self.mail.claim(recipient))?;
        let parts = together(owed, Timestamp::now());
        let is_held = open.as_ref().is_some_and(|it| !it.is_expired(Timestamp::now()));
        if parts.is_empty() || is_held || !self.pace.turn(deadline).await {
            return Ok(None);
        }
        let now = Timestamp::now();
        let claimed = match open {
            Some(expired) => self.mail.take_over(&expired, now, now + lease(expired.attempt + 1)).await,
            None => self.open_claim(recipient, parts, now).await,
        };
        match claimed {
            Ok(claim) => Ok(Some(claim)),
            // Somebody else is at it since a moment ago.
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn open_claim(&self, recipient: &RecipientKey, parts: Vec<Part>, now: Timestamp) -> Result<Claim, StoreError> {
        let (id, lease_until) = (ClaimId(Uuid::now_v7()), now + LEASE);
        let claim = Claim { id, recipient: recipient.clone(), parts, attempt: 1, opened_at: now, lease_until };
        self.mail.open_claim(&claim).await?;
        Ok(claim)
    }

    async fn tell(&self, claim: &Claim) -> Result<Next, StoreError> {
        if !self.is_owed(claim).await? {
            info!(claim.id = %claim.id, "released a claim of what somebody else has told meanwhile");
            return self.close(&Claim { parts: Vec::new(), ..claim.clone() }).await;
        }
        if claim.attempt > 1 && self.mail.is_recorded(claim).await? {
            return self.close(claim).await;
        }
        if claim.attempt >= ALARMING_ATTEMPT {
            error!(claim.id = %claim.id, claim.attempt, "a mail does not come to an end");
        }
        // Crashes say nothing about the mail, so they never end it before its time, however many there were.
        if Timestamp::now().duration_since(claim.opened_at) > MAIL_HORIZON {
            error!(claim.id = %claim.id, claim.attempt, "gave up a mail that never came to an end");
            return self.suppress(claim, TOO_OLD, suppressed(claim, TOO_OLD)).await;
        }
        match self.compose(claim).await? {
            Composed::Silence { reason, deliveries } => {
                info!(claim.id = %claim.id, reason, "sent no mail");
                self.suppress(claim, reason, deliveries).await
            }
            Composed::Mail { mail, deliveries } => self.hand_over(claim, &mail, &deliveries).await,
        }
    }

    /// Whether all of a claim's parts are still there. They were read before the claim was open, and somebody else may have told
    /// and closed in between; from here on nobody else touches them.
    async fn is_owed(&self, claim: &Claim) -> Result<bool, StoreError> {
        let owed = self.mail.parts_of(&claim.recipient, Timestamp::MAX, usize::MAX).await?;
        Ok(claim.parts.iter().all(|it| owed.contains(it)))
    }

    async fn hand_over(&self, claim: &Claim, mail: &Mail, deliveries: &[Delivery]) -> Result<Next, StoreError> {
        let Claim { id, attempt, .. } = claim;
        if claim.is_expired(Timestamp::now() + SENDING_TIME) {
            warn!(claim.id = %id, "composing a mail took too long for this claim's lease");
            return Ok(Next::Leave);
        }
        if *attempt > 1 {
            warn!(claim.id = %id, attempt, mail_resent = true, "send again what an earlier attempt did not close");
        }
        match self.ses.send(mail, *id).await {
            Outcome::Accepted { message_id } => {
                info!(claim.id = %id, message.id = message_id, parts = claim.parts.len(), "sent a mail");
                self.counters.add_sent(*attempt);
                let silent = deliveries.iter().filter(|it| it.state == DeliveryState::Suppressed).count();
                self.counters.add_suppressed(silent);
                self.mail.record_deliveries(claim, deliveries, Timestamp::now()).await?;
                self.close(claim).await
            }
            Outcome::Throttled => {
                warn!(claim.id = %id, "the mail service throttles, so the mail goes later");
                self.postpone(claim, AFTER_THROTTLE).await
            }
            Outcome::NotNow { reason } => {
                error!(claim.id = %id, reason, "the mail service takes no mail of this account now, so the mail goes later");
                self.postpone(claim, AFTER_ACCOUNT_TROUBLE).await
            }
            Outcome::Refused { reason } => {
                error!(claim.id = %id, reason, "the mail service refuses a mail for good");
                let reason = format!("refused by the mail service: {reason}");
                self.suppress(claim, &reason, suppressed(claim, &reason)).await
            }
            Outcome::Unknown { reason } => {
                error!(claim.id = %id, reason, "whether a mail was accepted is unknown, so its claim stays open until its lease ends");
                Ok(Next::Leave)
            }
        }
    }

    async fn suppress(&self, claim: &Claim, reason: &str, deliveries: Vec<Delivery>) -> Result<Next, StoreError> {
        if claim.parts.iter().any(|it| matches!(it.content, PartContent::Letter { .. })) {
            warn!(claim.id = %claim.id, reason, "a letter is not sent");
        }
        self.counters.add_suppressed(claim.parts.len());
        self.mail.record_deliveries(claim, &deliveries, Timestamp::now()).await?;
        self.close(claim).await
    }

    async fn close(&self, claim: &Claim) -> Result<Next, StoreError> {
        match self.mail.close(claim).await {
            Ok(()) => Ok(Next::LookAgain),
            Err(StoreError::Conflict { .. }) => {
                warn!(claim.id = %claim.id, "another mailer had taken this claim over");
                Ok(Next::Leave)
            }
            Err(error) => Err(error),
        }
    }

    async fn postpone(&self, claim: &Claim, by: Duration) -> Result<Next, StoreError> {
        match self.mail.postpone(claim, Timestamp::now() + by).await {
            Ok(()) | Err(StoreError::Conflict { .. }) => Ok(Next::Leave),
            Err(error) => Err(error),
        }
    }
}

/// Doubles with each attempt, from [`LEASE`] to a day: a silent mail service may have sent every one of them, so a week of trying
/// comes to a dozen mails at the worst, not to thousands.
fn lease(attempt: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    LEASE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST)
}

/// What one mail tells of all that is owed: a letter that is due goes alone, tasks go together. What is owed of a task that is
/// due goes with it, even where it was postponed: told later, it would be told after what followed it.
fn together(owed: Vec<Part>, now: Timestamp) -> Vec<Part> {
    let is_due = |it: &Part| it.due_at <= now;
    let task = |it: &Part| match &it.content {
        PartContent::Task(span) => Some(span.task),
        PartContent::Letter { .. } => None,
    };
    if let Some(letter) = owed.iter().find(|it| is_due(it) && task(it).is_none()) {
        return vec![letter.clone()];
    }
    let due: BTreeSet<TaskId> = owed.iter().filter(|it| is_due(it)).filter_map(task).collect();
    let told = owed.into_iter().filter(|it| task(it).is_some_and(|task| due.contains(&task)));
    told.take(MOST_PARTS_PER_CLAIM).collect()
}

#[cfg(test)]
mod tests {
    use domain::{Letter, NoticeKind, PartId, Recipient, Version};
    use store::TaskSpan;

    use super::*;
    use crate::samples::{PROJECT, READER, TASK};

    fn task_part(task: TaskId, from: u64, to: u64, kind: NoticeKind) -> Part {
        let span = TaskSpan { project: PROJECT, task, from: Version(from), to: Version(to), kinds: [kind].into() };
        Part { recipient: Recipient::User(READER), due_at: Timestamp::UNIX_EPOCH, content: PartContent::Task(span) }
    }

    fn letter_part() -> Part {
        let letter = Letter::AddressTaken { locale: domain::Locale::En };
        let content = PartContent::Letter { id: PartId(Uuid::from_u128(9)), letter };
        Part { content, ..task_part(TASK, 1, 1, NoticeKind::Status) }
    }

    #[test]
    fn a_lease_doubles_from_attempt_to_attempt_up_to_a_day() {
        let minutes = [1, 2, 3, 9, 10, 100].map(|attempt| lease(attempt).as_secs() / 60);
        assert_eq!(minutes, [3, 6, 12, 768, 1440, 1440]);
    }

    #[test]
    fn a_letter_goes_alone_and_tasks_go_together() {
        let now = Timestamp::UNIX_EPOCH;
        let tasks = vec![task_part(TASK, 1, 1, NoticeKind::Status), task_part(TASK, 2, 4, NoticeKind::Edited)];
        assert_eq!(together(tasks.clone(), now), tasks);
        assert_eq!(together([tasks, vec![letter_part()]].concat(), now), vec![letter_part()]);
    }

    #[test]
    fn what_is_not_due_waits_unless_its_task_is_told_now() {
        let now = Timestamp::UNIX_EPOCH;
        let later = |part| Part { due_at: Timestamp::MAX, ..part };
        let (due, other) = (task_part(TASK, 5, 5, NoticeKind::Status), TaskId(Uuid::from_u128(99)));
        let postponed = later(task_part(TASK, 1, 4, NoticeKind::Status));
        let owed = vec![later(letter_part()), postponed.clone(), due.clone(), later(task_part(other, 1, 1, NoticeKind::Status))];
        assert_eq!(together(owed, now), vec![postponed.clone(), due]);
        assert_eq!(together(vec![postponed, later(letter_part())], now), Vec::new());
    }
}
