use aws_lambda_events::sqs::SqsMessage;
use aws_sdk_sqs::error::DisplayErrorContext;
use serde_json::json;
use tracing::error;

/// Where messages go that nobody can read, each with its reason, for a person to look at.
#[derive(Clone, Debug)]
pub struct DeadLetters {
    client: aws_sdk_sqs::Client,
    queue_url: String,
}

impl DeadLetters {
    /// The queue at this URL.
    #[must_use]
    pub fn new(client: aws_sdk_sqs::Client, queue_url: impl Into<String>) -> Self {
        Self { client, queue_url: queue_url.into() }
    }

    /// Puts a message away for good. Answers whether it is safe there.
    pub(crate) async fn put(&self, message: &SqsMessage, reason: &str) -> bool {
        let message_id = message.message_id.as_deref().unwrap_or_default();
        error!(message.id = message_id, reason, "put a message that cannot be read among the dead letters");
        // By the queue it came from, whoever redrives it knows where it was going.
        let queue = message.event_source_arn.as_deref().and_then(|arn| arn.rsplit(':').next());
        let letter = json!({ "reason": reason, "message_id": message_id, "queue": queue, "body": message.body });
        let put = self.client.send_message().queue_url(&self.queue_url).message_body(letter.to_string()).send().await;
        if let Err(failure) = &put {
            error!(message.id = message_id, error = %DisplayErrorContext(failure), "the dead letters do not take a message");
        }
        put.is_ok()
    }
}
