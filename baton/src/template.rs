//! Reads template.yaml: what runs on AWS is also what runs here, declared once.

use std::{collections::BTreeMap, time::Duration};

use serde_json::{Map, Value, json};

use crate::intrinsics::Intrinsics;

/// The project's template, as deployed.
pub const TEMPLATE: &str = include_str!("../../template.yaml");

/// The bus that every account has, where AWS's own services put their events.
pub const DEFAULT_BUS: &str = "default";

/// The resources of a template that `baton` gives life to. Names are the template's logical ids.
#[derive(Debug, Clone)]
pub struct Template {
    /// The DynamoDB tables.
    pub tables: Vec<Table>,
    /// The SQS queues.
    pub queues: Vec<Queue>,
    /// The EventBridge rules that put events into queues.
    pub rules: Vec<Rule>,
    /// What feeds a queue or a stream to a function.
    pub mappings: Vec<Mapping>,
    /// What calls a function by the clock.
    pub schedules: Vec<Schedule>,
    /// The Lambda functions.
    pub functions: Vec<FunctionDeclaration>,
    /// Routes of the HTTP API: `METHOD /path` to the function's logical id.
    pub routes: Vec<Route>,
}

/// A Lambda function.
#[derive(Debug, Clone, PartialEq)]
pub struct FunctionDeclaration {
    /// The logical id.
    pub name: String,
    /// The binary, which is also the package, that runs in it.
    pub binary: String,
    /// Its settings. References to resources have become their logical ids.
    pub environment: BTreeMap<String, String>,
    /// How long a call may take.
    pub timeout: Duration,
}

/// A DynamoDB table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The logical id, which is also the table's name here.
    pub name: String,
    /// The body of its `CreateTable` request.
    pub create: Value,
    /// The attribute that holds an item's end in epoch seconds.
    pub ttl_attribute: Option<String>,
}

/// An SQS queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// The logical id.
    pub name: String,
    /// How long a new message stays invisible.
    pub delay: Duration,
    /// How long a received message stays invisible.
    pub visibility: Duration,
    /// Where a message goes that was received too often.
    pub redrive: Option<Redrive>,
}

/// The redrive policy of a queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Redrive {
    /// The dead-letter queue's logical id.
    pub queue: String,
    /// Receives before a message is set aside.
    pub max_receive_count: u32,
}

/// An EventBridge rule with queues as targets.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The logical id.
    pub name: String,
    /// The bus it listens on: a logical id, or `default`.
    pub bus: String,
    /// The event pattern.
    pub pattern: Value,
    /// Logical ids of the target queues.
    pub queues: Vec<String>,
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The logical id of the mapping or of the function's event.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// Logical id of the queue, or of the table whose stream it is.
    pub source: String,
    /// Records per call at most.
    pub batch_size: usize,
    /// Attempts at a record before it is given up; `None`: until the stream's end of life.
    pub retries: Option<u32>,
    /// Queue told of records given up.
    pub on_failure: Option<String>,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The logical id of the schedule or of the function's event.
    pub name: String,
    /// The function's logical id.
    pub function: String,
    /// The rate.
    pub every: Duration,
    /// What the function is called with.
    pub input: Value,
}

/// A route of the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// `GET /v1/me`, as API Gateway spells it.
    pub key: String,
    /// The logical id of the integration behind it.
    pub target: String,
}

/// Why a template cannot be honoured.
#[derive(Debug, thiserror::Error)]
pub enum TemplateError {
    /// Not YAML.
    #[error("template.yaml is not YAML")]
    Syntax(#[source] yaml_serde::Error),
    /// A resource that says something `baton` cannot do.
    #[error("template.yaml: {resource}: {reason}")]
    Resource {
        /// Its logical id.
        resource: String,
        /// What cannot be honoured.
        reason: String,
    },
}

impl Template {
    /// Parses the template with `parameters` over the defaults it declares.
    ///
    /// # Errors
    /// Not YAML, or a table, queue, rule, mapping or schedule that cannot be honoured; it is named.
    pub fn parse(text: &str, parameters: &BTreeMap<String, String>) -> Result<Self, TemplateError> {
        let document: yaml_serde::Value = yaml_serde::from_str(text).map_err(TemplateError::Syntax)?;
        let intrinsics = Intrinsics::new(&document, parameters);
        let mut template = Self {
            tables: Vec::new(),
            queues: Vec::new(),
            rules: Vec::new(),
            mappings: Vec::new(),
            schedules: Vec::new(),
            functions: Vec::new(),
            routes: Vec::new(),
        };
        for (name, resource) in intrinsics.resources() {
            let kind = resource.get("Type").and_then(|kind| kind.as_str()).unwrap_or_default().to_owned();
            if !Self::KINDS.contains(&kind.as_str()) || !intrinsics.exists(resource) {
                continue;
            }
            let properties = resource.get("Properties").map_or_else(|| json!({}), |value| intrinsics.resolve(value));
            template
                .add(name, &kind, &properties, resource)
                .map_err(|reason| TemplateError::Resource { resource: name.to_owned(), reason })?;
        }
        Ok(template)
    }

