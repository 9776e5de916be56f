//! What is between a request and its mail right now.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::{SignedDuration, Timestamp};

use crate::{queue::Queues, stack::StartError, stream::Stream};

/// Parts due by then count as in flight.
const SOON: SignedDuration = SignedDuration::from_secs(60);
/// Nobody needs to know more exactly how much waits at one place.
const ENOUGH: usize = 100;

/// Watches every place a change passes.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The streams' readers.
    pub streams: Vec<Arc<Stream>>,
    /// The queues.
    pub queues: Queues,
    /// Names of the queues somebody consumes.
    pub consumed: Vec<String>,
    /// The mail table.
    pub mail: store::Mail,
    /// Whether what an earlier process left was taken up.
    pub caught_up: Arc<AtomicBool>,
}

/// How much is where. At most `ENOUGH` of a stream or of a shard of parts is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Changes not yet published, or 1 while the start's own sweep runs.
    pub unpublished: u64,
    /// Messages, the delayed ones too.
    pub queued: u64,
    /// Parts of mails, those under a claim too.
    pub due: u64,
}

impl InFlight {
    /// All of it.
    pub fn total(self) -> u64 {
        self.unpublished + self.queued + self.due
    }
}

impl Progress {
    /// Looks in the order a change takes, so that nothing slips from a later look to an earlier one: all zero means that whatever
    /// was written before the call is done with.
    ///
    /// # Errors
    /// One of the places cannot be looked at.
    pub async fn in_flight(&self) -> Result<InFlight, StartError> {
        let mut found = InFlight { unpublished: u64::from(!self.caught_up.load(Ordering::Acquire)), ..InFlight::default() };
        for stream in &self.streams {
            found.unpublished += stream.unread(ENOUGH)? as u64;
        }
        for queue in &self.consumed {
            found.queued += self.queues.depth(queue)?;
        }
        let soon = Timestamp::now().checked_add(SOON)?;
        for shard in 0..store::SHARDS {
            found.due += self.mail.due(shard, soon, None, ENOUGH).await?.len() as u64;
        }
        Ok(found)
    }
}
