use std::time::Duration;

use api::ApiError;
use jiff::{SignedDuration, Timestamp};
use store::{Attempts, Bucket, StoreError};

use crate::Login;

/// How many failures have no consequence: people mistype.
const FREE: u32 = 5;
/// From here on only a new password helps (NIST SP 800-63B-4, section 3.2.2).
const MOST: u32 = 100;
const LONGEST_DELAY: SignedDuration = SignedDuration::from_hours(1);
/// As long as the counter is kept after the last failure.
const BLOCKED: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How often a counter is read again that others count up at the same time.
const MOST_ROUNDS: usize = 5;

/// Counts an attempt before it is known whether it is right, so that of many at once no more are let through than one after the other.
/// Whoever succeeds has it forgotten.
///
/// # Errors
/// 429, where so many failed before that it is too early for another one.
pub(crate) async fn reserve(login: &Login, bucket: &Bucket, mut read: Attempts, now: Timestamp) -> Result<(), ApiError> {
    for _ in 0..MOST_ROUNDS {
        if let Some(until) = read.blocked_until.filter(|it| now < *it) {
            return Err(too_early(until.duration_since(now)));
        }
        let blocked_until = blocked_until(read.failures.saturating_add(1), now)?;
        match login.0.accounts.count_attempt(bucket, &read, blocked_until, now).await {
            Ok(()) => return Ok(()),
            Err(StoreError::Conflict { .. }) => read = login.0.accounts.attempts(bucket).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(too_early(SignedDuration::from_secs(1)))
}

/// Until when nobody is let through after so many failures.
fn blocked_until(failures: u32, now: Timestamp) -> Result<Option<Timestamp>, ApiError> {
    let delay = delay(failures);
    if delay.is_zero() {
        return Ok(None);
    }
    now.checked_add(delay).map(Some).map_err(ApiError::internal)
}

/// None at first, then a second, doubled with every failure.
fn delay(failures: u32) -> SignedDuration {
    match failures {
        0..=FREE => SignedDuration::ZERO,
        MOST.. => BLOCKED,
        _ => {
            let seconds = 1_i64.checked_shl(failures - FREE - 1).filter(|it| *it > 0).unwrap_or(i64::MAX);
            SignedDuration::from_secs(seconds).min(LONGEST_DELAY)
        }
    }
}

fn too_early(wait: SignedDuration) -> ApiError {
    // Rounded up: who comes back after so many seconds is let through.
    let seconds = u64::try_from(wait.as_secs()).unwrap_or_default().saturating_add(1);
    ApiError::TooManyRequests { retry_after: Duration::from_secs(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_from_the_sixth_failure_up_to_an_hour() {
        let check = |failures: u32, seconds: i64| assert_eq!(delay(failures).as_secs(), seconds, "{failures}");
        for failures in 0..=5 {
            check(failures, 0);
        }
        check(6, 1);
        check(7, 2);
        check(8, 4);
        check(17, 2_048);
        check(18, 3_600);
        check(69, 3_600);
        check(70, 3_600);
        check(99, 3_600);
        check(100, 30 * 24 * 3_600);
        check(u32::MAX, 30 * 24 * 3_600);
    }

    /// NIST SP 800-63B-4, section 3.2.2: at most 100 consecutive failures.
    #[test]
    fn nobody_is_let_through_after_a_hundred_failures() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(blocked_until(5, now).expect("a time"), None);
        let blocked = blocked_until(100, now).expect("a time").expect("blocked");
        assert_eq!(blocked, now + BLOCKED);
    }

    #[test]
    fn who_waits_as_long_as_told_is_let_through() {
        let ApiError::TooManyRequests { retry_after } = too_early(SignedDuration::new(3, 1)) else { panic!("429") };
        assert_eq!(retry_after, Duration::from_secs(4));
    }
}
