//! How many mails a burst of changes makes, by a clock that is only counted.

use domain::{Pacing, Rhythm};
use jiff::{SignedDuration, Timestamp};

const PACING: Pacing = Pacing {
    window: SignedDuration::from_secs(30),
    longest_wait: SignedDuration::from_mins(5),
    longest_spacing: SignedDuration::from_mins(15),
};
const CHANGES: i64 = 35;
const TEN_MINUTES: i64 = 600_000;

fn milliseconds(at: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(at)
}

/// What becomes of changes at these milliseconds that all concern one person, where each is planned as it comes and the person is
/// told at the moment they are due: when mails go. A mailer that looks less often sends no more of them.
fn mails(changes: &[i64]) -> Vec<i64> {
    let mut coming = changes.iter().copied().peekable();
    let mut waiting: Vec<Timestamp> = Vec::new();
    let mut rhythm: Option<Rhythm> = None;
    let mut mails = Vec::new();
    loop {
        let due = PACING.due(waiting.iter().map(|at| (*at, *at)), rhythm.as_ref());
        match (coming.peek(), due) {
            (Some(next), due) if due.is_none_or(|it| milliseconds(*next) <= it) => {
                waiting.extend(coming.next().map(milliseconds))
            }
            (_, Some(due)) => {
                rhythm = Rhythm::after(rhythm, waiting[0], due, &PACING);
                waiting.clear();
                mails.push(due.as_millisecond());
            }
            (_, None) => return mails,
        }
    }
}

/// The same numbers for the same seed (xorshift; Marsaglia, 2003).
struct Numbers(u64);

impl Numbers {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, bound: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % bound.unsigned_abs()).expect("below the bound")
    }
}

fn random_burst(seed: u64) -> Vec<i64> {
    let mut numbers = Numbers::new(seed);
    let mut changes: Vec<i64> = (0..CHANGES).map(|_| numbers.below(TEN_MINUTES)).collect();
    changes.sort_unstable();
    changes
}

#[test]
fn one_change_is_told_after_the_window() {
    assert_eq!(mails(&[0]), [30_000]);
}

#[test]
fn changes_at_once_are_one_mail() {
    assert_eq!(mails(&[0; CHANGES as usize]), [30_000]);
}

#[test]
fn an_evenly_spread_burst_is_three_mails_at_most() {
    for length in (0..=TEN_MINUTES).step_by(500) {
        let changes: Vec<i64> = (0..CHANGES).map(|index| length * index / (CHANGES - 1)).collect();
        let mails = mails(&changes);
        assert!(mails.len() <= 3, "{length} ms: {mails:?}");
    }
}

#[test]
fn a_burst_is_three_mails_at_most_however_it_is_spread() {
    for seed in 0..2_000 {
        let mails = mails(&random_burst(seed));
        assert!(mails.len() <= 3, "{seed}: {mails:?}");
    }
    for gap in (0..TEN_MINUTES).step_by(1_000) {
        let apart: Vec<i64> = (0..CHANGES).map(|index| (index * gap).min(TEN_MINUTES)).collect();
        assert!(mails(&apart).len() <= 3, "{gap} ms apart: {:?}", mails(&apart));
    }
    for seed in 0..5_000 {
        let mut numbers = Numbers::new(seed);
        let moments: Vec<i64> = (0..2 + seed % 9).map(|_| numbers.below(TEN_MINUTES)).collect();
        let mut changes: Vec<i64> = moments.iter().cycle().take(CHANGES as usize).copied().collect();
        changes.sort_unstable();
        assert!(mails(&changes).len() <= 3, "{moments:?}: {:?}", mails(&changes));
    }
}

#[test]
fn the_worst_burst_is_three_mails() {
    // Single changes, each right after a mail. What comes after the second mail waits beyond the end of the burst.
    let mut changes = vec![0, 30_001, 330_002];
    changes.extend((0..CHANGES - 3).map(|index| TEN_MINUTES - index));
    changes.sort_unstable();
    assert_eq!(mails(&changes), [30_000, 330_001, 630_002]);
    // And each after a calm just long enough to be told of soon.
    let mut changes = vec![0, 330_000, 360_001];
    changes.extend((0..CHANGES - 3).map(|index| TEN_MINUTES - index));
    changes.sort_unstable();
    assert_eq!(mails(&changes), [30_000, 360_000, 660_001]);
}

#[test]
fn a_steady_stream_is_told_of_every_quarter_of_an_hour() {
    let changes: Vec<i64> = (0..360).map(|index| index * 10_000).collect();
    let minutes: Vec<i64> = mails(&changes).windows(2).map(|it| (it[1] - it[0]) / 60_000).collect();
    assert_eq!(minutes[..6], [5, 5, 5, 8, 15, 15]);
}
