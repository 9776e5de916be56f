use jiff::Timestamp;
use uuid::{NoContext, Uuid};

/// A new id that sorts by this time (RFC 9562, section 5.7): by the mailer's clock, and not by the system's.
pub(crate) fn at(now: Timestamp) -> Uuid {
    let seconds = u64::try_from(now.as_second()).unwrap_or_default();
    let nanoseconds = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
    Uuid::new_v7(uuid::Timestamp::from_unix(NoContext, seconds, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_its_time_and_of_no_other() {
        let now: Timestamp = "2026-11-20T14:03:00.5Z".parse().expect("a time");
        let (first, second) = (at(now), at(now));
        let (seconds, nanoseconds) = first.get_timestamp().expect("an id of version 7").to_unix();
        assert_eq!((seconds, nanoseconds), (1_795_183_380, 500_000_000));
        assert_ne!(first, second);
    }
}
