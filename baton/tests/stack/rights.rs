//! What `login`, `tasks` and `log-mailer` ask of DynamoDB is what their roles in template.yaml allow: nothing here would refuse the rest, AWS does.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use baton::interpose::{Interpose, Service};
use baton::options::{Clocks, Options};
use baton::stack::Stack;
use http::{HeaderMap, Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::Environment;
use tokio::net::TcpListener;

use crate::authenticator::enrol;
use crate::contract::resources;
use crate::feedback::complaint;
use crate::people::{PASSWORD, Person, mails_to, stack};

/// One use of a right: what a policy is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    /// `dynamodb:GetItem` for one.
    action: String,
    /// A table, or an index as `WorkTable.Arn/index/by_time`.
    resource: String,
    partition: String,
    /// Of an update, the key's among them; none are asked about elsewhere.
    attributes: BTreeSet<String>,
}

impl Use {
    fn new(operation: &str, table: &Value, partition: &Value) -> Self {
        let partition =
            partition["S"].as_str().unwrap_or_else(|| panic!("{operation} names a partition: {partition}")).to_owned();
        let resource = format!("{}.Arn", table.as_str().expect("a table"));
        Self { action: format!("dynamodb:{operation}"), resource, partition, attributes: BTreeSet::new() }
    }

    /// One write of a transaction or alone.
    fn write(operation: &str, write: &Value) -> Self {
        let partition = if operation == "PutItem" { &write["Item"]["pk"] } else { &write["Key"]["pk"] };
        let mut needed = Self::new(operation, &write["TableName"], partition);
        if operation == "UpdateItem" {
            let names = write["ExpressionAttributeNames"].as_object().into_iter().flatten();
            needed.attributes = names.map(|(_, name)| name.as_str().expect("a name").to_owned()).collect();
            needed.attributes.extend(["pk", "sk"].map(str::to_owned));
        }
        needed
    }

    /// What a request to DynamoDB uses.
    fn all(operation: &str, request: &Value) -> Vec<Self> {
        let tables = || request["RequestItems"].as_object().into_iter().flatten();
        let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
        match operation {
            "TransactWriteItems" => {
                let write = |item: &Value| {
                    let (name, write) = item.as_object().and_then(|it| it.iter().next()).expect("a write");
                    let operation =
                        if name == "ConditionCheck" { "ConditionCheckItem".to_owned() } else { format!("{name}Item") };
                    Self::write(&operation, write)
                };
                items(&request["TransactItems"]).iter().map(write).collect()
            }
            "BatchGetItem" => {
                let keys = tables().flat_map(|(table, wanted)| items(&wanted["Keys"]).into_iter().map(move |key| (table, key)));
                keys.map(|(table, key)| Self::new(operation, &json!(table), &key["pk"])).collect()
            }
            "BatchWriteItem" => {
                let writes = tables().flat_map(|(table, writes)| items(writes).into_iter().map(move |write| (table, write)));
                let partition = |write: &Value| match write.get("PutRequest") {
                    Some(put) => put["Item"]["pk"].clone(),
                    None => write["DeleteRequest"]["Key"]["pk"].clone(),
                };
                writes.map(|(table, write)| Self::new(operation, &json!(table), &partition(&write))).collect()
            }
            "Query" => {
                let mut needed = Self::new(operation, &request["TableName"], &request["ExpressionAttributeValues"][":partition"]);
                if let Some(index) = request["IndexName"].as_str() {
                    needed.resource = format!("{}/index/{index}", needed.resource);
                }
                vec![needed]
            }
            "GetItem" => vec![Self::new(operation, &request["TableName"], &request["Key"]["pk"])],
            operation => vec![Self::write(operation, request)],
        }
    }

