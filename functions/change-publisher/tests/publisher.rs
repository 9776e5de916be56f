//! The publisher against a bus and dead letters that answer as they are told, over HTTP.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use aws_lambda_events::dynamodb::Event;
use change_publisher::{Bus, Publisher, SOURCE, Settings, handle};
use domain::{Assignee, Change, ChangeKind, Priority, ProjectId, TaskId, UserId, Version};
use serde_json::{Value, json};
use store::Environment;
use uuid::Uuid;

/// What comes of one entry of a call, or of a whole call.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// A code for each entry; `""` where it is taken, and so are all beyond the list.
    Entries(&'static [&'static str]),
    /// An answer that is too short by so many entries.
    Short(usize),
    /// The whole call is refused.
    Call(&'static str),
}

/// EventBridge and SQS behind one address.
#[derive(Clone, Default)]
struct Aws(Arc<Mutex<Script>>);

#[derive(Default)]
struct Script {
    /// The answers to the next calls of the bus; after them everything is taken.
    answers: VecDeque<Answer>,
    /// A part of the detail that makes the bus refuse a whole call.
    poison: Option<&'static str>,
    dead_letters_fail: bool,
    /// Every entry, call by call.
    calls: Vec<Vec<Value>>,
    letters: Vec<Value>,
}

impl Aws {
    fn start(answers: &[Answer]) -> (Self, Settings) {
        let aws = Self::default();
        aws.script(|it| it.answers.extend(answers));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let served = aws.clone();
        thread::spawn(move || {
            for connection in listener.incoming().flatten() {
                let aws = served.clone();
                thread::spawn(move || aws.serve(&connection));
            }
        });
        let settings = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "x"),
            ("AWS_SECRET_ACCESS_KEY", "x"),
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("EVENT_BUS", "the-bus"),
            ("DEAD_LETTER_QUEUE_URL", "http://queue/dead"),
        ];
        let environment = Environment::from_settings(settings.map(|(name, value)| (name.to_owned(), value.to_owned())));
        (aws, Settings::read(environment).expect("all settings are there"))
    }

    fn script<T>(&self, with: impl FnOnce(&mut Script) -> T) -> T {
        with(&mut self.0.lock().expect("no test panicked with it"))
    }

    /// HTTP/1.1, request by request.
    fn serve(&self, connection: &TcpStream) {
        let mut reader = BufReader::new(connection);
        loop {
            let (mut length, mut target) = (0, String::new());
            loop {
                let mut line = String::new();
                if reader.read_line(&mut line).unwrap_or(0) == 0 {
                    return;
                }
                let Some((name, value)) = line.trim_end().split_once(": ") else {
                    if line.trim_end().is_empty() { break } else { continue }
                };
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().expect("a length"),
                    "x-amz-target" => value.clone_into(&mut target),
                    _ => {}
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a whole request");
            let request: Value = serde_json::from_slice(&body).expect("JSON");
            let (status, answer) = self.script(|it| it.answer(&target, &request));
            let answer = answer.to_string();
            let head = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\n\r\n",
                answer.len()
            );
            let mut writer = connection;
            writer.write_all([head.as_bytes(), answer.as_bytes()].concat().as_slice()).expect("it is read");
        }
    }

    /// The versions in each call of the bus.
    fn versions(&self) -> Vec<Vec<u64>> {
        let version = |entry: &Value| {
            let detail: Value = serde_json::from_str(entry["Detail"].as_str().expect("a detail")).expect("JSON");
            detail["version"].as_u64().expect("a version")
        };
        self.script(|it| it.calls.iter().map(|call| call.iter().map(version).collect()).collect())
    }

    /// Sequence number and reason of every dead letter.
    fn letters(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let letter = |it: &Value| (text(&it["record"]["dynamodb"]["SequenceNumber"]), text(&it["reason"]));
        self.script(|it| it.letters.iter().map(letter).collect())
    }
}

