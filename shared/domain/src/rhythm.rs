use jiff::{SignedDuration, Timestamp};

/// How far apart the first two mails of a stream are.
const FIRST_SPACING: SignedDuration = SignedDuration::from_mins(1);

/// How long nothing may come, at least, until a stream counts as calmer: a stream of single changes, two minutes apart, is one.
const SHORTEST_CALM: SignedDuration = SignedDuration::from_mins(5);

/// How long news waits to be told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pacing {
    /// The quiet window: a mail waits until nothing new was owed for this long.
    pub window: SignedDuration,
    /// But not longer than this, however much is new.
    pub longest_wait: SignedDuration,
    /// The furthest that a stream spaces mails to one person apart.
    pub longest_spacing: SignedDuration,
}

impl Pacing {
    /// Everything is due at once, and nothing is spaced.
    pub const IMMEDIATE: Self =
        Self { window: SignedDuration::ZERO, longest_wait: SignedDuration::ZERO, longest_spacing: SignedDuration::ZERO };

    /// When a person is told of what waits for them: (when the first of it happened, when the last did) for each part.
    /// Nothing, where nothing waits.
    ///
    /// That is when it was quiet for the window, but no longer after the oldest of it than the longest wait; while a stream of news goes
    /// on, when the longest wait is over; and never before the rhythm allows it.
    #[must_use]
    pub fn due(&self, waiting: impl Iterator<Item = (Timestamp, Timestamp)>, rhythm: Option<&Rhythm>) -> Option<Timestamp> {
        let (oldest, newest) = waiting.reduce(|earlier, later| (earlier.0.min(later.0), earlier.1.max(later.1)))?;
        let rhythm = rhythm.filter(|_| self.spaces());
        let at_the_latest = later(oldest, self.longest_wait);
        // In a stream, half a minute without news is no sign that it is over. Who collects for five minutes after each mail comes to three
        // mails in any ten minutes, however the news is spread.
        let is_stream = rhythm.is_some_and(|it| it.cooled(oldest).is_some());
        let settled = if is_stream { at_the_latest } else { later(newest, self.window).min(at_the_latest) };
        Some(rhythm.map_or(settled, |it| it.open_at().max(settled)))
    }

    /// Whether mails are spaced at all: without a quiet window nobody asked for fewer of them.
    fn spaces(&self) -> bool {
        self.window > SignedDuration::ZERO && self.longest_spacing > SignedDuration::ZERO
    }
}

/// How mails to one person follow each other: further apart while there is ever more to tell, and closer again when it is calm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// When the person was last told of tasks.
    pub told_at: Timestamp,
    /// No further mail before this has passed since.
    pub spacing: SignedDuration,
}

impl Rhythm {
    /// The rhythm after a mail that was sent at `told_at`, and the first of whose news happened at `first_at`; none, where
    /// mails are not spaced.
    ///
    /// After a first mail it is a minute, and twice as long after each further one. Each whole spacing, or five minutes where that
    /// is longer, between a mail and the first news after it halves it.
    #[must_use]
    pub fn after(previous: Option<Self>, first_at: Timestamp, told_at: Timestamp, pacing: &Pacing) -> Option<Self> {
        if !pacing.spaces() {
            return None;
        }
        let doubled = previous.and_then(|it| it.cooled(first_at)).map_or(FIRST_SPACING, |cooled| cooled * 2);
        Some(Self { told_at, spacing: doubled.min(pacing.longest_spacing) })
    }

    /// The first moment at which the next mail may go.
    #[must_use]
    pub fn open_at(&self) -> Timestamp {
        later(self.told_at, self.spacing)
    }

    /// From when on it makes no difference any more, and need not be kept.
    #[must_use]
    pub fn forgotten_at(&self) -> Timestamp {
        let mut calm = self.calm();
        let mut cooled = self.spacing / 2;
        while cooled >= FIRST_SPACING {
            calm += self.calm();
            cooled /= 2;
        }
        later(self.told_at, calm)
    }

    /// The spacing that is left, where the next news came at `first_at`; none after a long calm.
    fn cooled(&self, first_at: Timestamp) -> Option<SignedDuration> {
        let mut calm = first_at.duration_since(self.told_at);
        let mut cooled = self.spacing;
        while calm >= self.calm() && cooled >= FIRST_SPACING {
            calm -= self.calm();
            cooled /= 2;
        }
        (cooled >= FIRST_SPACING).then_some(cooled)
    }

    /// The calm that halves it.
    fn calm(&self) -> SignedDuration {
        self.spacing.max(SHORTEST_CALM)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACING: Pacing = Pacing {
        window: SignedDuration::from_secs(30),
        longest_wait: SignedDuration::from_mins(5),
        longest_spacing: SignedDuration::from_mins(15),
    };

    fn second(second: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second)
    }

    fn rhythm(told_at: i64, spacing: i64) -> Rhythm {
        Rhythm { told_at: second(told_at), spacing: SignedDuration::from_secs(spacing) }
    }

    fn due(waiting: &[(i64, i64)], rhythm: Option<Rhythm>) -> Option<i64> {
        let waiting = waiting.iter().map(|(first, last)| (second(*first), second(*last)));
        PACING.due(waiting, rhythm.as_ref()).map(Timestamp::as_second)
    }

    #[test]
    fn news_is_due_when_it_was_quiet_for_the_window_or_the_oldest_has_waited_long_enough() {
        assert_eq!(due(&[], None), None);
        assert_eq!(due(&[], Some(rhythm(0, 60))), None);
        assert_eq!(due(&[(0, 0)], None), Some(30));
        assert_eq!(due(&[(0, 20)], None), Some(50));
        assert_eq!(due(&[(40, 60), (0, 50), (10, 20)], None), Some(90), "parts come in any order");
        assert_eq!(due(&[(0, 269), (1, 2)], None), Some(299));
        assert_eq!(due(&[(0, 280), (1, 2)], None), Some(300));
    }

