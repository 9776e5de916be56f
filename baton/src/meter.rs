//! What is asked of DynamoDB, and what it would cost on AWS, counted on the way there.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    middleware::from_fn,
    response::{IntoResponse, Response},
};
use log_mailer::Mailer;
use serde_json::{Value, json};
use store::{Clock, Environment};
use tokio::net::TcpListener;

use crate::{
    function::{Function, FunctionError},
    interpose::Interpose,
    stack::{Options, Stack, StartError},
    unread,
};

/// Operations that write.
const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

/// A stack beside which the same functions run once more, with a meter between them and DynamoDB. The stack's own mailer hears of no
/// change, so whatever the metered functions do is counted alone.
#[derive(Debug)]
pub struct Metered {
    /// The stack; what is asked of it is not counted.
    pub stack: Stack,
    /// Of the metered functions alone.
    pub clock: Clock,
    /// Where the metered API answers.
    pub origin: String,
    /// The metered mailer.
    pub mailer: Mailer,
    window_seconds: u32,
    meter: Meter,
}

/// One call that was answered, be it with a refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// `GetItem` for one.
    pub operation: String,
    /// By the table's name; nothing for a refusal.
    consumed: BTreeMap<String, Units>,
}

impl Call {
    /// Whether it was not refused.
    #[must_use]
    pub fn was_done(&self) -> bool {
        !self.consumed.is_empty()
    }
}

/// Capacity units: written by operations that write, read by the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    /// Of tables themselves.
    pub tables: f64,
    /// Of all their indexes.
    pub indexes: f64,
}

impl Units {
    /// Of both.
    #[must_use]
    pub fn all(self) -> f64 {
        self.tables + self.indexes
    }
}

