use domain::{ClockTime, DigestHour, QuietHours};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// Zones whose clocks do all that clocks do: nothing, an hour, half an hour, at midnight, twice a year for a month, and a day left out.
const ZONES: [&str; 8] = [
    "UTC",
    "Asia/Seoul",
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Casablanca",
    "Pacific/Apia",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a time zone")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn clock(text: &str) -> ClockTime {
    text.parse().expect("a time of day")
}

fn quiet(from: &str, to: &str) -> QuietHours {
    QuietHours::new(clock(from), clock(to), false).expect("quiet hours")
}

fn hour(hour: u8) -> DigestHour {
    hour.try_into().expect("an hour")
}

#[test]
fn a_time_of_day_has_one_spelling() {
    for text in ["00:00", "07:05", "23:59"] {
        assert_eq!(text.parse::<ClockTime>().map(|it| it.to_string()).as_deref(), Ok(text));
    }
    for text in
        ["24:00", "12:60", "7:05", "07:5", "0705", "+7:05", "07-05", "07:05:00", "", "\u{661}\u{662}:00", "-1:00", " 7:05"]
    {
        assert!(text.parse::<ClockTime>().is_err(), "{text:?}");
    }
    assert!(serde_json::from_str::<ClockTime>("705").is_err());
}

#[test]
fn quiet_hours_are_two_different_times_and_whether_urgent_tasks_come_through() {
    let json = r#"{"from":"22:00","to":"07:00","urgent":true}"#;
    let quiet_hours: QuietHours = serde_json::from_str(json).expect("quiet hours");
    let parts = (quiet_hours.from(), quiet_hours.to(), quiet_hours.urgent());
    assert_eq!(parts, (clock("22:00"), clock("07:00"), true));
    assert_eq!(serde_json::to_string(&quiet_hours).ok().as_deref(), Some(json));
    for refused in [
        r#"{"from": "22:00", "to": "22:00", "urgent": true}"#,
        r#"{"from": "22:00", "urgent": true}"#,
        r#"{"to": "22:00"}"#,
        r#"{"from": "22:00", "to": "07:00", "days": []}"#,
    ] {
        assert!(serde_json::from_str::<QuietHours>(refused).is_err(), "{refused}");
    }
}

#[test]
fn quiet_hours_begin_and_end_by_the_minute_and_may_span_midnight() {
    let check = |hours: QuietHours, time: &str, end: Option<&str>| {
        let ends = hours.end(&zone("Asia/Seoul"), at(&format!("{time}+09:00")));
        assert_eq!(ends, end.map(|it| at(&format!("{it}+09:00"))), "{hours:?} at {time}");
    };
    let night = quiet("22:00", "07:00");
    check(night, "2026-11-20T21:59:59", None);
    check(night, "2026-11-20T22:00:00", Some("2026-11-21T07:00:00"));
    check(night, "2026-11-21T00:00:00", Some("2026-11-21T07:00:00"));
    check(night, "2026-11-21T06:59:59.999", Some("2026-11-21T07:00:00"));
    check(night, "2026-11-21T07:00:00", None);
    let noon = quiet("12:00", "13:00");
    check(noon, "2026-11-20T11:59:59", None);
    check(noon, "2026-11-20T12:00:00", Some("2026-11-20T13:00:00"));
    check(noon, "2026-11-20T13:00:00", None);
    check(quiet("00:00", "23:59"), "2026-11-20T23:58:59", Some("2026-11-20T23:59:00"));
    check(quiet("00:01", "00:00"), "2026-11-20T00:01:00", Some("2026-11-21T00:00:00"));
}

#[test]
fn quiet_hours_go_by_the_wall_clock_when_it_is_changed() {
    let check = |hours: QuietHours, time: &str, end: Option<&str>| {
        assert_eq!(hours.end(&zone("America/New_York"), at(time)), end.map(at), "{hours:?} at {time}");
    };
    let night = quiet("22:00", "07:00");
    check(night, "2026-03-08T03:00:00Z", Some("2026-03-08T11:00:00Z"));
    check(night, "2026-11-01T02:00:00Z", Some("2026-11-01T12:00:00Z"));
    // 02:00 to 03:00 is left out: the hours are over when the clock is put forward beyond their end.
    check(quiet("22:00", "02:30"), "2026-03-08T06:00:00Z", Some("2026-03-08T07:00:00Z"));
    // 01:00 to 02:00 comes twice, and so do the hours that end in it.
    let ends_twice = quiet("00:00", "01:30");
    check(ends_twice, "2026-11-01T05:00:00Z", Some("2026-11-01T05:30:00Z"));
    check(ends_twice, "2026-11-01T05:30:00Z", None);
    check(ends_twice, "2026-11-01T06:10:00Z", Some("2026-11-01T06:30:00Z"));
    // Put back from inside the hours to before them.
    check(quiet("01:30", "03:00"), "2026-11-01T05:40:00Z", Some("2026-11-01T06:00:00Z"));
}