    const KINDS: [&str; 7] = [
        "AWS::DynamoDB::Table",
        "AWS::SQS::Queue",
        "AWS::Events::Rule",
        "AWS::Lambda::EventSourceMapping",
        "AWS::Scheduler::Schedule",
        "AWS::Serverless::Function",
        "AWS::ApiGatewayV2::Route",
    ];

    fn add(&mut self, name: &str, kind: &str, properties: &Value, resource: &yaml_serde::Value) -> Result<(), String> {
        match kind {
            "AWS::DynamoDB::Table" => self.tables.push(table(name, properties)?),
            "AWS::SQS::Queue" => self.queues.push(queue(name, properties)?),
            "AWS::Events::Rule" => self.add_rule(name, properties)?,
            "AWS::Lambda::EventSourceMapping" => {
                let source = logical_id(&properties["EventSourceArn"]).ok_or("no EventSourceArn")?;
                let function = logical_id(&properties["FunctionName"]).ok_or("no FunctionName")?;
                self.mappings.push(mapping(name, function, source, properties)?);
            }
            "AWS::Scheduler::Schedule" => {
                self.schedules.push(schedule(name, None, properties, &properties["Target"])?);
            }
            "AWS::Serverless::Function" => {
                let binary = resource.get("Metadata").and_then(|it| it.get("BuildProperties")?.get("Binary")?.as_str());
                self.functions.push(function(name, binary.unwrap_or_default(), properties));
                for (event, declared) in properties["Events"].as_object().into_iter().flatten() {
                    self.add_function_event(name, event, declared)?;
                }
            }
            "AWS::ApiGatewayV2::Route" => {
                let key = properties["RouteKey"].as_str().ok_or("no RouteKey")?.to_owned();
                let target = properties["Target"].as_str().unwrap_or_default().trim_start_matches("integrations/").to_owned();
                self.routes.push(Route { key, target });
            }
            _ => {}
        }
        Ok(())
    }

    fn add_rule(&mut self, name: &str, properties: &Value) -> Result<(), String> {
        let targets = properties["Targets"].as_array().ok_or("no Targets")?;
        if properties.get("ScheduleExpression").is_some() {
            for target in targets {
                self.schedules.push(schedule(name, None, properties, target)?);
            }
            return Ok(());
        }
        let pattern = properties.get("EventPattern").ok_or("neither EventPattern nor ScheduleExpression")?.clone();
        let mut queues = Vec::new();
        for target in targets {
            if target.get("InputTransformer").is_some() || target.get("InputPath").is_some() || target.get("Input").is_some() {
                return Err("a target's input is transformed, which is not emulated".to_owned());
            }
            queues.push(logical_id(&target["Arn"]).ok_or("a target without Arn")?);
        }
        let bus = logical_id(&properties["EventBusName"]).unwrap_or_else(|| DEFAULT_BUS.to_owned());
        self.rules.push(Rule { name: name.to_owned(), bus, pattern, queues });
        Ok(())
    }

