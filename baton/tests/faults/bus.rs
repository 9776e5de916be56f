//! EventBridge: loses requests and answers, takes a PutEvents in part, and loses, repeats and delays single events.

use axum::response::Response;
use serde_json::{Value, json};

use crate::schedule::{Fault, Injection, Site};
use crate::services::{Request, Services, cut_off, passed};

pub(crate) async fn answer(services: &Services, request: &Request) -> Response {
    let Some(Injection { fault, chance }) = services.faults.next(Site::Events(request.caller)) else {
        return passed(services.forward(request).await);
    };
    services.faults.count(fault);
    let entries = request.json()["Entries"].as_array().cloned().unwrap_or_default();
    if entries.is_empty() {
        return passed(services.forward(request).await);
    }
    let chosen = (chance % entries.len() as u64) as usize;
    let only = |entry: &Value| request.with_body(&json!({"Entries": [entry]}));
    match fault {
        Fault::BusLostAnswer => {
            let _lost = services.forward(request).await;
            cut_off(chance)
        }
        Fault::PartialPutEvents => {
            let failed = json!({"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded."});
            without(services, request, entries, chosen, &failed).await
        }
        // Accepted by the bus, and then lost, late or repeated on the way to the queue.
        Fault::LostEvent => without(services, request, entries, chosen, &taken()).await,
        Fault::DelayedEvent => {
            services.hold(only(&entries[chosen]));
            without(services, request, entries, chosen, &taken()).await
        }
        Fault::RepeatedEvent => {
            let _twice = services.forward(&only(&entries[chosen])).await;
            passed(services.forward(request).await)
        }
        _ => cut_off(chance),
    }
}

fn taken() -> Value {
    json!({"EventId": "11710aed-b79e-4468-a20b-bb3c0c3b4860"})
}

/// Passes on all entries but one, and answers so for that one.
async fn without(
    services: &Services,
    request: &Request,
    mut entries: Vec<Value>,
    left_out: usize,
    as_answered: &Value,
) -> Response {
    entries.remove(left_out);
    let has_failed = as_answered.get("ErrorCode").is_some();
    // The service takes no empty list, and neither does its emulation have to.
    let Some(answer) = services.forward(&request.with_body(&json!({"Entries": entries}))).await else { return cut_off(0) };
    let mut body = answer.json();
    let Some(answers) = body["Entries"].as_array_mut() else { return cut_off(0) };
    answers.insert(left_out, as_answered.clone());
    body["FailedEntryCount"] = json!(body["FailedEntryCount"].as_u64().unwrap_or_default() + u64::from(has_failed));
    answer.with_body(&body)
}