    fn is_allowed_by(&self, statement: &Value) -> bool {
        let condition = &statement["Condition"];
        let keys = words(&condition["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]);
        let attributes = words(&condition["ForAllValues:StringEquals"]["dynamodb:Attributes"]);
        let resources = words(&statement["Resource"]).into_iter().map(|it| it.replace("${", "").replace('}', ""));
        statement["Effect"] == "Allow"
            && words(&statement["Action"]).contains(&self.action)
            && resources.into_iter().any(|it| it == self.resource)
            && (keys.is_empty() || keys.iter().any(|it| is_like(&self.partition, it)))
            && (attributes.is_empty() || self.attributes.iter().all(|it| attributes.contains(it)))
    }
}

/// A text or a list of them.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.iter().flat_map(words).collect(),
        value => value.as_str().map(str::to_owned).into_iter().collect(),
    }
}

fn is_like(text: &str, pattern: &str) -> bool {
    pattern.strip_suffix('*').map_or(text == pattern, |prefix| text.starts_with(prefix))
}

/// The statements of a role.
fn statements(role: &str) -> Vec<Value> {
    let policies = resources()[role]["Properties"]["Policies"].as_array().cloned().unwrap_or_default();
    policies.iter().flat_map(|it| it["PolicyDocument"]["Statement"].as_array().cloned().unwrap_or_default()).collect()
}

/// What stands between one function and DynamoDB.
#[derive(Clone, Debug)]
struct Witness {
    endpoint: Arc<OnceLock<String>>,
    http: reqwest::Client,
    uses: Arc<Mutex<BTreeSet<Use>>>,
}

impl Witness {
    /// Listens, and passes nothing on before it knows where DynamoDB is.
    async fn listen() -> (Self, String) {
        let witness = Self { endpoint: Arc::default(), http: reqwest::Client::new(), uses: Arc::default() };
        let address = serve(Router::new().fallback(forward).with_state(witness.clone())).await;
        (witness, address)
    }

    async fn start(stack: &Stack) -> (Self, String) {
        let (witness, address) = Self::listen().await;
        witness.endpoint.get_or_init(|| stack.dynamodb_endpoint());
        (witness, address)
    }

    /// What was used of DynamoDB that none of the statements allows.
    fn refused(&self, statements: &[Value]) -> Vec<Use> {
        let uses = self.uses.lock().unwrap_or_else(PoisonError::into_inner);
        assert!(!uses.is_empty(), "nothing was asked of DynamoDB");
        uses.iter().filter(|it| !statements.iter().any(|statement| it.is_allowed_by(statement))).cloned().collect()
    }
}

async fn forward(State(witness): State<Witness>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default();
    let request: Value = serde_json::from_slice(&body).expect("a call is JSON");
    witness.uses.lock().unwrap_or_else(PoisonError::into_inner).extend(Use::all(operation, &request));
    let endpoint = witness.endpoint.get().expect("whoever calls was led here by the stack");
    let mut call = witness.http.post(endpoint).body(body);
    for name in ["authorization", "content-type", "x-amz-date", "x-amz-target"] {
        if let Some(value) = headers.get(name) {
            call = call.header(name, value);
        }
    }
    let answer = call.send().await.expect("DynamoDB answers");
    let status = StatusCode::from_u16(answer.status().as_u16()).expect("a status");
    let content_type = answer.headers().get("content-type").cloned();
    let mut response = (status, answer.bytes().await.expect("a whole answer")).into_response();
    if let Some(content_type) = content_type {
        response.headers_mut().insert("content-type", content_type);
    }
    response
}

async fn serve(app: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(axum::serve(listener, app).into_future());
    format!("http://{address}")
}

/// Signs up at an origin that is not the stack's own.
async fn sign_up(stack: &Stack, origin: &str, name: &str) -> Person {
    let mut person = Person::stranger_at(origin);
    person.email = format!("{}@example.com", name.to_lowercase());
    person.post("/v1/accounts", json!({"email": person.email, "name": name})).await.expect(202);
    let token = person.token_from_mail(stack).await;
    person.post("/v1/accounts/verify", json!({"token": token, "password": PASSWORD})).await.expect(204);
    person.log_in().await;
    person
}

