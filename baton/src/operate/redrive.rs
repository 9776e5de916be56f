//! `baton redrive`: dead letters go on to where they were going. What is sent is sent before it is deleted, so that a message can
//! come twice, which changes nothing, and never not at all.

mod letter;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::num::NonZeroU32;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use clap::Args;
use jiff::Timestamp;
use store::LogPosition;

use self::letter::{DeadLetter, queue_of_event};
use super::replay::{LogSpan, Replayed, replay};
use super::{Deployment, Place, Stop};
use crate::stack::StartError;

/// What one call of SQS takes.
const AT_ONCE: usize = 10;
/// Seconds others do not see what was received here; a span of the log takes a while to publish.
const HIDDEN_SECONDS: i32 = 300;
/// Asked to wait a second, SQS asks all its servers and not only some.
const WAIT_SECONDS: i32 = 1;

/// Which dead letters, and how many of them.
#[derive(Debug, Clone, Args)]
pub struct RedriveOptions {
    /// The dead-letter queue: its name in template.yaml for a running `baton`, its URL on AWS
    #[arg(value_name = "QUEUE")]
    pub queue: String,
    /// At most so many of them; all that are there when it begins, where it is not given
    #[arg(long, value_name = "N")]
    pub limit: Option<NonZeroU32>,
    /// The queue to send those to that do not say themselves where they were going: its name, or its URL on AWS
    #[arg(long, value_name = "QUEUE")]
    pub to: Option<String>,
    /// Entries of the log published a second, at most
    #[arg(long, default_value = "50", value_name = "N")]
    pub per_second: NonZeroU32,
    #[command(flatten)]
    pub place: Place,
}

/// What became of the dead letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redriven {
    /// How many went to which queue.
    pub sent: BTreeMap<String, usize>,
    /// How many stood for entries of the log, which were published.
    pub published: usize,
    /// The entries published for them.
    pub entries: usize,
    /// The ids of those that were left where they are, and why.
    pub left: Vec<(String, String)>,
}

/// Runs the command and prints what came of it; false where something was left.
///
/// # Errors
/// What kept it from being done; what was done until then was printed.
pub async fn run(options: RedriveOptions) -> Result<bool, StartError> {
    let RedriveOptions { queue, limit, to, per_second, place } = options;
    let is_on_aws = queue.contains("://");
    let names_aws = place.is_on_aws();
    if names_aws && !is_on_aws {
        return Err(format!("{queue} is not a URL, by which a queue on AWS is named").into());
    }
    let deployment = place.open(is_on_aws)?;
    let mut redriven = Redriven::default();
    let limit = limit.map(|it| it.get() as usize);
    let outcome = redrive(&deployment, &queue, to.as_deref(), limit, per_second, &Stop::on_interrupt(), &mut redriven).await;
    let Redriven { sent, published, entries, left } = &redriven;
    for (queue, count) in sent {
        println!("sent {count} to {queue}");
    }
    if *published > 0 {
        println!("published {entries} entries of the log for {published}");
    }
    for (id, reason) in left {
        println!("left {id}: {reason}");
    }
    if outcome.is_err() && redriven == Redriven::default() {
        return outcome.map(|()| false);
    }
    println!("{} redriven, {} left", sent.values().sum::<usize>() + published, left.len());
    outcome.map(|()| left.is_empty())
}

/// Redrives what is in a dead-letter queue, at most `limit` of it. `redriven` tells what was done, whatever comes of it.
///
/// # Errors
/// The queue cannot be read, or what a letter stands for cannot be sent or published: the letter is still there.
pub async fn redrive(
    deployment: &Deployment,
    queue: &str,
    to: Option<&str>,
    limit: Option<usize>,
    per_second: NonZeroU32,
    stop: &Stop,
    redriven: &mut Redriven,
) -> Result<(), StartError> {
    let mut redrive = Redrive { deployment, queue, to, per_second, stop, published: Vec::new(), redriven };
    // What dies again while this runs is not picked up again, or it would never end.
    let there = redrive.count().await?;
    let mut wanted = limit.unwrap_or(usize::MAX).min(there);
    let mut left = Vec::new();
    let mut seen = BTreeSet::new();
    let mut outcome = Ok(());
    while wanted > 0 && outcome.is_ok() && !stop.has_come() {
        let messages = redrive.receive(wanted.min(AT_ONCE)).await?;
        let messages: Vec<Message> = messages.into_iter().filter(|it| seen.insert(it.message_id.clone())).collect();
        if messages.is_empty() {
            break;
        }
        wanted = wanted.saturating_sub(messages.len());
        for message in messages {
            if outcome.is_err() || stop.has_come() {
                left.push(message);
                continue;
            }
            match redrive.send_on(&message).await {
                Ok(Went::On) => outcome = redrive.delete(&message).await,
                Ok(Went::Nowhere { reason }) => {
                    let id = message.message_id.clone().unwrap_or_default();
                    redrive.redriven.left.push((id, reason));
                    left.push(message);
                }
                Err(error) => {
                    outcome = Err(error);
                    left.push(message);
                }
            }
        }
    }
    for message in left {
        redrive.show(&message).await;
    }
    outcome
}

/// What became of one dead letter.
enum Went {
    /// It, or what it stands for, is where it was going.
    On,
    /// It stays.
    Nowhere { reason: String },
}

struct Redrive<'a> {
    deployment: &'a Deployment,
    queue: &'a str,
    to: Option<&'a str>,
    per_second: NonZeroU32,
    stop: &'a Stop,
    /// The spans of the log that were published already.
    published: Vec<(Timestamp, Timestamp)>,
    redriven: &'a mut Redriven,
}

