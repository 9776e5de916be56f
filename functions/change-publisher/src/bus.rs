use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::DisplayErrorContext;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_types::SdkConfig;
use domain::Change;
use tokio::time::sleep;
use tracing::{error, warn};

use crate::announcement::{Announcement, Batch, SOURCE};

/// The waits before the second and the third attempt; after that the stream itself tries again.
const WAITS: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(400)];

/// The bus that changes are announced on.
#[derive(Clone, Debug)]
pub struct Bus {
    client: Client,
    name: String,
}

/// The bus did not take an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bus does not take entries of the log")]
pub struct NotTaken {
    /// How many entries from the front it took.
    pub before: usize,
}

impl Bus {
    /// The bus of this name.
    #[must_use]
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// The bus of this name, by a client of its own.
    #[must_use]
    pub fn connect(aws: &SdkConfig, name: impl Into<String>) -> Self {
        Self::new(Client::new(aws), name)
    }

    /// Announces entries of the log once more, in this order: the same events as the first time, paced by whoever calls.
    ///
    /// # Errors
    /// [`NotTaken`], where the bus refuses one after all tries, or does not answer.
    pub async fn announce_again(&self, changes: &[Change]) -> Result<(), NotTaken> {
        let mut waiting = changes.iter().enumerate().map(|(place, it)| Announcement::new(it, place.to_string())).peekable();
        while waiting.peek().is_some() {
            let mut batch = Batch::default();
            while let Some(next) = waiting.next_if(|it| batch.takes(it)) {
                batch.push(next);
            }
            if let Some(refused) = self.put_with_tries(batch).await.first() {
                return Err(NotTaken { before: refused.sequence_number.parse().unwrap_or_default() });
            }
        }
        Ok(())
    }

    /// Announces all of a batch, trying what failed again. Answers the sequence number of the first that could not be.
    pub(crate) async fn announce(&self, batch: Batch) -> Result<(), String> {
        match self.put_with_tries(batch).await.into_iter().next() {
            None => Ok(()),
            Some(Announcement { sequence_number, .. }) => {
                error!(sequence_number, "the bus does not take a change, so the stream will bring it again");
                Err(sequence_number)
            }
        }
    }

    /// Gives back what the bus does not take, in order.
    async fn put_with_tries(&self, batch: Batch) -> Vec<Announcement> {
        let mut left = self.put(batch.into_announcements()).await;
        for wait in WAITS {
            if left.is_empty() {
                break;
            }
            sleep(wait).await;
            left = self.put(left).await;
        }
        left
    }

    /// Puts what it can and gives back what it cannot, in order. An answer of 200 may say that entries failed.
    async fn put(&self, announcements: Vec<Announcement>) -> Vec<Announcement> {
        if announcements.is_empty() {
            return announcements;
        }
        let entries = announcements.iter().map(|it| self.entry(it)).collect();
        let answer = match self.client.put_events().set_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(failure) => {
                warn!(error = %DisplayErrorContext(&failure), "the bus does not answer");
                return announcements;
            }
        };
        // An answer shorter than the question says nothing about the rest.
        let mut results = answer.entries.unwrap_or_default().into_iter();
        let is_taken = |_: &Announcement| {
            let result = results.next();
            if let Some(code) = result.as_ref().and_then(|it| it.error_code.as_deref()) {
                warn!(code, "the bus does not take an entry");
            }
            result.is_some_and(|it| it.error_code.is_none())
        };
        let (_taken, failed) = announcements.into_iter().partition::<Vec<_>, _>(is_taken);
        failed
    }

    fn entry(&self, announcement: &Announcement) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(announcement.detail_type)
            .detail(&announcement.detail)
            .build()
    }
}