impl Script {
    fn answer(&mut self, target: &str, request: &Value) -> (u16, Value) {
        if target == "AmazonSQS.SendMessage" {
            assert_eq!(request["QueueUrl"], "http://queue/dead");
            if self.dead_letters_fail {
                return (400, json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}));
            }
            let letter = request["MessageBody"].as_str().expect("a body");
            self.letters.push(serde_json::from_str(letter).expect("JSON"));
            return (200, json!({"MessageId": "1"}));
        }
        assert_eq!(target, "AWSEvents.PutEvents");
        let entries = request["Entries"].as_array().expect("entries").clone();
        let is_poisoned =
            |entry: &Value| self.poison.is_some_and(|it| entry["Detail"].as_str().is_some_and(|detail| detail.contains(it)));
        let poisoned = entries.iter().any(is_poisoned);
        let count = entries.len();
        self.calls.push(entries);
        let refuse = |code: &str| (400, json!({"__type": code, "message": "Total size of the entries is over the limit."}));
        if poisoned {
            return refuse("ValidationException");
        }
        let result = |code: &str| match code {
            "" => json!({"EventId": "1"}),
            code => json!({"ErrorCode": code, "ErrorMessage": "why"}),
        };
        let results: Vec<Value> = match self.answers.pop_front().unwrap_or(Answer::Entries(&[])) {
            Answer::Call(code) => return refuse(code),
            Answer::Short(by) => (by..count).map(|_| result("")).collect(),
            Answer::Entries(codes) => (0..count).map(|it| result(codes.get(it).copied().unwrap_or_default())).collect(),
        };
        let failed = results.iter().filter(|it| it.get("ErrorCode").is_some()).count();
        (200, json!({"FailedEntryCount": failed, "Entries": results}))
    }
}

/// A new entry of a task's log, as the stream brings it; its sequence number is `s` and the version.
fn record(version: u64) -> Value {
    let (project, task, user) = (Uuid::from_u128(10), Uuid::from_u128(11), Uuid::from_u128(2));
    json!({
        "eventID": "1", "eventName": "INSERT", "awsRegion": "eu-central-1",
        "dynamodb": {
            "SequenceNumber": format!("s{version}"), "SizeBytes": 1,
            "NewImage": {
                "pk": {"S": format!("TASK#{project}#{task}")}, "version": {"N": version.to_string()}, "kind": {"S": "updated"},
                "title": {"S": "Fix the pump"}, "actor": {"S": user}, "creator": {"S": user},
                "at": {"S": "2026-11-20T14:03:00Z"}, "fields": {"S": "[{\"name\":\"description\"}]"},
            },
        },
    })
}

fn records(versions: std::ops::RangeInclusive<u64>) -> Vec<Value> {
    versions.map(record).collect()
}

/// What the function answers: the sequence numbers it could not bring anywhere.
async fn publish(settings: Settings, records: Vec<Value>) -> Vec<String> {
    let event: Event = serde_json::from_value(json!({"Records": records})).expect("an event of the stream");
    let answer = handle(&Publisher::new(settings), event).await;
    answer.batch_item_failures.into_iter().map(|it| it.item_identifier.expect("a number")).collect()
}

#[tokio::test]
async fn a_batch_is_announced_in_order_ten_at_a_time() {
    let (aws, settings) = Aws::start(&[]);
    assert_eq!(publish(settings, records(1..=25)).await, Vec::<String>::new());
    let expected: Vec<Vec<u64>> = vec![(1..=10).collect(), (11..=20).collect(), (21..=25).collect()];
    assert_eq!(aws.versions(), expected);
    let entry = aws.script(|it| it.calls[0][0].clone());
    assert_eq!(
        (&entry["Source"], &entry["EventBusName"], &entry["DetailType"]),
        (&json!(SOURCE), &json!("the-bus"), &json!("Task Updated"))
    );
}

