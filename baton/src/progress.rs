//! What is between a request and its mail right now.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use log_mailer::Mailer;

use crate::{function::Function, queue::Queues, stack::StartError, stream::Stream};

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
    /// The functions that take events.
    pub functions: Vec<Function>,
    /// Looks at what could be told, and tells nothing.
    pub lookout: Arc<Mailer>,
    /// Whether what an earlier process left was taken up.
    pub caught_up: Arc<AtomicBool>,
}

/// How much is where. At most `ENOUGH` of a stream is counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InFlight {
    /// Changes not yet published, or 1 while the start's own sweep runs.
    pub unpublished: u64,
    /// Messages whose time has come, those being handled too.
    pub queued: u64,
    /// Calls of functions that are under way.
    pub running: u64,
    /// Recipients who could be told something now; looked at where all else is done.
    pub due: u64,
}

impl InFlight {
    /// All of it.
    pub fn total(self) -> u64 {
        self.unpublished + self.queued + self.running + self.due
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
            found.queued += self.queues.depth_now(queue)?;
        }
        // Looked at after the queues: a message is hidden for as long as its call runs, and gone by its end.
        found.running = self.functions.iter().map(Function::running).sum::<usize>() as u64;
        // The dearest look comes last, and only where it decides whether anything is left.
        if found.total() == 0 {
            found.due = self.lookout.tellable_now().await? as u64;
        }
        Ok(found)
    }
}
