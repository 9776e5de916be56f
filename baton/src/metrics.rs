//! What `/metrics` tells Prometheus.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Method, header::CONTENT_TYPE},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::{progress::Progress, queue::Queues};

/// The counters of one stack.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Mutex<Registry>,
    requests: Family<RequestLabels, Counter>,
    mails: Counter,
    events: Family<EventLabels, Counter>,
    queued: Family<QueueLabels, Gauge>,
    in_flight: Gauge,
    claims_reopened: Gauge,
    memory: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EventLabels {
    detail_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct QueueLabels {
    queue: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let inner = Inner {
            registry: Mutex::default(),
            requests: Family::default(),
            mails: Counter::default(),
            events: Family::default(),
            queued: Family::default(),
            in_flight: Gauge::default(),
            claims_reopened: Gauge::default(),
            memory: Gauge::default(),
        };
        let mut registry = Registry::with_prefix("baton");
        registry.register("requests", "HTTP requests answered", inner.requests.clone());
        registry.register("mails_sent", "Mails accepted into the inbox", inner.mails.clone());
        registry.register(
            "events_published",
            "Events accepted by the buses: a change of a task each, or a letter due, or what became of a mail",
            inner.events.clone(),
        );
        registry.register(
            "queue_messages",
            "Messages in a queue, visible or not; dead letters are queues too",
            inner.queued.clone(),
        );
        let help = "Changes, messages and parts of mails on their way; 0 once everything accepted before is done with";
        registry.register("in_flight", help, inner.in_flight.clone());
        let help = "Claims an earlier process left open; a mail of theirs that was sent and not yet recorded comes twice";
        registry.register("claims_reopened", help, inner.claims_reopened.clone());
        registry.register_with_unit("resident_memory", "Resident memory of the process", Unit::Bytes, inner.memory.clone());
        Self(Arc::new(Inner { registry: Mutex::new(registry), ..inner }))
    }
}

impl Metrics {
    /// Counts mails accepted into the inbox.
    pub fn add_mails(&self, count: u64) {
        self.0.mails.inc_by(count);
    }

    /// Counts an event accepted by the bus.
    pub fn add_event(&self, detail_type: &str) {
        self.0.events.get_or_create(&EventLabels { detail_type: detail_type.to_owned() }).inc();
    }

    /// Notes how many open claims the start found.
    pub fn set_claims_reopened(&self, count: usize) {
        self.0.claims_reopened.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Everything as OpenMetrics text, the queues as they are now.
    pub fn render(&self, queues: &Queues) -> String {
        for queue in queues.names() {
            if let Ok(depth) = queues.depth(queue) {
                let labels = QueueLabels { queue: queue.to_owned() };
                self.0.queued.get_or_create(&labels).set(i64::try_from(depth).unwrap_or(i64::MAX));
            }
        }
        if let Some(bytes) = resident_memory() {
            self.0.memory.set(bytes);
        }
        let mut text = String::new();
        let encoded = encode(&mut text, &self.0.registry.lock().unwrap_or_else(PoisonError::into_inner));
        encoded.map_or_else(|error| format!("# {error}\n# EOF\n"), |()| text)
    }
}

/// `/metrics`.
pub fn routes(metrics: Metrics, progress: Progress) -> Router {
    Router::new().route("/metrics", get(show_metrics)).with_state((metrics, progress))
}

async fn show_metrics(State((metrics, progress)): State<(Metrics, Progress)>) -> impl IntoResponse {
    match progress.in_flight().await {
        Ok(in_flight) => {
            metrics.0.in_flight.set(i64::try_from(in_flight.total()).unwrap_or(i64::MAX));
        }
        // It stays as it was last seen.
        Err(error) => tracing::warn!(error = &*error as &dyn std::error::Error, "could not look what is in flight"),
    }
    let headers = [(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")];
    (headers, metrics.render(&progress.queues))
}

/// Counts every request by its route, never by its path.
pub async fn count_request(State(metrics): State<Metrics>, request: Request, next: Next) -> Response {
    let method = known(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    metrics.0.requests.get_or_create(&RequestLabels { method, route, status }).inc();
    response
}

/// A method anybody made up must not become a series.
fn known(method: &Method) -> String {
    let methods = [Method::GET, Method::POST, Method::PATCH, Method::DELETE, Method::HEAD, Method::OPTIONS, Method::PUT];
    if methods.contains(method) { method.to_string() } else { "other".to_owned() }
}

/// Resident bytes of this process, where the system says so.
fn resident_memory() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<i64>().ok()? * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Queue;
    use std::time::Duration;

    #[test]
    fn counters_and_queue_depths_are_shown() {
        let queue = Queue { name: "Mail".to_owned(), delay: Duration::ZERO, visibility: Duration::ZERO, redrive: None };
        let queues = Queues::open(None, &[queue], store::Clock::system()).expect("queues open in memory");
        queues.send(&[("Mail", "x")]).expect("the queue takes it");
        let metrics = Metrics::default();
        metrics.add_mails(3);
        let text = metrics.render(&queues);
        assert!(text.contains("baton_mails_sent_total 3"), "{text}");
        assert!(text.contains("baton_queue_messages{queue=\"Mail\"} 1"), "{text}");
        assert!(text.contains("baton_resident_memory_bytes"), "{text}");
    }
}