#[tokio::test]
async fn an_entry_that_may_pass_is_tried_again_alone() {
    let (aws, settings) = Aws::start(&[
        Answer::Entries(&["", "ThrottlingException", "", "InternalFailure"]),
        Answer::Entries(&["", "ThrottlingException"]),
    ]);
    assert_eq!(publish(settings, records(1..=5)).await, Vec::<String>::new());
    assert_eq!(aws.versions(), [vec![1, 2, 3, 4, 5], vec![2, 4], vec![4]]);
}

#[tokio::test]
async fn the_stream_comes_back_from_the_first_entry_that_was_not_taken() {
    let throttled = Answer::Entries(&["", "ThrottlingException", "ThrottlingException"]);
    let still = Answer::Entries(&["ThrottlingException", "ThrottlingException"]);
    let (aws, settings) = Aws::start(&[throttled, still, still]);
    assert_eq!(publish(settings, records(1..=12)).await, ["s2"]);
    assert_eq!(aws.versions(), [(1..=10).collect(), vec![2, 3], vec![2, 3]], "what follows comes again with it");
    assert_eq!(aws.letters(), []);
}

#[tokio::test]
async fn a_bus_that_does_not_answer_loses_nothing() {
    for answer in [Answer::Call("AccessDeniedException"), Answer::Call("ResourceNotFoundException"), Answer::Short(3)] {
        let (aws, settings) = Aws::start(&[answer; 3]);
        assert_eq!(publish(settings, records(1..=3)).await, ["s1"], "{answer:?}");
        assert_eq!((aws.versions().len(), aws.letters()), (3, Vec::new()), "{answer:?}");
    }
}

#[tokio::test]
async fn what_the_bus_refuses_for_good_goes_to_the_dead_letters_and_the_rest_goes_on() {
    let (aws, settings) = Aws::start(&[Answer::Entries(&["", "MalformedDetail"])]);
    assert_eq!(publish(settings, records(1..=12)).await, Vec::<String>::new());
    assert_eq!(aws.versions(), [(1..=10).collect(), vec![11, 12]]);
    assert_eq!(aws.letters(), [("s2".to_owned(), "the bus refuses it: MalformedDetail: why".to_owned())]);
    let letter = aws.script(|it| it.letters[0].clone());
    assert_eq!(letter["record"]["dynamodb"]["NewImage"]["version"]["N"], "2", "the whole record is there");
}

#[tokio::test]
async fn what_follows_an_entry_that_may_pass_comes_again_and_is_not_buried_before() {
    let answer = Answer::Entries(&["InvalidArgument", "ThrottlingException", "InvalidArgument"]);
    let (aws, settings) =
        Aws::start(&[answer, Answer::Entries(&["ThrottlingException"]), Answer::Entries(&["ThrottlingException"])]);
    assert_eq!(publish(settings, records(1..=3)).await, ["s2"]);
    let buried: Vec<String> = aws.letters().into_iter().map(|(number, _)| number).collect();
    assert_eq!(buried, ["s1"]);
}

#[tokio::test]
async fn an_entry_that_makes_the_bus_refuse_a_whole_call_is_found_and_buried_alone() {
    let (aws, settings) = Aws::start(&[]);
    aws.script(|it| it.poison = Some("\"version\":2}"));
    assert_eq!(publish(settings, records(1..=3)).await, Vec::<String>::new());
    assert_eq!(aws.versions(), [vec![1, 2, 3], vec![1], vec![2], vec![3]]);
    let letters = aws.letters();
    assert_eq!((letters.len(), letters[0].0.as_str()), (1, "s2"));
    assert!(letters[0].1.contains("over the limit"), "{letters:?}");
}

#[tokio::test]
async fn a_record_nobody_can_read_goes_to_the_dead_letters_with_its_reason() {
    let (aws, settings) = Aws::start(&[]);
    let mut bad = records(1..=4);
    bad[1]["dynamodb"]["NewImage"]["kind"] = json!({"S": "painted"});
    bad[3]["eventName"] = json!("TRUNCATE");
    assert_eq!(publish(settings, bad).await, Vec::<String>::new());
    assert_eq!(aws.versions(), [vec![1], vec![3]]);
    let letters = aws.letters();
    assert_eq!(letters.iter().map(|it| it.0.as_str()).collect::<Vec<_>>(), ["s2", "s4"]);
    assert!(letters[0].1.contains("unknown variant `painted`"), "{letters:?}");
    assert!(letters[1].1.contains("TRUNCATE"), "{letters:?}");
}

