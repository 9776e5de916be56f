//! What goes wrong: a pure function of the seed, the kind of call and its number among the calls of that kind.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// A function whose calls go through faulty services.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Caller {
    Login,
    Tasks,
    Publisher,
    Mailer,
}

/// A kind of call to DynamoDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Operation {
    Read,
    BatchRead,
    Write,
    BatchWrite,
    Transaction,
}

/// A kind of call that something can happen to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Site {
    Table(Caller, Operation),
    Events(Caller),
    Mail,
    /// A message sent to a queue.
    Messages(Caller),
    /// A batch of hints to the mailer.
    Hints,
    /// A batch of reports of the mail service to the mailer.
    Reports,
    /// A batch of the stream to the publisher.
    Stream,
    /// Any call of a function.
    Invocation(Caller),
    /// A step of the time.
    Clock,
    /// A round of what people do.
    Round,
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    TableLostRequest,
    TableLostAnswer,
    TableThrottled,
    TransactionConflict,
    PartialBatch,
    BusLostRequest,
    BusLostAnswer,
    PartialPutEvents,
    LostEvent,
    RepeatedEvent,
    DelayedEvent,
    MailThrottled,
    MailFailed,
    MailLostAnswer,
    MessageLostRequest,
    MessageLostAnswer,
    HintLost,
    HintRepeated,
    HintReordered,
    HintDelayed,
    HintsPartial,
    ReportLost,
    ReportLate,
    ReportRepeated,
    StreamRepeated,
    StreamPartial,
    HandlerKilled,
    MailerKilled,
    PublisherKilled,
    ClockSkew,
    Restart,
    ProcessKilled,
}

impl Fault {
    /// As in the table of what was injected.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TableLostRequest => "DynamoDB: request lost",
            Self::TableLostAnswer => "DynamoDB: answer lost after commit",
            Self::TableThrottled => "DynamoDB: throttled",
            Self::TransactionConflict => "DynamoDB: TransactionConflict",
            Self::PartialBatch => "DynamoDB: batch done in part",
            Self::BusLostRequest => "EventBridge: request lost",
            Self::BusLostAnswer => "EventBridge: answer lost",
            Self::PartialPutEvents => "EventBridge: PutEvents taken in part",
            Self::LostEvent => "EventBridge: event lost by its rule",
            Self::RepeatedEvent => "EventBridge: event delivered twice",
            Self::DelayedEvent => "EventBridge: event delayed",
            Self::MailThrottled => "SES: throttled",
            Self::MailFailed => "SES: 5xx, not accepted",
            Self::MailLostAnswer => "SES: accepted, answer lost",
            Self::MessageLostRequest => "SQS: request lost",
            Self::MessageLostAnswer => "SQS: answer lost",
            Self::HintLost => "SQS: message lost",
            Self::HintRepeated => "SQS: batch delivered twice at once",
            Self::HintReordered => "SQS: batch out of order",
            Self::HintDelayed => "SQS: message delayed",
            Self::HintsPartial => "SQS: batch handled in part",
            Self::ReportLost => "Send event lost",
            Self::ReportLate => "Send event late",
            Self::ReportRepeated => "Send event repeated",
            Self::StreamRepeated => "stream: batch delivered twice",
            Self::StreamPartial => "stream: batch taken in part",
            Self::HandlerKilled => "tasks or login killed at an await",
            Self::MailerKilled => "mailer killed at an await",
            Self::PublisherKilled => "publisher killed at an await",
            Self::ClockSkew => "clock skew between functions",
            Self::Restart => "stack killed and started again",
            Self::ProcessKilled => "process killed by kill -9",
        }
    }

    /// What can happen at a site, each as often as this in a thousand calls.
    fn menu(site: Site) -> &'static [(Self, u64)] {
        match site {
            Site::Table(_, Operation::Read) => {
                &[(Self::TableLostRequest, 8), (Self::TableLostAnswer, 8), (Self::TableThrottled, 12)]
            }
            Site::Table(_, Operation::BatchRead) => {
                &[(Self::TableLostRequest, 8), (Self::TableLostAnswer, 8), (Self::TableThrottled, 12), (Self::PartialBatch, 40)]
            }
            Site::Table(_, Operation::Write) => &[
                (Self::TableLostRequest, 15),
                (Self::TableLostAnswer, 30),
                (Self::TableThrottled, 15),
                (Self::TransactionConflict, 20),
            ],
            Site::Table(_, Operation::BatchWrite) => {
                &[(Self::TableLostRequest, 15), (Self::TableLostAnswer, 30), (Self::TableThrottled, 15), (Self::PartialBatch, 40)]
            }
            Site::Table(_, Operation::Transaction) => &[
                (Self::TableLostRequest, 15),
                (Self::TableLostAnswer, 30),
                (Self::TableThrottled, 15),
                (Self::TransactionConflict, 30),
            ],
            Site::Events(_) => &[
                (Self::BusLostRequest, 20),
                (Self::BusLostAnswer, 20),
                (Self::PartialPutEvents, 40),
                (Self::LostEvent, 40),
                (Self::RepeatedEvent, 40),
                (Self::DelayedEvent, 40),
            ],
            Site::Mail => &[(Self::MailThrottled, 60), (Self::MailFailed, 50), (Self::MailLostAnswer, 80)],
            Site::Messages(_) => &[(Self::MessageLostRequest, 40), (Self::MessageLostAnswer, 40)],
            Site::Hints => &[
                (Self::HintLost, 40),
                (Self::HintRepeated, 60),
                (Self::HintReordered, 60),
                (Self::HintDelayed, 40),
                (Self::HintsPartial, 40),
            ],
            Site::Reports => &[(Self::ReportLost, 80), (Self::ReportLate, 100), (Self::ReportRepeated, 80)],
            Site::Stream => &[(Self::StreamRepeated, 40), (Self::StreamPartial, 40)],
            Site::Invocation(Caller::Mailer) => &[(Self::MailerKilled, 120)],
            Site::Invocation(Caller::Publisher) => &[(Self::PublisherKilled, 80)],
            Site::Invocation(Caller::Login | Caller::Tasks) => &[(Self::HandlerKilled, 80)],
            Site::Clock => &[(Self::ClockSkew, 300)],
            Site::Round => &[(Self::Restart, 8)],
        }
    }
}

