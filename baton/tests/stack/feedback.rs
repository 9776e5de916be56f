//! What the mail service says of mails: late, repeated, in any order, or never.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use baton::interpose::{Interpose, Service};
use baton::options::{Clocks, Options};
use baton::stack::Stack;
use jiff::SignedDuration;
use log_mailer::{Deadline, handle};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::dice::Dice;
use crate::meter::{Metered, operations};
use crate::people::{Person, empty_inbox, mails_to, stack};

/// An event of the mail service about a mail of the inbox, with `more` in its detail.
fn event(detail_type: &str, mail: &Value, more: Value) -> Value {
    let mut tags: BTreeMap<String, Value> = BTreeMap::from([("ses:configuration-set".to_owned(), json!(["ConfigurationSet"]))]);
    let own = mail["tags"].as_object().expect("a mail has tags");
    tags.extend(own.iter().map(|(name, value)| (name.clone(), json!([value]))));
    let mut detail = json!({"mail": {
        "timestamp": mail["received_at"], "messageId": mail["id"], "destination": [mail["to"]], "tags": tags,
    }});
    if let (Some(detail), Value::Object(more)) = (detail.as_object_mut(), more) {
        detail.extend(more);
    }
    json!({"version": "0", "id": Uuid::now_v7(), "source": "aws.ses", "detail-type": detail_type, "detail": detail})
}

fn bounce(mail: &Value, kind: &str) -> Value {
    let bounce = json!({"bounceType": kind, "bounceSubType": "General", "timestamp": mail["received_at"]});
    event("Email Bounced", mail, json!({"bounce": bounce}))
}

pub(crate) fn complaint(mail: &Value) -> Value {
    let complaint = json!({"complaintFeedbackType": "abuse", "timestamp": mail["received_at"]});
    event("Email Complaint Received", mail, json!({"complaint": complaint}))
}

/// Ada, who owns a project, and Ben, an editor of it who is about to be told of a task.
struct Team {
    ada: Person,
    ben: Person,
    project: String,
    task: String,
}

impl Team {
    async fn at_work(stack: &Stack) -> Self {
        let ada = Person::sign_up(stack, "Ada", json!({})).await;
        let ben = Person::sign_up(stack, "Ben", json!({})).await;
        let project = ada.create_project("Boiler room").await;
        ada.bring_in(&project, &ben, "editor").await;
        empty_inbox(stack).await;
        let task = ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
        stack.drain().await;
        Self { ada, ben, project, task }
    }

    /// State and reason of what became of a version, for Ben.
    async fn told_ben(&self, version: u64) -> Vec<(String, String)> {
        let answer = self.ada.get(&format!("{}/changes/{version}/deliveries", self.task)).await.expect(200);
        let items = answer.body["items"].as_array().expect("a list").clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        items.iter().filter(|it| it["user"] == json!(self.ben.id)).map(|it| (text(&it["state"]), text(&it["reason"]))).collect()
    }

    /// Of whom Ada was told that mail does not reach them.
    async fn undeliverable(&self) -> Vec<Value> {
        let answer = self.ada.get("/v1/notifications?limit=100").await.expect(200);
        let items = answer.body["items"].as_array().expect("a list").clone();
        items.into_iter().filter(|it| it["kind"] == "undeliverable").collect()
    }
}

