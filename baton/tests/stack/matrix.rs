//! Every route, asked by everybody: one table says who gets what, and the document of the API says which routes there are.

use std::collections::{BTreeMap, BTreeSet};

use baton::stack::Stack;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::contract::described_routes;
use crate::people::{PASSWORD, Person, mails_to, stack};
use crate::tokens::{Keys, Token};

const TABLE: &str = include_str!("matrix.txt");
const EXPIRED_AT: i64 = 1_700_000_000;

/// A line of the table.
#[derive(Debug)]
struct Row {
    method: Method,
    /// With what [`Scene::fill`] knows in braces.
    path: &'static str,
    /// The expected status, by column.
    statuses: Vec<u16>,
    /// As it is sent, once filled in.
    body: Option<&'static str>,
}

impl Row {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// As the document spells it, but for the names of parameters.
    fn route(&self) -> String {
        without_names(self.name().split('?').next().unwrap_or_default())
    }
}

/// The columns and the rows.
fn table() -> (Vec<&'static str>, Vec<Row>) {
    let mut lines = TABLE.lines().filter(|it| !it.is_empty() && !it.starts_with('#'));
    let head = lines.next().expect("a line that names the columns");
    let columns: Vec<&str> = head.split_whitespace().filter(|it| !["route", "body"].contains(it)).collect();
    let rows = lines.map(|line| row(line, columns.len())).collect();
    (columns, rows)
}

fn row(line: &'static str, columns: usize) -> Row {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("a whole line: {line}"));
    let (method, path) = (word().parse().expect("a method"), word());
    let statuses: Vec<u16> = (0..columns).map(|_| word().parse().unwrap_or_else(|_| panic!("a status: {line}"))).collect();
    let body = words.next().map(|first| &line[first.as_ptr() as usize - line.as_ptr() as usize..]);
    Row { method, path, statuses, body }
}

