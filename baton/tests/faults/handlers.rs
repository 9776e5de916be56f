//! Functions that are called twice, out of order, too late or not at all, and that die at an await.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use baton::function::{Function, FunctionError};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::schedule::{Caller, Fault, Injection, Site};

/// A function dies at one of its first awaits: so many, since short calls are to be struck as well as what long ones do last.
const LATEST_DEATHS: [u64; 4] = [4, 12, 60, 600];

/// The same function, in a world where its calls go wrong.
pub(crate) fn wrap(function: Function, faults: Arc<Faults>) -> Function {
    let name = function.name().to_owned();
    Function::new(&name, move |event: Value| {
        let (function, faults) = (function.clone(), Arc::clone(&faults));
        async move {
            let _standstill = Arc::clone(&faults.standstill).read_owned().await;
            Call { function, faults }.deliver(event).await
        }
    })
}

/// The same routes, in a world where their function dies: what answers for it then is the gateway.
pub(crate) fn wrap_routes(function: &str, routes: Router, faults: Arc<Faults>) -> Router {
    let caller = if function == "login" { Caller::Login } else { Caller::Tasks };
    routes.route_layer(middleware::from_fn_with_state((caller, faults), answer))
}

async fn answer(State((caller, faults)): State<(Caller, Arc<Faults>)>, request: Request, next: Next) -> Response {
    let Some(Injection { fault, chance }) = faults.next(Site::Invocation(caller)) else { return next.run(request).await };
    let killed = || {
        faults.count(fault);
        StatusCode::BAD_GATEWAY.into_response()
    };
    Mortal::new(next.run(request).boxed(), chance).await.unwrap_or_else(killed)
}

#[derive(Clone)]
struct Call {
    function: Function,
    faults: Arc<Faults>,
}

impl Call {
    async fn deliver(self, event: Value) -> Result<Value, FunctionError> {
        let first = &event["Records"][0];
        let queue = first["eventSourceARN"].as_str().unwrap_or_default().rsplit(':').next().unwrap_or_default();
        let site = match first["eventSource"].as_str() {
            Some("aws:sqs") if queue == "FeedbackQueue" => Site::Reports,
            Some("aws:sqs") => Site::Hints,
            Some(_) => Site::Stream,
            None => return self.run(event, caller(&self.function)).await,
        };
        let caller = caller(&self.function);
        match self.faults.next(site) {
            Some(injection) => self.deliver_badly(event, caller, injection).await,
            None => self.run(event, caller).await,
        }
    }

    async fn deliver_badly(&self, event: Value, caller: Caller, injection: Injection) -> Result<Value, FunctionError> {
        let Injection { fault, chance } = injection;
        let mut records = event["Records"].as_array().cloned().unwrap_or_default();
        let chosen = (chance % records.len().max(1) as u64) as usize;
        if fault == Fault::HintReordered && records.len() < 2 {
            return self.run(event, caller).await;
        }
        self.faults.count(fault);
        match fault {
            // The reports of one mail come together: only where all are lost nobody hears of it.
            Fault::ReportLost => Ok(json!({"batchItemFailures": []})),
            Fault::HintLost => {
                records.remove(chosen);
                self.run_some(records, caller).await
            }
            Fault::HintDelayed | Fault::ReportLate => {
                let late = records.remove(chosen);
                self.run_some(records, caller).await.map(|answer| with_failure(answer, &late))
            }
            Fault::HintReordered => {
                records.reverse();
                self.run_some(records, caller).await
            }
            Fault::HintRepeated | Fault::ReportRepeated => {
                let (first, second) = futures::join!(self.run(event.clone(), caller), self.run(event, caller));
                first.and(second)
            }
            Fault::HintsPartial | Fault::StreamPartial => {
                let failed = records.swap_remove(chosen);
                self.run(event, caller).await.map(|answer| with_failure(answer, &failed))
            }
            Fault::StreamRepeated => {
                let _first = self.run(event.clone(), caller).await;
                self.run(event, caller).await
            }
            _ => self.run(event, caller).await,
        }
    }

    async fn run_some(&self, records: Vec<Value>, caller: Caller) -> Result<Value, FunctionError> {
        if records.is_empty() {
            Ok(json!({"batchItemFailures": []}))
        } else {
            self.run(json!({"Records": records}), caller).await
        }
    }

    async fn run(&self, event: Value, caller: Caller) -> Result<Value, FunctionError> {
        let running = self.function.run(event);
        match self.faults.next(Site::Invocation(caller)) {
            None => running.await,
            Some(Injection { fault, chance }) => match Mortal::new(running, chance).await {
                Some(answer) => answer,
                None => {
                    self.faults.count(fault);
                    if caller == Caller::Mailer {
                        self.faults.ledger.crash();
                    }
                    Err(FunctionError("killed".to_owned()))
                }
            },
        }
    }
}

fn caller(function: &Function) -> Caller {
    if function.name().contains("Publisher") { Caller::Publisher } else { Caller::Mailer }
}

/// The answer, in which this record failed as well.
fn with_failure(mut answer: Value, record: &Value) -> Value {
    let item = record["messageId"].as_str().or_else(|| record["dynamodb"]["SequenceNumber"].as_str());
    let failure = json!({"itemIdentifier": item});
    match answer["batchItemFailures"].as_array_mut() {
        Some(failures) => failures.push(failure),
        None => answer["batchItemFailures"] = json!([failure]),
    }
    answer
}

/// A future that is dropped at one of its awaits; then it comes to nothing.
struct Mortal<T> {
    running: Option<BoxFuture<'static, T>>,
    awaits_left: u64,
}

impl<T> Mortal<T> {
    fn new(running: BoxFuture<'static, T>, chance: u64) -> Self {
        let latest = LATEST_DEATHS[(chance >> 32) as usize % LATEST_DEATHS.len()];
        Self { running: Some(running), awaits_left: 1 + chance % latest }
    }
}

impl<T> Future for Mortal<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.awaits_left == 0 {
            self.running = None;
        }
        let Some(running) = &mut self.running else { return Poll::Ready(None) };
        let polled = running.as_mut().poll(context);
        self.awaits_left -= 1;
        polled.map(Some)
    }
}
