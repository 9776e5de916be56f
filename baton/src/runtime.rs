//! The Lambda Runtime API (version 2018-06-01) for one invocation of a real function binary.

use std::{
    collections::BTreeMap,
    path::Path,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde_json::{Value, json};
use tokio::sync::mpsc;

const VERSION: &str = "/2018-06-01/runtime";

/// What came of an invocation.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The function's answer.
    Answered(Value),
    /// The function reported an error.
    Failed(Value),
    /// The function ended before it asked for the event.
    NotStarted(Value),
}

/// A function could not be invoked.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// No port, or the binary cannot be run.
    #[error("cannot run the function")]
    Run(#[from] std::io::Error),
    /// It ended without a word.
    #[error("the function ended without an answer ({0})")]
    Ended(String),
    /// It took too long.
    #[error("the function did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

#[derive(Clone)]
struct Invocation {
    event: Arc<Mutex<Option<String>>>,
    outcomes: mpsc::Sender<Outcome>,
    timeout: Duration,
}

/// Runs `binary` under a Runtime API that has `event` for it once, with `environment` and nothing else of this process's environment.
///
/// # Errors
/// It does not start, answers nothing, or takes longer than `timeout`.
pub async fn invoke(
    name: &str,
    binary: &Path,
    environment: &BTreeMap<String, String>,
    event: String,
    timeout: Duration,
) -> Result<Outcome, InvokeError> {
    let (sender, mut outcomes) = mpsc::channel(4);
    let invocation = Invocation { event: Arc::new(Mutex::new(Some(event))), outcomes: sender, timeout };
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let server = tokio::spawn(axum::serve(listener, routes(invocation)).into_future());
    let mut child = tokio::process::Command::new(binary)
        .env_clear()
        .envs(environment)
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", name)
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/baton/local")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
        .stdin(Stdio::null())
        // What it logs is not its answer.
        .stdout(Stdio::from(std::io::stderr()))
        .kill_on_drop(true)
        .spawn()?;
    let outcome = tokio::select! {
        outcome = outcomes.recv() => outcome.ok_or_else(|| InvokeError::Ended("its runtime is gone".to_owned())),
        status = child.wait() => match outcomes.try_recv() {
            Ok(outcome) => Ok(outcome),
            Err(_) => Err(InvokeError::Ended(status?.to_string())),
        },
        () = tokio::time::sleep(timeout) => Err(InvokeError::TimedOut(timeout)),
    };
    child.start_kill().or_else(|error| if error.kind() == std::io::ErrorKind::InvalidInput { Ok(()) } else { Err(error) })?;
    child.wait().await?;
    server.abort();
    outcome
}

fn routes(invocation: Invocation) -> Router {
    Router::new()
        .route(&format!("{VERSION}/invocation/next"), get(next))
        .route(&format!("{VERSION}/invocation/{{id}}/response"), post(answer))
        .route(&format!("{VERSION}/invocation/{{id}}/error"), post(fail))
        .route(&format!("{VERSION}/init/error"), post(fail_to_start))
        .with_state(invocation)
}

async fn next(State(invocation): State<Invocation>) -> Response {
    let event = invocation.event.lock().unwrap_or_else(PoisonError::into_inner).take();
    // There is one event only; whoever asks for another waits until it is stopped, as it would be frozen on AWS.
    let Some(event) = event else { return std::future::pending().await };
    let deadline = crate::database::now_milliseconds() + i64::try_from(invocation.timeout.as_millis()).unwrap_or(i64::MAX / 2);
    let mut response = event.into_response();
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("lambda-runtime-aws-request-id", request_id());
    headers.insert("lambda-runtime-deadline-ms", HeaderValue::from(deadline));
    headers.insert(
        "lambda-runtime-invoked-function-arn",
        HeaderValue::from_static("arn:aws:lambda:eu-central-1:000000000000:function:local"),
    );
    headers.insert("lambda-runtime-trace-id", HeaderValue::from_static("Root=1-00000000-000000000000000000000000;Sampled=0"));
    response
}

async fn answer(State(invocation): State<Invocation>, body: Bytes) -> Response {
    tell(&invocation, Outcome::Answered(read(&body))).await
}

async fn fail(State(invocation): State<Invocation>, body: Bytes) -> Response {
    tell(&invocation, Outcome::Failed(read(&body))).await
}

async fn fail_to_start(State(invocation): State<Invocation>, body: Bytes) -> Response {
    tell(&invocation, Outcome::NotStarted(read(&body))).await
}

async fn tell(invocation: &Invocation, outcome: Outcome) -> Response {
    // Nobody listens any more once an outcome is there.
    let _unheard = invocation.outcomes.send(outcome).await;
    (StatusCode::ACCEPTED, Json(json!({"status": "OK"}))).into_response()
}

fn read(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(body).into_owned()))
}

fn request_id() -> HeaderValue {
    HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).expect("a UUID is ASCII")
}
