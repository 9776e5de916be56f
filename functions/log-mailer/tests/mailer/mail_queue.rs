use std::sync::{Arc, Mutex, PoisonError};

use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::Clock;
use tokio::net::TcpListener;

/// A message and when it can be received.
#[derive(Clone, Debug)]
pub(crate) struct Queued {
    pub(crate) at: Timestamp,
    pub(crate) queue: String,
    pub(crate) body: Value,
}

/// The queues the mailer puts messages into, by a clock.
#[derive(Clone, Debug)]
pub(crate) struct MailQueue {
    clock: Clock,
    messages: Arc<Mutex<Vec<Queued>>>,
    pub(crate) endpoint: String,
}

impl MailQueue {
    pub(crate) async fn open(clock: &Clock) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let queue = Self { clock: clock.clone(), messages: Arc::default(), endpoint };
        let serving = queue.clone();
        let router = Router::new().fallback(move |body: String| {
            let request: Value = serde_json::from_str(&body).expect("a request in JSON");
            std::future::ready(Json(serving.put(&request)))
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        queue
    }

    /// `SendMessage` or `SendMessageBatch`.
    fn put(&self, request: &Value) -> Value {
        let alone = [request.clone()];
        let entries = request["Entries"].as_array().map_or(alone.as_slice(), Vec::as_slice);
        let now = self.clock.now();
        let queued = |entry: &Value| Queued {
            at: now + SignedDuration::from_secs(entry["DelaySeconds"].as_i64().unwrap_or_default()),
            queue: request["QueueUrl"].as_str().expect("a queue").to_owned(),
            body: serde_json::from_str(entry["MessageBody"].as_str().expect("a body")).expect("a body in JSON"),
        };
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).extend(entries.iter().map(queued));
        let successful: Vec<Value> =
            entries.iter().map(|it| json!({"Id": it["Id"], "MessageId": "m", "MD5OfMessageBody": "-"})).collect();
        json!({"MessageId": "m", "MD5OfMessageBody": "-", "Successful": successful, "Failed": []})
    }

    /// All messages not received yet.
    pub(crate) fn waiting(&self) -> Vec<Queued> {
        self.messages.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Receives what has come of one queue.
    pub(crate) fn receive(&self, queue: &str) -> Vec<Value> {
        let now = self.clock.now();
        let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let (come, left) = messages.drain(..).partition(|it| it.queue.ends_with(queue) && it.at <= now);
        *messages = left;
        let come: Vec<Queued> = come;
        come.into_iter().map(|it| it.body).collect()
    }
}
