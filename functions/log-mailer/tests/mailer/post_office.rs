use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// What the mail service does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Accept,
    Throttle,
    /// For good.
    Refuse,
    /// The whole account.
    Pause,
    /// Without taking the mail.
    Fail,
    /// After taking the mail.
    AcceptInSilence,
    /// Takes the mail when told to go on.
    Wait(Arc<Notify>),
}

/// A mail that was taken.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) headers: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    asked: usize,
    script: VecDeque<Answer>,
}

/// The mail service. Accepts what its script does not say otherwise about.
#[derive(Clone, Debug)]
pub(crate) struct PostOffice {
    state: Arc<Mutex<State>>,
    pub(crate) endpoint: String,
}

impl PostOffice {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let office = Self { state: Arc::default(), endpoint };
        let serving = office.clone();
        let router = Router::new().fallback(move |Json(request): Json<Value>| {
            let office = serving.clone();
            async move { office.take(&request).await }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        office
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to do with the next requests, one after the other.
    pub(crate) fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.state().script.extend(answers);
    }

    /// All mails taken, oldest first.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// How often somebody tried to send.
    pub(crate) fn asked(&self) -> usize {
        self.state().asked
    }

    async fn take(&self, request: &Value) -> Response {
        let answer = {
            let mut state = self.state();
            state.asked += 1;
            state.script.pop_front().unwrap_or(Answer::Accept)
        };
        match answer {
            Answer::Accept => self.accept(request),
            Answer::Throttle => error(StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"),
            Answer::Refuse => error(StatusCode::BAD_REQUEST, "MessageRejected"),
            Answer::Pause => error(StatusCode::BAD_REQUEST, "SendingPausedException"),
            Answer::Fail => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException"),
            Answer::AcceptInSilence => {
                let _lost = self.accept(request);
                error(StatusCode::BAD_GATEWAY, "BadGateway")
            }
            Answer::Wait(go_on) => {
                go_on.notified().await;
                self.accept(request)
            }
        }
    }

    fn accept(&self, request: &Value) -> Response {
        let pairs = |value: &Value| {
            let pair = |it: &Value| Some((it["Name"].as_str()?.to_owned(), it["Value"].as_str()?.to_owned()));
            value.as_array().into_iter().flatten().filter_map(pair).collect()
        };
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let message = &request["Content"]["Simple"];
        let [to] = request["Destination"]["ToAddresses"].as_array().expect("addresses").as_slice() else {
            panic!("one recipient per mail")
        };
        let mail = Sent {
            to: text(to),
            subject: text(&message["Subject"]["Data"]),
            text: text(&message["Body"]["Text"]["Data"]),
            tags: pairs(&request["EmailTags"]),
            headers: pairs(&message["Headers"]),
        };
        let mut state = self.state();
        state.sent.push(mail);
        Json(json!({"MessageId": format!("mail-{}", state.sent.len())})).into_response()
    }
}

fn error(status: StatusCode, kind: &'static str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({"message": "as told"}))).into_response()
}
