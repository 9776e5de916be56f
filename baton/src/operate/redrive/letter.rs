//! What a dead letter is, and where it was going.

use aws_sdk_sqs::types::{Message, MessageSystemAttributeName};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use store::{LogPosition, logged_position};

/// The clock that dated an entry may differ from the stream's, and the transaction takes its time.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);
/// How long a stream remembers: what a letter without times stands for is not older.
const STREAM_REMEMBERS: SignedDuration = SignedDuration::from_hours(24);

/// A dead letter as somebody has to go on with it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DeadLetter {
    /// What has to be sent to a queue: an event, or what the mailer took for none.
    Message {
        /// The name of the queue, where the letter says it.
        queue: Option<String>,
        body: String,
    },
    /// An entry of the log that could not be announced.
    Entry(LogPosition),
    /// A batch of the stream that was given up, by when its entries were written.
    Batch { since: Timestamp, until: Timestamp },
}

/// As the mailer and the publisher wrap what they cannot read.
#[derive(Deserialize)]
struct Wrapped {
    #[serde(rename = "reason")]
    _reason: String,
    body: Option<String>,
    queue: Option<String>,
    record: Option<Value>,
}

/// What Lambda tells of a batch that a function gave up (AWS Lambda developer guide, "Retain discarded batches").
#[derive(Deserialize)]
struct GivenUp {
    timestamp: Timestamp,
    #[serde(rename = "DDBStreamBatchInfo")]
    batch: BatchInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo {
    approximate_arrival_of_first_record: Option<Timestamp>,
    approximate_arrival_of_last_record: Option<Timestamp>,
}

/// An event as the bus delivers it.
#[derive(Deserialize)]
struct Event {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
}

impl DeadLetter {
    /// Reads a message of any of the dead-letter queues.
    ///
    /// # Errors
    /// Why it stands for nothing that is known here.
    pub(super) fn read(message: &Message) -> Result<Self, String> {
        let body = message.body.as_deref().unwrap_or_default();
        if let Ok(given_up) = serde_json::from_str::<GivenUp>(body) {
            return Ok(batch(&given_up));
        }
        if let Ok(Wrapped { record: Some(record), .. }) = serde_json::from_str::<Wrapped>(body) {
            let position = logged_position(&record["dynamodb"]["Keys"]);
            let position = position.map_err(|error| format!("it stands for no entry of the log: {error}"))?;
            return position.map(Self::Entry).ok_or_else(|| "it is of a description, which is not announced".to_owned());
        }
        if let Ok(Wrapped { body: Some(inner), queue, .. }) = serde_json::from_str::<Wrapped>(body) {
            return Ok(Self::Message { queue: queue.filter(|it| !it.is_empty()), body: inner });
        }
        if body.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(Self::Message { queue: target(message), body: body.to_owned() })
    }
}

fn batch(given_up: &GivenUp) -> DeadLetter {
    let GivenUp { timestamp, batch } = given_up;
    let BatchInfo { approximate_arrival_of_first_record: first, approximate_arrival_of_last_record: last } = batch;
    let since = first.unwrap_or(*timestamp - STREAM_REMEMBERS) - CLOCKS_DIFFER;
    let until = last.or(*first).unwrap_or(*timestamp) + CLOCKS_DIFFER;
    DeadLetter::Batch { since, until }
}

/// The queue that SQS moved it from, or that the bus could not put it into.
fn target(message: &Message) -> Option<String> {
    let moved_from = message.attributes.as_ref().and_then(|it| it.get(&MessageSystemAttributeName::DeadLetterQueueSourceArn));
    let refused_by = message.message_attributes.as_ref().and_then(|it| it.get("TARGET_ARN")?.string_value.as_ref());
    let arn = refused_by.or(moved_from)?;
    arn.rsplit(':').next().filter(|it| !it.is_empty()).map(str::to_owned)
}

/// The queue into which the template's rules, or the mailer itself, put such an event.
pub(super) fn queue_of_event(body: &str) -> Option<&'static str> {
    let Event { source, detail_type } = serde_json::from_str(body).ok()?;
    match (source.as_str(), detail_type.as_str()) {
        ("baton.tasks", _) | ("baton.mail", "Mail Due") => Some("MailQueue"),
        ("baton.mail", _) => Some("LetterQueue"),
        ("aws.ses", _) => Some("FeedbackQueue"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sqs::types::MessageAttributeValue;
    use domain::{ProjectId, TaskId, Version};
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn message(body: &Value) -> Message {
        Message::builder().body(body.to_string()).build()
    }

    fn sent_to(queue: &str, body: &str) -> Result<DeadLetter, String> {
        Ok(DeadLetter::Message { queue: Some(queue.to_owned()), body: body.to_owned() })
    }

    #[test]
    fn what_the_mailer_wrapped_is_unwrapped_whatever_it_is() {
        for inner in ["hello", "{}", r#"{"reason": "a", "body": "b"}"#] {
            let wrapped = json!({"reason": "nobody knows", "message_id": "m", "queue": "MailQueue", "body": inner});
            assert_eq!(DeadLetter::read(&message(&wrapped)), sent_to("MailQueue", inner));
        }
    }

    #[test]
    fn a_message_says_in_its_attributes_where_it_was_going() {
        let event = json!({"source": "baton.tasks", "detail-type": "Task Updated", "detail": {}});
        let arn = |queue: &str| format!("arn:aws:sqs:eu-central-1:123456789012:{queue}");
        let moved = Message::builder()
            .body(event.to_string())
            .attributes(MessageSystemAttributeName::DeadLetterQueueSourceArn, arn("baton-dev-MailQueue-1"))
            .build();
        assert_eq!(DeadLetter::read(&moved), sent_to("baton-dev-MailQueue-1", &event.to_string()));
        let target = MessageAttributeValue::builder().data_type("String").string_value(arn("baton-dev-LetterQueue-1")).build();
        let of_rule =
            Message::builder().body(event.to_string()).message_attributes("TARGET_ARN", target.expect("a value")).build();
        assert_eq!(DeadLetter::read(&of_rule), sent_to("baton-dev-LetterQueue-1", &event.to_string()));
        assert_eq!(queue_of_event(&event.to_string()), Some("MailQueue"));
        assert_eq!(queue_of_event("hello"), None);
    }

    #[test]
    fn an_entry_is_known_by_its_keys_also_where_the_rest_cannot_be_read() {
        let (project, task) = (ProjectId(Uuid::from_u128(1)), TaskId(Uuid::from_u128(2)));
        let keys = json!({"pk": {"S": format!("TASK#{project}#{task}")}, "version": {"N": "3"}});
        let letter = json!({"reason": "corrupt", "record": {"eventName": "INSERT", "dynamodb": {"Keys": keys, "NewImage": {}}}});
        let expected = DeadLetter::Entry(LogPosition { project, task, version: Version(3) });
        assert_eq!(DeadLetter::read(&message(&letter)), Ok(expected));
        let nothing = json!({"reason": "corrupt", "record": {"dynamodb": {}}});
        assert!(DeadLetter::read(&message(&nothing)).is_err());
    }

    #[test]
    fn a_batch_given_up_stands_for_the_log_of_its_time() {
        let letter = |info: Value| json!({"version": "1.0", "timestamp": "2026-11-21T11:00:00.717Z", "DDBStreamBatchInfo": info});
        let dated = letter(json!({
            "shardId": "shardId-1", "startSequenceNumber": "1", "endSequenceNumber": "9", "batchSize": 9, "streamArn": "arn",
            "approximateArrivalOfFirstRecord": "2026-11-20T11:10:00Z", "approximateArrivalOfLastRecord": "2026-11-20T11:12:00Z",
        }));
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let expected = DeadLetter::Batch { since: at("2026-11-20T11:05:00Z"), until: at("2026-11-20T11:17:00Z") };
        assert_eq!(DeadLetter::read(&message(&dated)), Ok(expected));
        let undated = letter(json!({"batchSize": 1}));
        let expected = DeadLetter::Batch { since: at("2026-11-20T10:55:00.717Z"), until: at("2026-11-21T11:05:00.717Z") };
        assert_eq!(DeadLetter::read(&message(&undated)), Ok(expected), "the stream remembers no longer than a day");
    }

    #[test]
    fn an_empty_message_stands_for_nothing() {
        assert!(DeadLetter::read(&Message::builder().build()).is_err());
    }
}
