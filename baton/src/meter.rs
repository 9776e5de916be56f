//! What was asked of DynamoDB, and what it would have cost on AWS.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use aws_sdk_dynamodb::{
    config::{
        ConfigBag, Intercept, RuntimeComponents,
        interceptors::{BeforeTransmitInterceptorContextMut, FinalizerInterceptorContextRef},
    },
    error::BoxError,
    primitives::SdkBody,
};
use serde_json::Value;

const ASK: &[u8] = br#"{"ReturnConsumedCapacity":"INDEXES","#;

/// Remembers every call of the clients it is an interceptor of, and asks DynamoDB for the capacity it consumed.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Vec<Call>>>);

/// One call that was answered, be it with a refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `GetItem` for one.
    pub operation: String,
    /// By the table's name; nothing for a refusal.
    pub consumed: BTreeMap<String, Units>,
}

/// Capacity units, written by operations that write and read by the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Of the table itself.
    pub table: f64,
    /// Of all its indexes.
    pub indexes: f64,
}

impl Call {
    /// Whether its units are written.
    pub fn writes(&self) -> bool {
        ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"].contains(&self.operation.as_str())
    }
}

impl Meter {
    /// All calls since this was last asked, in the order of their answers.
    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[aws_sdk_dynamodb::config::interceptors::dyn_dispatch_hint]
impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let asks_already = |body: &[u8]| body.windows(24).any(|it| it == br#""ReturnConsumedCapacity""#);
        let Some(fields) = request.body().bytes().filter(|it| !asks_already(it)).and_then(|it| it.strip_prefix(b"{")) else {
            return Ok(());
        };
        let body = [ASK, fields].concat();
        request.headers_mut().insert("content-length", body.len().to_string());
        *request.body_mut() = SdkBody::from(body);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _bag: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (Some(request), Some(response)) = (context.request(), context.response()) else { return Ok(()) };
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let answer: Value = response.body().bytes().map_or(Ok(Value::Null), serde_json::from_slice)?;
        let capacity = match &answer["ConsumedCapacity"] {
            Value::Array(tables) => tables.as_slice(),
            Value::Null => &[],
            table => std::slice::from_ref(table),
        };
        let mut consumed: BTreeMap<String, Units> = BTreeMap::new();
        for table in capacity {
            let units = consumed.entry(table["TableName"].as_str().unwrap_or_default().to_owned()).or_default();
            units.table += table["Table"]["CapacityUnits"].as_f64().unwrap_or_default();
            let indexes = table["GlobalSecondaryIndexes"].as_object().into_iter().flatten();
            units.indexes += indexes.filter_map(|(_, it)| it["CapacityUnits"].as_f64()).sum::<f64>();
        }
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, consumed });
        Ok(())
    }
}