/// Everything about tasks, members and invitations.
async fn work(ada: &Person, ben: &Person) {
    let project = ada.create_project("Boiler room").await;
    ada.bring_in(&project, ben, "owner").await;
    let member = format!("{project}/members/{}", ben.id);
    ada.patch_plain(&member, json!({"role": "editor"})).await.expect(200);
    let task =
        ada.create_task(&project, json!({"title": "Oil the pumps", "description": "All of them", "assignee": ben.id})).await;
    ada.patch(&task, "*", json!({"status": "done", "description": "", "assignee": null})).await.expect(200);
    for path in ["", "/tasks", "/tasks?status=done", "/members", "/invitations", "/changes"] {
        ada.get(&format!("{project}{path}")).await.expect(200);
    }
    for path in ["", "/changes", "/changes/1"] {
        ada.get(&format!("{task}{path}")).await.expect(200);
    }
    for path in ["/v1/tasks?assignee=me", "/v1/projects", "/v1/me/invitations"] {
        ben.get(path).await.expect(200);
    }
    ada.delete(&task, "*").await.expect(204);
    ada.patch_plain(&project, json!({"name": "Boilers"})).await.expect(200);
    ada.post(&format!("{project}/invitations"), json!({"email": "gus@example.com", "role": "viewer"})).await.expect(202);
    let invited = ada.get(&format!("{project}/invitations")).await.expect(200);
    let invitation = invited.body["items"][0]["id"].as_str().expect("an id").to_owned();
    ada.delete_plain(&format!("{project}/invitations/{invitation}")).await.expect(204);
    ada.delete_plain(&member).await.expect(204);
    ada.delete_plain(&project).await.expect(204);
}

/// Everything about who is told of what.
async fn told(stack: &Stack, ada: &Person, ben: &Person) {
    let project = ada.create_project("Cellar").await;
    ada.bring_in(&project, ben, "editor").await;
    let task = ada.create_task(&project, json!({"title": "Drain it"})).await;
    for (path, mode) in [(&project, "mute"), (&task, "watch")] {
        for person in [ada, ben] {
            let subscription = format!("{path}/subscription");
            person.put(&subscription, json!({"mode": mode})).await.expect(200);
            person.get(&subscription).await.expect(200);
            person.delete_plain(&subscription).await.expect(204);
            person.put(&subscription, json!({"mode": mode})).await.expect(200);
        }
    }
    for status in ["in_progress", "done"] {
        ben.patch(&task, "*", json!({"status": status})).await.expect(200);
        ben.get(&format!("{task}/changes/2/deliveries")).await.expect(200);
        stack.drain().await;
    }
    ben.get(&format!("{task}/changes/2/deliveries")).await.expect(200);
    let listed = ada.get("/v1/notifications").await.expect(200).body;
    ada.get("/v1/notifications/unread").await.expect(200);
    ada.post(&format!("/v1/notifications/{}/read", listed["items"][0]["id"].as_str().expect("an id")), json!({}))
        .await
        .expect(204);
    ada.post("/v1/notifications/read", json!({})).await.expect(204);
    let mail = mails_to(stack, &ada.email).await.remove(0);
    let links = mail["text"].as_str().expect("a text").split("/v1/unsubscribe/").skip(1);
    let tokens = links.map(|it| it.split_whitespace().next().expect("a token"));
    for token in tokens.collect::<Vec<_>>() {
        let path = format!("/v1/unsubscribe/{token}");
        ada.get(&path).await.expect(200);
        let form = [("content-type", "application/x-www-form-urlencoded")];
        ada.send(Method::POST, &path, &form, Some(b"List-Unsubscribe=One-Click".to_vec())).await.expect(200);
    }
    assert_eq!(ada.get(&format!("{project}/subscription")).await.expect(200).body["mode"], "mute");
    ben.put(&format!("{project}/subscription"), json!({"mode": "watch"})).await.expect(200);
    ben.delete_plain(&format!("{project}/members/{}", ben.id)).await.expect(204);
    ada.bring_in(&project, ben, "viewer").await;
    ada.patch(&task, "*", json!({"assignee": ben.id})).await.expect(200);
    ben.put(&format!("{project}/subscription"), json!({"mode": "watch"})).await.expect(200);
    stack.drain().await;
}