#[derive(Clone, Debug)]
struct Meter {
    endpoint: String,
    http: reqwest::Client,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Metered {
    /// Starts both, in memory. The metered mailer has a quiet window of so many seconds.
    ///
    /// # Errors
    /// What keeps a stack from starting.
    pub async fn start(window_seconds: u32) -> Result<Self, StartError> {
        let options = Options { in_memory: true, port: 0, interpose: Interpose::default().wrap(deaf), ..Options::default() };
        let stack = Stack::start(options).await?;
        let meter = Meter { endpoint: stack.dynamodb_endpoint(), http: reqwest::Client::new(), calls: Arc::default() };
        let address = serve(Router::new().fallback(forward).with_state(meter.clone())).await?;
        let environment = |function: &str| settings(&stack, function, window_seconds, Some(&address));
        let login = login::Login::new(&login::Settings::read(environment("login"))?);
        let clock = Clock::system();
        let tasks = tasks::TasksState::connect(tasks::Settings::read(environment("tasks"))?, clock.clone()).await?;
        let verifier = tasks.verifier.clone();
        let api = api::finish(login::routes(login).merge(tasks::routes(tasks)), verifier.issuer());
        let origin = serve(api.layer(from_fn(unread::read_rest))).await?;
        let mailer = Mailer::new(log_mailer::Settings::read(environment("log-mailer"))?, clock.clone());
        Ok(Self { stack, clock, origin, mailer, window_seconds, meter })
    }

    /// Another mailer like the metered one, past the meter.
    ///
    /// # Errors
    /// A setting is missing.
    pub fn unmetered_mailer(&self) -> Result<Mailer, StartError> {
        let settings = settings(&self.stack, "log-mailer", self.window_seconds, None);
        Ok(Mailer::new(log_mailer::Settings::read(settings)?, self.clock.clone()))
    }

    /// All calls since this was last asked, in the order of their answers.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.meter.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The operations of some calls, sorted.
#[must_use]
pub fn operations(calls: &[Call]) -> Vec<&str> {
    let mut operations: Vec<&str> = calls.iter().map(|it| it.operation.as_str()).collect();
    operations.sort_unstable();
    operations
}

/// Write units of some calls to the tables whose names have `part` in them.
#[must_use]
pub fn written(calls: &[Call], part: &str) -> Units {
    sum(calls.iter().filter(|it| WRITES.contains(&it.operation.as_str())), part)
}

/// Read units of some calls to the tables whose names have `part` in them.
#[must_use]
pub fn read(calls: &[Call], part: &str) -> Units {
    sum(calls.iter().filter(|it| !WRITES.contains(&it.operation.as_str())), part)
}

fn sum<'c>(calls: impl Iterator<Item = &'c Call>, part: &str) -> Units {
    let units = calls.flat_map(|it| &it.consumed).filter(|(table, _)| table.contains(part));
    units.fold(Units::default(), |sum, (_, it)| Units { tables: sum.tables + it.tables, indexes: sum.indexes + it.indexes })
}

/// The function, but for hints of changes, which it takes for done.
fn deaf(function: Function) -> Function {
    let name = function.name().to_owned();
    Function::new(&name, move |event: Value| {
        let function = function.clone();
        async move {
            let bodies = event["Records"].as_array().into_iter().flatten().filter_map(|it| it["body"].as_str());
            let is_hint = bodies.into_iter().any(|it| it.contains("baton.tasks") || it.contains("Mail Due"));
            if is_hint { Ok::<_, FunctionError>(json!({"batchItemFailures": []})) } else { function.run(event).await }
        }
    })
}

fn settings(stack: &Stack, function: &str, window_seconds: u32, dynamodb: Option<&str>) -> Environment {
    let mut settings = stack.calls().get(function).map(|it| it.environment.clone()).unwrap_or_default();
    settings.insert("QUIET_WINDOW_SECONDS".to_owned(), window_seconds.to_string());
    settings.extend(dynamodb.map(|it| ("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), it.to_owned())));
    Environment::from_settings(settings)
}

async fn serve(app: Router) -> Result<String, StartError> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(format!("http://{address}"))
}

/// Passes a call on, asking for the capacity it consumes, and remembers the answer's figures.
async fn forward(State(meter): State<Meter>, headers: HeaderMap, body: Bytes) -> Response {
    meter.forward(&headers, &body).await.unwrap_or_else(|error| {
        tracing::error!(error = &*error as &dyn std::error::Error, "a call cannot be metered");
        StatusCode::BAD_GATEWAY.into_response()
    })
}

impl Meter {
    async fn forward(&self, headers: &HeaderMap, body: &Bytes) -> Result<Response, StartError> {
        let mut request: Value = serde_json::from_slice(body)?;
        request["ReturnConsumedCapacity"] = json!("INDEXES");
        let mut call = self.http.post(&self.endpoint).body(request.to_string());
        for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
            if let Some(value) = headers.get(name) {
                call = call.header(name, value);
            }
        }
        let answer = call.send().await?;
        let (status, content_type) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
        let body = answer.bytes().await?;
        let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let consumed = consumed(&serde_json::from_slice(&body)?);
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, consumed });
        let mut response = (StatusCode::from_u16(status.as_u16())?, body).into_response();
        if let Some(content_type) = content_type {
            response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        }
        Ok(response)
    }
}

fn consumed(answer: &Value) -> BTreeMap<String, Units> {
    let figures = match &answer["ConsumedCapacity"] {
        Value::Array(tables) => tables.as_slice(),
        Value::Null => &[],
        table => std::slice::from_ref(table),
    };
    let mut consumed: BTreeMap<String, Units> = BTreeMap::new();
    for figure in figures {
        let units = consumed.entry(figure["TableName"].as_str().unwrap_or_default().to_owned()).or_default();
        units.tables += figure["Table"]["CapacityUnits"].as_f64().unwrap_or_default();
        let indexes = figure["GlobalSecondaryIndexes"].as_object().into_iter().flatten();
        units.indexes += indexes.filter_map(|(_, it)| it["CapacityUnits"].as_f64()).sum::<f64>();
    }
    consumed
}
