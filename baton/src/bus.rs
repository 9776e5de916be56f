//! EventBridge's `PutEvents`: events matched against the template's rules and put into the queues behind them.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use quamina::Quamina;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    metrics::Metrics,
    queue::{QueueError, Queues},
    template::Rule,
};

/// Logical id of the event bus, which is also its name here.
pub const BUS: &str = "Bus";

/// The event bus.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    matcher: Quamina<usize>,
    rules: Vec<Rule>,
    queues: Queues,
    metrics: Metrics,
    recorded: Option<Mutex<Vec<Value>>>,
}

/// A rule that `baton` cannot honour.
#[derive(Debug, thiserror::Error)]
#[error("rule {rule} cannot be honoured: {reason}")]
pub struct RuleError {
    rule: String,
    reason: String,
}

/// The body of `PutEvents`.
#[derive(Debug, Deserialize)]
pub struct PutEvents {
    #[serde(rename = "Entries")]
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    event_bus_name: Option<String>,
    #[serde(default)]
    resources: Vec<String>,
}

impl Bus {
    /// Makes a bus with `rules` into `queues`, which counts its events in `metrics` and remembers every event if `record` says so.
    ///
    /// # Errors
    /// A pattern the matcher refuses, or a target that is no queue.
    pub fn new(rules: &[Rule], queues: Queues, metrics: Metrics, record: bool) -> Result<Self, RuleError> {
        let mut matcher = Quamina::new();
        for (index, rule) in rules.iter().enumerate() {
            let refused = |reason: String| RuleError { rule: rule.name.clone(), reason };
            matcher.add_pattern(index, &rule.pattern.to_string()).map_err(|error| refused(error.to_string()))?;
            if let Some(target) = rule.queues.iter().find(|target| !queues.names().any(|name| name == *target)) {
                return Err(refused(format!("its target {target} is no queue")));
            }
        }
        let recorded = record.then(|| Mutex::new(Vec::new()));
        Ok(Self(Arc::new(Inner { matcher, rules: rules.to_vec(), queues, metrics, recorded })))
    }

    /// Answers `PutEvents`. An event is accepted once it lies in the queue of every rule it matches.
    ///
    /// # Errors
    /// The queues' file failed; no event was accepted.
    pub fn put_events(&self, request: PutEvents) -> Result<Value, QueueError> {
        let mut answers = Vec::with_capacity(request.entries.len());
        let mut accepted = Vec::with_capacity(request.entries.len());
        for entry in request.entries {
            match envelope(entry) {
                Ok(event) => {
                    answers.push(json!({"EventId": event["id"]}));
                    accepted.push(event);
                }
                Err((code, message)) => answers.push(json!({"ErrorCode": code, "ErrorMessage": message})),
            }
        }
        self.deliver(&accepted)?;
        for event in &accepted {
            self.0.metrics.add_event(event["detail-type"].as_str().unwrap_or_default());
        }
        if let Some(recorded) = &self.0.recorded {
            recorded.lock().unwrap_or_else(PoisonError::into_inner).append(&mut accepted);
        }
        let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
        Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
    }

    /// Puts whole events, as recorded, on their way once more.
    ///
    /// # Errors
    /// The queues' file failed; none went.
    pub fn deliver(&self, events: &[Value]) -> Result<(), QueueError> {
        let mut sends = Vec::new();
        let bodies: Vec<String> = events.iter().map(Value::to_string).collect();
        for body in &bodies {
            // The matcher reads any JSON object, and an envelope is one.
            let mut matched = self.0.matcher.matches_for_event(body.as_bytes()).unwrap_or_default();
            matched.sort_unstable();
            for rule in matched {
                sends.extend(self.0.rules[rule].queues.iter().map(|queue| (queue.as_str(), body.as_str())));
            }
        }
        if sends.is_empty() {
            return Ok(());
        }
        self.0.queues.send(&sends)
    }

    /// Every event accepted so far, if the bus was told to remember them.
    pub fn recorded(&self) -> Vec<Value> {
        self.0.recorded.as_ref().map_or_else(Vec::new, |recorded| recorded.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl fmt::Debug for Bus {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Bus").field("rules", &self.0.rules).finish_non_exhaustive()
    }
}

/// The event as its targets get it.
fn envelope(entry: Entry) -> Result<Value, (&'static str, &'static str)> {
    let Entry { source, detail_type, detail, event_bus_name, resources } = entry;
    if source.is_empty() || detail_type.is_empty() {
        return Err(("InvalidArgument", "Parameter Source or DetailType is not valid. Reason: it is a required argument."));
    }
    if event_bus_name.as_deref().unwrap_or("default").rsplit('/').next() != Some(BUS) {
        return Err(("NotFound", "The event bus does not exist."));
    }
    let detail: Value =
        serde_json::from_str(&detail).ok().filter(Value::is_object).ok_or(("MalformedDetail", "Detail is malformed."))?;
    Ok(json!({
        "version": "0",
        "id": Uuid::now_v7(),
        "detail-type": detail_type,
        "source": source,
        "account": "000000000000",
        "time": jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string(),
        "region": crate::dynamodb::REGION,
        "resources": resources,
        "detail": detail,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Queue;
    use std::time::Duration;

    fn queues() -> Queues {
        let queue = Queue { name: "Mail".to_owned(), delay: Duration::ZERO, visibility: Duration::from_secs(30), redrive: None };
        Queues::open(None, &[queue]).expect("queues open in memory")
    }

    fn rule(pattern: Value, target: &str) -> Rule {
        Rule { name: "TaskChangesRule".to_owned(), pattern, queues: vec![target.to_owned()] }
    }

    fn entry(source: &str, detail: &str) -> Value {
        json!({"Source": source, "DetailType": "Task Created", "Detail": detail, "EventBusName": BUS})
    }

    #[test]
    fn an_event_reaches_the_queues_of_the_rules_it_matches_and_no_other() -> Result<(), Box<dyn std::error::Error>> {
        let queues = queues();
        let pattern = json!({"source": ["baton.tasks"], "detail-type": ["Task Created", "Task Updated"]});
        let bus = Bus::new(&[rule(pattern, "Mail")], queues.clone(), Metrics::default(), true)?;
        let request =
            json!({"Entries": [entry("baton.tasks", r#"{"id":"a"}"#), entry("baton.other", "{}"), entry("baton.tasks", "no")]});
        let answer = bus.put_events(serde_json::from_value(request)?)?;
        assert_eq!(answer["FailedEntryCount"], 1);
        assert_eq!(answer["Entries"][2]["ErrorCode"], "MalformedDetail");
        let received = queues.receive("Mail", 10)?;
        assert_eq!(received.len(), 1);
        let event: Value = serde_json::from_str(&received[0].body)?;
        assert_eq!((&event["detail"]["id"], &event["detail-type"]), (&json!("a"), &json!("Task Created")));
        assert_eq!(bus.recorded().len(), 2);
        Ok(())
    }

    #[test]
    fn a_rule_that_cannot_be_honoured_is_refused_by_name() {
        let check = |rule, expected: &str| {
            let error = Bus::new(&[rule], queues(), Metrics::default(), false).expect_err("the rule cannot be honoured");
            assert!(error.to_string().starts_with(expected), "{error}");
        };
        check(rule(json!({"$or": [{"source": ["a"]}, {"source": ["b"]}]}), "Mail"), "rule TaskChangesRule cannot be honoured");
        check(
            rule(json!({"source": ["a"]}), "Nowhere"),
            "rule TaskChangesRule cannot be honoured: its target Nowhere is no queue",
        );
    }
}
