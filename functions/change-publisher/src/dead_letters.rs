use aws_lambda_events::dynamodb::EventRecord;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::DisplayErrorContext;
use serde_json::json;
use tracing::error;

/// Where stream records go that cannot become events, each with its reason, for a person to look at.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: Client,
    queue_url: String,
}

impl DeadLetters {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into() }
    }

    /// Puts a record away for good. Answers whether it is safe there.
    pub(crate) async fn put(&self, record: &EventRecord, reason: &str) -> bool {
        let sequence_number = record.change.sequence_number.as_deref().unwrap_or_default();
        error!(sequence_number, reason, "put a record that cannot become an event among the dead letters");
        let letter = json!({ "reason": reason, "record": record });
        let put = self.client.send_message().queue_url(&self.queue_url).message_body(letter.to_string()).send().await;
        if let Err(failure) = &put {
            error!(sequence_number, error = %DisplayErrorContext(failure), "the dead letters do not take a record");
        }
        put.is_ok()
    }
}
