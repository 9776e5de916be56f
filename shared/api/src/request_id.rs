use uuid::Uuid;

tokio::task_local! {
    static REQUEST_ID: String;
}

/// What names one request in answers and logs: Lambda's own id where there is one, so that its log lines are found by it.
///
/// A request carries it as an extension; what a client sends as `x-request-id` is never taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

impl RequestId {
    /// An id for a request that came without one.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7().to_string())
    }
}

impl Default for RequestId {
    fn default() -> Self {
        Self::new()
    }
}

/// The id of the request this task is answering; empty outside of a router of ours.
#[must_use]
pub(crate) fn current() -> String {
    REQUEST_ID.try_with(Clone::clone).unwrap_or_default()
}

/// Answers a request under its id.
pub(crate) async fn scope<F: Future>(id: RequestId, answer: F) -> F::Output {
    REQUEST_ID.scope(id.0, answer).await
}
