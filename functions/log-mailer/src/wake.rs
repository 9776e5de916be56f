use std::collections::BTreeMap;

use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::RecipientKey;
use tracing::warn;

/// The longest that SQS keeps a message back, in seconds.
const LONGEST_DELAY: i64 = 900;

/// The most messages SQS takes at once.
const MESSAGES_A_CALL: usize = 10;

/// Wakes the mailer up when what somebody is owed becomes due: it sends itself a message that arrives then.
///
/// One that is lost, late or repeated changes nothing, for the sweep looks at the same recipients once a minute.
#[derive(Clone, Debug)]
pub(crate) struct WakeUps {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl WakeUps {
    /// Into the queue at this URL, which leads to this function.
    pub(crate) fn new(client: aws_sdk_sqs::Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into() }
    }

    /// Has each recipient looked at again at their time.
    pub(crate) async fn put(&self, waiting: &BTreeMap<RecipientKey, Timestamp>, now: Timestamp) {
        let entries: Vec<SendMessageBatchRequestEntry> =
            waiting.iter().enumerate().map(|(index, (recipient, due))| entry(index, recipient, *due, now)).collect();
        join_all(entries.chunks(MESSAGES_A_CALL).map(|entries| self.put_some(entries))).await;
    }

    async fn put_some(&self, entries: &[SendMessageBatchRequestEntry]) {
        let put = self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries.to_vec())).send().await;
        match put {
            Ok(answer) if answer.failed.is_empty() => {}
            Ok(answer) => warn!(refused = answer.failed.len(), "some recipients are told by the next sweep instead of in time"),
            Err(failure) => {
                warn!(error = %DisplayErrorContext(failure), "recipients are told by the next sweep instead of in time");
            }
        }
    }
}

fn entry(index: usize, recipient: &RecipientKey, due: Timestamp, now: Timestamp) -> SendMessageBatchRequestEntry {
    let event = json!({
        "version": "0",
        "source": "baton.mail",
        "detail-type": "Mail Due",
        "detail": { "recipient": recipient, "put_at": now },
    });
    SendMessageBatchRequestEntry::builder()
        .id(index.to_string())
        .message_body(event.to_string())
        .delay_seconds(delay(due.duration_since(now)))
        .build()
        .expect("both of what SQS asks for are given")
}

/// In whole seconds, not before its time; what is further off is looked at once on the way.
fn delay(wait: SignedDuration) -> i32 {
    let seconds = wait.as_secs() + i64::from(wait.subsec_nanos() > 0);
    i32::try_from(seconds.clamp(1, LONGEST_DELAY)).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hint::{Hint, parse};
    use crate::samples::READER;

    #[test]
    fn a_wake_up_comes_at_its_time_and_not_before() {
        let check = |millis, expected| assert_eq!(delay(SignedDuration::from_millis(millis)), expected, "{millis} ms");
        check(-5_000, 1);
        check(0, 1);
        check(1_000, 1);
        check(1_001, 2);
        check(29_999, 30);
        check(900_000, 900);
        check(86_400_000, 900);
    }

    #[test]
    fn a_wake_up_is_a_hint_that_the_mailer_understands() {
        let recipient = RecipientKey::User(READER);
        let now: Timestamp = "2026-11-20T14:03:00.5Z".parse().expect("a time");
        let entry = entry(7, &recipient, now + SignedDuration::from_secs(30), now);
        assert_eq!((entry.id.as_str(), entry.delay_seconds), ("7", Some(30)));
        assert_eq!(parse(Some(&entry.message_body)).ok(), Some(Hint::MailDue { recipient, put_at: now }));
    }
}
