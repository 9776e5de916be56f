use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_types::SdkConfig;
use domain::Change;
use tokio::time::sleep;
use tracing::{error, warn};

use crate::announcement::{Announcement, Batch, SOURCE};

/// The waits before each attempt; after that the stream itself tries again.
const WAITS: [Duration; 3] = [Duration::ZERO, Duration::from_millis(100), Duration::from_millis(400)];

/// What EventBridge says of an entry that no repetition will make better. Every other code may pass: throttling and failures inside by
/// themselves, a right that is missing once somebody gives it.
const REFUSED_FOR_GOOD: [&str; 3] = ["InvalidArgument", "MalformedDetail", "RedactionFailure"];

/// What EventBridge says of a whole call because of an entry in it, its size for one.
const REFUSED_CALL: &str = "ValidationException";

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

/// What the bus did not take, by sequence number.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Untaken {
    /// What it may take another time.
    pub(crate) later: BTreeSet<String>,
    /// What it never will, and why.
    pub(crate) refused: BTreeMap<String, String>,
}

/// What a call did not get onto the bus.
#[derive(Debug, Default)]
struct Left {
    later: Vec<Announcement>,
    refused: Vec<(Announcement, String)>,
}

/// Why a whole call did nothing.
enum CallFailure {
    /// For an entry in it.
    Refused {
        reason: String,
    },
    Passing,
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
        let announcements: Vec<Announcement> =
            changes.iter().enumerate().map(|(place, it)| Announcement::new(it, place.to_string())).collect();
        let mut waiting = announcements.into_iter().peekable();
        while waiting.peek().is_some() {
            let mut batch = Batch::default();
            while let Some(next) = waiting.next_if(|it| batch.takes(it)) {
                batch.push(next);
            }
            let Untaken { later, refused } = self.announce(batch).await;
            let places = later.iter().chain(refused.keys()).filter_map(|it| it.parse().ok());
            if let Some(before) = places.min() {
                return Err(NotTaken { before });
            }
        }
        Ok(())
    }

    /// Announces all of a batch, trying what may pass again.
    pub(crate) async fn announce(&self, batch: Batch) -> Untaken {
        let mut untaken = Untaken::default();
        let mut left = batch.into_announcements();
        for wait in WAITS {
            if left.is_empty() {
                break;
            }
            sleep(wait).await;
            let Left { later, refused } = self.put(left).await;
            untaken.refused.extend(refused.into_iter().map(|(it, reason)| (it.sequence_number, reason)));
            left = later;
        }
        if let Some(first) = left.first() {
            error!(first.sequence_number, changes = left.len(), "the bus does not take changes now");
        }
        untaken.later.extend(left.into_iter().map(|it| it.sequence_number));
        untaken
    }

    /// Puts what it can. Where a call is refused as a whole, each of its entries alone says whether it was the cause.
    async fn put(&self, announcements: Vec<Announcement>) -> Left {
        let alone = announcements.len() == 1;
        match self.call(&announcements).await {
            Ok(results) => judge(announcements, results),
            Err(CallFailure::Passing) => Left { later: announcements, refused: Vec::new() },
            Err(CallFailure::Refused { reason }) if alone => {
                Left { later: Vec::new(), refused: announcements.into_iter().map(|it| (it, reason.clone())).collect() }
            }
            Err(CallFailure::Refused { .. }) => {
                let mut left = Left::default();
                for announcement in announcements {
                    let Left { later, refused } = Box::pin(self.put(vec![announcement])).await;
                    left.later.extend(later);
                    left.refused.extend(refused);
                }
                left
            }
        }
    }

    async fn call(&self, announcements: &[Announcement]) -> Result<Vec<PutEventsResultEntry>, CallFailure> {
        let entries = announcements.iter().map(|it| self.entry(it)).collect();
        match self.client.put_events().set_entries(Some(entries)).send().await {
            Ok(answer) => Ok(answer.entries.unwrap_or_default()),
            Err(failure) => {
                let reason = DisplayErrorContext(&failure).to_string();
                warn!(error = reason, "the bus does not take a call");
                let is_refused = failure.code() == Some(REFUSED_CALL);
                Err(if is_refused { CallFailure::Refused { reason } } else { CallFailure::Passing })
            }
        }
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

/// What a call left, by its answer, which says 200 also where entries failed. An answer shorter than the question says nothing about
/// the rest, so that may come again.
fn judge(announcements: Vec<Announcement>, results: Vec<PutEventsResultEntry>) -> Left {
    let mut left = Left::default();
    let mut results = results.into_iter();
    for announcement in announcements {
        let result = results.next();
        let Some(code) = result.as_ref().map(|it| it.error_code.as_deref()) else {
            left.later.push(announcement);
            continue;
        };
        let Some(code) = code else { continue };
        let message = result.as_ref().and_then(|it| it.error_message.as_deref()).unwrap_or_default();
        warn!(code, message, "the bus does not take an entry");
        if REFUSED_FOR_GOOD.contains(&code) {
            left.refused.push((announcement, format!("the bus refuses it: {code}: {message}")));
        } else {
            left.later.push(announcement);
        }
    }
    left
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::change;

    /// What is left of entries that were answered so; `None` is one that was taken.
    fn check(answered: &[Option<&str>], asked: usize, later: &[&str], refused: &[&str]) {
        let announcements = (0..asked).map(|it| Announcement::new(&change(), it.to_string())).collect();
        let result = |code: &Option<&str>| {
            let code = code.map(str::to_owned);
            PutEventsResultEntry::builder().set_error_code(code).error_message("why").build()
        };
        let left = judge(announcements, answered.iter().map(result).collect());
        let numbers: Vec<&str> = left.later.iter().map(|it| it.sequence_number.as_str()).collect();
        assert_eq!(numbers, later, "{answered:?}");
        let numbers: Vec<&str> = left.refused.iter().map(|(it, _)| it.sequence_number.as_str()).collect();
        assert_eq!(numbers, refused, "{answered:?}");
        assert!(left.refused.iter().all(|(_, reason)| reason.ends_with(": why")));
    }

    #[test]
    fn an_entry_is_given_up_only_where_no_repetition_can_help() {
        check(&[None, None], 2, &[], &[]);
        check(&[None, Some("ThrottlingException"), Some("InternalFailure")], 3, &["1", "2"], &[]);
        check(&[Some("InvalidArgument"), None, Some("MalformedDetail"), Some("RedactionFailure")], 4, &[], &["0", "2", "3"]);
        check(&[Some("AccessDeniedException"), Some("NotAuthorizedForSourceException"), Some("New")], 3, &["0", "1", "2"], &[]);
        check(&[None], 3, &["1", "2"], &[]);
    }
}
