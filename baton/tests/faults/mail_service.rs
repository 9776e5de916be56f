//! SES: throttles, fails, and accepts mails without anybody hearing of it.

use axum::response::Response;

use crate::ledger::Ledger;
use crate::schedule::{Fault, Injection, Site};
use crate::services::{Request, Services, cut_off, passed, refused};

pub(crate) async fn answer(services: &Services, request: &Request) -> Response {
    let ledger = &services.faults.ledger;
    let claim = claim(request);
    ledger.hand_over(&claim);
    let mut unanswered = Unanswered(Some((ledger, &claim)));
    let answer = answer_of(services, request, &claim).await;
    unanswered.0 = None;
    answer
}

/// Whoever hung up before they were answered does not know what became of their mail.
struct Unanswered<'a>(Option<(&'a Ledger, &'a str)>);

impl Drop for Unanswered<'_> {
    fn drop(&mut self) {
        if let Some((ledger, claim)) = self.0 {
            ledger.strike(claim);
        }
    }
}

async fn answer_of(services: &Services, request: &Request, claim: &str) -> Response {
    let ledger = &services.faults.ledger;
    let Some(Injection { fault, chance }) = services.faults.next(Site::Mail) else {
        let answer = services.forward(request).await;
        if !answer.as_ref().is_some_and(|it| it.status.is_success()) {
            ledger.strike(claim);
        }
        return passed(answer);
    };
    services.faults.count(fault);
    match fault {
        Fault::MailThrottled => {
            ledger.refuse(claim);
            refused(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
        }
        Fault::MailLostAnswer => {
            ledger.strike(claim);
            let _lost = services.forward(request).await;
            cut_off(chance)
        }
        _ => {
            ledger.strike(claim);
            refused(503, "InternalServiceErrorException", "It went wrong.")
        }
    }
}

/// The claim whose mail this is.
fn claim(request: &Request) -> String {
    let body = request.json();
    let tags = body["EmailTags"].as_array().into_iter().flatten();
    let claim = tags.filter(|it| it["Name"] == "claim").find_map(|it| it["Value"].as_str());
    claim.unwrap_or_default().to_owned()
}
