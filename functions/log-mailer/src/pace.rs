use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use store::{Part, PartContent};
use tokio::time::{Instant, sleep_until};

use crate::Deadline;

/// Who goes first where several wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// Somebody waits for it to log in.
    Letter,
    Tasks,
}

/// Holds the mails of one process back, so that a burst does not run into the limit of the mail service by itself: a token
/// bucket, out of which letters are served first. Others of the account may still use its rate up: then the service throttles,
/// and throttled mails are postponed.
#[derive(Debug)]
pub struct Pace {
    /// Nothing means no limit.
    bucket: Option<Mutex<Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// In which one token comes.
    interval: Duration,
    /// When the bucket would have been empty, had all of its tokens come one after the other since.
    empty_at: Instant,
    letters_waiting: usize,
}

/// How many mails go at once after a pause.
const BURST: u32 = 2;

impl Pace {
    /// A mailer's share of the account's rate, where so many mailers send at once; no rate means no limit.
    #[must_use]
    pub fn new(mails_per_second: Option<NonZeroU32>, mailers: NonZeroU32) -> Self {
        let interval = |rate: NonZeroU32| Duration::from_secs(1) * mailers.get() / rate.get();
        let bucket = |interval: Duration| Bucket { interval, empty_at: full_since(Instant::now(), interval), letters_waiting: 0 };
        Self { bucket: mails_per_second.map(|rate| Mutex::new(bucket(interval(rate)))) }
    }

    /// Returns when the next mail may go, or at once, taking no token, where that would be after the deadline.
    /// Answers whether it may go.
    pub(crate) async fn turn(&self, urgency: Urgency, deadline: Deadline) -> bool {
        let Some(bucket) = &self.bucket else { return !deadline.has_passed() };
        let lock = || bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let _waiting = (urgency == Urgency::Letter).then(|| WaitingLetter::new(bucket));
        loop {
            let look_again_at = match lock().take(urgency, Instant::now(), deadline) {
                Taken::Yes => return true,
                Taken::TooLate => return false,
                Taken::NotYet { look_again_at } => look_again_at,
            };
            sleep_until(look_again_at).await;
        }
    }
}

/// How urgent a mail of these is.
pub(crate) fn urgency(parts: &[Part]) -> Urgency {
    let is_letter = parts.iter().any(|it| matches!(it.content, PartContent::Letter { .. }));
    if is_letter { Urgency::Letter } else { Urgency::Tasks }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Taken {
    Yes,
    NotYet {
        look_again_at: Instant,
    },
    /// There will be none by the deadline.
    TooLate,
}

impl Bucket {
    fn take(&mut self, urgency: Urgency, now: Instant, deadline: Deadline) -> Taken {
        self.empty_at = self.empty_at.max(full_since(now, self.interval));
        let next = self.empty_at + self.interval;
        let is_first = urgency == Urgency::Letter || self.letters_waiting == 0;
        if !deadline.allows(next.max(now)) {
            Taken::TooLate
        } else if next <= now && is_first {
            self.empty_at = next;
            Taken::Yes
        } else {
            // Behind letters: when they have had the tokens that are there.
            let look_again_at = if is_first { next } else { next.max(now) + self.interval };
            Taken::NotYet { look_again_at }
        }
    }
}

fn full_since(now: Instant, interval: Duration) -> Instant {
    now.checked_sub(interval * BURST).unwrap_or(now)
}

/// Counts itself among the letters that wait, also where its invocation ends meanwhile.
struct WaitingLetter<'a>(&'a Mutex<Bucket>);

impl<'a> WaitingLetter<'a> {
    fn new(bucket: &'a Mutex<Bucket>) -> Self {
        bucket.lock().unwrap_or_else(PoisonError::into_inner).letters_waiting += 1;
        Self(bucket)
    }
}

