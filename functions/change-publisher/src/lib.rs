//! The function that announces every new entry of the change log on the bus.
//!
//! The log is the outbox: nobody else publishes changes. A change is announced at least once, and in the stream's order as far
//! as the bus keeps it. Knows nothing of mails, and nothing of what a change means.

mod announcement;
mod bus;
mod dead_letters;
#[cfg(test)]
mod samples;
mod settings;

use std::error::Error;

use aws_lambda_events::dynamodb::{Event, EventRecord};
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use store::Logged;
use tracing::{error, info};

pub use announcement::SOURCE;
pub use bus::{Bus, NotTaken};
pub use dead_letters::DeadLetters;
pub use settings::Settings;

use announcement::{Announcement, Batch};
use bus::Untaken;

/// Announces changes.
#[derive(Clone, Debug)]
pub struct Publisher {
    bus: Bus,
    dead_letters: DeadLetters,
}

impl Publisher {
    /// A publisher with clients of its own.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let Settings { aws, event_bus, dead_letter_queue_url } = settings;
        Self {
            bus: Bus::new(aws_sdk_eventbridge::Client::new(&aws), event_bus),
            dead_letters: DeadLetters::new(aws_sdk_sqs::Client::new(&aws), dead_letter_queue_url),
        }
    }
}

/// Announces a batch of the stream. Names the first record that could not be brought anywhere: the stream comes back from there.
pub async fn handle(publisher: &Publisher, event: Event) -> DynamoDbEventResponse {
    let mut answer = DynamoDbEventResponse::default();
    // Boxed, since the types of nested futures go deeper than the compiler does.
    if let Err(sequence_number) = Box::pin(announce(publisher, &event.records)).await {
        let mut failure = DynamoDbBatchItemFailure::default();
        failure.item_identifier = Some(sequence_number);
        answer.batch_item_failures.push(failure);
    }
    answer
}

/// Stops at the first failure, since all that follows comes again with it. Answers the sequence number of that one.
async fn announce(publisher: &Publisher, records: &[EventRecord]) -> Result<(), String> {
    let mut batch = Batch::default();
    for record in records {
        match read(record) {
            Read::Change(announcement) => {
                if !batch.takes(&announcement) {
                    publisher.announce(std::mem::take(&mut batch), records).await?;
                }
                batch.push(announcement);
            }
            Read::Nothing => {}
            Read::Altered => {
                // The metric filter behind the alarm looks for this field.
                error!(
                    stream_event = record.event_name,
                    sequence_number = sequence_number(record),
                    "an entry of the change log was altered or removed, which Baton never does"
                );
            }
            Read::Unreadable { reason } => {
                publisher.announce(std::mem::take(&mut batch), records).await?;
                publisher.bury(record, &reason).await?;
            }
        }
    }
    publisher.announce(batch, records).await?;
    info!(records = records.len(), "announced a batch of the stream");
    Ok(())
}

impl Publisher {
    /// Announces a batch. What the bus refuses for good goes to the dead letters, up to the first that may still be taken: the stream
    /// comes back from there, and brings what follows again.
    async fn announce(&self, batch: Batch, records: &[EventRecord]) -> Result<(), String> {
        let Untaken { later, refused } = self.bus.announce(batch).await;
        for record in records {
            let number = sequence_number(record);
            if later.contains(&number) {
                return Err(number);
            }
            if let Some(reason) = refused.get(&number) {
                self.bury(record, reason).await?;
            }
        }
        Ok(())
    }

    /// Puts a record among the dead letters, where a person can look at it and send it on.
    async fn bury(&self, record: &EventRecord, reason: &str) -> Result<(), String> {
        if self.dead_letters.put(record, reason).await { Ok(()) } else { Err(sequence_number(record)) }
    }
}

/// What a stream record is to the publisher.
#[derive(Debug, PartialEq, Eq)]
enum Read {
    Change(Announcement),
    /// Nothing to announce.
    Nothing,
    Altered,
    Unreadable {
        reason: String,
    },
}

fn read(record: &EventRecord) -> Read {
    match record.event_name.as_str() {
        "INSERT" => {}
        "MODIFY" | "REMOVE" => return Read::Altered,
        unknown => return Read::Unreadable { reason: format!("nobody here knows the stream event {unknown:?}") },
    }
    let image = match serde_json::to_value(&record.change.new_image) {
        Ok(image) => image,
        Err(error) => return Read::Unreadable { reason: chain(&error) },
    };
    match store::logged_change(&image) {
        Ok(Logged::Change(change)) => Read::Change(Announcement::new(&change, sequence_number(record))),
        Ok(Logged::Description) => Read::Nothing,
        Err(error) => Read::Unreadable { reason: chain(&error) },
    }
}

/// An empty one makes the stream bring the whole batch again.
fn sequence_number(record: &EventRecord) -> String {
    record.change.sequence_number.clone().unwrap_or_default()
}

/// The error and what caused it, in one line.
fn chain(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", chain(source)),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(event_name: &str, new_image: &str) -> EventRecord {
        let record = format!(
            r#"{{"awsRegion": "eu-central-1", "eventID": "1", "eventName": "{event_name}",
                "dynamodb": {{"SequenceNumber": "42", "SizeBytes": 1, "NewImage": {new_image}}}}}"#
        );
        serde_json::from_str(&record).expect("a stream record")
    }

    #[test]
    fn an_entry_that_was_altered_is_never_announced() {
        assert_eq!(read(&record("MODIFY", "{}")), Read::Altered);
        assert_eq!(read(&record("REMOVE", "{}")), Read::Altered);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_told_apart_with_its_reason() {
        let expected = r#"nobody here knows the stream event "TRUNCATE""#.to_owned();
        assert_eq!(read(&record("TRUNCATE", "{}")), Read::Unreadable { reason: expected });
        for image in ["{}", r#"{"pk": {"S": "TASK#1#2"}, "version": {"N": "1"}}"#, r#"{"pk": {"N": "1"}}"#] {
            let read = read(&record("INSERT", image));
            assert!(matches!(&read, Read::Unreadable { reason } if !reason.is_empty()), "{read:?}");
        }
    }

    #[test]
    fn a_new_entry_is_announced_and_the_text_beside_it_is_not() {
        let event: Event =
            serde_json::from_str(include_str!("../../../events/change-publisher-stream.json")).expect("a stream event");
        let announced: Vec<_> = event.records.iter().map(read).filter(|it| *it != Read::Nothing).collect();
        let types: Vec<_> = announced.iter().map(|it| if let Read::Change(it) = it { it.detail_type } else { "none" }).collect();
        assert_eq!((event.records.len(), types), (3, vec!["Task Created", "Task Updated"]));
    }
}
