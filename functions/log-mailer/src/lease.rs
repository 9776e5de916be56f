use std::time::Duration;

/// The function's timeout in template.yaml: after it, nobody acts on a claim any more.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a claim is its holder's: the function's timeout, and two minutes for the mail service to say what it accepted.
pub const LEASE: Duration = Duration::from_secs(FUNCTION_TIMEOUT.as_secs() + 120);

/// Doubles with each attempt, from [`LEASE`] to a day: a silent mail service may have sent every one of them, so a week of trying
/// comes to a dozen mails at the worst, not to thousands.
pub(crate) fn lease(attempt: u32) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    LEASE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_doubles_from_attempt_to_attempt_up_to_a_day() {
        let minutes = [1, 2, 3, 9, 10, 100].map(|attempt| lease(attempt).as_secs() / 60);
        assert_eq!(minutes, [3, 6, 12, 768, 1440, 1440]);
    }
}
