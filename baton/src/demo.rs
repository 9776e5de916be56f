//! Something to look at: two people, a project and a few tasks, made the way a person would, over HTTP and the inbox.

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};

use crate::stack::{Stack, StartError};

/// Somebody who can log in.
#[derive(Debug)]
pub struct Person {
    /// Their address.
    pub email: String,
    /// Their password.
    pub password: String,
}

const PASSWORD: &str = "a baton for every runner";

/// Makes the two people and what they work on; where they are there already, only says who they are.
///
/// # Errors
/// The API answered otherwise than it should.
pub async fn run(stack: &Stack) -> Result<Vec<Person>, StartError> {
    let caller = Caller { stack, http: Client::new() };
    let ada = caller.join("ada@example.com", "Ada").await?;
    let mina = caller.join("mina@example.com", "Mina").await?;
    let people = ["ada@example.com", "mina@example.com"];
    let people = people.map(|email| Person { email: email.to_owned(), password: PASSWORD.to_owned() }).into();
    let (Joined::New { token: ada, .. }, Joined::New { token: mina, id: mina_id }) = (ada, mina) else { return Ok(people) };

    let project = caller.post("/v1/projects", Some(&ada), json!({"name": "Autumn relay"})).await?;
    let project = project["id"].as_str().ok_or("a project without id")?.to_owned();
    let invitations = format!("/v1/projects/{project}/invitations");
    caller.post(&invitations, Some(&ada), json!({"email": "mina@example.com", "role": "editor"})).await?;
    caller.post(&format!("/v1/me/invitations/{project}/accept"), Some(&mina), json!({})).await?;
    for task in [
        json!({"title": "Book the track", "assignee": mina_id, "priority": "high", "labels": ["track"]}),
        json!({"title": "Order batons", "assignee": mina_id, "description": "Eight, aluminium."}),
        json!({"title": "Invite the other schools", "labels": ["people"]}),
    ] {
        let task = caller.post(&format!("/v1/projects/{project}/tasks"), Some(&ada), task).await?;
        if task["title"] == "Book the track" {
            let path = format!("/v1/projects/{project}/tasks/{}", task["id"].as_str().ok_or("a task without id")?);
            caller.send(Method::PATCH, &path, Some(&mina), json!({"status": "in_progress"})).await?;
        }
    }
    stack.drain().await;
    Ok(people)
}

enum Joined {
    New { token: String, id: String },
    Before,
}

struct Caller<'a> {
    stack: &'a Stack,
    http: Client,
}

impl Caller<'_> {
    async fn join(&self, email: &str, name: &str) -> Result<Joined, StartError> {
        let credentials = json!({"email": email, "password": PASSWORD});
        let (status, session) = self.request(Method::POST, "/v1/login", None, credentials.clone()).await?;
        if status.is_success() {
            // Somebody who gave themselves a second factor was not logged in by this, and is there all the same.
            if let Some(token) = session["refresh_token"].as_str() {
                self.post("/v1/logout", None, json!({"refresh_token": token})).await?;
            }
            return Ok(Joined::Before);
        }
        self.post("/v1/accounts", None, json!({"email": email, "name": name})).await?;
        self.stack.drain().await;
        let mails = self.stack.inbox().mails(Some(email), Some(1))?;
        let text = &mails.first().ok_or("no mail came")?.text;
        let token = text.split_once("/#/verify?token=").ok_or("a mail without a link to verify")?.1;
        let token: String = token.chars().take_while(|it| it.is_ascii_alphanumeric() || matches!(it, '-' | '_')).collect();
        self.post("/v1/accounts/verify", None, json!({"token": token, "password": PASSWORD})).await?;
        let session = self.post("/v1/login", None, credentials).await?;
        let text = |pointer: &str| session.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let token = text("/access_token").ok_or("a session without token")?;
        Ok(Joined::New { token, id: text("/user/id").ok_or("a session without user")? })
    }

    async fn post(&self, path: &str, token: Option<&str>, body: Value) -> Result<Value, StartError> {
        self.send(Method::POST, path, token, body).await
    }

    async fn send(&self, method: Method, path: &str, token: Option<&str>, body: Value) -> Result<Value, StartError> {
        let (status, body) = self.request(method, path, token, body).await?;
        if !status.is_success() {
            return Err(format!("{path} answered {status}: {body}").into());
        }
        Ok(body)
    }

    async fn request(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Value,
    ) -> Result<(StatusCode, Value), StartError> {
        let mut request = self.http.request(method, format!("{}{path}", self.stack.origin())).header("if-match", "*").json(&body);
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await?;
        let status = response.status();
        let body = response.text().await?;
        Ok((status, serde_json::from_str(&body).unwrap_or(Value::String(body))))
    }
}
