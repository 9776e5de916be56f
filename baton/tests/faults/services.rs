//! The services as the functions reach them: faulty on the way there and on the way back.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use baton::interpose::Service;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::bus;
use crate::faults::{CALLERS, Faults, SERVICES, caller_path, service_path};
use crate::mail_service;
use crate::schedule::{Caller, Fault, Injection, Site};
use crate::tables;

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) caller: Caller,
    pub(crate) service: Service,
    /// Below the service's address.
    path: String,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Request {
    /// `GetItem` for one.
    pub(crate) fn operation(&self) -> &str {
        let target = self.headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
        target.rsplit('.').next().unwrap_or_default()
    }

    pub(crate) fn with_body(&self, body: &Value) -> Self {
        Self { body: body.to_string().into(), ..self.clone() }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The same answer with another body.
    pub(crate) fn with_body(mut self, body: &Value) -> Response {
        self.headers.remove("x-amz-crc32");
        Self { body: body.to_string().into(), ..self }.into_response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let Self { status, headers, body } = self;
        (status, headers, body).into_response()
    }
}

/// The services of one run.
#[derive(Clone, Debug)]
pub(crate) struct Services {
    pub(crate) faults: Arc<Faults>,
    http: reqwest::Client,
    /// Calls that come later, when time moves.
    held: Arc<Mutex<Vec<Request>>>,
}

impl Services {
    /// Serves them on a free port, with the faults of this seed.
    pub(crate) async fn start(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let faults = Arc::new(Faults::new(seed, address));
        let services = Self { faults, http: reqwest::Client::new(), held: Arc::default() };
        let app = Router::new().fallback(answer).with_state(services.clone());
        let listener = axum::serve::ListenerExt::tap_io(listener, |connection| {
            let _refused = connection.set_nodelay(true);
        });
        tokio::spawn(axum::serve(listener, app).into_future());
        services
    }

    /// Passes a call on and reads what comes back; a service that is gone answers with nothing.
    pub(crate) async fn forward(&self, request: &Request) -> Option<Answer> {
        let upstream = self.faults.upstream(request.caller, request.service);
        let mut call = self.http.post(format!("{upstream}{}", request.path)).body(request.body.clone());
        for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
            if let Some(value) = request.headers.get(name) {
                call = call.header(name, value);
            }
        }
        let answer = call.send().await.ok()?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let of_the_connection: [HeaderName; 4] =
            [header::CONNECTION, header::CONTENT_LENGTH, header::DATE, header::TRANSFER_ENCODING];
        of_the_connection.iter().for_each(|name| drop(headers.remove(name)));
        Some(Answer { status, headers, body: answer.bytes().await.ok()? })
    }

    pub(crate) fn hold(&self, request: Request) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    }

    /// Lets through what was held back.
    pub(crate) async fn release(&self) {
        let held = std::mem::take(&mut *self.held.lock().unwrap_or_else(PoisonError::into_inner));
        for request in held {
            let _late = self.forward(&request).await;
        }
    }
}

async fn answer(State(services): State<Services>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut parts = uri.path().splitn(4, '/').skip(1);
    let (caller, service) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let path = format!("/{}", parts.next().unwrap_or_default());
    let caller = CALLERS.into_iter().find(|it| caller_path(*it) == caller);
    let service = SERVICES.into_iter().find(|it| service_path(*it) == service);
    let (Some(caller), Some(service)) = (caller, service) else { return StatusCode::NOT_FOUND.into_response() };
    let request = Request { caller, service, path, headers, body };
    match service {
        Service::DynamoDb => tables::answer(&services, &request).await,
        Service::EventBridge => bus::answer(&services, &request).await,
        Service::Ses => mail_service::answer(&services, &request).await,
        Service::Sqs => send_message(&services, &request).await,
    }
}

async fn send_message(services: &Services, request: &Request) -> Response {
    let Some(Injection { fault, chance }) = services.faults.next(Site::Messages(request.caller)) else {
        return passed(services.forward(request).await);
    };
    services.faults.count(fault);
    if fault == Fault::MessageLostAnswer {
        let _lost = services.forward(request).await;
    }
    cut_off(chance)
}

/// An answer on its way back, or the end of the connection.
pub(crate) fn passed(answer: Option<Answer>) -> Response {
    answer.map_or_else(|| cut_off(0), IntoResponse::into_response)
}

/// No answer: the connection ends, or a machine on the way says that it could not get one.
pub(crate) fn cut_off(chance: u64) -> Response {
    if chance.is_multiple_of(2) {
        let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let body = Body::from_stream(futures::stream::once(async { Err::<Bytes, _>(cut) }));
        return ([(header::CONTENT_LENGTH, "100")], body).into_response();
    }
    refused(500, "InternalServerError", "It went wrong on the way.")
}

/// A definite no.
pub(crate) fn refused(status: u16, kind: &str, message: &str) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = [("x-amzn-errortype", kind.to_owned()), ("content-type", "application/x-amz-json-1.0".to_owned())];
    (status, headers, json!({"__type": kind, "message": message}).to_string()).into_response()
}
