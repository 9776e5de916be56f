use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::config::interceptors::{
    AfterDeserializationInterceptorContextRef, BeforeDeserializationInterceptorContextMut, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_write_item::BatchWriteItemOutput;
use aws_sdk_dynamodb::operation::put_item::PutItemOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use aws_smithy_runtime_api::http::{Response, StatusCode};
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// What happens between client and database.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// The first answer to each write is lost after it was done.
    pub(crate) loses_answers: bool,
    /// The second answer to each transaction is that another one is writing the same item.
    pub(crate) collides: bool,
    /// Of each batch of writes only the first is done.
    pub(crate) halves_batches: bool,
    /// Writes by this operation are refused, and not done.
    pub(crate) refuses: Option<&'static str>,
    /// The operations of the writes, in their order, also of those whose answers were lost.
    pub(crate) writes: Vec<String>,
    /// What the writes cost.
    pub(crate) write_units: f64,
    /// The operation and body of the call under way.
    call: (String, Vec<u8>),
    lost: BTreeSet<Vec<u8>>,
    collided: BTreeSet<Vec<u8>>,
    left: Option<Value>,
}

#[derive(Debug)]
pub(crate) struct Tap(pub(crate) Arc<Mutex<Wire>>);

fn operation(target: Option<&str>) -> &str {
    target.and_then(|it| it.split_once('.')).map_or("", |(_, operation)| operation)
}

fn is_write(operation: &str) -> bool {
    ["Put", "Update", "Delete", "Write"].iter().any(|it| operation.contains(it))
}

fn answer(status: u16, body: &Value) -> Result<Response, BoxError> {
    Ok(Response::new(StatusCode::try_from(status)?, SdkBody::from(body.to_string())))
}

impl Intercept for Tap {
    fn name(&self) -> &'static str {
        "Tap"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut wire = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let request = context.request_mut();
        let operation = operation(request.headers().get("x-amz-target")).to_owned();
        wire.call = (operation.clone(), request.body().bytes().unwrap_or_default().to_vec());
        if !is_write(&operation) {
            return Ok(());
        }
        wire.writes.push(operation.clone());
        if wire.refuses == Some(operation.as_str()) {
            *request.body_mut() = SdkBody::from("{}");
        } else if wire.halves_batches && operation == "BatchWriteItem" {
            let mut body: Value = serde_json::from_slice(request.body().bytes().unwrap_or_default())?;
            let tables = body["RequestItems"].as_object_mut().into_iter().flatten();
            let mut left = json!({});
            for (table, writes) in tables {
                let others = writes.as_array_mut().map(|it| it.split_off(1)).unwrap_or_default();
                if !others.is_empty() {
                    left[table] = Value::Array(others);
                }
            }
            wire.left = Some(left);
            *request.body_mut() = SdkBody::from(body.to_string());
        } else {
            return Ok(());
        }
        let length = request.body().bytes().unwrap_or_default().len().to_string();
        request.headers_mut().insert("content-length", length);
        Ok(())
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut wire = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (operation, body) = wire.call.clone();
        if wire.refuses == Some(operation.as_str()) {
            *context.response_mut() = answer(400, &json!({"__type": "AccessDeniedException"}))?;
        } else if wire.loses_answers && is_write(&operation) && wire.lost.insert(body.clone()) {
            *context.response_mut() = answer(500, &json!({"__type": "InternalServerError"}))?;
        } else if wire.collides && operation == "TransactWriteItems" && wire.collided.insert(body) {
            let reasons = json!([{"Code": "TransactionConflict"}, {"Code": "None"}]);
            *context.response_mut() =
                answer(400, &json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons}))?;
        } else if let Some(left) = wire.left.take() {
            *context.response_mut() = answer(200, &json!({"UnprocessedItems": left}))?;
        }
        Ok(())
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Ok(output) = context.output_or_error() else { return Ok(()) };
        let one = |it: Option<&ConsumedCapacity>| it.cloned().into_iter().collect();
        let consumed: Vec<ConsumedCapacity> = if let Some(put) = output.downcast_ref::<PutItemOutput>() {
            one(put.consumed_capacity())
        } else if let Some(update) = output.downcast_ref::<UpdateItemOutput>() {
            one(update.consumed_capacity())
        } else if let Some(batch) = output.downcast_ref::<BatchWriteItemOutput>() {
            batch.consumed_capacity().to_vec()
        } else if let Some(transaction) = output.downcast_ref::<TransactWriteItemsOutput>() {
            transaction.consumed_capacity().to_vec()
        } else {
            return Ok(());
        };
        let units: f64 = consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_units += units;
        Ok(())
    }
}
