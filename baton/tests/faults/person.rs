//! Somebody who uses Baton over HTTP, through whatever goes wrong.

use std::time::Duration;

use baton::stack::Stack;
use reqwest::{Client, Method};
use serde_json::{Value, json};

const PASSWORD: &str = "correct horse battery staple";

/// Longer than anybody waits in a run where nothing is wrong with the test itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Somebody with an account.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) email: String,
    token: String,
}

/// Where the API is, and a way there.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    pub(crate) origin: String,
    http: Client,
}

/// The status and the body of an answer; no status where none came.
pub(crate) type Answered = (u16, Value);

impl Api {
    pub(crate) fn new(origin: &str) -> Self {
        Self { origin: origin.to_owned(), http: Client::new() }
    }

    /// Posts a form, without logging in, until there is an answer.
    pub(crate) async fn post_form(&self, path: &str, form: &'static str) -> Answered {
        for _ in 0..50 {
            let request = self.http.post(format!("{}{path}", self.origin)).timeout(PATIENCE).body(form);
            let request = request.header("content-type", "application/x-www-form-urlencoded");
            if let Ok(answer) = request.send().await
                && answer.status().as_u16() < 500
            {
                let status = answer.status().as_u16();
                return (status, answer.text().await.map_or(Value::Null, Value::String));
            }
        }
        panic!("{path} does not answer");
    }

    /// What came back, if anything did.
    pub(crate) async fn call(&self, token: &str, method: Method, path: &str, headers: &[(&str, &str)], body: &Value) -> Answered {
        let mut request = self.http.request(method, format!("{}{path}", self.origin)).timeout(PATIENCE);
        if !token.is_empty() {
            request = request.bearer_auth(token);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !body.is_null() {
            request = request.json(body);
        }
        let Ok(response) = request.send().await else { return (0, Value::Null) };
        let status = response.status().as_u16();
        let Ok(bytes) = response.bytes().await else { return (0, Value::Null) };
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}

impl Person {
    /// Signs up in a stack where nothing goes wrong yet.
    pub(crate) async fn sign_up(stack: &Stack, name: &str, time_zone: &str) -> Self {
        let (api, email) = (Api::new(stack.origin()), format!("{}@example.com", name.to_lowercase()));
        let body = json!({"email": email, "name": name, "time_zone": time_zone});
        expect(api.call("", Method::POST, "/v1/accounts", &[], &body).await, 202);
        stack.drain().await;
        let mails = stack.inbox().mails(Some(&email), Some(1)).expect("the inbox answers");
        let (_, rest) = mails[0].text.split_once("/#/verify?token=").expect("a link to verify");
        let token: String = rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it)).collect();
        let body = json!({"token": token, "password": PASSWORD});
        expect(api.call("", Method::POST, "/v1/accounts/verify", &[], &body).await, 204);
        let mut person = Self { id: String::new(), name: name.to_owned(), email, token: String::new() };
        person.log_in(&api).await;
        person
    }

    /// Again where the origin has become another: it is the issuer of the tokens.
    pub(crate) async fn log_in(&mut self, api: &Api) {
        let body = json!({"email": self.email, "password": PASSWORD});
        let answer = expect(self.insist_with(api, Method::POST, "/v1/login", &[], &body).await, 200);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        (self.id, self.token) = (text(&answer["user"]["id"]), text(&answer["access_token"]));
    }

    /// Asks once.
    pub(crate) async fn call(&self, api: &Api, method: Method, path: &str, body: &Value) -> Answered {
        self.call_with(api, method, path, &[("if-match", "*")], body).await
    }

    pub(crate) async fn call_with(
        &self,
        api: &Api,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answered {
        api.call(&self.token, method, path, headers, body).await
    }

    /// Asks until there is an answer other than that something went wrong. Only for what can be repeated.
    pub(crate) async fn insist(&self, api: &Api, method: Method, path: &str, body: &Value) -> Answered {
        self.insist_with(api, method, path, &[("if-match", "*")], body).await
    }

    pub(crate) async fn insist_with(
        &self,
        api: &Api,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Answered {
        for _ in 0..50 {
            let (status, answer) = self.call_with(api, method.clone(), path, headers, body).await;
            if (200..500).contains(&status) && status != 429 {
                return (status, answer);
            }
        }
        panic!("{path} does not answer");
    }
}

/// An answer's body, if it has this status.
pub(crate) fn expect((status, body): Answered, expected: u16) -> Value {
    assert_eq!(status, expected, "{body}");
    body
}
