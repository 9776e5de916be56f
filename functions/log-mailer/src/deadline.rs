use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::FUNCTION_TIMEOUT;

/// Enough to bring a claim that was opened just before the deadline to its end. An invocation killed meanwhile would leave it
/// open, and nobody could tell whether its mail went out.
const MARGIN: Duration = Duration::from_secs(20);

/// Until when an invocation may begin anything. What it does not begin stays due, for the next sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Of an invocation that begins now and may take [`FUNCTION_TIMEOUT`].
    #[must_use]
    pub fn from_now() -> Self {
        Self::after(FUNCTION_TIMEOUT.saturating_sub(MARGIN))
    }

    /// Of an invocation that is killed at this time.
    #[must_use]
    pub fn before_kill(killed_at: SystemTime) -> Self {
        let left = killed_at.duration_since(SystemTime::now()).unwrap_or_default();
        Self::after(left.saturating_sub(MARGIN))
    }

    /// After so long; zero is past already.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    pub(crate) fn has_passed(self) -> bool {
        !self.allows(Instant::now())
    }

    pub(crate) fn allows(self, at: Instant) -> bool {
        at < self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_stops_beginning_while_it_can_still_end_what_it_began() {
        let now = SystemTime::now();
        assert!(Deadline::before_kill(now + FUNCTION_TIMEOUT) <= Deadline::from_now());
        assert!(!Deadline::before_kill(now + FUNCTION_TIMEOUT).has_passed());
        assert!(Deadline::before_kill(now + MARGIN).has_passed());
        assert!(Deadline::before_kill(SystemTime::UNIX_EPOCH).has_passed());
    }
}
