//! A Lambda function called in process: JSON in, JSON out, as on AWS.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use tokio_util::task::AbortOnDropHandle;

type Handler = dyn Fn(Value) -> BoxFuture<'static, Result<Value, FunctionError>> + Send + Sync;

/// A function by the logical id it has in the template.
#[derive(Clone)]
pub struct Function {
    name: Arc<str>,
    handler: Arc<Handler>,
    running: Arc<AtomicUsize>,
}

/// A call under way, for as long as this lives.
struct Running(Arc<AtomicUsize>);

impl Running {
    fn begin(running: &Arc<AtomicUsize>) -> Self {
        running.fetch_add(1, Ordering::SeqCst);
        Self(running.clone())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The function failed as a whole.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct FunctionError(pub String);

impl Function {
    /// Wraps `handler`, whose event and answer are what the Lambda runtime would decode and encode.
    pub fn new<Event, Answer, Error, Running>(name: &str, handler: impl Fn(Event) -> Running + Send + Sync + 'static) -> Self
    where
        Event: DeserializeOwned,
        Answer: Serialize,
        Error: fmt::Display,
        Running: Future<Output = Result<Answer, Error>> + Send + 'static,
    {
        let handler = Arc::new(move |event: Value| -> BoxFuture<'static, Result<Value, FunctionError>> {
            let running = serde_json::from_value(event).map(&handler);
            Box::pin(async move {
                let answer = running.map_err(|error| FunctionError(format!("the event cannot be decoded: {error}")))?;
                let answer = answer.await.map_err(|error| FunctionError(error.to_string()))?;
                serde_json::to_value(answer).map_err(|error| FunctionError(format!("the answer cannot be encoded: {error}")))
            })
        });
        Self { name: name.into(), handler, running: Arc::default() }
    }

    /// The logical id.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls the function; a panic inside is a failure of this call only. Whoever drops the call ends the function at its await, as
    /// the end of its process would.
    ///
    /// # Errors
    /// What the function reported.
    pub async fn call(&self, event: Value) -> Result<Value, FunctionError> {
        let _running = Running::begin(&self.running);
        match AbortOnDropHandle::new(tokio::spawn(self.run(event))).await {
            Ok(answer) => answer,
            Err(error) => Err(FunctionError(error.to_string())),
        }
    }

    /// The function's own future.
    pub fn run(&self, event: Value) -> BoxFuture<'static, Result<Value, FunctionError>> {
        (self.handler)(event)
    }

    /// How many calls are under way.
    pub fn running(&self) -> usize {
        self.running.load(Ordering::SeqCst)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Function").field(&self.name).finish()
    }
}

/// The `itemIdentifier`s of a partial batch answer.
pub(crate) fn failed_items(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().into_iter().flatten();
    failures.filter_map(|failure| failure["itemIdentifier"].as_str().map(str::to_owned)).collect()
}
