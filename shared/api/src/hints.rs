use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::Recipient;
use store::RecipientKey;

/// Tells the mailer that a letter waits, so that it goes out at once. A hint that is lost costs at most a minute: the letter itself is
/// in the table, where the sweep finds it.
#[derive(Clone, Debug)]
pub struct Hints {
    client: Client,
    bus: String,
}

impl Hints {
    /// Hints over the event bus of this name.
    #[must_use]
    pub fn new(client: Client, bus: impl Into<String>) -> Self {
        Self { client, bus: bus.into() }
    }

    /// Says that a letter to this recipient is due. What goes wrong is logged and nothing else.
    pub async fn letter_due(&self, recipient: &Recipient) {
        let detail = serde_json::json!({ "recipient": RecipientKey::from(recipient) }).to_string();
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source("baton.mail")
            .detail_type("Letter Due")
            .detail(detail)
            .build();
        match self.client.put_events().entries(entry).send().await {
            Ok(answer) if answer.failed_entry_count() == 0 => {}
            Ok(answer) => {
                let code = answer.entries().iter().find_map(|it| it.error_code()).unwrap_or("unknown");
                tracing::warn!(error.code = code, "the bus refused a hint; the sweep will send the letter");
            }
            Err(error) => {
                tracing::warn!(error = %DisplayErrorContext(&error), "could not hint at a letter; the sweep will send it");
            }
        }
    }
}
