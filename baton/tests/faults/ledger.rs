//! What became of the mailer's claims, as seen from the services it calls: whether one may be handed to the mail service once more.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every claim that a mail was handed over of, or that a fault has struck.
#[derive(Debug, Default)]
pub(crate) struct Ledger(Mutex<Claims>);

#[derive(Debug, Default)]
struct Claims {
    by_id: BTreeMap<String, Seen>,
    /// Mails handed over though nothing allowed it, in words.
    unallowed: Vec<String>,
}

#[derive(Debug, Default)]
struct Seen {
    is_handed_over: bool,
    /// Handed to the mail service, and not yet recorded as told.
    in_hand: bool,
    /// Why its mail may go once more: something struck it since it was last handed over, or the mail service did not take it.
    may_go_again: bool,
    /// Struck at any time, so that a second mail of it is inside the stated window.
    is_struck: bool,
    is_recorded: bool,
    /// The mailer has noted that the mail service took its mail.
    is_reported: bool,
    /// Its latest attempt began after that, and knows it.
    attempted_after_report: bool,
}

impl Seen {
    fn strike(&mut self) {
        (self.is_struck, self.may_go_again) = (true, true);
    }
}

impl Ledger {
    /// The mailer is handing a mail of this claim over.
    pub(crate) fn hand_over(&self, claim: &str) {
        let Claims { by_id, unallowed } = &mut *self.claims();
        let seen = by_id.entry(claim.to_owned()).or_default();
        let mut unless = |is_allowed: bool, why: &str| {
            if !is_allowed {
                unallowed.push(format!("claim {claim} was handed over though {why}"));
            }
        };
        unless(!seen.is_recorded, "its deliveries were recorded");
        unless(!seen.attempted_after_report, "its attempt began after its mail was reported as taken");
        unless(!seen.is_handed_over || seen.may_go_again, "nothing had struck it since the last time");
        (seen.is_handed_over, seen.in_hand, seen.may_go_again) = (true, true, false);
    }

    /// The mail service surely did not take this claim's mail.
    pub(crate) fn refuse(&self, claim: &str) {
        self.claims().by_id.entry(claim.to_owned()).or_default().may_go_again = true;
    }

    /// The mailer cannot know whether this claim's mail was accepted.
    pub(crate) fn strike(&self, claim: &str) {
        self.claims().by_id.entry(claim.to_owned()).or_default().strike();
    }

    /// Something went wrong with a call of the mailer's about these claims.
    pub(crate) fn strike_named_in(&self, body: &str) {
        self.claims().named_in(body).filter(|it| it.in_hand).for_each(Seen::strike);
    }

    /// A mailer died.
    pub(crate) fn crash(&self) {
        self.claims().by_id.values_mut().filter(|it| it.in_hand).for_each(Seen::strike);
    }

    /// A write of the mailer's that was answered as done.
    pub(crate) fn written(&self, body: &str) {
        let mut claims = self.claims();
        if body.contains("DELIVERY#") || body.contains("SENT#") {
            claims.named_in(body).for_each(|it| (it.is_recorded, it.in_hand) = (true, false));
        } else if body.contains("SET #accepted = :true") {
            claims.named_in(body).for_each(|it| it.is_reported = true);
        } else if body.contains("SET #attempt = :taken") {
            claims.named_in(body).for_each(|it| it.attempted_after_report = it.is_reported);
        }
    }

    pub(crate) fn is_struck(&self, claim: &str) -> bool {
        self.claims().by_id.get(claim).is_some_and(|it| it.is_struck)
    }

    /// Mails handed over though nothing allowed it, in words.
    pub(crate) fn unallowed(&self) -> Vec<String> {
        self.claims().unallowed.clone()
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    fn named_in<'c>(&'c mut self, body: &'c str) -> impl Iterator<Item = &'c mut Seen> {
        self.by_id.iter_mut().filter(|(claim, _)| body.contains(claim.as_str())).map(|(_, seen)| seen)
    }
}

#[test]
fn a_claim_is_handed_over_again_only_after_it_was_struck_or_refused() {
    let wrong = |ledger: &Ledger| ledger.unallowed().len();
    let ledger = Ledger::default();
    ledger.hand_over("a");
    ledger.crash();
    ledger.hand_over("a");
    ledger.refuse("a");
    ledger.hand_over("a");
    assert_eq!(wrong(&ledger), 0);
    ledger.hand_over("a");
    assert_eq!(wrong(&ledger), 1, "nothing had happened");

    let ledger = Ledger::default();
    ledger.hand_over("a");
    ledger.strike("a");
    ledger.written("DELIVERY# of b");
    ledger.hand_over("a");
    ledger.written("SENT# of a");
    ledger.crash();
    ledger.hand_over("a");
    assert_eq!(wrong(&ledger), 2, "recorded, and so not struck either");

    let ledger = Ledger::default();
    ledger.hand_over("a");
    ledger.strike("a");
    ledger.written("SET #attempt = :taken of a");
    ledger.written("SET #accepted = :true of a");
    ledger.hand_over("a");
    assert_eq!(wrong(&ledger), 0, "the report may come while an attempt is on its way");
    ledger.strike("a");
    ledger.written("SET #attempt = :taken of a");
    ledger.hand_over("a");
    assert_eq!(wrong(&ledger), 1, "this one could have known");
}
