use std::time::Duration;

use jiff::SignedDuration;

/// The function's timeout in template.yaml: after it, nobody acts on a claim any more.
pub const FUNCTION_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a claim is its holder's: the function's timeout, and two minutes for the mail service to say what it accepted.
pub const LEASE: Duration = Duration::from_secs(FUNCTION_TIMEOUT.as_secs() + 120);

/// The lease of an attempt at a claim of this age. It doubles with each attempt that comes to nothing, from [`LEASE`] to a day: a silent
/// mail service may have sent every one of them, so a week of trying comes to fifteen mails at the worst, not to thousands. How often
/// it was merely put off does not count: the recipient's letters wait for as long again as the trouble has lasted, and no longer.
pub(crate) fn lease(age: SignedDuration) -> Duration {
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    (LEASE + age.max(SignedDuration::ZERO).unsigned_abs()).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_doubles_from_attempt_to_attempt_up_to_a_day() {
        let mut age = SignedDuration::ZERO;
        let minutes = [(); 11].map(|()| {
            let lease = lease(age);
            age += SignedDuration::try_from(lease).expect("a day at most");
            lease.as_secs() / 60
        });
        assert_eq!(minutes, [3, 6, 12, 24, 48, 96, 192, 384, 768, 1440, 1440]);
    }
}
