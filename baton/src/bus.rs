//! EventBridge: the template's bus and the default one. Events are matched against the rules of their bus and put into the queues
//! behind them.

use std::{
    collections::BTreeMap,
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
    template::{DEFAULT_BUS, Rule},
};

/// Logical id of the template's event bus, which is also its name here.
pub const BUS: &str = "Bus";

/// What the source of every event of AWS's own begins with; nobody else may use it.
const SERVICES: &str = "aws.";

/// Both event buses.
#[derive(Clone)]
pub struct Bus(Arc<Inner>);

struct Inner {
    matchers: BTreeMap<String, Quamina<usize>>,
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
    /// Makes the buses with `rules` into `queues`, which counts its events in `metrics` and remembers every event if `record` says so.
    ///
    /// # Errors
    /// A pattern the matcher refuses, a bus that is not there, or a target that is no queue.
    pub fn new(rules: &[Rule], queues: Queues, metrics: Metrics, record: bool) -> Result<Self, RuleError> {
        let mut matchers = BTreeMap::from([BUS, DEFAULT_BUS].map(|bus| (bus.to_owned(), Quamina::new())));
        for (index, rule) in rules.iter().enumerate() {
            let refused = |reason: String| RuleError { rule: rule.name.clone(), reason };
            let matcher = matchers.get_mut(&rule.bus).ok_or_else(|| refused(format!("there is no bus {}", rule.bus)))?;
            matcher.add_pattern(index, &rule.pattern.to_string()).map_err(|error| refused(error.to_string()))?;
            if let Some(target) = rule.queues.iter().find(|target| !queues.names().any(|name| name == *target)) {
                return Err(refused(format!("its target {target} is no queue")));
            }
        }
        let recorded = record.then(|| Mutex::new(Vec::new()));
        Ok(Self(Arc::new(Inner { matchers, rules: rules.to_vec(), queues, metrics, recorded })))
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
                Ok((bus, event)) => {
                    answers.push(json!({"EventId": event["id"]}));
                    accepted.push((bus, event));
                }
                Err((code, message)) => answers.push(json!({"ErrorCode": code, "ErrorMessage": message})),
            }
        }
        self.accept(accepted)?;
        let failed = answers.iter().filter(|answer| answer.get("ErrorCode").is_some()).count();
        Ok(json!({"FailedEntryCount": failed, "Entries": answers}))
    }

    /// Puts events of one of AWS's own services on the default bus, `(detail type, detail)` each.
    ///
    /// # Errors
    /// The queues' file failed; no event was accepted.
    pub fn put_service_events(&self, source: &str, events: Vec<(&str, Value)>) -> Result<(), QueueError> {
        let events = events.into_iter().map(|(detail_type, detail)| {
            let resources = detail["mail"]["sourceArn"].as_str().map(str::to_owned).into_iter().collect();
            (DEFAULT_BUS, event(source, detail_type, resources, detail))
        });
        self.accept(events.collect())
    }

    fn accept(&self, accepted: Vec<(&str, Value)>) -> Result<(), QueueError> {
        self.deliver_on(&accepted)?;
        for (_, event) in &accepted {
            self.0.metrics.add_event(event["detail-type"].as_str().unwrap_or_default());
        }
        if let Some(recorded) = &self.0.recorded {
            recorded.lock().unwrap_or_else(PoisonError::into_inner).extend(accepted.into_iter().map(|(_, event)| event));
        }
        Ok(())
    }

    /// Puts whole events, as recorded, on their way once more: those of AWS's own services on the default bus, all others on the
    /// template's.
    ///
    /// # Errors
    /// The queues' file failed; none went.
    pub fn deliver(&self, events: &[Value]) -> Result<(), QueueError> {
        let is_of_service = |event: &Value| event["source"].as_str().is_some_and(|source| source.starts_with(SERVICES));
        let bus = |event| if is_of_service(event) { DEFAULT_BUS } else { BUS };
        self.deliver_on(&events.iter().map(|event| (bus(event), event.clone())).collect::<Vec<_>>())
    }

    fn deliver_on(&self, events: &[(&str, Value)]) -> Result<(), QueueError> {
        let mut sends = Vec::new();
        let bodies: Vec<(&str, String)> = events.iter().map(|(bus, event)| (*bus, event.to_string())).collect();
        for (bus, body) in &bodies {
            // The matcher reads any JSON object, and an envelope is one.
            let matched = self.0.matchers.get(*bus).and_then(|matcher| matcher.matches_for_event(body.as_bytes()).ok());
            let mut matched = matched.unwrap_or_default();
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

/// The event as its targets get it, and the bus it is for.
fn envelope(entry: Entry) -> Result<(&'static str, Value), (&'static str, &'static str)> {
    let Entry { source, detail_type, detail, event_bus_name, resources } = entry;
    if source.is_empty() || detail_type.is_empty() {
        return Err(("InvalidArgument", "Parameter Source or DetailType is not valid. Reason: it is a required argument."));
    }
    if source.starts_with(SERVICES) {
        return Err(("NotAuthorizedForSourceException", "Not authorized for the source."));
    }
    let bus = match event_bus_name.as_deref().unwrap_or(DEFAULT_BUS).rsplit('/').next() {
        Some(BUS) => BUS,
        Some(DEFAULT_BUS) => DEFAULT_BUS,
        _ => return Err(("NotFound", "The event bus does not exist.")),
    };
    let detail: Value =
        serde_json::from_str(&detail).ok().filter(Value::is_object).ok_or(("MalformedDetail", "Detail is malformed."))?;
    Ok((bus, event(&source, &detail_type, resources, detail)))
}

#[expect(clippy::needless_pass_by_value, reason = "what it is made of ends up in it")]
fn event(source: &str, detail_type: &str, resources: Vec<String>, detail: Value) -> Value {
    json!({
        "version": "0",
        "id": Uuid::now_v7(),
        "detail-type": detail_type,
        "source": source,
        "account": "000000000000",
        "time": jiff::Timestamp::now().round(jiff::Unit::Second).unwrap_or_default().to_string(),
        "region": crate::dynamodb::REGION,
        "resources": resources,
        "detail": detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::Queue;
    use std::time::Duration;

    fn queues() -> Queues {
        let queue = Queue { name: "Mail".to_owned(), delay: Duration::ZERO, visibility: Duration::from_secs(30), redrive: None };
        Queues::open(None, &[queue], store::Clock::system()).expect("queues open in memory")
    }

    fn rule(pattern: Value, target: &str) -> Rule {
        Rule { name: "TaskChangesRule".to_owned(), bus: BUS.to_owned(), pattern, queues: vec![target.to_owned()] }
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
    fn the_default_bus_is_one_of_its_own_and_aws_speaks_there_alone() -> Result<(), Box<dyn std::error::Error>> {
        let queues = queues();
        let pattern = json!({"source": ["aws.ses"], "detail": {"mail": {"tags": {"ses:configuration-set": ["ours"]}}}});
        let feedback = Rule { bus: DEFAULT_BUS.to_owned(), ..rule(pattern, "Mail") };
        let bus = Bus::new(&[feedback], queues.clone(), Metrics::default(), true)?;
        let of = |set: &str| json!({"mail": {"tags": {"ses:configuration-set": [set], "claim": ["c"]}}});
        bus.put_service_events("aws.ses", vec![("Email Sent", of("ours")), ("Email Sent", of("theirs"))])?;
        assert_eq!(queues.depth("Mail")?, 1);
        let forged = json!({"Entries": [
            {"Source": "aws.ses", "DetailType": "Email Sent", "Detail": of("ours").to_string()},
            {"Source": "aws.ses", "DetailType": "Email Sent", "Detail": of("ours").to_string(), "EventBusName": BUS},
            {"Source": "baton.tasks", "DetailType": "Email Sent", "Detail": of("ours").to_string()},
        ]});
        let answer = bus.put_events(serde_json::from_value(forged)?)?;
        assert_eq!(answer["FailedEntryCount"], 2, "{answer}");
        assert_eq!(queues.depth("Mail")?, 1);
        bus.deliver(&bus.recorded())?;
        assert_eq!(queues.depth("Mail")?, 2);
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
        check(
            Rule { bus: "Nowhere".to_owned(), ..rule(json!({"source": ["a"]}), "Mail") },
            "rule TaskChangesRule cannot be honoured: there is no bus Nowhere",
        );
    }
}
