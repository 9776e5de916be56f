//! What was injected and what came of it, counted.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use crate::schedule::Fault;

/// The faults injected so far.
#[derive(Debug, Default)]
pub(crate) struct Injected(Mutex<BTreeMap<Fault, u64>>);

impl Injected {
    pub(crate) fn count(&self, fault: Fault) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(fault).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> BTreeMap<Fault, u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What one run, or several, came to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) runs: u64,
    pub(crate) faults: BTreeMap<Fault, u64>,
    pub(crate) changes: u64,
    /// Changes that surely owed somebody a mail.
    pub(crate) changes_owed: u64,
    /// Pairs of a person and a change of which this person surely had to be told.
    pub(crate) owed: u64,
    /// Pairs of a person and a change in mails that arrived.
    pub(crate) told: u64,
    pub(crate) mails: u64,
    pub(crate) notifications: u64,
    /// Mails that came a second time after an injected crash or a lost answer on that very claim.
    pub(crate) doubled_inside: u64,
    /// What the runs that failed found, by the word that begins it.
    pub(crate) found: BTreeMap<String, u64>,
}

impl Tally {
    /// What a run that failed found; it counts nothing else.
    pub(crate) fn add_failure(&mut self, wrong: &[String]) {
        for finding in wrong {
            let word = finding.split(':').next().unwrap_or_default().to_owned();
            *self.found.entry(word).or_default() += 1;
        }
    }

    fn found(&self, word: &str) -> u64 {
        self.found.get(word).copied().unwrap_or_default()
    }

    pub(crate) fn add(&mut self, other: &Self) {
        let Self { runs, faults, changes, changes_owed, owed, told, mails, notifications, doubled_inside, found } = other;
        for (fault, count) in faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (word, count) in found {
            *self.found.entry(word.clone()).or_default() += count;
        }
        self.runs += runs;
        self.changes += changes;
        self.changes_owed += changes_owed;
        self.owed += owed;
        self.told += told;
        self.mails += mails;
        self.notifications += notifications;
        self.doubled_inside += doubled_inside;
    }

    pub(crate) fn injected(&self) -> u64 {
        self.faults.values().sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |name: &str, count: u64| writeln!(formatter, "{name:<44} {count:>10}");
        for (fault, count) in &self.faults {
            line(fault.name(), *count)?;
        }
        line("faults injected", self.injected())?;
        line("seeds", self.runs)?;
        line("changes", self.changes)?;
        line("changes that owed a mail", self.changes_owed)?;
        line("owed: a person and a change", self.owed)?;
        line("told: a person and a change", self.told)?;
        line("mails", self.mails)?;
        line("notifications", self.notifications)?;
        line("lost", self.found("LOST"))?;
        line("doubled outside the window", self.found("DOUBLED"))?;
        line("doubled inside the window", self.doubled_inside)?;
        line("mailed by a replay of the whole log", self.found("REPLAYED"))?;
        let named = ["LOST", "DOUBLED", "REPLAYED"];
        line("otherwise wrong", self.found.iter().filter(|(word, _)| !named.contains(&word.as_str())).map(|it| it.1).sum())
    }
}