#[test]
fn a_digest_comes_at_its_hour_by_the_wall_clock() {
    let check = |hour: DigestHour, after: &str, next: &str| {
        assert_eq!(hour.next(&zone("America/New_York"), at(after)), at(next), "after {after}");
    };
    check(hour(8), "2026-11-20T12:59:59Z", "2026-11-20T13:00:00Z");
    check(hour(8), "2026-11-20T13:00:00Z", "2026-11-21T13:00:00Z");
    check(hour(0), "2026-11-20T05:00:00Z", "2026-11-21T05:00:00Z");
    check(hour(8), "2026-03-07T13:00:00Z", "2026-03-08T12:00:00Z");
    // 02:00 is left out and 01:00 comes twice.
    check(hour(2), "2026-03-08T06:00:00Z", "2026-03-08T07:00:00Z");
    check(hour(1), "2026-11-01T04:00:00Z", "2026-11-01T05:00:00Z");
    check(hour(1), "2026-11-01T05:00:00Z", "2026-11-02T06:00:00Z");
    assert_eq!(hour(23).next(&TimeZone::UTC, Timestamp::MAX), Timestamp::MAX);
}

#[test]
fn a_digest_hour_is_one_of_the_day() {
    assert_eq!(DigestHour::default().hour(), 8);
    assert_eq!(serde_json::to_string(&hour(23)).ok().as_deref(), Some("23"));
    for refused in ["24", "-1", "8.0", "\"8\"", "null"] {
        assert!(serde_json::from_str::<DigestHour>(refused).is_err(), "{refused}");
    }
}

/// Some moment of 2025 or 2026, or around the day that Samoa left out.
fn moment() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        3 => at("2025-01-01T00:00:00Z").as_second()..at("2027-01-01T00:00:00Z").as_second(),
        1 => at("2011-12-28T00:00:00Z").as_second()..at("2012-01-02T00:00:00Z").as_second(),
    ]
    .prop_map(|second| Timestamp::from_second(second).expect("a time"))
}

fn clock_time() -> impl Strategy<Value = ClockTime> {
    (0..24, 0..60).prop_map(|(hour, minute)| clock(&format!("{hour:02}:{minute:02}")))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn quiet_hours_end_at_the_first_moment_that_is_not_in_them(
        name in prop::sample::select(ZONES.to_vec()), at in moment(), from in clock_time(), to in clock_time(), part in 0.0..1.0_f64,
    ) {
        let Ok(hours) = QuietHours::new(from, to, false) else { return Ok(()) };
        let zone = zone(name);
        let time = zone.to_datetime(at).time().strftime("%H:%M").to_string();
        let (from, to) = (from.to_string(), to.to_string());
        let inside = if from < to { from <= time && time < to } else { time >= from || time < to };
        let end = hours.end(&zone, at);
        prop_assert_eq!(end.is_some(), inside);
        if let Some(end) = end {
            prop_assert!(end > at);
            prop_assert_eq!(hours.end(&zone, end), None);
            let between = at + end.duration_since(at).mul_f64(part);
            prop_assert_eq!(hours.end(&zone, between), Some(end));
            prop_assert_eq!(hours.end(&zone, end - SignedDuration::from_nanos(1)), Some(end));
        }
    }

    #[test]
    fn there_is_one_digest_a_day(name in prop::sample::select(ZONES.to_vec()), at in moment(), digest_hour in 0_u8..24) {
        let zone = zone(name);
        let hour = hour(digest_hour);
        let mut after = at;
        let mut dates = Vec::new();
        for _ in 0..5 {
            let next = hour.next(&zone, after);
            prop_assert!(next > after);
            prop_assert!(next.duration_since(after) <= SignedDuration::from_hours(26));
            let local = zone.to_datetime(next);
            // Where the hour is left out, it is at most an hour later.
            prop_assert!(local.hour() == digest_hour as i8 || local.hour() == digest_hour as i8 + 1, "{local}");
            dates.push(local.date());
            after = next;
        }
        prop_assert!(dates.windows(2).all(|it| it[0] < it[1]), "{dates:?}");
    }
}
