//! Which claims the injected faults have struck, so that a second mail of theirs is inside the stated window.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of the mailer's claims, as seen from the services it calls.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Claims>);

#[derive(Debug, Default)]
struct Claims {
    /// Handed to the mail service, and not yet recorded as told.
    in_hand: BTreeSet<String>,
    /// Struck between being handed over and being recorded, or of unknown outcome.
    struck: BTreeSet<String>,
}

impl Ledger {
    /// The mailer is handing a mail of this claim over.
    pub(crate) fn hand_over(&self, claim: &str) {
        self.claims().in_hand.insert(claim.to_owned());
    }

    /// The mailer cannot know whether this claim's mail was accepted.
    pub(crate) fn strike(&self, claim: &str) {
        self.claims().struck.insert(claim.to_owned());
    }

    /// Something went wrong with a call of the mailer's about these claims.
    pub(crate) fn strike_named_in(&self, body: &str) {
        let mut claims = self.claims();
        let named: Vec<String> = claims.in_hand.iter().filter(|it| body.contains(it.as_str())).cloned().collect();
        claims.struck.extend(named);
    }

    /// A mailer died.
    pub(crate) fn crash(&self) {
        let mut claims = self.claims();
        let in_hand = claims.in_hand.clone();
        claims.struck.extend(in_hand);
    }

    /// A write that was answered as done.
    pub(crate) fn written(&self, body: &str) {
        if body.contains("DELIVERY#") || body.contains("SENT#") {
            self.claims().in_hand.retain(|it| !body.contains(it.as_str()));
        }
    }

    pub(crate) fn is_struck(&self, claim: &str) -> bool {
        self.claims().struck.contains(claim)
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
