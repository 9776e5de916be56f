//! How many mails a burst of changes makes, by a clock that is only counted.

use std::collections::BTreeMap;

use domain::{Pacing, Rhythm};
use jiff::{SignedDuration, Timestamp};

const PACING: Pacing = Pacing {
    window: SignedDuration::from_secs(30),
    longest_wait: SignedDuration::from_mins(5),
    longest_spacing: SignedDuration::from_mins(15),
};
const CHANGES: i64 = 35;
const TASKS: i64 = 12;
const TEN_MINUTES: i64 = 600_000;
const SWEEP: i64 = 60_000;

fn milliseconds(at: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_millis(at)
}

/// What the mailer does with changes at these milliseconds, by turns to the tasks of one person, and a sweep a minute: each change's
/// hint comes a window after it, plans its task, and looks whether the person is to be told. Changes whose hints are still on
/// their way count as news that waits. Answers when mails went.
fn mails(changes: &[i64], first_sweep: i64) -> Vec<i64> {
    let window = i64::try_from(PACING.window.as_millis()).expect("a short window");
    let hints = changes.iter().enumerate().map(|(index, at)| (at + window, Some(index)));
    let sweeps = (0..60).map(|it| (first_sweep + it * SWEEP, None));
    let mut looks: Vec<(i64, Option<usize>)> = hints.chain(sweeps).collect();
    looks.sort_unstable();
    let is_same_task = |index: usize, other: usize| index as i64 % TASKS == other as i64 % TASKS;
    // Of each change that is not told yet, whether it is planned.
    let mut waiting: BTreeMap<usize, bool> = (0..changes.len()).map(|index| (index, false)).collect();
    let mut rhythm: Option<Rhythm> = None;
    let mut mails = Vec::new();
    for (now, hint) in looks {
        for (index, planned) in &mut waiting {
            *planned |= changes[*index] <= now && hint.is_some_and(|hint| is_same_task(*index, hint));
        }
        let planned: Vec<i64> = waiting.iter().filter(|(_, planned)| **planned).map(|(index, _)| changes[*index]).collect();
        let Some(first) = planned.iter().min() else { continue };
        let seen = waiting.keys().map(|index| changes[*index]).filter(|at| *at <= now && at >= first);
        let times = seen.map(|at| (milliseconds(at), milliseconds(at)));
        let due = PACING.due(times, rhythm.as_ref()).expect("something waits");
        if due <= milliseconds(now) {
            rhythm = Rhythm::after(rhythm, milliseconds(*first), milliseconds(now), &PACING);
            waiting.retain(|_, planned| !*planned);
            mails.push(now);
        }
    }
    assert!(waiting.is_empty(), "not told within the hour: {waiting:?}");
    mails
}

/// The same numbers for the same seed (xorshift; Marsaglia, 2003).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 % bound.unsigned_abs()).expect("below the bound")
    }
}

fn random_burst(seed: u64) -> Vec<i64> {
    let mut numbers = Numbers(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut changes: Vec<i64> = (0..CHANGES).map(|_| numbers.below(TEN_MINUTES)).collect();
    changes.sort_unstable();
    changes
}

#[test]
fn one_change_is_told_after_the_window() {
    assert_eq!(mails(&[0], SWEEP), [30_000]);
}

#[test]
fn an_evenly_spread_burst_is_three_mails_at_most() {
    for length in (0..=TEN_MINUTES).step_by(2_500) {
        let changes: Vec<i64> = (0..CHANGES).map(|index| length * index / (CHANGES - 1)).collect();
        for first_sweep in (0..SWEEP).step_by(7_000) {
            let mails = mails(&changes, first_sweep);
            assert!(mails.len() <= 3, "{length} ms, swept from {first_sweep}: {mails:?}");
        }
    }
}

#[test]
fn a_burst_spread_at_random_is_three_mails_as_a_rule_and_never_more_than_five() {
    let mut bursts_by_mails: BTreeMap<usize, u32> = BTreeMap::new();
    for seed in 0..2_000 {
        let mails = mails(&random_burst(seed), (seed % 60 * 1_000).cast_signed());
        *bursts_by_mails.entry(mails.len()).or_default() += 1;
    }
    let at_most = |most: usize| bursts_by_mails.range(..=most).map(|(_, bursts)| bursts).sum::<u32>();
    assert!(at_most(3) >= 1_800, "{bursts_by_mails:?}");
    assert_eq!(at_most(5), 2_000, "{bursts_by_mails:?}");
}

#[test]
fn the_worst_burst_is_five_mails() {
    // Single changes, each right after a mail and then nothing for as long as the stream has to be quiet: one, two and four minutes.
    let mut changes = vec![0, 31_000, 91_001, 271_001];
    changes.extend((0..CHANGES - 4).map(|index| TEN_MINUTES - index));
    changes.sort_unstable();
    assert_eq!(mails(&changes, 31_000), [30_000, 91_000, 271_000, 571_000, 1_051_000]);
}

#[test]
fn a_steady_stream_is_told_of_every_quarter_of_an_hour() {
    let changes: Vec<i64> = (0..180).map(|index| index * 10_000).collect();
    let mails = mails(&changes, 0);
    let gaps: Vec<i64> = mails.windows(2).map(|it| (it[1] - it[0]) / 60_000).collect();
    assert_eq!(gaps, [4, 4, 4, 8, 15], "{mails:?}");
}