impl Redrive<'_> {
    async fn count(&self) -> Result<usize, StartError> {
        let name = QueueAttributeName::ApproximateNumberOfMessages;
        let request = self.deployment.queues.get_queue_attributes().queue_url(self.queue).attribute_names(name.clone());
        let answer = request.send().await.map_err(|error| refused(self.queue, "says not how many it holds", &error))?;
        let count = answer.attributes.and_then(|it| it.get(&name)?.parse().ok());
        count.ok_or_else(|| format!("{} says not how many it holds", self.queue).into())
    }

    async fn receive(&self, limit: usize) -> Result<Vec<Message>, StartError> {
        let answer = self
            .deployment
            .queues
            .receive_message()
            .queue_url(self.queue)
            .max_number_of_messages(i32::try_from(limit).unwrap_or(1))
            .visibility_timeout(HIDDEN_SECONDS)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All")
            .send()
            .await
            .map_err(|error| refused(self.queue, "gives no message", &error))?;
        Ok(answer.messages.unwrap_or_default())
    }

    async fn send_on(&mut self, message: &Message) -> Result<Went, StartError> {
        match DeadLetter::read(message) {
            Ok(DeadLetter::Message { body, queue }) => self.send(queue.as_deref(), &body).await,
            Ok(DeadLetter::Entry(position)) => self.publish_entry(position).await,
            Ok(DeadLetter::Batch { since, until }) => self.publish_span(since, until).await,
            Err(reason) => Ok(Went::Nowhere { reason }),
        }
    }

    /// A queue that a letter names is found beside the dead letters: same account, same region. Those of a running `baton` have
    /// the names of the template, so that the kind of event says enough.
    async fn send(&mut self, named: Option<&str>, body: &str) -> Result<Went, StartError> {
        let queue = match (self.queue.rsplit_once('/'), named) {
            (Some((account, _)), Some(name)) => Some(format!("{account}/{name}")),
            (None, Some(name)) => Some(name.to_owned()),
            (None, None) => queue_of_event(body).map(str::to_owned),
            // On AWS a name goes on behind that of the template.
            (Some((account, own)), None) if own.ends_with("DeadLetters") => {
                queue_of_event(body).map(|it| format!("{account}/{it}"))
            }
            (Some(_), None) => None,
        };
        let Some(queue) = queue.or_else(|| self.to.map(str::to_owned)) else {
            return Ok(Went::Nowhere { reason: "it does not say where it was going: name the queue with --to".to_owned() });
        };
        let request = self.deployment.queues.send_message().queue_url(&queue).message_body(body);
        request.send().await.map_err(|error| refused(&queue, "takes no message", &error))?;
        *self.redriven.sent.entry(queue).or_default() += 1;
        Ok(Went::On)
    }

    /// The log is what counts, not the copy of it in the letter: after a restore an entry may never have been.
    async fn publish_entry(&mut self, position: LogPosition) -> Result<Went, StartError> {
        let LogPosition { project, task, version } = position;
        let (changes, bus) = (self.deployment.changes()?, self.deployment.bus()?);
        match changes.change(project, task, version).await {
            Ok(Some(change)) => bus.announce_again(&[change]).await?,
            Ok(None) => return Ok(Went::Nowhere { reason: format!("the log has no entry {task}:{version}") }),
            Err(store::StoreError::Corrupt { what }) => {
                return Ok(Went::Nowhere { reason: format!("the entry {task}:{version} cannot be read: {what}") });
            }
            Err(error) => return Err(error.into()),
        }
        self.redriven.published += 1;
        self.redriven.entries += 1;
        Ok(Went::On)
    }

    async fn publish_span(&mut self, since: Timestamp, until: Timestamp) -> Result<Went, StartError> {
        let is_published = self.published.iter().any(|(from, to)| *from <= since && until <= *to);
        if !is_published {
            let mut replayed = Replayed::default();
            let span = LogSpan { since, until, project: None };
            let outcome = replay(self.deployment, span, self.per_second, self.stop, &mut replayed).await;
            self.redriven.entries += replayed.entries;
            outcome?;
            if !replayed.is_whole {
                return Ok(Went::Nowhere { reason: "it was interrupted".to_owned() });
            }
            self.published.push((since, until));
        }
        self.redriven.published += 1;
        Ok(Went::On)
    }

    async fn delete(&self, message: &Message) -> Result<(), StartError> {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        let request = self.deployment.queues.delete_message().queue_url(self.queue).receipt_handle(receipt);
        request.send().await.map_err(|error| refused(self.queue, "keeps a message that was sent on", &error))?;
        Ok(())
    }

    /// Lets others see it at once; they would by themselves a few minutes later.
    async fn show(&self, message: &Message) {
        let receipt = message.receipt_handle.as_deref().unwrap_or_default();
        let request = self.deployment.queues.change_message_visibility().queue_url(self.queue);
        if let Err(error) = request.receipt_handle(receipt).visibility_timeout(0).send().await {
            tracing::debug!(error = %DisplayErrorContext(error), "a dead letter stays hidden for a while");
        }
    }
}

fn refused<E>(queue: &str, what: &str, error: &SdkError<E, HttpResponse>) -> StartError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    // The chain of a refusal tells the whole answer, of which its code and message are what one wants to know.
    let why = match (error.code(), error.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        _ => chain(error),
    };
    format!("{queue} {what}: {why}").into()
}

fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}
