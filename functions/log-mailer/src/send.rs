use std::collections::BTreeMap;

use domain::{Profile, Rhythm};
use futures::{StreamExt, try_join};
use jiff::Timestamp;
use store::{Mailbox, Part, RecipientKey, StoreError};
use tracing::error;

use crate::agenda::{Agenda, Moment, Quiet, span};
use crate::attempt::Next;
use crate::pace::urgency;
use crate::{Deadline, Mailer};

/// How many recipients are told at once.
const RECIPIENTS_AT_ONCE: usize = 8;

/// What came of a look at several recipients.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sent {
    /// How many could not be told.
    pub(crate) failures: usize,
    /// Who is owed something that is due at a time that is known.
    pub(crate) waiting: BTreeMap<RecipientKey, Waiting>,
}

/// What a recipient waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) until: Timestamp,
    /// When the newest of it happened.
    pub(crate) newest: Timestamp,
    /// Whether they were just told of something else. Who planned this meanwhile found them in hand, and will not wake anybody up.
    pub(crate) was_in_hand: bool,
}

/// How a recipient is left.
enum Left {
    /// Nothing more can be told now.
    For(Option<Waiting>),
    /// There may be more.
    LookAgain,
}

impl From<Next> for Left {
    fn from(next: Next) -> Self {
        match next {
            Next::LookAgain => Self::LookAgain,
            Next::Leave => Self::For(None),
        }
    }
}

impl Mailer {
    /// Tells several recipients what is due. What fails, or is not begun by the deadline, stays due, for the next sweep.
    pub(crate) async fn send_all(&self, recipients: impl IntoIterator<Item = RecipientKey>, deadline: Deadline) -> Sent {
        let sent = futures::stream::iter(recipients).map(async |recipient| {
            let sent = Box::pin(self.send(&recipient, deadline)).await;
            (recipient, sent)
        });
        let add = async |mut all: Sent, (recipient, sent)| {
            match sent {
                Ok(Some(waiting)) => drop(all.waiting.insert(recipient, waiting)),
                Ok(None) => {}
                Err(error) => {
                    error!(error = &error as &dyn std::error::Error, "could not tell a recipient what is due");
                    all.failures += 1;
                }
            }
            all
        };
        sent.buffer_unordered(RECIPIENTS_AT_ONCE).fold(Sent::default(), add).await
    }

    /// Tells one recipient all that is due, unless somebody else is at it. Parts that come meanwhile are seen on the way out.
    pub(crate) async fn send(&self, recipient: &RecipientKey, deadline: Deadline) -> Result<Option<Waiting>, StoreError> {
        let mut was_in_hand = false;
        while !deadline.has_passed() {
            let owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX);
            let (owed, Mailbox { claim, rhythm }) = try_join!(owed, self.mail.mailbox(recipient))?;
            let left = match claim {
                // Without parts nobody waits for it; whoever files the next one finds it.
                _ if owed.is_empty() => Left::For(None),
                Some(open) => self.resume(&open, rhythm, deadline).await?.into(),
                None => self.begin(recipient, owed, rhythm, deadline).await?,
            };
            if let Left::For(waiting) = left {
                return Ok(waiting.map(|it| Waiting { was_in_hand, ..it }));
            }
            was_in_hand = true;
        }
        Ok(None)
    }

    /// Whether a sweep would do something for a recipient now: nobody else is at it, and their agenda is not empty.
    pub(crate) async fn is_tellable(&self, recipient: &RecipientKey) -> Result<bool, StoreError> {
        let owed = self.mail.parts_of(recipient, Timestamp::MAX, usize::MAX);
        let (owed, Mailbox { claim, rhythm }) = try_join!(owed, self.mail.mailbox(recipient))?;
        let Some(open) = claim else {
            let is_wait = |it: &Agenda| matches!(it, Agenda::Wait { .. });
            if is_wait(&self.agenda(rhythm.as_ref(), None, &owed)) {
                return Ok(false);
            }
            let quiet = self.profile(recipient).await?.and_then(|it| quiet(&it, self.clock.now()));
            return Ok(!is_wait(&self.agenda(rhythm.as_ref(), quiet, &owed)));
        };
        Ok(!owed.is_empty() && (open.is_expired(self.clock.now()) || open.accepted && open.unknown))
    }

    /// Claims what is due, once it is its turn to be sent: a claim that waited for its turn could be cut off before it was told,
    /// and nobody would know that it was not. Nothing to claim takes no turn.
    async fn begin(
        &self,
        recipient: &RecipientKey,
        owed: Vec<Part>,
        rhythm: Option<Rhythm>,
        deadline: Deadline,
    ) -> Result<Left, StoreError> {
        // Who has to wait is found out without a further read.
        if let Agenda::Wait { until } = self.agenda(rhythm.as_ref(), None, &owed) {
            let newest = owed.iter().filter_map(span).map(|it| it.last_at).max();
            return Ok(Left::For(until.zip(newest).map(|(until, newest)| Waiting { until, newest, was_in_hand: false })));
        }
        let profile = self.profile(recipient).await?;
        let quiet = profile.as_ref().and_then(|it| quiet(it, self.clock.now()));
        let next = match self.agenda(rhythm.as_ref(), quiet, &owed) {
            Agenda::Wait { .. } => Next::Leave,
            Agenda::Tell(parts) => {
                if !self.pace.turn(urgency(&parts), deadline).await {
                    return Ok(Left::For(None));
                }
                match self.open_claim(recipient, parts).await? {
                    Some(claim) => self.tell(&claim, profile.as_ref(), rhythm).await?,
                    None => Next::Leave,
                }
            }
            Agenda::Postpone { parts, until } => match self.open_claim(recipient, parts).await? {
                // A part that somebody else has told meanwhile is in the way; then the claim is released as it is.
                Some(claim) if self.unless_failed(&claim, self.is_owed(&claim).await).await? => {
                    self.postpone(&claim, until).await?
                }
                Some(claim) => self.release(&claim).await?,
                None => Next::Leave,
            },
        };
        Ok(next.into())
    }

    fn agenda(&self, rhythm: Option<&Rhythm>, quiet: Option<Quiet>, owed: &[Part]) -> Agenda {
        Moment { now: self.clock.now(), pacing: &self.pacing, rhythm, quiet }.agenda(owed)
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
