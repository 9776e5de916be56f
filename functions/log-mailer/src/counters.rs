use std::sync::atomic::{AtomicU64, Ordering};

/// What this process has done about mails since it started.
#[derive(Debug, Default)]
pub struct Counters {
    planned: AtomicU64,
    sent: AtomicU64,
    resent: AtomicU64,
    suppressed: AtomicU64,
    accepted: AtomicU64,
}

/// The counters at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Parts filed.
    pub planned: u64,
    /// Mails the mail service accepted, those sent again among them.
    pub sent: u64,
    /// Mails that the mail service took, or may have taken, of a claim that an earlier attempt had left open: each may be a second.
    pub resent: u64,
    /// Parts closed without a mail.
    pub suppressed: u64,
    /// Claims closed without a mail of their own, since the mail service said that it had accepted one.
    pub accepted: u64,
}

impl Counters {
    /// The counters now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let Self { planned, sent, resent, suppressed, accepted } = self;
        let read = |it: &AtomicU64| it.load(Ordering::Relaxed);
        Counts {
            planned: read(planned),
            sent: read(sent),
            resent: read(resent),
            suppressed: read(suppressed),
            accepted: read(accepted),
        }
    }

    pub(crate) fn add_planned(&self, parts: usize) {
        self.planned.fetch_add(parts as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_sent(&self) {
        self.sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_resent(&self) {
        self.resent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add_suppressed(&self, parts: usize) {
        self.suppressed.fetch_add(parts as u64, Ordering::Relaxed);
    }

    pub(crate) fn add_accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }
}
