//! The function that turns the change log into mails: it plans who is owed what, and sends it.
//!
//! A hint from the bus only says where to look, and the schedules look everywhere, so a hint lost, repeated or late changes
//! nothing. What is owed, claimed and told stands in the mail table. Knows nothing of HTTP.

mod agenda;
mod attempt;
mod compose;
mod counters;
mod dead_letters;
mod deadline;
mod debt;
mod english;
mod feedback;
mod footer;
#[doc(hidden)]
pub mod fuzzing;
mod hint;
mod ids;
mod korean;
mod language;
mod lease;
mod letter;
mod mail;
mod pace;
mod plan;
#[cfg(test)]
mod samples;
mod send;
mod ses;
mod settings;
mod sweep;
mod wake;

use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use domain::Pacing;
use futures::future::join_all;
use serde::Deserialize;
use store::{Changes, Clock, RecipientKey, StoreError, Work};
use tracing::error;

pub use counters::{Counters, Counts};
pub use dead_letters::DeadLetters;
pub use deadline::Deadline;
pub use lease::{FUNCTION_TIMEOUT, LEASE};
pub use mail::{Letterhead, Mail};
pub use pace::Pace;
pub use ses::Ses;
pub use settings::Settings;

use hint::Hint;
use jiff::Timestamp;
use send::{Sent, Waiting};
use wake::WakeUps;

/// Plans and sends mails. One for a process: it paces all that the process sends.
#[derive(Debug)]
pub struct Mailer {
    pub(crate) work: Work,
    pub(crate) changes: Changes,
    pub(crate) mail: store::Mail,
    pub(crate) ses: Ses,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) wake_ups: WakeUps,
    pub(crate) letterhead: Letterhead,
    pub(crate) pacing: Pacing,
    pub(crate) clock: Clock,
    pub(crate) pace: Pace,
    pub(crate) counters: Counters,
}

/// What the function is invoked with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Invocation {
    /// By a schedule.
    Schedule { sweep: Sweep },
    /// By a queue: each body is an event of the bus.
    Queue(SqsEvent),
}

/// What a schedule asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sweep {
    /// Send what is due.
    Due,
    /// Compare the log with what was planned.
    Reconcile,
}

impl Mailer {
    /// A mailer with clients of its own, that tells the time by this clock.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock) -> Self {
        let Settings {
            aws,
            work_table,
            changes_table,
            mail_table,
            letterhead,
            mails_per_second,
            mailers,
            pacing,
            configuration_set,
            dead_letter_queue_url,
            mail_queue_url,
        } = settings;
        let dynamodb = store::client::dynamodb(&aws);
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let ses = aws_sdk_sesv2::Client::new(&store::client::without_retries(&aws));
        Self {
            work: Work::new(dynamodb.clone(), work_table),
            changes: Changes::new(dynamodb.clone(), changes_table),
            mail: store::Mail::new(dynamodb, mail_table),
            ses: Ses::new(ses, letterhead.sender.clone(), configuration_set),
            dead_letters: DeadLetters::new(sqs.clone(), dead_letter_queue_url),
            wake_ups: WakeUps::new(sqs, mail_queue_url),
            letterhead,
            pacing,
            clock,
            pace: Pace::new(mails_per_second, mailers),
            counters: Counters::default(),
        }
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counters.counts()
    }
}

/// Does what an invocation asks for, as far as it gets by the deadline. Names the messages that have to come again.
///
/// # Errors
/// [`StoreError`], where a sweep could not find out what there is to do.
pub async fn handle(mailer: &Mailer, invocation: Invocation, deadline: Deadline) -> Result<SqsBatchResponse, StoreError> {
    // Boxed, since the types of nested futures go deeper than the compiler does.
    match invocation {
        Invocation::Schedule { sweep: Sweep::Due } => {
            Box::pin(mailer.sweep_due(deadline)).await.map(|_| SqsBatchResponse::default())
        }
        Invocation::Schedule { sweep: Sweep::Reconcile } => {
            Box::pin(mailer.sweep_log(deadline)).await.map(|_| SqsBatchResponse::default())
        }
        Invocation::Queue(event) => Ok(Box::pin(queued(mailer, event.records, deadline)).await),
    }
}

