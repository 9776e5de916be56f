//! What the template declares, the document describes, the functions answer and the sample events call is one and the same.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};

use baton::stack::Stack;
use baton::template::{TEMPLATE, Template};
use change_publisher::Publisher;
use lambda_http::{Context, LambdaEvent};
use log_mailer::{Deadline, Mailer};
use reqwest::Method;
use serde_json::{Value, json};
use store::Environment;
use tower::ServiceExt;
use uuid::Uuid;

use crate::guessing::guess_until_held_off;
use crate::people::{Person, stack};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace").to_owned()
}

fn read_json(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// `GET /v1/me` and so on, of the template.
fn declared_routes() -> BTreeSet<String> {
    let text = std::fs::read_to_string(root().join("template.yaml")).expect("template.yaml is there");
    let routes = text.lines().filter_map(|it| it.trim().strip_prefix("RouteKey: "));
    routes.map(str::to_owned).collect()
}

pub(crate) fn described_routes(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().expect("paths");
    let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let routes = paths.iter().flat_map(|(path, item)| {
        let item = item.as_object().expect("a path item");
        item.keys().filter(|it| methods.contains(&it.as_str())).map(move |method| format!("{} {path}", method.to_uppercase()))
    });
    routes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_document_in_the_repository_is_the_one_the_types_make_and_the_stack_serves() {
    let written = read_json(&root().join("openapi.json"));
    let generated = serde_json::to_value(baton::functions::document()).expect("a document is JSON");
    assert!(written == generated, "openapi.json is out of date: cargo run -- openapi > openapi.json");
    let stack = stack().await;
    let served = Person::stranger(&stack).get("/openapi.json").await.expect(200);
    assert_eq!(served.body, generated);
}

#[test]
fn every_route_of_the_template_is_described_and_the_reverse() {
    let (declared, described) = (declared_routes(), described_routes(&read_json(&root().join("openapi.json"))));
    assert!(declared.len() > 30, "{declared:#?}");
    assert_eq!(declared, described);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_of_the_template_is_answered_by_its_function() {
    let stack = stack().await;
    let nobody = Person::stranger(&stack);
    let id = Uuid::now_v7().to_string();
    let open = [
        "/v1/accounts",
        "/v1/login",
        "/v1/logout",
        "/v1/password/forgot",
        "/v1/password/reset",
        "/v1/email/confirm",
        "/.well-known/",
        "/v1/unsubscribe/",
    ];
    for route in declared_routes() {
        let (method, path) = route.split_once(' ').expect("a route");
        let path = path.replace("{version}", "1").replace("{token}", "token");
        let path: Vec<&str> = path.split('/').map(|it| if it.starts_with('{') { id.as_str() } else { it }).collect();
        let path = path.join("/");
        let method: Method = method.parse().expect("a method");
        let answer = nobody.send(method, &path, &[], None).await;
        let status = answer.status.as_u16();
        if path.starts_with("/v1/unsubscribe/") {
            // Its 404 says that the token is none; that there is the route, the tests of it show.
            assert!(matches!(status, 404 | 415), "{route}: {answer:#?}");
        } else if open.iter().any(|it| path.starts_with(it)) {
            assert!(status < 500 && status != 404, "{route}: {answer:#?}");
        } else {
            assert_eq!(status, 401, "{route}: {answer:#?}");
        }
    }
}

/// The template's resources. What a short form of an intrinsic function stands for is its text here.
pub(crate) fn resources() -> serde_json::Map<String, Value> {
    let plain =
        ["!GetAtt ", "!Sub ", "!Ref ", "!If", "!Not ", "!And", "!Condition ", "!Equals ", "!Join ", "!Select ", "!Split "];
    let text = plain.iter().fold(TEMPLATE.to_owned(), |text, tag| text.replace(tag, ""));
    let template: Value = yaml_serde::from_str(&text).expect("template.yaml is YAML");
    template["Resources"].as_object().expect("resources").clone()
}

fn of_kind<'a>(resources: &'a serde_json::Map<String, Value>, kind: &'a str) -> impl Iterator<Item = (&'a str, &'a Value)> {
    resources.iter().filter(move |(_, it)| it["Type"] == kind).map(|(name, it)| (name.as_str(), &it["Properties"]))
}

#[test]
fn every_alarm_has_its_section_of_the_runbook_and_every_such_section_its_alarm() {
    let runbook = std::fs::read_to_string(root().join("docs/runbook.md")).expect("docs/runbook.md is there");
    let sections: BTreeSet<&str> =
        runbook.lines().filter_map(|it| it.strip_prefix("## ")).filter(|it| it.ends_with("Alarm")).collect();
    let resources = resources();
    let alarms: BTreeSet<&str> = of_kind(&resources, "AWS::CloudWatch::Alarm").map(|(name, _)| name).collect();
    assert!(alarms.len() >= 9, "{alarms:?}");
    assert_eq!(sections, alarms);
    for (name, alarm) in of_kind(&resources, "AWS::CloudWatch::Alarm") {
        let description = alarm["AlarmDescription"].as_str().expect("a description");
        assert!(description.ends_with(&format!(" See docs/runbook.md, {name}.")), "{name}: {description}");
    }
}

#[test]
fn every_seam_has_its_dead_letters_and_all_of_them_an_alarm() {
    let resources = resources();
    let arn = |queue: &str| json!(format!("{queue}.Arn"));
    let mut dead_letters = BTreeSet::new();
    let mut fed = BTreeSet::new();
    for (name, mapping) in of_kind(&resources, "AWS::Lambda::EventSourceMapping") {
        let source = mapping["EventSourceArn"].as_str().and_then(|it| it.split('.').next()).expect("a source");
        let queue = match resources[source]["Type"].as_str() {
            Some("AWS::SQS::Queue") => {
                fed.insert(source);
                &resources[source]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
            }
            _ => &mapping["DestinationConfig"]["OnFailure"]["Destination"],
        };
        dead_letters.insert(queue.as_str().unwrap_or_else(|| panic!("{name} has no dead letters")).to_owned());
    }
    for (name, rule) in of_kind(&resources, "AWS::Events::Rule").filter(|(_, it)| it.get("EventPattern").is_some()) {
        for target in rule["Targets"].as_array().expect("targets") {
            assert_eq!(target["DeadLetterConfig"]["Arn"], arn("RuleDeadLetters"), "{name}");
            dead_letters.insert("RuleDeadLetters.Arn".to_owned());
        }
    }
    for function in ["ChangePublisherFunction", "LogMailerFunction"] {
        let queue = resources[function]["Properties"]["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"].as_str();
        dead_letters.insert(format!("{}.Arn", queue.expect("what it cannot read it puts away")));
    }
    let seams = ["StreamDeadLetters", "PublisherDeadLetters", "RuleDeadLetters", "MailDeadLetters", "FeedbackDeadLetters"];
    assert_eq!(dead_letters, seams.map(|it| format!("{it}.Arn")).into());
    let queues: BTreeSet<&str> = of_kind(&resources, "AWS::SQS::Queue").map(|(name, _)| name).collect();
    assert_eq!(queues, fed.into_iter().chain(seams).collect(), "every queue is fed to a function or holds dead letters");
    let watched: BTreeSet<String> = of_kind(&resources, "AWS::CloudWatch::Alarm")
        .filter(|(_, it)| it["MetricName"] == "ApproximateNumberOfMessagesVisible" && it["Threshold"] == 0)
        .map(|(_, it)| it["Dimensions"][0]["Value"].as_str().expect("a queue").replace(".QueueName", ""))
        .collect();
    assert_eq!(watched, seams.map(str::to_owned).into());
}

#[test]
fn a_rule_may_put_into_its_queue_and_its_dead_letters_and_nobody_else_may() {
    let resources = resources();
    let mut allowed = BTreeSet::new();
    for (_, policy) in of_kind(&resources, "AWS::SQS::QueuePolicy") {
        let statement = &policy["PolicyDocument"]["Statement"][0];
        assert_eq!(statement["Principal"]["Service"], "events.amazonaws.com");
        let queue = statement["Resource"].as_str().expect("a queue");
        assert_eq!(policy["Queues"][0], queue.trim_end_matches(".Arn"));
        let sources = &statement["Condition"]["ArnEquals"]["aws:SourceArn"];
        for source in sources.as_array().unwrap_or(&vec![sources.clone()]) {
            allowed.insert((source.as_str().expect("a rule").to_owned(), queue.to_owned()));
        }
    }
    let mut needed = BTreeSet::new();
    for (name, rule) in of_kind(&resources, "AWS::Events::Rule").filter(|(_, it)| it.get("EventPattern").is_some()) {
        for target in rule["Targets"].as_array().expect("targets") {
            for queue in [&target["Arn"], &target["DeadLetterConfig"]["Arn"]] {
                needed.insert((format!("{name}.Arn"), queue.as_str().expect("a queue").to_owned()));
            }
        }
    }
    assert_eq!(allowed, needed);
}

/// The mail service's rate is shared by all that may send at once, and a message is hidden for as long as its function may take.
#[test]
fn the_mailers_share_of_the_rate_and_the_queues_times_fit_its_concurrency_and_timeout() {
    let resources = resources();
    let mailer = &resources["LogMailerFunction"]["Properties"];
    let mappings =
        of_kind(&resources, "AWS::Lambda::EventSourceMapping").filter(|(_, it)| it["FunctionName"] == "LogMailerFunction");
    // What feeds back closes claims, and sends nothing.
    let sending: u64 = mappings
        .filter(|(name, _)| *name != "FeedbackMapping")
        .map(|(_, it)| it["ScalingConfig"]["MaximumConcurrency"].as_u64().expect("a bound"))
        .sum();
    let template = Template::parse(TEMPLATE, &BTreeMap::new()).expect("template.yaml is honoured");
    let schedules = template.schedules.len() as u64;
    assert_eq!(mailer["Environment"]["Variables"]["MAILERS"], (sending + schedules).to_string());
    let timeout = mailer["Timeout"].as_u64().expect("seconds");
    assert_eq!(timeout, log_mailer::FUNCTION_TIMEOUT.as_secs());
    for queue in template.queues.iter().filter(|it| it.redrive.is_some()) {
        assert!(queue.visibility.as_secs() >= 6 * timeout, "{}", queue.name);
    }
}

/// Calls a function as the Lambda runtime does, with the settings that its binary gets on this stack.
async fn call(stack: &Stack, function: &str, event: Value) -> Result<Value, Box<dyn Error>> {
    let environment = Environment::from_settings(stack.calls()[function].environment.clone());
    let app = match function {
        "change-publisher" => {
            let publisher = Publisher::new(change_publisher::Settings::read(environment)?);
            return Ok(serde_json::to_value(change_publisher::handle(&publisher, serde_json::from_value(event)?).await)?);
        }
        "log-mailer" => {
            let mailer = Mailer::new(log_mailer::Settings::read(environment)?, store::Clock::system());
            let answer = log_mailer::handle(&mailer, serde_json::from_value(event)?, Deadline::from_now()).await?;
            return Ok(serde_json::to_value(answer)?);
        }
        "login" => login::app(login::Login::new(&login::Settings::read(environment)?)),
        _ => tasks::app(tasks::TasksState::connect(tasks::Settings::read(environment)?, store::Clock::system()).await?),
    };
    let event = LambdaEvent::new(serde_json::from_value(event)?, Context::default());
    let answer = lambda_http::Adapter::from(app).oneshot(event).await.map_err(|error| error.to_string())?;
    Ok(serde_json::to_value(answer)?)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_sample_event_is_accepted_by_its_function() {
    let stack = stack().await;
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    for file in std::fs::read_dir(root().join("events")).expect("events/ is there") {
        let path = file.expect("a file of events/").path();
        if path.extension().is_none_or(|it| it != "json") {
            continue;
        }
        let name = path.file_stem().and_then(|it| it.to_str()).expect("a name").to_owned();
        let functions = ["login", "tasks", "change-publisher", "log-mailer"];
        let function = functions.into_iter().find(|it| name.starts_with(it)).unwrap_or_else(|| panic!("{name} calls a function"));
        let event = read_json(&path);
        let answer = call(&stack, function, event.clone()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some(status) = answer["statusCode"].as_u64() {
            let says_so = answer["body"].as_str().is_some_and(|it| it.contains("request_id"));
            let is_answered = status < 400 || status < 500 && says_so;
            assert!(is_answered && (status != 404 || name.contains("unsubscribe")), "{name}: {answer:#}");
            let route = event["routeKey"].as_str().expect("a route");
            assert!(declared_routes().contains(route), "{name} calls {route}");
        } else {
            let failures = answer["batchItemFailures"].as_array().map_or(0, Vec::len);
            assert_eq!(failures, 0, "{name}: {answer:#}");
        }
        *met.entry(function).or_default() += 1;
    }
    assert_eq!(met.len(), 4, "every function has a sample: {met:?}");
}

#[test]
fn a_function_without_its_settings_refuses_to_start_and_names_all_that_are_missing() {
    let aws = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let nothing = || Environment::from_settings([]);
    for (refused, settings) in [
        (
            login::Settings::read(nothing()).err(),
            &["ACCOUNTS_TABLE", "WORK_TABLE", "MAIL_TABLE", "EVENT_BUS", "ISSUER", "AUDIENCE"][..],
        ),
        (
            tasks::Settings::read(nothing()).err(),
            &["ACCOUNTS_TABLE", "WORK_TABLE", "CHANGES_TABLE", "MAIL_TABLE", "EVENT_BUS", "ISSUER", "AUDIENCE"],
        ),
        (change_publisher::Settings::read(nothing()).err(), &["EVENT_BUS", "DEAD_LETTER_QUEUE_URL"]),
        (
            log_mailer::Settings::read(nothing()).err(),
            &[
                "WORK_TABLE",
                "CHANGES_TABLE",
                "MAIL_TABLE",
                "SENDER",
                "WEB_ORIGIN",
                "API_ORIGIN",
                "MAILS_PER_SECOND",
                "MAILERS",
                "QUIET_WINDOW_SECONDS",
                "LONGEST_WAIT_SECONDS",
                "LONGEST_SPACING_SECONDS",
                "MAIL_QUEUE_URL",
                "DEAD_LETTER_QUEUE_URL",
            ],
        ),
    ] {
        let mut missing = refused.expect("nothing is set").0;
        let mut expected: Vec<String> = aws.iter().chain(settings).map(ToString::to_string).collect();
        missing.sort_unstable();
        expected.sort_unstable();
        assert_eq!(missing, expected);
    }
}

/// The contract's table of statuses, walked from one end to the other in one life.
#[tokio::test(flavor = "multi_thread")]
async fn every_status_of_the_contract_is_reached() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let vic = Person::sign_up(&stack, "Vic", json!({})).await;
    let elsewhere = ada.elsewhere().await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &vic, "viewer").await;
    let tasks = format!("{project}/tasks");
    let task = ada.create_task(&project, json!({"title": "Fix the pump"})).await;
    let text = [("content-type", "text/plain")];
    let large = json!({"title": "a".repeat(257 * 1024)});
    let reached = [
        ada.get(&task).await,
        ada.post(&tasks, json!({"title": "Oil the valve"})).await,
        ada.post(&format!("{project}/invitations"), json!({"email": "gus@example.com", "role": "viewer"})).await,
        ada.post("/v1/logout", json!({"refresh_token": elsewhere.refresh_token})).await,
        ada.send(Method::GET, &task, &[("if-none-match", "\"1\"")], None).await,
        ada.get(&format!("{tasks}?colour=red")).await,
        Person::stranger(&stack).get(&task).await,
        vic.patch(&task, "*", json!({"title": "Mine"})).await,
        ada.get("/v1/nothing").await,
        ada.delete_plain(&format!("{project}/members/{}", ada.id)).await,
        ada.patch(&task, "\"7\"", json!({"title": "Fix it"})).await,
        ada.post(&tasks, large).await,
        ada.send(Method::POST, &tasks, &text, Some(b"{}".to_vec())).await,
        ada.post(&tasks, json!({})).await,
        ada.patch_plain(&task, json!({"title": "Fix it"})).await,
        guess_until_held_off(&Person::stranger(&stack), &ada.email, 0).await,
    ];
    let statuses: Vec<u16> = reached.iter().map(|it| it.status.as_u16()).collect();
    assert_eq!(statuses, [200, 201, 202, 204, 304, 400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 429]);
    for answer in reached.into_iter().filter(|it| it.status.is_client_error()) {
        let status = answer.status.as_u16();
        answer.problem(status);
    }
}
