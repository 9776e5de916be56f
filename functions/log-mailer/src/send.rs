use std::collections::BTreeSet;

use domain::{Profile, Rhythm};
use futures::{StreamExt, try_join};
use jiff::Timestamp;
use store::{Mailbox, Part, RecipientKey, StoreError};
use tracing::error;

use crate::agenda::{Agenda, Happened, Moment, Quiet};
use crate::around::Around;
use crate::attempt::Next;
use crate::pace::urgency;
use crate::{Deadline, Mailer};

/// How many recipients are told at once.
const RECIPIENTS_AT_ONCE: usize = 8;

/// What bears on an agenda besides what is owed.
#[derive(Clone, Copy, Debug)]
struct Look<'a> {
    rhythm: Option<&'a Rhythm>,
    quiet: Option<Quiet>,
    coming: &'a [Happened],
}

impl Mailer {
    /// Tells several recipients what is due, and those who turn out to be owed something on the way. What fails, or is not begun by
    /// the deadline, stays due, for the next sweep; the number of failures is answered.
    pub(crate) async fn send_all(&self, recipients: impl IntoIterator<Item = RecipientKey>, deadline: Deadline) -> usize {
        let mut next: BTreeSet<RecipientKey> = recipients.into_iter().collect();
        let mut told: BTreeSet<RecipientKey> = BTreeSet::new();
        let mut failures = 0;
        while !next.is_empty() {
            told.extend(next.iter().cloned());
            let sent = futures::stream::iter(next).map(async |recipient| Box::pin(self.send(&recipient, deadline)).await);
            let sent: Vec<Result<BTreeSet<RecipientKey>, StoreError>> = sent.buffer_unordered(RECIPIENTS_AT_ONCE).collect().await;
            next = BTreeSet::new();
            for sent in sent {
                match sent {
                    Ok(found) => next.extend(found.difference(&told).cloned()),
                    Err(error) => {
                        error!(error = &error as &dyn std::error::Error, "could not tell a recipient what is due");
                        failures += 1;
                    }
                }
            }
        }
        failures
    }

    /// Tells one recipient all that is due, unless somebody else is at it. Parts that come meanwhile are seen on the way out.
    /// Answers who else turned out to be owed something.
    pub(crate) async fn send(&self, recipient: &RecipientKey, deadline: Deadline) -> Result<BTreeSet<RecipientKey>, StoreError> {
        let mut found = BTreeSet::new();
        while !deadline.has_passed() {
            let owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX);
            let (owed, Mailbox { claim, rhythm }) = try_join!(owed, self.mail.mailbox(recipient))?;
            let next = match claim {
                // Without parts nobody waits for it; whoever files the next one finds it.
                _ if owed.is_empty() => Next::Leave,
                Some(open) => self.resume(&open, rhythm, deadline).await?,
                None => self.begin(recipient, owed, rhythm, deadline, &mut found).await?,
            };
            if next == Next::Leave {
                break;
            }
        }
        Ok(found)
    }

    /// Whether a sweep would do something for a recipient now: nobody else is at it, and their agenda is not empty.
    pub(crate) async fn is_tellable(&self, recipient: &RecipientKey) -> Result<bool, StoreError> {
        let owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX);
        let (owed, Mailbox { claim, rhythm }) = try_join!(owed, self.mail.mailbox(recipient))?;
        Ok(match claim {
            _ if owed.is_empty() => false,
            Some(open) => open.is_expired(self.clock.now()) || open.accepted && open.unknown,
            None => self.would_begin(recipient, owed, rhythm).await?,
        })
    }

    async fn would_begin(&self, recipient: &RecipientKey, owed: Vec<Part>, rhythm: Option<Rhythm>) -> Result<bool, StoreError> {
        let look = Look { rhythm: rhythm.as_ref(), quiet: None, coming: &[] };
        let Agenda::Tell(parts) = self.agenda(look, owed.clone()) else { return Ok(false) };
        let profile = self.profile(recipient).await?;
        let around = self.around(profile.as_ref(), &parts).await?;
        let quiet = profile.as_ref().and_then(|it| quiet(it, self.clock.now()));
        let look = Look { rhythm: rhythm.as_ref(), quiet, coming: &around.news };
        Ok(!around.unplanned.is_empty() || self.agenda(look, owed) != Agenda::Wait)
    }

    /// Claims what is due, once it is its turn to be sent: a claim that waited for its turn could be cut off before it was told,
    /// and nobody would know that it was not. Nothing to claim takes no turn.
    async fn begin(
        &self,
        recipient: &RecipientKey,
        mut owed: Vec<Part>,
        rhythm: Option<Rhythm>,
        deadline: Deadline,
        found: &mut BTreeSet<RecipientKey>,
    ) -> Result<Next, StoreError> {
        // Who has to wait is found out without a further read.
        let look = Look { rhythm: rhythm.as_ref(), quiet: None, coming: &[] };
        let Agenda::Tell(parts) = self.agenda(look, owed.clone()) else { return Ok(Next::Leave) };
        let profile = self.profile(recipient).await?;
        let Around { news, unplanned } = self.around(profile.as_ref(), &parts).await?;
        for (project, task) in &unplanned {
            match self.plan(*project, *task, None).await {
                Ok(recipients) => found.extend(recipients),
                Err(error) => error!(task.id = %task, error = &error as &dyn std::error::Error, "could not plan a task's mails"),
            }
        }
        if !unplanned.is_empty() {
            owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX).await?;
        }
        let quiet = profile.as_ref().and_then(|it| quiet(it, self.clock.now()));
        match self.agenda(Look { quiet, coming: &news, ..look }, owed) {
            Agenda::Wait => Ok(Next::Leave),
            Agenda::Tell(parts) => {
                if !self.pace.turn(urgency(&parts), deadline).await {
                    return Ok(Next::Leave);
                }
                match self.open_claim(recipient, parts).await? {
                    Some(claim) => self.tell(&claim, profile.as_ref(), rhythm).await,
                    None => Ok(Next::Leave),
                }
            }
            Agenda::Postpone { parts, until } => match self.open_claim(recipient, parts).await? {
                // A part that somebody else has told meanwhile is in the way; then the claim is released as it is.
                Some(claim) if self.is_owed(&claim).await? => self.postpone(&claim, until).await,
                Some(claim) => self.release(&claim, rhythm).await,
                None => Ok(Next::Leave),
            },
        }
    }

    fn agenda(&self, look: Look<'_>, owed: Vec<Part>) -> Agenda {
        let Look { rhythm, quiet, coming } = look;
        Moment { now: self.clock.now(), pacing: &self.pacing, rhythm, quiet, coming }.agenda(owed)
    }

    /// What is coming to a person; an address without an account is owed letters only.
    async fn around(&self, profile: Option<&Profile>, parts: &[Part]) -> Result<Around, StoreError> {
        match profile {
            Some(reader) => self.look_around(reader, parts).await,
            None => Ok(Around::default()),
        }
    }

    /// The recipient's, as it is now; an address without an account has none.
    pub(crate) async fn profile(&self, recipient: &RecipientKey) -> Result<Option<Profile>, StoreError> {
        match recipient {
            RecipientKey::User(user) => self.work.profile(*user).await,
            RecipientKey::Address(_) => Ok(None),
        }
    }
}

fn quiet(reader: &Profile, now: Timestamp) -> Option<Quiet> {
    let hours = reader.notify.quiet_hours?;
    let until = hours.end(&reader.time_zone.time_zone(), now)?;
    Some(Quiet { until, lets_urgent_through: hours.urgent() })
}