/// What became of one hint.
enum Followed {
    /// It led to these, and to these to whom something was planned; `again` where the message has to come again.
    To { recipients: BTreeSet<RecipientKey>, planned: BTreeSet<RecipientKey>, again: bool },
    /// No repetition will help.
    DeadEnd { reason: String },
}

impl Followed {
    fn to(recipients: BTreeSet<RecipientKey>) -> Self {
        Self::To { recipients, planned: BTreeSet::new(), again: false }
    }

    fn again() -> Self {
        Self::To { recipients: BTreeSet::new(), planned: BTreeSet::new(), again: true }
    }
}

async fn queued(mailer: &Mailer, messages: Vec<SqsMessage>, deadline: Deadline) -> SqsBatchResponse {
    let mut again: Vec<SqsMessage> = Vec::new();
    let mut hints: BTreeMap<Hint, Vec<SqsMessage>> = BTreeMap::new();
    for message in messages {
        match hint::parse(message.body.as_deref()) {
            Ok(hint) => hints.entry(hint).or_default().push(message),
            Err(reason) => again.extend(bury(mailer, message, &reason.to_string()).await),
        }
    }
    let woken: BTreeMap<RecipientKey, Timestamp> = hints.keys().filter_map(Hint::wake_up).collect();
    let followed = join_all(hints.into_iter().map(async |(hint, messages)| (follow(mailer, &hint).await, messages))).await;
    let mut recipients = BTreeSet::new();
    let mut planned = BTreeSet::new();
    for (followed, messages) in followed {
        match followed {
            Followed::To { recipients: found, planned: newly_planned, again: has_to_come_again } => {
                recipients.extend(found);
                planned.extend(newly_planned);
                again.extend(messages.into_iter().filter(|_| has_to_come_again));
            }
            Followed::DeadEnd { reason } => {
                for message in messages {
                    again.extend(bury(mailer, message, &reason).await);
                }
            }
        }
    }
    recipients.extend(planned.iter().cloned());
    // Whoever cannot be told now stays due: the sweep is more certain than this message coming again.
    let Sent { waiting, .. } = mailer.send_all(recipients, deadline).await;
    // Of several wake-ups that find out that they came too early, only those go on that nothing newer has put one after.
    let goes_on = |recipient: &RecipientKey, it: &Waiting| {
        it.was_in_hand || planned.contains(recipient) || woken.get(recipient).is_some_and(|put_at| *put_at >= it.newest)
    };
    let waiting = waiting.into_iter().filter(|(recipient, it)| goes_on(recipient, it));
    mailer.wake_ups.put(&waiting.map(|(recipient, it)| (recipient, it.until)).collect(), mailer.clock.now()).await;
    let mut answer = SqsBatchResponse::default();
    answer.set_failures(again.into_iter().filter_map(|it| it.message_id));
    answer
}

async fn follow(mailer: &Mailer, hint: &Hint) -> Followed {
    match hint {
        Hint::LetterDue { recipient } | Hint::MailDue { recipient, .. } => Followed::to([recipient.clone()].into()),
        Hint::Feedback(feedback) => mailer.take_in(feedback).await,
        Hint::TaskMoved { project, task } => match mailer.plan(*project, *task, None).await {
            Ok(planned) => Followed::To { recipients: BTreeSet::new(), planned, again: false },
            Err(StoreError::Corrupt { what }) => Followed::DeadEnd { reason: format!("the task's log cannot be read: {what}") },
            Err(error) => {
                error!(task.id = %task, error = &error as &dyn std::error::Error, "could not plan a task's mails");
                Followed::again()
            }
        },
    }
}

/// Puts a message among the dead letters; gives it back where that fails.
async fn bury(mailer: &Mailer, message: SqsMessage, reason: &str) -> Option<SqsMessage> {
    if mailer.dead_letters.put(&message, reason).await { None } else { Some(message) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_is_a_schedule_or_a_queue() {
        let sweep: Invocation = serde_json::from_str(r#"{"sweep": "due"}"#).expect("a schedule");
        assert_eq!(sweep, Invocation::Schedule { sweep: Sweep::Due });
        let queue: Invocation = serde_json::from_str(r#"{"Records": [{"messageId": "m", "body": "{}"}]}"#).expect("a queue");
        assert!(matches!(queue, Invocation::Queue(event) if event.records.len() == 1));
        assert!(serde_json::from_str::<Invocation>(r#"{"sweep": "all"}"#).is_err());
    }
}