fn without_names(route: &str) -> String {
    route.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

#[test]
fn every_route_has_its_row_and_every_row_its_route() {
    let document = serde_json::to_value(baton::functions::document()).expect("a document is JSON");
    let routes: BTreeSet<String> = described_routes(&document).iter().map(|it| without_names(it)).collect();
    let rows: Vec<String> = table().1.iter().map(Row::route).collect();
    let distinct: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(rows.len(), distinct.len(), "one row a route");
    let without_row: Vec<&String> = routes.difference(&distinct).collect();
    let without_route: Vec<&String> = distinct.difference(&routes).collect();
    assert!(without_row.is_empty() && without_route.is_empty(), "no row for {without_row:#?}, no route for {without_route:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_everybody_as_the_table_says() {
    let (columns, rows) = table();
    let stack = stack().await;
    let mut scene = Scene::set(&stack).await;
    let mut wrong = Vec::new();
    for row in &rows {
        let cells: Vec<(&str, u16)> = columns.iter().copied().zip(row.statuses.iter().copied()).collect();
        let (refused, allowed): (Vec<_>, Vec<_>) = cells.into_iter().partition(|(_, status)| *status >= 400);
        scene.arrange(row).await;
        // What the rows before have left to be told is told, so that nothing moves by itself.
        stack.drain().await;
        let before = scene.everything().await;
        for (column, status) in refused {
            wrong.extend(scene.check(row, column, status).await);
        }
        let after = scene.everything().await;
        if after != before {
            wrong.push(format!("{}: a refused request changed something: {before:?} {after:?}", row.name()));
        }
        for (column, status) in allowed {
            scene.arrange(row).await;
            wrong.extend(scene.check(row, column, status).await);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A project, whoever asks something of it, and what is there for the asking.
struct Scene<'a> {
    stack: &'a Stack,
    /// By the table's columns.
    callers: BTreeMap<&'static str, Person>,
    owner: Person,
    /// Whose project callers are invited into.
    host: Person,
    inviting: String,
    /// A member whom it concerns, and whom a log-in more does not disturb.
    bystander: Person,
    project: String,
    task: String,
    /// What a row's requests may use up, by its name in braces.
    spare: BTreeMap<&'static str, String>,
    unsubscribe: String,
    /// One of each person's, by their id.
    notifications: BTreeMap<String, String>,
    addresses: usize,
}

impl<'a> Scene<'a> {
    async fn set(stack: &'a Stack) -> Self {
        let mut people = Vec::new();
        for name in ["Ada", "Ben", "Vic", "Rex", "Eve", "Dee", "Hal"] {
            people.push(Person::sign_up(stack, name, json!({})).await);
        }
        let [owner, editor, viewer, removed, stranger, bystander, host] = people.try_into().expect("seven people");
        let (inviting, elsewhere) = (host.create_project("Next door").await, owner.create_project("Elsewhere").await);
        let ended = owner.elsewhere().await;
        ended.post("/v1/logout", json!({"refresh_token": ended.refresh_token})).await.expect(204);
        let keys = Keys::published(stack).await;
        let access = Token::read(owner.access_token.as_deref().expect("the owner is logged in"));
        let expired = keys.sign(&access.with_claim("exp", json!(EXPIRED_AT)));
        let callers = BTreeMap::from([
            ("nobody", Person::stranger(stack)),
            ("stranger", stranger),
            ("viewer", viewer),
            ("editor", editor),
            ("owner", owner.clone()),
            ("removed", removed),
            ("expired", Person { access_token: Some(expired), ..owner.clone() }),
            ("ended", ended),
            ("read", with_token(&owner, "read", None).await),
            ("write", with_token(&owner, "write", None).await),
            ("write_elsewhere", with_token(&owner, "write", Some(&elsewhere)).await),
        ]);
        let mut scene = Self {
            stack,
            callers,
            owner,
            host,
            inviting,
            bystander,
            project: String::new(),
            task: String::new(),
            spare: BTreeMap::new(),
            unsubscribe: String::new(),
            notifications: BTreeMap::new(),
            addresses: 0,
        };
        scene.set_project().await;
        scene
    }

    /// A project with its members, and the token that is limited to it.
    async fn set_project(&mut self) {
        let owner = &self.owner;
        self.project = owner.create_project("Boiler room").await;
        for role in ["viewer", "editor"] {
            owner.bring_in(&self.project, &self.callers[role], role).await;
        }
        // Whoever was a member, even an owner, is an outsider from then on.
        let removed = &self.callers["removed"];
        owner.bring_in(&self.project, removed, "owner").await;
        owner.delete_plain(&format!("{}/members/{}", self.project, removed.id)).await.expect(204);
        owner.bring_in(&self.project, &self.bystander, "viewer").await;
        self.task = owner.create_task(&self.project, json!({"title": "Fix the pump", "assignee": self.bystander.id})).await;
        let read_here = with_token(owner, "read", Some(&self.project)).await;
        self.stack.drain().await;
        let mails = mails_to(self.stack, &self.bystander.email).await;
        let link = mails.iter().find_map(|it| it["headers"]["List-Unsubscribe"].as_str()).expect("a mail about a task");
        self.unsubscribe = last_of(link.trim_matches(['<', '>']));
        self.callers.insert("read_here", read_here);
    }

    /// Makes what the row's next request may use up.
    async fn arrange(&mut self, row: &Row) {
        let needs = |name: &str| row.path.contains(&format!("{{{name}}}"));
        if self.owner.get(&self.project).await.status == 404 {
            self.set_project().await;
        }
        if needs("spare_task") {
            let task = self.owner.create_task(&self.project, json!({"title": "Oil the valve"})).await;
            self.spare.insert("spare_task", last_of(&task));
        }
        if needs("invitation") {
            let (path, email) = (format!("{}/invitations", self.project), self.fresh_address());
            self.owner.post(&path, json!({"email": email, "role": "viewer"})).await.expect(202);
            let open = self.owner.get(&path).await.expect(200).body;
            let invitation = open["items"].as_array().and_then(|it| it.iter().find(|it| it["email"] == email));
            self.spare.insert("invitation", invitation.expect("it is open")["id"].as_str().expect("an id").to_owned());
        }
        if needs("notification") {
            self.notify_everybody().await;
        }
        if needs("member") && self.bystander.get(&self.project).await.status == 404 {
            self.owner.bring_in(&self.project, &self.bystander, "viewer").await;
        }
    }

    /// Has the host change a task of each caller's own.
    async fn notify_everybody(&mut self) {
        for column in ["stranger", "viewer", "editor", "owner", "removed"] {
            let caller = self.callers[column].clone();
            if self.notifications.contains_key(&caller.id) {
                continue;
            }
            let project = caller.create_project("Notices").await;
            // As an owner, so that the caller may go.
            caller.bring_in(&project, &self.host, "owner").await;
            let task = caller.create_task(&project, json!({"title": "Read this"})).await;
            self.host.patch(&task, "*", json!({"status": "done"})).await.expect(200);
            self.stack.drain().await;
            let newest = caller.get("/v1/notifications?limit=1").await.expect(200).body["items"][0]["id"].clone();
            self.notifications.insert(caller.id, newest.as_str().expect("the caller is notified").to_owned());
        }
    }

    /// What a request may use up that is its caller's own.
    async fn arrange_for(&mut self, row: &Row, caller: &Person) {
        let needs = |name: &str| row.path.contains(&format!("{{{name}}}"));
        let is_somebody = !caller.email.is_empty();
        if needs("inviting") && is_somebody {
            let invitation = json!({"email": caller.email, "role": "viewer"});
            self.host.post(&format!("{}/invitations", self.inviting), invitation).await.expect(202);
        }
        if needs("session") {
            let mut again = if is_somebody { caller.clone() } else { self.owner.clone() };
            again.log_in().await;
            let claims = Token::read(&again.access_token.expect("somebody is logged in")).claims;
            self.spare.insert("session", claims["sid"].as_str().expect("a session").to_owned());
        }
        if needs("notification") {
            let own = self.notifications.get(&caller.id).cloned();
            self.spare.insert("notification", own.unwrap_or_else(|| Uuid::now_v7().to_string()));
        }
        if needs("api_token") {
            let made = caller.post("/v1/me/tokens", new_token("read", None)).await;
            self.spare.insert("api_token", made.body["id"].as_str().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned));
        }
    }

    /// Sends a cell's request; what is not as the table says comes back as a sentence.
    async fn check(&mut self, row: &Row, column: &str, status: u16) -> Option<String> {
        let caller = self.callers.get(column).unwrap_or_else(|| panic!("nobody is {column}")).clone();
        self.arrange_for(row, &caller).await;
        let path = self.fill(row.path);
        let body = row.body.map(|it| self.fill(it).into_bytes());
        let content_type = match row.body {
            Some(body) if body.starts_with('{') => "application/json",
            _ => "application/x-www-form-urlencoded",
        };
        let headers = [("if-match", "*"), ("content-type", content_type)];
        let headers = if body.is_some() { &headers[..] } else { &headers[..1] };
        let answer = caller.send(row.method.clone(), &path, headers, body).await;
        if answer.status.as_u16() != status {
            return Some(format!("{} by {column}: {} for {status}: {}", row.name(), answer.status.as_u16(), answer.body));
        }
        if status >= 400 {
            answer.problem(status);
        }
        None
    }

    /// Puts what is meant for what stands in braces.
    fn fill(&mut self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, name, after)) = next_name(rest) {
            filled.push_str(before);
            filled.push_str(&self.value(name));
            rest = after;
        }
        filled + rest
    }

    fn value(&mut self, name: &str) -> String {
        match name {
            "project" => last_of(&self.project),
            "inviting" => last_of(&self.inviting),
            "task" => last_of(&self.task),
            "version" => "1".to_owned(),
            "member" => self.bystander.id.clone(),
            "bystander" => self.bystander.email.clone(),
            "password" => PASSWORD.to_owned(),
            "token" => self.unsubscribe.clone(),
            "tomorrow" => tomorrow(),
            "fresh_address" => self.fresh_address(),
            other => self.spare.get(other).unwrap_or_else(|| panic!("{other} is known")).clone(),
        }
    }

    fn fresh_address(&mut self) -> String {
        self.addresses += 1;
        format!("gus{}@example.com", self.addresses)
    }

    /// All that its owner sees of the project and of themselves.
    async fn everything(&self) -> Vec<Value> {
        let mut seen = Vec::new();
        for path in ["", "/members", "/invitations", "/tasks", "/changes", "/subscription"] {
            seen.push(self.owner.get(&format!("{}{path}", self.project)).await.body);
        }
        seen.push(self.owner.get(&format!("{}/subscription", self.task)).await.body);
        for path in ["/v1/me", "/v1/projects", "/v1/me/second-factor", "/v1/me/events", "/v1/notifications"] {
            seen.push(self.owner.get(path).await.body);
        }
        for answer in &mut seen {
            answer.as_object_mut().and_then(|it| it.remove("request_id"));
        }
        seen
    }
}

/// What is before the first name in braces, the name, and what is after it.
fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    text.match_indices('{').find_map(|(at, _)| {
        let (name, after) = text[at + 1..].split_once('}')?;
        let is_name = !name.is_empty() && name.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
        is_name.then_some((&text[..at], name, after))
    })
}

fn last_of(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn tomorrow() -> String {
    (Timestamp::now() + SignedDuration::from_hours(24)).to_string()
}

fn new_token(access: &str, project: Option<&str>) -> Value {
    let projects = project.map(|it| json!([last_of(it)])).unwrap_or_default();
    json!({"name": "Script", "access": access, "projects": projects, "expires_at": tomorrow(), "password": PASSWORD})
}

/// The same person as a script of theirs.
async fn with_token(person: &Person, access: &str, project: Option<&str>) -> Person {
    let made = person.post("/v1/me/tokens", new_token(access, project)).await.expect(201);
    Person { access_token: Some(made.text("token")), ..person.clone() }
}
