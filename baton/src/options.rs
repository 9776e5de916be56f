//! How a stack is started.

use std::path::PathBuf;

use axum::http::HeaderValue;
use jiff::SignedDuration;
use store::Clock;

use crate::interpose::Interpose;

/// How a stack is started.
#[derive(Debug, Clone)]
pub struct Options {
    /// The public port on loopback; 0 picks a free one, the same as last time where it can, so that sessions and links stay good.
    pub port: u16,
    /// The data folder.
    pub data: PathBuf,
    /// Keep nothing on disk, whatever `data` says.
    pub in_memory: bool,
    /// The quiet window: seconds without a further change after which a person is mailed.
    pub window_seconds: u32,
    /// Remember every event of the bus for [`Stack::recorded_events`](crate::stack::Stack::recorded_events).
    pub record_events: bool,
    /// How long a session lasts, in seconds, where it is to be another time than the template's.
    pub session_seconds: Option<u32>,
    /// How long a session lasts that is not refreshed, in seconds, where it is to be another time than the template's.
    pub session_idle_seconds: Option<u32>,
    /// Exact origins whose pages may call the API; none, no CORS.
    pub allowed_origins: Vec<HeaderValue>,
    /// What time it is.
    pub clocks: Clocks,
    /// What stands between the functions and their surroundings.
    pub interpose: Interpose,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 3000,
            data: PathBuf::from(".baton"),
            in_memory: false,
            window_seconds: 0,
            record_events: false,
            session_seconds: None,
            session_idle_seconds: None,
            allowed_origins: Vec::new(),
            clocks: Clocks::default(),
            interpose: Interpose::default(),
        }
    }
}

/// What time it is for whom. All of them show the system's time unless moved. Accounts, sessions and tokens always live by the
/// system's time.
#[derive(Debug, Clone, Default)]
pub struct Clocks {
    /// For `tasks`: when a change was made.
    pub tasks: Clock,
    /// For `log-mailer`: what is due, and whose lease is over.
    pub mailer: Clock,
    /// For the queues: which message is visible.
    pub queues: Clock,
}

impl Clocks {
    /// Moves all of them by as much.
    pub fn advance(&self, by: SignedDuration) {
        let Self { tasks, mailer, queues } = self;
        [tasks, mailer, queues].into_iter().for_each(|clock| clock.advance(by));
    }
}
