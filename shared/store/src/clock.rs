use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};

/// What time it is for a function: the system's time and an offset from it, which is nothing but in tests and emulations.
/// A clone is the same clock.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// In nanoseconds, which reaches 292 years either way.
    offset: Arc<AtomicI64>,
}

impl Clock {
    /// The system's time.
    #[must_use]
    pub fn system() -> Self {
        Self::default()
    }

    /// The time by this clock.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let offset = SignedDuration::from_nanos(self.offset.load(Ordering::SeqCst));
        let now = Timestamp::now();
        now.saturating_add(offset).unwrap_or(now)
    }

    /// Moves this clock and all its clones, also back.
    pub fn advance(&self, by: SignedDuration) {
        self.offset.fetch_add(nanoseconds(by), Ordering::SeqCst);
    }

    /// Sets by how much this clock and all its clones are ahead of the system's time.
    pub fn set_offset(&self, offset: SignedDuration) {
        self.offset.store(nanoseconds(offset), Ordering::SeqCst);
    }
}

fn nanoseconds(duration: SignedDuration) -> i64 {
    let most = if duration.is_negative() { i64::MIN } else { i64::MAX };
    i64::try_from(duration.as_nanos()).unwrap_or(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_are_moved_together() {
        let (clock, hour) = (Clock::system(), SignedDuration::from_hours(1));
        let clone = clock.clone();
        let is_ahead_by = |by: SignedDuration| {
            let (before, now) = (Timestamp::now(), clone.now());
            before + by <= now && now <= Timestamp::now() + by
        };
        assert!(is_ahead_by(SignedDuration::ZERO));
        clock.advance(hour);
        clock.advance(hour);
        assert!(is_ahead_by(hour * 2));
        clock.advance(-hour * 3);
        assert!(is_ahead_by(-hour));
        clock.set_offset(hour);
        assert!(is_ahead_by(hour));
        clock.set_offset(SignedDuration::MAX);
        assert!(clone.now() > Timestamp::now() + hour);
        clock.set_offset(SignedDuration::MIN);
        assert!(clone.now() < Timestamp::now());
    }
}