impl Drop for WaitingLetter<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).letters_waiting -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn far() -> Deadline {
        Deadline::after(Duration::from_secs(3_600))
    }

    fn rate(mails_per_second: u32) -> Option<NonZeroU32> {
        NonZeroU32::new(mails_per_second)
    }

    fn bucket(now: Instant) -> Bucket {
        Bucket { interval: Duration::from_secs(1), empty_at: full_since(now, Duration::from_secs(1)), letters_waiting: 0 }
    }

    #[test]
    fn after_a_burst_tokens_come_one_by_one_and_a_pause_saves_up_no_more_than_a_burst() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = bucket(start);
        let mut take = |seconds: f32| bucket.take(Urgency::Tasks, start + Duration::from_secs_f32(seconds), far()) == Taken::Yes;
        assert_eq!([0.0, 0.0, 0.0, 0.5, 1.0, 1.5, 2.0].map(&mut take), [true, true, false, false, true, false, true]);
        assert_eq!([60.0, 60.0, 60.0, 60.5, 61.0].map(take), [true, true, false, false, true]);
    }

    #[test]
    fn whoever_waits_is_told_when_to_look_again() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = bucket(start);
        let second = Duration::from_secs(1);
        assert_eq!([0, 0].map(|_| bucket.take(Urgency::Tasks, start, far())), [Taken::Yes; 2]);
        assert_eq!(bucket.take(Urgency::Tasks, start, far()), Taken::NotYet { look_again_at: start + second });
        bucket.letters_waiting = 1;
        assert_eq!(bucket.take(Urgency::Tasks, start, far()), Taken::NotYet { look_again_at: start + second * 2 });
    }

    #[test]
    fn letters_are_served_first() {
        let start = Instant::now() + Duration::from_secs(100);
        let mut bucket = bucket(start);
        bucket.letters_waiting = 1;
        let at_the_next = Taken::NotYet { look_again_at: start + Duration::from_secs(1) };
        assert_eq!(bucket.take(Urgency::Tasks, start, far()), at_the_next, "a letter waits");
        assert_eq!(bucket.take(Urgency::Letter, start, far()), Taken::Yes);
        bucket.letters_waiting = 0;
        assert_eq!(bucket.take(Urgency::Tasks, start, far()), Taken::Yes);
    }

    #[tokio::test]
    async fn a_letter_that_came_later_goes_earlier() {
        let pace = Pace::new(rate(20), NonZeroU32::MIN);
        for _ in 0..BURST {
            assert!(pace.turn(Urgency::Tasks, Deadline::from_now()).await);
        }
        let order = Mutex::new(Vec::new());
        let wait = async |urgency, name| {
            assert!(pace.turn(urgency, Deadline::from_now()).await);
            order.lock().expect("nobody panicked").push(name);
        };
        futures::join!(
            wait(Urgency::Tasks, "a task"),
            wait(Urgency::Tasks, "a task"),
            wait(Urgency::Letter, "a letter"),
            wait(Urgency::Letter, "a letter"),
        );
        let order = order.lock().expect("nobody panicked").clone();
        assert_eq!(order, ["a letter", "a letter", "a task", "a task"]);
        assert_eq!(pace.bucket.expect("a limit").lock().expect("nobody panicked").letters_waiting, 0);
    }

    #[tokio::test]
    async fn a_mailer_has_its_share_of_the_accounts_rate() {
        let pace = Pace::new(rate(300), NonZeroU32::new(6).expect("six"));
        let start = Instant::now();
        for _ in 0..BURST + 2 {
            assert!(pace.turn(Urgency::Tasks, Deadline::from_now()).await);
        }
        assert!(start.elapsed() >= Duration::from_millis(40));
    }

    #[tokio::test]
    async fn a_token_after_the_deadline_is_not_taken() {
        let pace = Pace::new(rate(1), NonZeroU32::MIN);
        for _ in 0..BURST {
            assert!(pace.turn(Urgency::Tasks, Deadline::from_now()).await);
        }
        for urgency in [Urgency::Tasks, Urgency::Letter] {
            assert!(!pace.turn(urgency, Deadline::after(Duration::from_millis(100))).await);
        }
        let unlimited = Pace::new(None, NonZeroU32::MIN);
        assert!(unlimited.turn(Urgency::Tasks, Deadline::from_now()).await);
        assert!(!unlimited.turn(Urgency::Tasks, Deadline::after(Duration::ZERO)).await, "also where there is no limit");
    }
}
