//! The loopback address of the emulated EventBridge, SQS and SES, as the AWS clients reach them.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::json;

use crate::{
    bus::Bus,
    inbox::Inbox,
    metrics::Metrics,
    queue::{self, Queues},
    ses,
};

/// What is behind the address.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// EventBridge.
    pub bus: Bus,
    /// SQS.
    pub queues: Queues,
    /// SES.
    pub inbox: Inbox,
    /// Told what was accepted.
    pub metrics: Metrics,
}

impl Endpoint {
    /// The routes of all three services. Signatures are not checked: whoever reaches a loopback port may use it.
    pub fn routes(self) -> Router {
        Router::new().route("/", post(answer_json_call)).route("/v2/email/outbound-emails", post(send_email)).with_state(self)
    }
}

async fn answer_json_call(State(endpoint): State<Endpoint>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    match target {
        "AWSEvents.PutEvents" => match serde_json::from_slice(&body) {
            Ok(request) => match endpoint.bus.put_events(request) {
                Ok(answer) => Json(answer).into_response(),
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "could not put events into their queues");
                    refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalException", "The queues' file failed.")
                }
            },
            Err(error) => refuse_body(&error),
        },
        _ => {
            let answered = target.strip_prefix("AmazonSQS.").and_then(|it| queue::answer(&endpoint.queues, it, &body));
            let unknown = || refuse(StatusCode::BAD_REQUEST, "UnknownOperationException", "This operation is not emulated.");
            answered.unwrap_or_else(unknown)
        }
    }
}

async fn send_email(State(endpoint): State<Endpoint>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(request) => {
            let (response, accepted) = ses::send_email(&endpoint.inbox, &endpoint.bus, request);
            endpoint.metrics.add_mails(accepted);
            response
        }
        Err(error) => refuse_body(&error),
    }
}

fn refuse_body(error: &serde_json::Error) -> Response {
    refuse(StatusCode::BAD_REQUEST, "SerializationException", &error.to_string())
}

fn refuse(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({"__type": kind, "message": message}))).into_response()
}