/// Everything about an account, to its end.
async fn account(stack: &Stack, ada: &mut Person, ben: &Person) {
    ada.patch_plain("/v1/me", json!({"locale": "ko"})).await.expect(200);
    ada.refresh().await;
    let expires_at = Timestamp::now() + SignedDuration::from_hours(1);
    let wanted = json!({"name": "a", "access": "read", "expires_at": expires_at, "password": PASSWORD});
    let made = ada.post("/v1/me/tokens", wanted).await.expect(201);
    let script = Person { access_token: Some(made.text("token")), ..ada.clone() };
    script.get("/v1/projects").await.expect(200);
    script.get("/v1/me").await.expect(200);
    ada.delete_plain(&format!("/v1/me/tokens/{}", made.text("id"))).await.expect(204);
    let other = ada.elsewhere().await;
    ada.delete_plain("/v1/me/sessions").await.expect(204);
    other.post("/v1/logout", json!({"refresh_token": other.refresh_token})).await.expect(204);

    ada.post("/v1/me/email", json!({"email": "ada@example.org", "password": PASSWORD})).await.expect(202);
    for email in [ada.email.clone(), "ada@example.org".to_owned()] {
        let token = Person { email, ..ada.clone() }.token_after(stack, "/#/email?token=").await;
        ada.post("/v1/email/confirm", json!({"token": token})).await.expect(200);
    }
    "ada@example.org".clone_into(&mut ada.email);
    ada.put("/v1/me/password", json!({"current": PASSWORD, "new": "another horse, another staple"})).await.expect(204);
    ada.post("/v1/password/forgot", json!({"email": ada.email})).await.expect(202);
    let token = ada.token_after(stack, "/#/reset?token=").await;
    ada.post("/v1/password/reset", json!({"token": token, "new": PASSWORD})).await.expect(204);
    ada.log_in().await;

    let (mut app, codes) = enrol(ada).await;
    let ticket = ada.post("/v1/login", json!({"email": ada.email, "password": PASSWORD})).await.expect(200).text("ticket");
    let step = json!({"ticket": ticket, "code": app.next_code()});
    ada.post("/v1/login/second-factor", step).await.expect(200);
    let both = |place: usize| json!({"password": PASSWORD, "code": codes[place]});
    ada.post("/v1/me/second-factor/recovery-codes", both(0)).await.expect(200);
    for path in ["/v1/me/sessions", "/v1/me/second-factor", "/v1/me/events", "/v1/me/export"] {
        ada.get(path).await.expect(200);
    }
    // Alone in one project, and one of two owners of another.
    ben.create_project("Roof").await;
    let shared = ben.create_project("Cellar").await;
    ben.bring_in(&shared, ada, "owner").await;
    ben.delete_with("/v1/me", json!({"password": PASSWORD})).await.expect(204);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_login_and_tasks_ask_of_dynamodb_their_roles_allow() {
    let stack = stack().await;
    let ((login, login_address), (tasks, tasks_address)) = (Witness::start(&stack).await, Witness::start(&stack).await);
    let environment = |function: &str, address: String| {
        let mut environment = stack.calls()[function].environment.clone();
        environment.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), address);
        Environment::from_settings(environment)
    };
    let login_settings = login::Settings::read(environment("login", login_address)).expect("settings");
    let login_routes = login::routes(login::Login::new(&login_settings));
    let tasks_settings = tasks::Settings::read(environment("tasks", tasks_address)).expect("settings");
    let tasks_routes =
        tasks::routes(tasks::TasksState::connect(tasks_settings, store::Clock::system()).await.expect("the keys are read"));
    let origin = serve(api::finish(login_routes.merge(tasks_routes), stack.origin())).await;

    let (mut ada, ben) = (sign_up(&stack, &origin, "Ada").await, sign_up(&stack, &origin, "Ben").await);
    work(&ada, &ben).await;
    told(&stack, &ada, &ben).await;
    account(&stack, &mut ada, &ben).await;
    assert_eq!(login.refused(&statements("LoginRole")), [], "by the role of login");
    assert_eq!(tasks.refused(&statements("TasksRole")), [], "by the role of tasks");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_mailer_asks_of_dynamodb_its_role_allows() {
    let (witness, address) = Witness::listen().await;
    let endpoint = Arc::clone(&witness.endpoint);
    let interpose = Interpose::default().lead(move |function, service, real| {
        if (function, service) != ("log-mailer", Service::DynamoDb) {
            return real.to_owned();
        }
        endpoint.get_or_init(|| real.to_owned());
        address.clone()
    });
    let clocks = Clocks::default();
    let options = Options { in_memory: true, port: 0, clocks: clocks.clone(), interpose, ..Options::default() };
    let stack = Stack::start(options).await.expect("the stack starts");
    let ada = Person::sign_up(&stack, "Ada", json!({})).await;
    let ben = Person::sign_up(&stack, "Ben", json!({})).await;
    let cam = Person::sign_up(&stack, "Cam", json!({})).await;
    work(&ada, &ben).await;
    told(&stack, &ada, &ben).await;

    // Digests, quiet hours, a whole team of watchers, an invitation that bounces, and a reader who complains.
    let project = ada.create_project("Attic").await;
    ada.bring_in(&project, &cam, "editor").await;
    ada.bring_in(&project, &ben, "editor").await;
    ada.post(&format!("{project}/invitations"), json!({"email": "bounce@simulator.amazonses.com", "role": "viewer"}))
        .await
        .expect(202);
    cam.put(&format!("{project}/subscription"), json!({"mode": "watch"})).await.expect(200);
    cam.patch_plain("/v1/me", json!({"notify": {"status": "digest", "digest_hour": 8}})).await.expect(200);
    let all_day = json!({"from": "00:00", "to": "23:59", "urgent": false});
    ben.patch_plain("/v1/me", json!({"notify": {"quiet_hours": all_day}})).await.expect(200);
    let task = ada.create_task(&project, json!({"title": "Clear it", "assignee": ben.id})).await;
    ada.patch(&task, "*", json!({"status": "done"})).await.expect(200);
    stack.drain().await;
    for _ in 0..2 {
        clocks.advance(SignedDuration::from_hours(24));
        stack.run_schedules().await.expect("the schedules run");
        stack.drain().await;
    }
    let mail = mails_to(&stack, &cam.email).await.remove(0);
    stack.publish(complaint(&mail)).await;
    stack.drain().await;
    assert_eq!(witness.refused(&statements("LogMailerRole")), [], "by the role of the mailer");
    let partitions: BTreeSet<String> = {
        let uses = witness.uses.lock().unwrap_or_else(PoisonError::into_inner);
        uses.iter().map(|it| format!("{} {}", it.resource, it.partition.split('#').next().unwrap_or_default())).collect()
    };
    for expected in [
        "MailTable.Arn RECIPIENT",
        "MailTable.Arn SUPPRESSED",
        "MailTable.Arn SUBSCRIPTIONS",
        "MailTable.Arn TASK",
        "MailTable.Arn/index/due DUE",
        "WorkTable.Arn INVITED",
        "WorkTable.Arn/index/by_person USER",
        "ChangesTable.Arn TASK",
        "ChangesTable.Arn/index/by_hour HOUR",
    ] {
        assert!(partitions.contains(expected), "{expected} is not among {partitions:#?}");
    }
}