/// What goes wrong in one run.
#[derive(Debug)]
pub(crate) struct Schedule {
    seed: u64,
    ordinals: Mutex<BTreeMap<Site, u64>>,
}

/// A fault, and chance to decide how exactly it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Injection {
    pub(crate) fault: Fault,
    pub(crate) chance: u64,
}

impl Schedule {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, ordinals: Mutex::default() }
    }

    /// What happens to the next call of this kind.
    pub(crate) fn next(&self, site: Site) -> Option<Injection> {
        let mut ordinals = self.ordinals.lock().unwrap_or_else(PoisonError::into_inner);
        let ordinal = ordinals.entry(site).or_default();
        *ordinal += 1;
        decide(self.seed, site, *ordinal)
    }
}

/// What happens to the call of this number among those of its kind.
pub(crate) fn decide(seed: u64, site: Site, ordinal: u64) -> Option<Injection> {
    let site_number = format!("{site:?}").bytes().fold(0_u64, |number, octet| mix(number ^ u64::from(octet)));
    let chance = mix(mix(mix(seed) ^ site_number) ^ ordinal);
    let mut roll = chance % 1000;
    for (fault, often) in Fault::menu(site) {
        if roll < *often {
            return Some(Injection { fault: *fault, chance: mix(chance) });
        }
        roll -= often;
    }
    None
}

/// One step of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

/// Chance that is the same in every run of a seed.
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// A number below `bound`, which is not 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        (mix(self.0) % bound as u64) as usize
    }

    /// Whether what happens so often in a thousand times happens now.
    pub(crate) fn in_thousand(&mut self, often: usize) -> bool {
        self.below(1000) < often
    }

    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

#[test]
fn a_seed_always_injects_the_same_faults_and_another_seed_others() {
    let sites = [
        Site::Table(Caller::Tasks, Operation::Transaction),
        Site::Table(Caller::Mailer, Operation::Transaction),
        Site::Events(Caller::Publisher),
        Site::Mail,
        Site::Hints,
        Site::Invocation(Caller::Mailer),
    ];
    let schedule = |seed: u64| -> Vec<Option<Injection>> {
        let schedule = Schedule::new(seed);
        (0..6_000).map(|call| schedule.next(sites[call % sites.len()])).collect()
    };
    let first = schedule(7);
    assert_eq!(first, schedule(7));
    assert_ne!(first, schedule(8));
    // A kind of call has its own faults, however the calls of other kinds fall in between.
    let alone = Schedule::new(7);
    let of_mail: Vec<_> = (0..1_000).map(|_| alone.next(Site::Mail)).collect();
    assert_eq!(of_mail, first.iter().skip(3).step_by(6).copied().collect::<Vec<_>>());
    let kinds: std::collections::BTreeSet<Fault> = first.iter().flatten().map(|it| it.fault).collect();
    assert!(kinds.len() > 15, "{kinds:?}");
}
