use std::time::Duration;

use domain::{ClaimId, MAIL_HORIZON, Profile, Rhythm};
use jiff::Timestamp;
use store::{Claim, Delivery, DeliveryState, Mailbox, Part, PartContent, RecipientKey, StoreError, Timing};
use tracing::{error, info, warn};

use crate::compose::{Composed, spans};
use crate::lease::{LEASE, lease};
use crate::mail::Mail;
use crate::pace::urgency;
use crate::ses::Outcome;
use crate::{Deadline, Mailer, ids};

/// A claim with less than this left of its lease is left to expire: the mail service may take its time.
const SENDING_TIME: Duration = Duration::from_secs(30);

/// From this attempt on somebody has to look: the process ends, or the mail service stays silent, whenever this mail is tried.
const ALARMING_ATTEMPT: u32 = 5;

const AFTER_THROTTLE: Duration = Duration::from_secs(60);
const AFTER_ACCOUNT_TROUBLE: Duration = Duration::from_secs(300);

const TOO_OLD: &str = "no attempt of a week came to an end";

/// Whether the recipient may be owed more that can be told now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    LookAgain,
    Leave,
}

impl Mailer {
    /// Nothing, where somebody else is at it since a moment ago.
    pub(crate) async fn open_claim(&self, recipient: &RecipientKey, parts: Vec<Part>) -> Result<Option<Claim>, StoreError> {
        let now = self.clock.now();
        let (id, lease_until) = (ClaimId(ids::at(now)), now + LEASE);
        let recipient = recipient.clone();
        let claim = Claim { id, recipient, parts, attempt: 1, opened_at: now, lease_until, accepted: false, unknown: false };
        match self.mail.open_claim(&claim).await {
            Ok(()) => Ok(Some(claim)),
            Err(StoreError::Conflict { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Goes on with a claim that somebody else has left open.
    pub(crate) async fn resume(&self, open: &Claim, rhythm: Option<Rhythm>, deadline: Deadline) -> Result<Next, StoreError> {
        let is_left = open.accepted && open.unknown;
        if !open.is_expired(self.clock.now()) && !is_left {
            return Ok(Next::Leave);
        }
        // What was accepted needs no turn: no mail of it goes out.
        if !open.accepted && !self.pace.turn(urgency(&open.parts), deadline).await {
            return Ok(Next::Leave);
        }
        let now = self.clock.now();
        match self.mail.take_over(open, now, now + lease(now.duration_since(open.opened_at))).await {
            Ok(claim) => self.go_on(&claim, rhythm).await,
            // Somebody else is at it since a moment ago, or it was reported as accepted.
            Err(StoreError::Conflict { .. }) => Ok(Next::Leave),
            Err(error) => Err(error),
        }
    }

    /// Ends a claim taken over. An earlier attempt may have come to any point of what [`Self::hand_over`] does, so its steps are
    /// looked at in their order: a mail that was accepted or recorded is never sent again.
    async fn go_on(&self, claim: &Claim, rhythm: Option<Rhythm>) -> Result<Next, StoreError> {
        if self.mail.is_recorded(claim).await? {
            // Parts of it may be gone already, so this comes before they are looked for.
            self.record_rest(claim).await?;
            return self.close(claim, self.told(claim, rhythm, claim.opened_at)).await;
        }
        if claim.accepted {
            return self.conclude(claim, rhythm).await;
        }
        let profile = self.profile(&claim.recipient).await?;
        self.tell(claim, profile.as_ref(), rhythm).await
    }

    /// Many deliveries are recorded bit by bit, and whoever did it may have died in between. The mail itself told of all of them.
    async fn record_rest(&self, claim: &Claim) -> Result<(), StoreError> {
        let recorded = self.mail.recorded(claim).await?;
        if recorded.len() == spans(claim).count() {
            return Ok(());
        }
        let was_sent = recorded.iter().any(|it| it.state == DeliveryState::Sent);
        let profile = self.profile(&claim.recipient).await?;
        let deliveries = match self.compose(claim, profile.as_ref()).await? {
            Composed::Silence { .. } if was_sent => self.sent(claim),
            Composed::Mail { deliveries, .. } | Composed::Silence { deliveries, .. } => doubted(claim, deliveries),
        };
        let is_recorded =
            |it: &Delivery| recorded.iter().any(|other| (other.task, other.to, other.timing) == (it.task, it.to, it.timing));
        let rest: Vec<Delivery> = deliveries.into_iter().filter(|it| !is_recorded(it)).collect();
        self.mail.record_deliveries(claim, &rest, self.clock.now()).await
    }

    /// Closes a claim of which the mail service has said that it took the mail.
    async fn conclude(&self, claim: &Claim, rhythm: Option<Rhythm>) -> Result<Next, StoreError> {
        info!(claim.id = %claim.id, "closed a claim whose mail was accepted, as the mail service says");
        self.counters.add_accepted();
        let profile = self.profile(&claim.recipient).await?;
        // What the mail said is in the log; what changed since, as whoever left the project, has no say in it.
        let deliveries = match self.compose(claim, profile.as_ref()).await? {
            Composed::Mail { deliveries, .. } => doubted(claim, deliveries),
            Composed::Silence { .. } => self.sent(claim),
        };
        self.mail.record_deliveries(claim, &deliveries, self.clock.now()).await?;
        self.close(claim, self.told(claim, rhythm, claim.opened_at)).await
    }

    /// Closes a claim that the mail service has reported as accepted, where its holder has left it: by saying that the outcome is
    /// unknown, or by not ending it within its lease. Where the holder is still at it, or the claim is closed, nothing happens.
    pub(crate) async fn settle(&self, claim: &Claim) -> Result<(), StoreError> {
        let Mailbox { claim: open, rhythm } = self.mail.mailbox(&claim.recipient).await?;
        match open.filter(|it| it.id == claim.id && it.accepted) {
            Some(open) => self.resume(&open, rhythm, Deadline::from_now()).await.map(|_| ()),
            None => Ok(()),
        }
    }

    pub(crate) async fn tell(
        &self,
        claim: &Claim,
        profile: Option<&Profile>,
        rhythm: Option<Rhythm>,
    ) -> Result<Next, StoreError> {
        if !self.unless_failed(claim, self.is_owed(claim).await).await? {
            info!(claim.id = %claim.id, "released a claim of what somebody else has told meanwhile");
            return self.release(claim).await;
        }
        if claim.attempt >= ALARMING_ATTEMPT {
            error!(claim.id = %claim.id, claim.attempt, "a mail does not come to an end");
        }
        // Crashes say nothing about the mail, so they never end it before its time, however many there were.
        if self.clock.now().duration_since(claim.opened_at) > MAIL_HORIZON {
            error!(claim.id = %claim.id, claim.attempt, "gave up a mail that never came to an end");
            return self.suppress(claim, TOO_OLD, self.silent(claim, TOO_OLD), rhythm).await;
        }
        match self.unless_failed(claim, self.compose(claim, profile).await).await? {
            Composed::Silence { reason, deliveries } => {
                info!(claim.id = %claim.id, reason, "sent no mail");
                self.suppress(claim, reason, deliveries, rhythm).await
            }
            Composed::Mail { mail, deliveries } => self.hand_over(claim, &mail, &doubted(claim, deliveries), rhythm).await,
        }
    }

    /// Releases the claim of a first attempt that fails before anything was said to the mail service: nobody has to wait for its lease.
    /// What cannot be read will not be readable in a minute, so its claim stays, and is tried less and less often.
    pub(crate) async fn unless_failed<T>(&self, claim: &Claim, outcome: Result<T, StoreError>) -> Result<T, StoreError> {
        let is_worth_another = |error: &StoreError| !matches!(error, StoreError::Corrupt { .. });
        if claim.attempt == 1 && outcome.as_ref().is_err_and(is_worth_another) {
            // Where this fails, too, the lease is waited for.
            let _released = self.release(claim).await;
        }
        outcome
    }

    /// Whether all of a claim's parts are still there. They were read before the claim was open, and somebody else may have told
    /// and closed in between; from here on nobody else touches them.
    pub(crate) async fn is_owed(&self, claim: &Claim) -> Result<bool, StoreError> {
        let owed = self.mail.parts_of(&claim.recipient, Timestamp::MAX, usize::MAX).await?;
        Ok(claim.parts.iter().all(|it| owed.contains(it)))
    }

    /// Sends, then records the deliveries, then takes the parts away, then releases the claim. Whoever takes over after a crash
    /// reads these steps in that order: until the deliveries are recorded nobody knows that the mail was taken, unless the mail
    /// service says so, and it is sent again; from then on it is only closed.
    async fn hand_over(
        &self,
        claim: &Claim,
        mail: &Mail,
        deliveries: &[Delivery],
        rhythm: Option<Rhythm>,
    ) -> Result<Next, StoreError> {
        let Claim { id, attempt, recipient, .. } = claim;
        if claim.is_expired(self.clock.now() + SENDING_TIME) {
            warn!(claim.id = %id, "composing a mail took too long for this claim's lease");
            return Ok(Next::Leave);
        }
        if *attempt > 1 {
            // The report may have come while this attempt was composed, which is the last moment to heed it.
            match self.mail.mailbox(recipient).await?.claim.filter(|it| it.id == *id && it.attempt == *attempt) {
                Some(open) if open.accepted => return self.conclude(&open, rhythm).await,
                Some(_) => {}
                None => return Ok(Next::Leave),
            }
            warn!(claim.id = %id, attempt, mail_resent = true, "send again what an earlier attempt did not close");
        }
        let outcome = self.ses.send(mail, *id, recipient).await;
        if *attempt > 1 && matches!(outcome, Outcome::Accepted { .. } | Outcome::Unknown { .. }) {
            self.counters.add_resent();
        }
        match outcome {
            Outcome::Accepted { message_id } => {
                info!(claim.id = %id, message.id = message_id, parts = claim.parts.len(), "sent a mail");
                self.counters.add_sent();
                let silent = deliveries.iter().filter(|it| it.state == DeliveryState::Suppressed).count();
                self.counters.add_suppressed(silent);
                let now = self.clock.now();
                self.mail.record_deliveries(claim, deliveries, now).await?;
                self.close(claim, self.told(claim, rhythm, now)).await
            }
            Outcome::Throttled => {
                warn!(claim.id = %id, "the mail service throttles, so the mail goes later");
                self.put_off(claim, AFTER_THROTTLE).await
            }
            Outcome::Unreached { reason } => {
                warn!(claim.id = %id, reason, "the mail service cannot be reached, so the mail goes later");
                self.put_off(claim, AFTER_THROTTLE).await
            }
            Outcome::NotNow { reason } => {
                error!(claim.id = %id, reason, "the mail service takes no mail of this account now, so the mail goes later");
                self.put_off(claim, AFTER_ACCOUNT_TROUBLE).await
            }
            Outcome::Refused { reason } => {
                error!(claim.id = %id, reason, "the mail service refuses a mail for good");
                let reason = format!("refused by the mail service: {reason}");
                self.suppress(claim, &reason, self.silent(claim, &reason), rhythm).await
            }
            Outcome::Unknown { reason } => {
                error!(claim.id = %id, reason, "whether a mail was accepted is unknown, so its claim stays open until its lease ends");
                self.leave(claim, claim.lease_until).await
            }
        }
    }

    /// Leaves a claim of which nobody knows whether its mail was taken, until then or until the mail service says so.
    async fn leave(&self, claim: &Claim, until: Timestamp) -> Result<Next, StoreError> {
        // The report may have come before this is written: whoever writes second sees the other's word, and closes.
        match self.mail.mark_unknown(claim, until).await {
            Ok(is_accepted) => Ok(if is_accepted { Next::LookAgain } else { Next::Leave }),
            Err(StoreError::Conflict { .. }) => Ok(Next::Leave),
            Err(error) => Err(error),
        }
    }

    /// The recipient's rhythm after a claim's mail. Letters and digests come at times of their own, and have none.
    fn told(&self, claim: &Claim, rhythm: Option<Rhythm>, at: Timestamp) -> Option<Rhythm> {
        let paced = spans(claim).filter(|it| it.timing == Timing::Now);
        match paced.map(|it| it.first_at).min() {
            Some(first_at) => Rhythm::after(rhythm, first_at, at, &self.pacing),
            None => rhythm,
        }
    }

    async fn suppress(
        &self,
        claim: &Claim,
        reason: &str,
        deliveries: Vec<Delivery>,
        rhythm: Option<Rhythm>,
    ) -> Result<Next, StoreError> {
        if claim.parts.iter().any(|it| matches!(it.content, PartContent::Letter { .. })) {
            warn!(claim.id = %claim.id, reason, "a letter is not sent");
        }
        self.counters.add_suppressed(claim.parts.len());
        self.mail.record_deliveries(claim, &doubted(claim, deliveries), self.clock.now()).await?;
        self.close(claim, rhythm).await
    }

    async fn close(&self, claim: &Claim, rhythm: Option<Rhythm>) -> Result<Next, StoreError> {
        match self.mail.close(claim, rhythm.as_ref()).await {
            Ok(()) => Ok(Next::LookAgain),
            Err(StoreError::Conflict { .. }) => {
                warn!(claim.id = %claim.id, "another mailer had taken this claim over");
                Ok(Next::Leave)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a claim and leaves what is left of its parts to the next one, and the rhythm as whoever told them meanwhile has left it.
    pub(crate) async fn release(&self, claim: &Claim) -> Result<Next, StoreError> {
        match self.mail.release(claim).await {
            Ok(()) => Ok(Next::LookAgain),
            Err(StoreError::Conflict { .. }) => Ok(Next::Leave),
            Err(error) => Err(error),
        }
    }

    /// What was not taken now goes later. An earlier attempt's mail may have been taken: its report finds this claim and no other, and a
    /// new claim's mail would not be known for a second one, so the parts stay in this one. It is not left for its whole lease, which grows
    /// with every attempt and holds up the recipient's letters.
    async fn put_off(&self, claim: &Claim, by: Duration) -> Result<Next, StoreError> {
        let until = self.clock.now() + by;
        if claim.attempt > 1 {
            return self.leave(claim, until.min(claim.lease_until)).await;
        }
        self.postpone(claim, until).await.map(|_| Next::Leave)
    }

    /// What else is due may still be told.
    pub(crate) async fn postpone(&self, claim: &Claim, until: Timestamp) -> Result<Next, StoreError> {
        match self.mail.postpone(claim, until).await {
            Ok(()) => Ok(Next::LookAgain),
            Err(StoreError::Conflict { .. }) => Ok(Next::Leave),
            Err(error) => Err(error),
        }
    }
}

/// What a later attempt records: what it does not tell of an earlier one may have told, since what was chosen since is not what that
/// went by.
fn doubted(claim: &Claim, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
    if claim.attempt > 1 {
        for reason in deliveries.iter_mut().filter_map(|it| it.reason.as_mut()) {
            *reason = format!("{reason}; a mail of an earlier attempt may have arrived");
        }
    }
    deliveries
}