    fn add_function_event(&mut self, function: &str, name: &str, declared: &Value) -> Result<(), String> {
        let properties = &declared["Properties"];
        match declared["Type"].as_str().unwrap_or_default() {
            "SQS" => {
                let source = logical_id(&properties["Queue"]).ok_or("an SQS event without Queue")?;
                self.mappings.push(mapping(name, function.to_owned(), source, properties)?);
            }
            "DynamoDB" => {
                let source = logical_id(&properties["Stream"]).ok_or("a DynamoDB event without Stream")?;
                self.mappings.push(mapping(name, function.to_owned(), source, properties)?);
            }
            "Schedule" | "ScheduleV2" => {
                let expression =
                    json!({"ScheduleExpression": properties.get("ScheduleExpression").or(properties.get("Schedule"))});
                self.schedules.push(schedule(name, Some(function), &expression, properties)?);
            }
            "HttpApi" => {}
            other => return Err(format!("event {name} is of type {other}, which is not emulated")),
        }
        Ok(())
    }
}

fn table(name: &str, properties: &Value) -> Result<Table, String> {
    let mut create = Map::new();
    create.insert("TableName".to_owned(), json!(name));
    create.insert("BillingMode".to_owned(), json!("PAY_PER_REQUEST"));
    for required in ["AttributeDefinitions", "KeySchema"] {
        create.insert(required.to_owned(), properties.get(required).ok_or_else(|| format!("no {required}"))?.clone());
    }
    for optional in ["GlobalSecondaryIndexes", "LocalSecondaryIndexes"] {
        if let Some(value) = properties.get(optional) {
            create.insert(optional.to_owned(), value.clone());
        }
    }
    if let Some(view) = properties.pointer("/StreamSpecification/StreamViewType") {
        create.insert("StreamSpecification".to_owned(), json!({"StreamEnabled": true, "StreamViewType": view}));
    }
    let ttl = &properties["TimeToLiveSpecification"];
    let ttl_attribute = match ttl.get("Enabled").is_some_and(is_true) {
        true => Some(ttl["AttributeName"].as_str().ok_or("TTL without AttributeName")?.to_owned()),
        false => None,
    };
    Ok(Table { name: name.to_owned(), create: Value::Object(create), ttl_attribute })
}

fn function(name: &str, binary: &str, properties: &Value) -> FunctionDeclaration {
    let variables = properties["Environment"]["Variables"].as_object().into_iter().flatten();
    let environment =
        variables.map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
    FunctionDeclaration {
        name: name.to_owned(),
        binary: binary.to_owned(),
        environment: environment.collect(),
        timeout: Duration::from_secs(number(&properties["Timeout"]).unwrap_or(3)),
    }
}

fn queue(name: &str, properties: &Value) -> Result<Queue, String> {
    if properties.get("FifoQueue").is_some_and(is_true) {
        return Err("FIFO queues are not emulated".to_owned());
    }
    let redrive = match properties.get("RedrivePolicy") {
        None | Some(Value::Null) => None,
        Some(policy) => Some(Redrive {
            queue: logical_id(&policy["deadLetterTargetArn"]).ok_or("RedrivePolicy without deadLetterTargetArn")?,
            max_receive_count: number(&policy["maxReceiveCount"])
                .and_then(|count| u32::try_from(count).ok())
                .ok_or("RedrivePolicy without maxReceiveCount")?,
        }),
    };
    let seconds = |property: &str, default| match properties.get(property) {
        None => Ok(Duration::from_secs(default)),
        Some(value) => number(value).map(Duration::from_secs).ok_or_else(|| format!("{property} is not a number of seconds")),
    };
    Ok(Queue {
        name: name.to_owned(),
        delay: seconds("DelaySeconds", 0)?,
        visibility: seconds("VisibilityTimeout", 30)?,
        redrive,
    })
}

fn mapping(name: &str, function: String, source: String, properties: &Value) -> Result<Mapping, String> {
    let reports =
        properties["FunctionResponseTypes"].as_array().is_some_and(|types| types.contains(&json!("ReportBatchItemFailures")));
    if !reports {
        return Err(format!("mapping {name} does not report batch item failures, which the emulation relies on"));
    }
    if properties.get("FilterCriteria").is_some_and(|criteria| !criteria.is_null())
        && properties.get("StartingPosition").is_none()
    {
        return Err(format!("mapping {name} filters a queue, which is not emulated"));
    }
    Ok(Mapping {
        name: name.to_owned(),
        function,
        source,
        batch_size: number(&properties["BatchSize"]).and_then(|size| usize::try_from(size).ok()).unwrap_or(10),
        retries: number(&properties["MaximumRetryAttempts"]).and_then(|attempts| u32::try_from(attempts).ok()),
        on_failure: logical_id(&properties["DestinationConfig"]["OnFailure"]["Destination"]),
    })
}

fn schedule(name: &str, function: Option<&str>, properties: &Value, target: &Value) -> Result<Schedule, String> {
    let expression = properties["ScheduleExpression"].as_str().ok_or("no ScheduleExpression")?;
    let every = rate(expression).ok_or_else(|| format!("{expression} is not a rate"))?;
    let input = target["Input"].as_str().unwrap_or("{}");
    let input = serde_json::from_str(input).map_err(|error| format!("Input is not JSON: {error}"))?;
    let function = match function {
        Some(function) => function.to_owned(),
        None => logical_id(&target["Arn"]).ok_or("a target without Arn")?,
    };
    Ok(Schedule { name: name.to_owned(), function, every, input })
}

/// `rate(5 minutes)` as a duration.
fn rate(expression: &str) -> Option<Duration> {
    let (value, unit) = expression.trim().strip_prefix("rate(")?.strip_suffix(')')?.split_once(' ')?;
    let seconds = match unit.trim_end_matches('s') {
        "minute" => 60,
        "hour" => 3_600,
        "day" => 86_400,
        _ => return None,
    };
    Some(Duration::from_secs(value.parse::<u64>().ok()?.checked_mul(seconds)?))
}

/// The logical id in what `!Ref X` or `!GetAtt X.Arn` became.
fn logical_id(value: &Value) -> Option<String> {
    let text = value.as_str().filter(|text| !text.is_empty())?;
    Some(text.split('.').next().unwrap_or(text).to_owned())
}

fn number(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn is_true(value: &Value) -> bool {
    value == &json!(true) || value == &json!("true")
}

#[cfg(test)]
mod tests;
