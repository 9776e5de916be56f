//! What was asked of DynamoDB, and what it would have cost on AWS, counted on the way there.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use baton::function::{Function, FunctionError};
use baton::interpose::Interpose;
use baton::stack::{Options, Stack};
use http::{HeaderMap, StatusCode, header};
use log_mailer::{Deadline, Invocation, Mailer, handle};
use serde_json::{Value, json};
use store::{Clock, Environment};
use tokio::net::TcpListener;

use crate::people::Person;

/// A stack beside which the same functions run once more, with a meter between them and DynamoDB. The stack's own mailer hears of no
/// change, so whatever the metered functions do is counted alone.
#[derive(Debug)]
pub(crate) struct Metered {
    pub(crate) stack: Stack,
    /// Of the metered functions alone.
    pub(crate) clock: Clock,
    origin: String,
    pub(crate) mailer: Mailer,
    meter: Meter,
}

/// One call that was answered, be it with a refusal.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Call {
    /// `GetItem` for one.
    pub(crate) operation: String,
    /// By the table's name; nothing for a refusal.
    consumed: BTreeMap<String, Units>,
}

impl Call {
    /// Whether it was not refused.
    pub(crate) fn was_done(&self) -> bool {
        !self.consumed.is_empty()
    }
}

/// Capacity units: written by operations that write, read by the others.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Units {
    /// Of tables themselves.
    pub(crate) tables: f64,
    /// Of all their indexes.
    pub(crate) indexes: f64,
}

#[derive(Clone, Debug)]
struct Meter {
    endpoint: String,
    http: reqwest::Client,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Metered {
    /// The metered mailer has no quiet window.
    pub(crate) async fn start() -> Self {
        Self::start_with_window(0).await
    }

    /// The metered mailer has a quiet window of so many seconds.
    pub(crate) async fn start_with_window(seconds: u32) -> Self {
        let options = Options { in_memory: true, port: 0, interpose: Interpose::default().wrap(deaf), ..Options::default() };
        let stack = Stack::start(options).await.expect("the stack starts");
        let meter = Meter { endpoint: stack.dynamodb_endpoint(), http: reqwest::Client::new(), calls: Arc::default() };
        let address = serve(Router::new().fallback(forward).with_state(meter.clone())).await;
        let environment = |function: &str| {
            let mut environment = stack.calls()[function].environment.clone();
            environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), address.clone());
            environment.insert("QUIET_WINDOW_SECONDS".to_owned(), seconds.to_string());
            Environment::from_settings(environment)
        };
        let login = login::Login::new(&login::Settings::read(environment("login")).expect("settings"));
        let tasks = tasks::Settings::read(environment("tasks")).expect("settings");
        let clock = Clock::system();
        let tasks = tasks::TasksState::connect(tasks, clock.clone()).await.expect("the keys are read");
        let verifier = tasks.verifier.clone();
        let api = api::finish(login::routes(login).merge(tasks::routes(tasks)), verifier.issuer());
        let origin = serve(api.layer(from_fn(baton::unread::read_rest))).await;
        let mailer = Mailer::new(log_mailer::Settings::read(environment("log-mailer")).expect("settings"), clock.clone());
        Self { stack, clock, origin, mailer, meter }
    }

    /// The same person, whose requests are counted.
    pub(crate) fn person(&self, person: &Person) -> Person {
        Person { origin: self.origin.clone(), ..person.clone() }
    }

    /// Plans and sends all that is owed.
    pub(crate) async fn send_mails(&self) {
        self.mailer.reconcile(self.clock.now(), Deadline::from_now()).await.expect("the log is compared with the cursors");
    }

    /// What a hint makes the mailer do: that a task, by its path, was changed.
    pub(crate) async fn hint(&self, task: &str, deadline: Deadline) {
        let answer = handle(&self.mailer, hint(task), deadline).await.expect("a queue is never refused");
        assert!(answer.batch_item_failures.is_empty(), "what is owed is filed, so the message need not come again: {answer:?}");
    }

    /// All calls since this was last asked, in the order of their answers.
    pub(crate) fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.meter.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// As the queue brings word of a task.
fn hint(task: &str) -> Invocation {
    let (project, task) = task.trim_start_matches("/v1/projects/").split_once("/tasks/").expect("a task's path");
    let detail = json!({"project": project, "task": task, "kind": "updated", "version": 2});
    let event = json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Updated", "detail": detail});
    let queue = json!({"Records": [{"messageId": "one", "body": event.to_string()}]});
    serde_json::from_value(queue).expect("a queue's event")
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

/// The operations of some calls, sorted.
pub(crate) fn operations(calls: &[Call]) -> Vec<&str> {
    let mut operations: Vec<&str> = calls.iter().map(|it| it.operation.as_str()).collect();
    operations.sort_unstable();
    operations
}

const WRITES: [&str; 5] = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems"];

/// Write units of some calls to the tables whose names have `part` in them.
pub(crate) fn written(calls: &[Call], part: &str) -> Units {
    units(calls.iter().filter(|it| WRITES.contains(&it.operation.as_str())), part)
}

/// Read units of some calls, of all tables and indexes.
pub(crate) fn read(calls: &[Call]) -> f64 {
    let Units { tables, indexes } = units(calls.iter().filter(|it| !WRITES.contains(&it.operation.as_str())), "");
    tables + indexes
}

fn units<'a>(calls: impl Iterator<Item = &'a Call>, part: &str) -> Units {
    calls.flat_map(|it| &it.consumed).filter(|(table, _)| table.contains(part)).fold(Units::default(), |sum, (_, units)| Units {
        tables: sum.tables + units.tables,
        indexes: sum.indexes + units.indexes,
    })
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, app).into_future());
    format!("http://{address}")
}

/// Passes a call on, asking for the capacity it consumes, and remembers the answer's figures.
async fn forward(State(meter): State<Meter>, headers: HeaderMap, body: Bytes) -> Response {
    let mut request: Value = serde_json::from_slice(&body).expect("a call is JSON");
    request["ReturnConsumedCapacity"] = json!("INDEXES");
    let mut call = meter.http.post(&meter.endpoint).body(request.to_string());
    for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
        if let Some(value) = headers.get(name) {
            call = call.header(name, value);
        }
    }
    let answer = call.send().await.expect("DynamoDB answers");
    let (status, content_type) = (answer.status(), answer.headers().get(header::CONTENT_TYPE).cloned());
    let body = answer.bytes().await.expect("a whole answer");
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let consumed = consumed(&serde_json::from_slice(&body).expect("an answer is JSON"));
    meter.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Call { operation, consumed });
    let mut response = (StatusCode::from_u16(status.as_u16()).expect("a status"), body).into_response();
    if let Some(content_type) = content_type {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response
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