/// The reasons of what lies among the mailer's dead letters.
fn reasons(stack: &Stack) -> Vec<String> {
    let letters = stack.queues().peek("MailDeadLetters").expect("the queues' file works");
    letters.iter().map(|(body, _)| serde_json::from_str::<Value>(body).expect("JSON")["reason"].to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_bounce_or_a_complaint_ends_the_mail_to_an_address_and_its_owners_learn_of_it_once() {
    for (failure, reason) in
        [(bounce as fn(&Value, &str) -> Value, "bounced: General"), (|mail, _| complaint(mail), "complaint: abuse")]
    {
        let stack = stack().await;
        let team = Team::at_work(&stack).await;
        let mail = mails_to(&stack, &team.ben.email).await.remove(0);
        assert_eq!(team.told_ben(1).await[0].0, "sent");

        let failure = failure(&mail, "Permanent");
        for _ in 0..3 {
            stack.publish(failure.clone()).await;
        }
        stack.drain().await;
        assert_eq!(team.told_ben(1).await, [("bounced".to_owned(), reason.to_owned())]);
        let told = team.undeliverable().await;
        assert_eq!((told.len(), &told[0]["user"], &told[0]["read"]), (1, &json!(team.ben.id), &json!(false)), "{told:#?}");
        assert!(team.project.ends_with(told[0]["project"].as_str().expect("an id")));

        team.ada.post(&format!("/v1/notifications/{}/read", told[0]["id"].as_str().expect("an id")), json!({})).await.expect(204);
        for late in [failure, complaint(&mail), bounce(&mail, "Permanent")] {
            stack.publish(late).await;
        }
        team.ada.patch(&team.task, "*", json!({"status": "in_progress"})).await.expect(200);
        stack.drain().await;
        assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 1, "nothing is sent to the address any more");
        assert_eq!(team.told_ben(2).await[0].0, "suppressed");
        let told = team.undeliverable().await;
        assert_eq!((told.len(), &told[0]["read"]), (1, &json!(true)), "told once: {told:#?}");
        assert_eq!(reasons(&stack), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_that_may_pass_and_a_complaint_taken_back_change_nothing() {
    let stack = stack().await;
    let team = Team::at_work(&stack).await;
    let mail = mails_to(&stack, &team.ben.email).await.remove(0);
    let taken_back = json!({"complaintFeedbackType": "not-spam", "timestamp": mail["received_at"]});
    let taken_back = event("Email Complaint Received", &mail, json!({"complaint": taken_back}));
    for passing in
        [bounce(&mail, "Transient"), bounce(&mail, "Undetermined"), taken_back, event("Email Delivery Delayed", &mail, json!({}))]
    {
        stack.publish(passing).await;
    }
    team.ada.patch(&team.task, "*", json!({"status": "in_progress"})).await.expect(200);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 2);
    assert_eq!((team.told_ben(1).await[0].0.as_str(), team.undeliverable().await.len()), ("sent", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_learns_that_an_invitation_did_not_arrive() {
    let stack = stack().await;
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    let address = "bounce+gus@simulator.amazonses.com";
    ada.post(&format!("{project}/invitations"), json!({"email": address, "role": "viewer"})).await.expect(202);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &address.replace('+', "%2B")).await.len(), 1);
    let team = Team { ben: ada.clone(), task: String::new(), ada, project };
    let told = team.undeliverable().await;
    assert_eq!((told.len(), told[0].get("user").is_none_or(Value::is_null)), (1, true), "{told:#?}");
    assert!(team.project.ends_with(told[0]["project"].as_str().expect("an id")));
    assert!(!told[0].to_string().contains("gus"), "nothing that is stored there holds an address");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bounce_at_an_address_somebody_has_left_says_nothing_of_them() {
    let stack = stack().await;
    let team = Team::at_work(&stack).await;
    let mail = mails_to(&stack, &team.ben.email).await.remove(0);
    let mut left = mail.clone();
    left["to"] = json!("ben@elsewhere.example");
    stack.publish(bounce(&left, "Permanent")).await;
    team.ada.patch(&team.task, "*", json!({"status": "in_progress"})).await.expect(200);
    stack.drain().await;
    assert_eq!(team.undeliverable().await, Vec::<Value>::new());
    assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 2);
}

/// A mail service that leaves its caller in the dark, by address.
#[derive(Clone, Default)]
struct Dark(Arc<DarkService>);

#[derive(Default)]
struct DarkService {
    upstream: OnceLock<String>,
    http: reqwest::Client,
    faults: Mutex<BTreeMap<String, Fault>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The mail is taken, and nobody is told.
    LosesAnswer,
    /// The mail is lost, and nobody is told.
    LosesMail,
}

impl Dark {
    /// A stack whose mailer has this mail service.
    async fn start(&self) -> (Stack, Clocks) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(axum::serve(listener, Router::new().fallback(pass_on).with_state(self.clone())).into_future());
        let service = self.0.clone();
        let interpose = Interpose::default().lead(move |_, it, real| {
            if it != Service::Ses {
                return real.to_owned();
            }
            service.upstream.get_or_init(|| real.to_owned());
            address.clone()
        });
        let clocks = Clocks::default();
        let options =
            Options { in_memory: true, port: 0, record_events: true, clocks: clocks.clone(), interpose, ..Options::default() };
        (Stack::start(options).await.expect("the stack starts"), clocks)
    }

    fn set(&self, address: &str, fault: Option<Fault>) {
        let mut faults = self.0.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Some(fault) => faults.insert(address.to_owned(), fault),
            None => faults.remove(address),
        };
    }
}

async fn pass_on(State(Dark(service)): State<Dark>, body: Bytes) -> Response {
    let request: Value = serde_json::from_slice(&body).expect("a mail is JSON");
    let to = request["Destination"]["ToAddresses"][0].as_str().expect("an address").to_owned();
    let fault = service.faults.lock().unwrap_or_else(PoisonError::into_inner).get(&to).copied();
    let unsaid = || (StatusCode::INTERNAL_SERVER_ERROR, axum::Json(json!({"message": "?"}))).into_response();
    if fault == Some(Fault::LosesMail) {
        return unsaid();
    }
    let url = format!("{}/v2/email/outbound-emails", service.upstream.get().expect("the mailer was led here"));
    let answer = service.http.post(url).header("content-type", "application/json").body(body).send().await.expect("an answer");
    let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let body = answer.bytes().await.expect("a whole answer");
    if fault.is_some() { unsaid() } else { (status, [("content-type", "application/json")], body).into_response() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_event_closes_the_claim_whose_outcome_was_unknown_and_no_other() {
    let dark = Dark::default();
    let (stack, clocks) = dark.start().await;
    let team = Team::at_work(&stack).await;
    let cam = Person::sign_up(&stack, "Cam", json!({})).await;
    team.ada.bring_in(&team.project, &cam, "editor").await;
    empty_inbox(&stack).await;

    // Both are told; of neither the mailer learns whether the mail was taken. Ben's was, and the mail service says so by an event.
    dark.set(&team.ben.email, Some(Fault::LosesAnswer));
    dark.set(&cam.email, Some(Fault::LosesMail));
    team.ada.patch(&team.task, "*", json!({"status": "in_progress"})).await.expect(200);
    let other = team.ada.create_task(&team.project, json!({"title": "Oil the valve", "assignee": cam.id})).await;
    stack.drain().await;
    dark.set(&team.ben.email, None);
    dark.set(&cam.email, None);
    assert_eq!(team.told_ben(2).await[0].0, "sent");
    let bens = mails_to(&stack, &team.ben.email).await;
    assert_eq!((bens.len(), mails_to(&stack, &cam.email).await.len()), (1, 0));

    // An event of somebody else's claim, and one of another claim of Cam's own, end nothing.
    let mut foreign = bens[0].clone();
    foreign["tags"]["recipient"] = json!(format!("USER_{}", cam.id));
    stack.publish(event("Email Sent", &foreign, json!({"send": {}}))).await;
    foreign["tags"]["claim"] = json!(Uuid::now_v7());
    stack.publish(event("Email Sent", &foreign, json!({"send": {}}))).await;
    // Ben is told of what comes next without waiting for a lease to end.
    team.ada.patch(&team.task, "*", json!({"status": "done"})).await.expect(200);
    stack.drain().await;
    assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 2);
    assert_eq!(mails_to(&stack, &cam.email).await.len(), 0, "Cam's claim is open until its lease ends");

    clocks.advance(SignedDuration::from_mins(10));
    stack.run_schedules().await.expect("the sweep runs");
    stack.drain().await;
    assert_eq!(mails_to(&stack, &cam.email).await.len(), 1, "a mail that was lost is sent again");
    assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 2, "one that was taken is not");
    let told = team.ada.get(&format!("{other}/changes/1/deliveries")).await.expect(200);
    assert_eq!(told.body["items"][0]["state"], "sent", "{told:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_repeated_in_any_order_a_day_late_change_nothing() {
    let dark = Dark::default();
    let (stack, clocks) = dark.start().await;
    let team = Team::at_work(&stack).await;
    for status in ["in_progress", "done", "waiting"] {
        team.ada.patch(&team.task, "*", json!({"status": status})).await.expect(200);
    }
    stack.drain().await;
    let before = (mails_to(&stack, &team.ada.email).await, mails_to(&stack, &team.ben.email).await);
    let mut events: Vec<Value> = stack.recorded_events().into_iter().filter(|it| it["source"] == "aws.ses").collect();
    assert!(events.len() >= 8, "two for each mail: {}", events.len());
    clocks.advance(SignedDuration::from_hours(24));
    events.extend(events.clone());
    Dice::new(4).shuffle(&mut events);
    for event in events {
        stack.publish(event).await;
    }
    stack.drain().await;
    assert_eq!((mails_to(&stack, &team.ada.email).await, mails_to(&stack, &team.ben.email).await), before);
    assert_eq!((team.told_ben(1).await[0].0.as_str(), team.undeliverable().await.len()), ("sent", 0));
    assert_eq!(reasons(&stack), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_lies_among_the_dead_letters_with_its_reason_and_does_no_harm() {
    let stack = stack().await;
    let team = Team::at_work(&stack).await;
    let mail = mails_to(&stack, &team.ben.email).await.remove(0);
    let sent = || event("Email Sent", &mail, json!({"send": {}}));
    let with = |path: &str, value: Value| {
        let mut garbled = bounce(&mail, "Permanent");
        *garbled.pointer_mut(path).expect("it is there") = value;
        garbled
    };
    // Neither ours, nor of the mailer, nor of anything it acts on.
    let mut theirs = bounce(&mail, "Permanent");
    theirs["detail"]["mail"]["tags"] = json!({"ses:configuration-set": ["theirs"]});
    stack.publish(theirs).await;
    stack.publish(with("/detail/mail/tags", json!({"ses:configuration-set": ["ConfigurationSet"]}))).await;
    stack.drain().await;
    assert_eq!(reasons(&stack), Vec::<String>::new());

    for (garbled, reason) in [
        (event("Email Framed", &mail, json!({})), r#"nobody here knows \"Email Framed\" from \"aws.ses\""#),
        (with("/version", json!("7")), r#"envelope version \"7\" is unknown"#),
        (with("/detail/bounce", json!(null)), "missing field `bounce`"),
        (with("/detail/bounce/bounceType", json!("Cosmic")), "unknown variant `Cosmic`"),
        (with("/detail/mail/tags/claim", json!(["x"])), "the tag claim is not a UUID"),
        (with("/detail/mail/destination", json!(["nobody"])), "is not an e-mail address"),
        (json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Painted", "detail": {}}), "Task Painted"),
        (json!({"version": "0", "source": "baton.mail", "detail-type": "Letter Lost", "detail": {}}), "Letter Lost"),
        (
            json!({"version": "0", "source": "baton.tasks", "detail-type": "Task Updated", "detail": {
                "project": Uuid::nil(), "task": Uuid::nil(), "version": 1, "kind": "painted"}}),
            "unknown variant `painted`",
        ),
    ] {
        let before = reasons(&stack).len();
        stack.publish(garbled).await;
        stack.drain().await;
        let reasons = reasons(&stack);
        assert!(reasons.len() == before + 1 && reasons[before].contains(reason), "{reason} is not in {reasons:#?}");
    }
    stack.queues().send(&[("FeedbackQueue", "no JSON")]).expect("the queue takes it");
    stack.publish(sent()).await;
    team.ada.patch(&team.task, "*", json!({"status": "in_progress"})).await.expect(200);
    stack.drain().await;
    assert!(reasons(&stack).last().is_some_and(|it| it.contains("is not an EventBridge event")));
    assert_eq!(mails_to(&stack, &team.ben.email).await.len(), 2, "mail goes on");
    assert_eq!(team.undeliverable().await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn both_events_of_an_ordinary_mail_cost_one_read_and_no_write() {
    let metered = Metered::start().await;
    let ada = Person::sign_up(&metered.stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&metered.stack, "Ben", json!({})).await;
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, &ben, "editor").await;
    ada.create_task(&project, json!({"title": "Fix the pump", "assignee": ben.id})).await;
    metered.send_mails().await;
    metered.stack.drain().await;
    let mail = mails_to(&metered.stack, &ben.email).await.remove(0);
    metered.calls();
    let bodies = [("Email Sent", json!({"send": {}})), ("Email Delivered", json!({"delivery": {}}))];
    let records: Vec<Value> = bodies
        .into_iter()
        .map(|(detail_type, more)| json!({"messageId": detail_type, "body": event(detail_type, &mail, more).to_string()}))
        .collect();
    let invocation = serde_json::from_value(json!({"Records": records})).expect("a queue's event");
    let answer = handle(&metered.mailer, invocation, Deadline::from_now()).await.expect("a queue is never refused");
    assert!(answer.batch_item_failures.is_empty());
    assert_eq!(operations(&metered.calls()), ["GetItem"]);
}
