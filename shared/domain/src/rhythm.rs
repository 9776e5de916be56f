use jiff::{SignedDuration, Timestamp};

/// How far apart the first two mails of a stream are.
const FIRST_SPACING: SignedDuration = SignedDuration::from_mins(1);

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
    /// That is when it was quiet for the window, or, while a stream of news goes on, for as long as its mails are spaced; but no longer
    /// after the oldest of it than the longest wait; and never before the rhythm allows it.
    #[must_use]
    pub fn due(
        &self,
        waiting: impl Iterator<Item = (Timestamp, Timestamp)>,
        rhythm: Option<&Rhythm>,
    ) -> Option<Timestamp> {
        let (oldest, newest) = waiting.reduce(|earlier, later| (earlier.0.min(later.0), earlier.1.max(later.1)))?;
        let rhythm = rhythm.filter(|_| self.spaces());
        // In a stream, half a minute without news is no sign that it is over.
        let window = rhythm.and_then(|it| it.cooled(oldest)).map_or(self.window, |cooled| cooled.max(self.window));
        let settled = later(newest, window).min(later(oldest, self.longest_wait));
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
    /// After a first mail it is a minute, and twice as long after each further one. Each whole spacing between a mail and
    /// the first news after it halves it.
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
        let mut calm = self.spacing;
        let mut cooled = self.spacing / 2;
        while cooled >= FIRST_SPACING {
            calm += self.spacing;
            cooled = cooled / 2;
        }
        later(self.told_at, calm)
    }

    /// The spacing that is left, where the next news came at `first_at`; none after a long calm.
    fn cooled(&self, first_at: Timestamp) -> Option<SignedDuration> {
        let mut calm = first_at.duration_since(self.told_at);
        let mut cooled = self.spacing;
        while calm >= self.spacing && cooled >= FIRST_SPACING {
            calm -= self.spacing;
            cooled = cooled / 2;
        }
        (cooled >= FIRST_SPACING).then_some(cooled)
    }
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
