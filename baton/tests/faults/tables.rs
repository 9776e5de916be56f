//! DynamoDB: loses requests, loses answers after the commit, throttles, sees conflicts and does batches in part.

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::schedule::{Caller, Fault, Injection, Operation, Site};
use crate::services::{Request, Services, cut_off, passed, refused};

pub(crate) async fn answer(services: &Services, request: &Request) -> Response {
    let operation = match request.operation() {
        "BatchGetItem" => Operation::BatchRead,
        "BatchWriteItem" => Operation::BatchWrite,
        "TransactWriteItems" => Operation::Transaction,
        "PutItem" | "UpdateItem" | "DeleteItem" => Operation::Write,
        _ => Operation::Read,
    };
    let faults = &services.faults;
    let is_mailer = request.caller == Caller::Mailer;
    let is_write = !matches!(operation, Operation::Read | Operation::BatchRead);
    let forward = async || {
        let answer = services.forward(request).await;
        if is_mailer && is_write && answer.as_ref().is_some_and(|it| it.status.is_success()) {
            faults.ledger.written(&String::from_utf8_lossy(&request.body));
        }
        answer
    };
    let text = String::from_utf8_lossy(&request.body);
    let Some(injection) = faults.next(Site::Table(request.caller, operation)) else {
        return passed(forward().await);
    };
    faults.count(injection.fault);
    if is_mailer {
        faults.ledger.strike_named_in(&text);
    }
    let Injection { fault, chance } = injection;
    match fault {
        Fault::TableLostAnswer => {
            let _lost = forward().await;
            cut_off(chance)
        }
        Fault::TableThrottled => {
            refused(400, "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", "Too many at once.")
        }
        Fault::TransactionConflict if operation == Operation::Transaction => canceled(request, chance),
        Fault::TransactionConflict => refused(
            400,
            "com.amazonaws.dynamodb.v20120810#TransactionConflictException",
            "A transaction is ongoing for the item.",
        ),
        Fault::PartialBatch => in_part(services, request, operation, chance).await,
        _ => cut_off(chance),
    }
}

/// Another transaction holds one of the items.
fn canceled(request: &Request, chance: u64) -> Response {
    let items = request.json()["TransactItems"].as_array().map_or(1, Vec::len).max(1);
    let held = (chance % items as u64) as usize;
    let code = |item| if item == held { "TransactionConflict" } else { "None" };
    let reasons: Vec<Value> = (0..items).map(|item| json!({"Code": code(item)})).collect();
    let codes: Vec<&str> = (0..items).map(code).collect();
    let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
    let message = format!("Transaction cancelled, please refer cancellation reasons for specific reasons [{}]", codes.join(", "));
    let body = json!({"__type": kind, "Message": message, "CancellationReasons": reasons});
    let headers = [("x-amzn-errortype", kind), ("content-type", "application/x-amz-json-1.0")];
    (axum::http::StatusCode::BAD_REQUEST, headers, body.to_string()).into_response()
}

/// Does the first half of a batch and hands the rest back; all of it, where there is only one.
async fn in_part(services: &Services, request: &Request, operation: Operation, chance: u64) -> Response {
    let mut body = request.json();
    let (unprocessed, responses) = match operation {
        Operation::BatchRead => ("UnprocessedKeys", json!({"Responses": {}})),
        _ => ("UnprocessedItems", json!({})),
    };
    let mut rest = Map::new();
    let Some(tables) = body["RequestItems"].as_object_mut() else { return cut_off(chance) };
    for (table, asked) in tables.iter_mut() {
        let mut later = asked.clone();
        let (now, later_list) = match operation {
            Operation::BatchRead => (asked["Keys"].as_array_mut(), later["Keys"].as_array_mut()),
            _ => (asked.as_array_mut(), later.as_array_mut()),
        };
        let (Some(now), Some(later_list)) = (now, later_list) else { return cut_off(chance) };
        let done = now.len() / 2;
        now.truncate(done);
        later_list.drain(..done);
        rest.insert(table.clone(), later);
    }
    tables.retain(|_, asked| !asked.as_array().or_else(|| asked["Keys"].as_array()).is_none_or(Vec::is_empty));
    let is_empty = tables.is_empty();
    if is_empty {
        let mut answer = responses;
        answer[unprocessed] = Value::Object(rest);
        return ([("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response();
    }
    let Some(answer) = services.forward(&request.with_body(&body)).await else { return cut_off(0) };
    if !answer.status.is_success() {
        return answer.into_response();
    }
    let mut merged = answer.json();
    merged[unprocessed] = Value::Object(rest);
    answer.with_body(&merged)
}