    #[test]
    fn a_mail_keeps_the_next_one_at_a_distance() {
        assert_eq!(due(&[(300, 300)], Some(rhythm(0, 60))), Some(330), "calm since");
        assert_eq!(due(&[(-300, 0)], Some(rhythm(0, 120))), Some(120), "it waits for its distance, whatever waited how long");
        assert_eq!(due(&[(500, 500)], Some(rhythm(0, 900))), Some(900));
    }

    #[test]
    fn while_a_stream_goes_on_the_oldest_waits_as_long_as_it_may() {
        assert_eq!(due(&[(10, 40)], Some(rhythm(0, 60))), Some(310));
        assert_eq!(due(&[(10, 40)], Some(rhythm(0, 120))), Some(310));
        assert_eq!(due(&[(299, 299)], Some(rhythm(0, 60))), Some(599), "no calm yet");
        assert_eq!(due(&[(300, 300)], Some(rhythm(0, 60))), Some(330), "forgotten after a calm");
        assert_eq!(due(&[(300, 300)], Some(rhythm(0, 120))), Some(600), "halved by a calm");
        assert_eq!(due(&[(600, 600)], Some(rhythm(0, 120))), Some(630), "forgotten after a longer one");
        assert_eq!(due(&[(10, 40)], Some(rhythm(0, 900))), Some(900), "and no sooner than its distance");
    }

    #[test]
    fn without_a_window_everything_is_due_at_once_and_nothing_is_spaced() {
        let waiting = || [(second(3), second(9))].into_iter();
        let check = |pacing: Pacing, expected: i64| {
            assert_eq!(pacing.due(waiting(), Some(&rhythm(8, 60))), Some(second(expected)), "{pacing:?}");
            assert_eq!(Rhythm::after(Some(rhythm(8, 60)), second(9), second(10), &pacing), None, "{pacing:?}");
        };
        check(Pacing::IMMEDIATE, 3);
        check(Pacing { window: SignedDuration::ZERO, ..PACING }, 9);
        check(Pacing { longest_spacing: SignedDuration::ZERO, ..PACING }, 39);
    }

    #[test]
    fn mails_of_a_stream_are_spaced_ever_further_apart_up_to_the_longest() {
        let mut rhythm = None;
        let mut spacings = Vec::new();
        for mail in 0..6 {
            rhythm = Rhythm::after(rhythm, second(mail * 3_600 - 3_600), second(mail * 3_600), &PACING);
            spacings.extend(rhythm.map(|it| it.spacing.as_secs() / 60));
        }
        assert_eq!(spacings, [1, 2, 4, 8, 15, 15]);
        assert_eq!(rhythm.map(|it| it.told_at), Some(second(5 * 3_600)));
        assert_eq!(rhythm.map(|it| it.open_at()), Some(second(5 * 3_600 + 900)));
        let short = Pacing { longest_spacing: SignedDuration::from_secs(20), ..PACING };
        assert_eq!(Rhythm::after(None, second(0), second(0), &short).map(|it| it.spacing.as_secs()), Some(20));
    }

    #[test]
    fn each_spacing_of_calm_halves_it() {
        let check = |spacing: i64, calm: i64, expected: i64| {
            let after = Rhythm::after(Some(rhythm(1_000, spacing)), second(1_000 + calm), second(9_000), &PACING);
            assert_eq!(after, Some(self::rhythm(9_000, expected)), "{spacing} s, first news after {calm} s");
        };
        check(60, -500, 120);
        check(60, 299, 120);
        check(60, 300, 60);
        check(240, 299, 480);
        check(240, 300, 240);
        check(240, 600, 120);
        check(240, 899, 120);
        check(240, 900, 60);
        check(900, 899, 900);
        check(900, 900, 900);
        check(900, 1_800, 450);
        check(900, 2_700, 225);
        check(900, 3_600, 60);
        check(900, 1_000_000, 60);
    }

    #[test]
    fn a_rhythm_is_forgotten_when_it_makes_no_difference_any_more() {
        for spacing in [60, 120, 225, 450, 900] {
            let before = rhythm(1_000, spacing);
            let forgotten_at = before.forgotten_at();
            let after = |first_at| Rhythm::after(Some(before), first_at, second(9_000), &PACING).map(|it| it.spacing.as_secs());
            assert_eq!(after(forgotten_at), Some(60), "{spacing}");
            assert!(after(forgotten_at - SignedDuration::from_secs(1)) > Some(60), "{spacing}");
        }
        assert_eq!(Rhythm::after(Some(rhythm(0, 20)), second(1), second(60), &PACING), Some(rhythm(60, 60)), "never kept");
        assert_eq!(rhythm(0, 900).forgotten_at(), second(3_600));
        assert_eq!(rhythm(0, 60).forgotten_at(), second(300));
    }

    #[test]
    fn times_at_the_end_of_time_are_no_trouble() {
        let never = Rhythm { told_at: Timestamp::MAX, spacing: SignedDuration::from_mins(1) };
        assert_eq!((never.open_at(), never.forgotten_at()), (Timestamp::MAX, Timestamp::MAX));
        let waiting = [(Timestamp::MIN, Timestamp::MAX)];
        assert_eq!(PACING.due(waiting.into_iter(), Some(&never)), Some(Timestamp::MAX));
    }
}