#[tokio::test]
async fn where_the_dead_letters_fail_the_stream_comes_back_from_there() {
    let (aws, settings) = Aws::start(&[]);
    aws.script(|it| it.dead_letters_fail = true);
    let mut bad = records(1..=3);
    bad[1]["dynamodb"]["NewImage"]["kind"] = json!({"S": "painted"});
    assert_eq!(publish(settings, bad).await, ["s2"]);
    assert_eq!(aws.versions(), [vec![1]], "what came before is announced, what follows comes again");

    let (aws, settings) = Aws::start(&[Answer::Entries(&["", "InvalidArgument"])]);
    aws.script(|it| it.dead_letters_fail = true);
    assert_eq!(publish(settings, records(1..=3)).await, ["s2"]);
}

#[tokio::test]
async fn where_what_precedes_an_unreadable_record_is_not_taken_it_is_not_buried_before() {
    let (aws, settings) = Aws::start(&[Answer::Call("AccessDeniedException"); 3]);
    let mut bad = records(1..=2);
    bad[1]["eventName"] = json!("TRUNCATE");
    assert_eq!(publish(settings, bad).await, ["s1"]);
    assert_eq!(aws.letters(), []);
}

#[tokio::test]
async fn an_entry_that_was_altered_is_never_announced_and_holds_nothing_up() {
    let (aws, settings) = Aws::start(&[]);
    let mut altered = records(1..=3);
    altered[0]["eventName"] = json!("MODIFY");
    altered[1]["eventName"] = json!("REMOVE");
    assert_eq!(publish(settings, altered).await, Vec::<String>::new());
    assert_eq!((aws.versions(), aws.letters()), (vec![vec![3]], Vec::new()));
}

fn change(version: u64) -> Change {
    Change {
        project: ProjectId(Uuid::from_u128(10)),
        task: TaskId(Uuid::from_u128(11)),
        version: Version(version),
        kind: ChangeKind::Updated,
        title: "Fix the pump".parse().expect("a title"),
        actor: UserId(Uuid::from_u128(2)),
        creator: UserId(Uuid::from_u128(2)),
        assignee: Assignee { before: None, after: None },
        priority: Priority::default(),
        at: "2026-11-20T14:03:00Z".parse().expect("a time"),
        fields: Vec::new(),
    }
}

#[tokio::test]
async fn entries_are_announced_again_in_order_and_it_is_said_how_far_that_came() {
    let changes: Vec<Change> = (1..=12).map(change).collect();
    let (aws, settings) = Aws::start(&[]);
    assert_eq!(Bus::connect(&settings.aws, "the-bus").announce_again(&changes).await, Ok(()));
    assert_eq!(aws.versions(), [(1..=10).collect(), vec![11, 12]]);

    let (_, settings) = Aws::start(&[Answer::Entries(&[]), Answer::Entries(&["", "InvalidArgument"])]);
    let stopped = Bus::connect(&settings.aws, "the-bus").announce_again(&changes).await;
    assert_eq!(stopped.map_err(|it| it.before), Err(11));
    let (_, settings) = Aws::start(&[Answer::Call("AccessDeniedException"); 3]);
    let stopped = Bus::connect(&settings.aws, "the-bus").announce_again(&changes).await;
    assert_eq!(stopped.map_err(|it| it.before), Err(0));
}

#[test]
fn a_setting_that_is_missing_is_named() {
    let missing = Settings::from_environment().expect_err("nothing is set here").0;
    assert!(missing.contains(&"EVENT_BUS".to_owned()) && missing.contains(&"DEAD_LETTER_QUEUE_URL".to_owned()), "{missing:?}");
}
