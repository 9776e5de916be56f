use std::num::NonZeroU32;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use crate::Deadline;

/// Spaces the mails of one process, so that a burst does not run into the limit of the mail service by itself.
/// Several processes at once still may: the service throttles, and throttled mails are postponed.
#[derive(Debug)]
pub struct Pace {
    spacing: Duration,
    next: Mutex<Option<Instant>>,
}

impl Pace {
    /// At most so many a second; nothing means no limit.
    #[must_use]
    pub fn new(mails_per_second: Option<NonZeroU32>) -> Self {
        let spacing = mails_per_second.map_or(Duration::ZERO, |it| Duration::from_secs(1) / it.get());
        Self { spacing, next: Mutex::new(None) }
    }

    /// Returns when the next mail may go, or at once, taking no turn, where that would be after the deadline.
    /// Answers whether it may go.
    pub(crate) async fn turn(&self, deadline: Deadline) -> bool {
        if self.spacing.is_zero() {
            return !deadline.has_passed();
        }
        let mine = {
            let mut next = self.next.lock().await;
            let mine = next.map_or_else(Instant::now, |it| it.max(Instant::now()));
            if !deadline.allows(mine) {
                return false;
            }
            *next = Some(mine + self.spacing);
            mine
        };
        sleep_until(mine).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn mails_are_spaced_evenly() {
        let pace = Pace::new(NonZeroU32::new(100));
        let start = Instant::now();
        for _ in 0..3 {
            assert!(pace.turn(Deadline::from_now()).await);
        }
        assert!(start.elapsed() >= Duration::from_millis(20));
    }

    #[tokio::test]
    async fn a_turn_after_the_deadline_is_not_taken() {
        let pace = Pace::new(NonZeroU32::new(1));
        assert!(pace.turn(Deadline::from_now()).await);
        let next = *pace.next.lock().await;
        assert!(!pace.turn(Deadline::after(Duration::ZERO)).await);
        assert_eq!(*pace.next.lock().await, next);
        assert!(!Pace::new(None).turn(Deadline::after(Duration::ZERO)).await, "also where there is no limit");
    }
}
