//! People who use Baton over HTTP, and what they get back.

use baton::stack::{Options, Stack};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

/// Long enough for everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// A stack in memory on a port of its own.
pub(crate) async fn stack() -> Stack {
    Stack::start(Options { in_memory: true, port: 0, ..Options::default() }).await.expect("the stack starts")
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body as JSON, as a string where it is not JSON, or null where there is none.
    pub(crate) body: Value,
}

impl Answer {
    /// Insists on a status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{self:#?}");
        self
    }

    /// A header, or nothing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|it| it.to_str().ok()).unwrap_or_default()
    }

    /// A text in the body.
    #[track_caller]
    pub(crate) fn text(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("{name} is a text in {self:#?}")).to_owned()
    }
}

/// Somebody, logged in or not.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) origin: String,
    pub(crate) http: reqwest::Client,
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) access_token: Option<String>,
    pub(crate) refresh_token: String,
    /// What says, at the next log-in, that this device is known.
    pub(crate) device_token: Option<String>,
}

impl Person {
    /// Somebody without an account.
    pub(crate) fn stranger(stack: &Stack) -> Self {
        Self::stranger_at(stack.origin())
    }

    /// Somebody without an account, at the origin of a process.
    pub(crate) fn stranger_at(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            http: reqwest::Client::new(),
            id: String::new(),
            email: String::new(),
            name: String::new(),
            access_token: None,
            refresh_token: String::new(),
            device_token: None,
        }
    }

    /// Signs up, follows the link in the mail, chooses a password and logs in.
    pub(crate) async fn sign_up(stack: &Stack, name: &str, more: Value) -> Self {
        let mut person = Self::stranger(stack);
        name.clone_into(&mut person.name);
        person.email = format!("{}@example.com", name.to_lowercase());
        let mut body = json!({"email": person.email, "name": name});
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object()) {
            body.extend(more.clone());
        }
        person.post("/v1/accounts", body).await.expect(202);
        let token = person.token_from_mail(stack).await;
        person.post("/v1/accounts/verify", json!({"token": token, "password": PASSWORD})).await.expect(204);
        person.log_in().await;
        person
    }

    /// The one-time token in the newest mail to this person, which is the one to a new address.
    pub(crate) async fn token_from_mail(&self, stack: &Stack) -> String {
        self.token_after(stack, "/#/verify?token=").await
    }

    /// The one-time token in the newest mail to this person that has a link with this beginning.
    pub(crate) async fn token_after(&self, stack: &Stack, link: &str) -> String {
        stack.drain().await;
        let mails = mails_to(stack, &self.email).await;
        let token = mails.iter().find_map(|it| it["text"].as_str()?.split_once(link)).map(|(_, token)| token);
        let token = token.unwrap_or_else(|| panic!("a link {link} in {mails:#?}"));
        token.chars().take_while(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_')).collect()
    }

    /// Logs in with the usual password.
    pub(crate) async fn log_in(&mut self) {
        self.log_in_with(PASSWORD).await;
    }

    /// Logs in from the device last logged in from, if there is one, which needs no second factor.
    pub(crate) async fn log_in_with(&mut self, password: &str) {
        self.access_token = None;
        let mut body = json!({"email": self.email, "password": password});
        if let Some(device) = &self.device_token {
            body["device_token"] = json!(device);
        }
        let answer = self.post("/v1/login", body).await.expect(200);
        self.log_in_as_answered(&answer);
    }

    /// Goes on as whom a log-in, be it of one step or of two, said.
    pub(crate) fn log_in_as_answered(&mut self, answer: &Answer) {
        self.access_token = Some(answer.text("access_token"));
        self.refresh_token = answer.text("refresh_token");
        self.device_token = answer.body["device_token"].as_str().map(str::to_owned).or_else(|| self.device_token.take());
        self.id = answer.body["user"]["id"].as_str().expect("an id").to_owned();
    }

    /// Goes on with the session.
    pub(crate) async fn refresh(&mut self) {
        let answer = self.post("/v1/login/refresh", json!({"refresh_token": self.refresh_token})).await.expect(200);
        self.access_token = Some(answer.text("access_token"));
        self.refresh_token = answer.text("refresh_token");
    }

    /// The same person in another session, on a device of its own.
    pub(crate) async fn elsewhere(&self) -> Self {
        let mut other = Self { http: reqwest::Client::new(), device_token: None, ..self.clone() };
        other.log_in().await;
        other
    }

    /// Sends a request; `headers` are pairs of name and value.
    pub(crate) async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Option<Vec<u8>>) -> Answer {
        let mut request = self.http.request(method, format!("{}{path}", self.origin));
        if let Some(token) = &self.access_token {
            request = request.bearer_auth(token);
        }
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
            map.append(name, HeaderValue::from_str(value).expect("a header's value"));
        }
        request = request.headers(map);
        if let Some(body) = body {
            request = request.body(body);
        }
        let response = request.send().await.expect("an answer");
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.expect("a whole answer");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned()))
        };
        Answer { status, headers, body }
    }

    async fn send_json(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        let mut all = vec![("content-type", "application/json")];
        all.extend_from_slice(headers);
        self.send(method, path, &all, Some(body.to_string().into_bytes())).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::POST, path, &[], body).await
    }

    pub(crate) async fn post_once(&self, path: &str, key: &str, body: Value) -> Answer {
        self.send_json(Method::POST, path, &[("idempotency-key", key)], body).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::PUT, path, &[], body).await
    }

    pub(crate) async fn patch(&self, path: &str, if_match: &str, body: Value) -> Answer {
        self.send_json(Method::PATCH, path, &[("if-match", if_match)], body).await
    }

    /// A PATCH of something that has no versions.
    pub(crate) async fn patch_plain(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::PATCH, path, &[], body).await
    }

    pub(crate) async fn delete(&self, path: &str, if_match: &str) -> Answer {
        self.send(Method::DELETE, path, &[("if-match", if_match)], None).await
    }

    /// A DELETE that asks for a password.
    pub(crate) async fn delete_with(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::DELETE, path, &[], body).await
    }

    pub(crate) async fn delete_plain(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }

    /// Makes a project and returns its path.
    pub(crate) async fn create_project(&self, name: &str) -> String {
        let answer = self.post("/v1/projects", json!({"name": name})).await.expect(201);
        format!("/v1/projects/{}", answer.text("id"))
    }

    /// Makes a task and returns its path.
    pub(crate) async fn create_task(&self, project: &str, body: Value) -> String {
        let answer = self.post(&format!("{project}/tasks"), body).await.expect(201);
        format!("{project}/tasks/{}", answer.text("id"))
    }

    /// Invites somebody, who accepts.
    pub(crate) async fn bring_in(&self, project: &str, guest: &Self, role: &str) {
        self.post(&format!("{project}/invitations"), json!({"email": guest.email, "role": role})).await.expect(202);
        let project = project.trim_start_matches("/v1/projects/");
        guest.post(&format!("/v1/me/invitations/{project}/accept"), json!({})).await.expect(204);
    }
}

/// People with accounts, the first of whom has a project that all others edit, and an empty inbox.
pub(crate) async fn team<const N: usize>(stack: &Stack, names: [&str; N]) -> ([Person; N], String) {
    let mut people = Vec::new();
    for name in names {
        people.push(Person::sign_up(stack, name, json!({})).await);
    }
    let project = people[0].create_project("Boiler room").await;
    for guest in &people[1..] {
        people[0].bring_in(&project, guest, "editor").await;
    }
    empty_inbox(stack).await;
    (people.try_into().expect("as many people as names"), project)
}

/// All mails in the inbox to one address, newest first.
pub(crate) async fn mails_to(stack: &Stack, address: &str) -> Vec<Value> {
    let answer = Person::stranger(stack).get(&format!("/inbox.json?to={address}")).await.expect(200);
    answer.body.as_array().expect("a list of mails").clone()
}

/// Empties the inbox, so that a story begins.
pub(crate) async fn empty_inbox(stack: &Stack) {
    stack.drain().await;
    let answer = Person::stranger(stack).delete_plain("/inbox.json").await;
    assert!(answer.status.is_success(), "{answer:#?}");
}
