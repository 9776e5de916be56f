//! The binary as its user meets it: what it prints, refuses, leaves behind, and how it ends.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use baton::inbox::Inbox;
use reqwest::{Client, Response, header};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A `baton` of its own process, on a folder that outlives it.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) origin: String,
    pub(crate) http: Client,
    /// What it printed until it was ready.
    printed: Vec<String>,
}

impl Process {
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[]).await
    }

    pub(crate) async fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn(command(folder).args(arguments)).await
    }

    /// What this filter lets through is logged into a file.
    pub(crate) async fn start_logging(folder: &Path, filter: &str, log: std::fs::File) -> Self {
        Self::spawn(command(folder).env("RUST_LOG", filter).stderr(log)).await
    }

    async fn spawn(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("baton starts");
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let mut origin = None;
        let mut printed = Vec::new();
        loop {
            let line = lines.next_line().await.expect("a readable output").expect("baton gets ready");
            if let Some(at) = line.find("http://").filter(|_| origin.is_none()) {
                origin = line[at..].split_whitespace().next().map(|it| it.trim_end_matches('/').to_owned());
            }
            if line.trim() == "ready" {
                break;
            }
            printed.push(line);
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, origin: origin.expect("an address is printed"), http: Client::new(), printed }
    }

    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        token: &str,
        if_match: &str,
        body: Value,
    ) -> reqwest::Result<(u16, Value)> {
        call(&self.http, &self.origin, method, path, token, if_match, body).await
    }

    pub(crate) async fn expect(&self, method: &str, path: &str, token: &str, body: Value, status: u16) -> Value {
        let (answered, body) = self.call(method, path, token, "*", body).await.expect("an answer");
        assert_eq!(answered, status, "{method} {path}: {body}");
        body
    }

    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let text = self.http.get(format!("{}/metrics", self.origin)).send().await.expect("metrics").text().await.expect("a text");
        let line = text.lines().find_map(|it| it.strip_prefix(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.trim().parse().expect("a number")
    }

    /// Asks it to end, the way an operating system does, and returns its exit code.
    pub(crate) async fn terminate(mut self) -> Option<i32> {
        let process = self.child.id().expect("baton runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status().await.expect("there is a kill");
        assert!(sent.success(), "{sent}");
        self.child.wait().await.expect("baton ends").code()
    }

    /// The log-ins it printed: address and password.
    fn log_ins(&self) -> Vec<(&str, &str)> {
        let log_ins = self.printed.iter().filter_map(|line| line.strip_prefix("log-in"));
        log_ins.map(|line| line.trim().split_once(" with the password: ").expect("an address and a password")).collect()
    }

    pub(crate) async fn settle(&self) {
        while self.metric("baton_in_flight ").await > 0.0 {
            tokio::task::yield_now().await;
        }
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(["--port", "0", "--data"]).arg(folder).env("RUST_LOG", "error");
    command
}

pub(crate) async fn call(
    http: &Client,
    origin: &str,
    method: &str,
    path: &str,
    token: &str,
    if_match: &str,
    body: Value,
) -> reqwest::Result<(u16, Value)> {
    let method = method.parse().expect("a method");
    let mut request =
        http.request(method, format!("{origin}{path}")).timeout(Duration::from_secs(60)).header("if-match", if_match);
    if !body.is_null() {
        request = request.json(&body);
    }
    if !token.is_empty() {
        request = request.bearer_auth(token);
    }
    let response = request.send().await?;
    let (status, bytes) = (response.status().as_u16(), response.bytes().await?);
    Ok((status, serde_json::from_slice(&bytes).unwrap_or(Value::Null)))
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_lets_accepted_work_go_its_way_and_ends_well() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path()).await;
    for number in 0..10 {
        let account = json!({"email": format!("ada{number}@example.com"), "name": "Ada"});
        process.expect("POST", "/v1/accounts", "", account, 202).await;
    }
    assert_eq!(process.terminate().await, Some(0));
    // Nothing was started again, so all ten were mailed before the end.
    let inbox = Inbox::open(Some(&folder.path().join("inbox.sqlite"))).expect("an inbox was left");
    assert_eq!(inbox.mails(None, None).expect("a readable inbox").len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_folder_is_refused_and_told_whose_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start(folder.path()).await;
    let second = command(folder.path()).output().await.expect("baton can be run");
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(!second.status.success(), "{said}");
    assert!(said.contains(&folder.path().display().to_string()), "{said}");
    assert!(said.contains(&format!("process {}", first.child.id().expect("baton runs"))), "{said}");
    assert_eq!(second.stdout, b"", "it never got ready");
    first.expect("GET", "/inbox.json", "", Value::Null, 200).await;
}

/// Logs the first of the two in and returns the titles of all tasks, project by project.
async fn demo_tasks(process: &Process) -> Vec<Vec<String>> {
    let log_ins = process.log_ins();
    let [(email, password), (other, others)] = log_ins.as_slice() else { panic!("two log-ins in {:?}", process.printed) };
    process.expect("POST", "/v1/login", "", json!({"email": other, "password": others}), 200).await;
    let session = process.expect("POST", "/v1/login", "", json!({"email": email, "password": password}), 200).await;
    let token = session["access_token"].as_str().expect("a token");
    let projects = process.expect("GET", "/v1/projects", token, Value::Null, 200).await;
    let mut titles = Vec::new();
    for project in projects["items"].as_array().expect("projects") {
        let path = format!("/v1/projects/{}/tasks", project["id"].as_str().expect("an id"));
        let tasks = process.expect("GET", &path, token, Value::Null, 200).await;
        let tasks = tasks["items"].as_array().expect("tasks").iter();
        titles.push(tasks.map(|task| task["title"].as_str().expect("a title").to_owned()).collect());
    }
    titles
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_prints_log_ins_that_work_and_is_made_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = Process::start_with(folder.path(), &["--demo"]).await;
    let made = demo_tasks(&first).await;
    assert_eq!(made.iter().map(Vec::len).collect::<Vec<_>>(), [3], "{made:?}");
    assert_eq!(first.terminate().await, Some(0));
    let second = Process::start_with(folder.path(), &["--demo"]).await;
    assert_eq!(demo_tasks(&second).await, made);
}

fn text_of<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_nothing_inline_and_answers_to_no_foreign_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let process = Process::start(folder.path()).await;
    for path in ["/", "/app.js", "/style.css", "/inbox", "/docs/", "/metrics", "/v1/me"] {
        let address = format!("{}{path}", process.origin);
        let answer = process.http.get(&address).send().await.expect("an answer");
        assert_eq!(text_of(&answer, "x-content-type-options"), "nosniff", "{path}");
        let policy = text_of(&answer, "content-security-policy");
        let source = if path == "/v1/me" { "'none'" } else { "'self'" };
        assert!(policy.starts_with(&format!("default-src {source};")) && !policy.contains("script-src"), "{path}: {policy}");
        assert!(!policy.contains("unsafe-"), "{path}: {policy}");
        let foreign = process.http.get(&address).header(header::HOST, "evil.example").send().await.expect("an answer");
        assert_eq!(foreign.status().as_u16(), 421, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_memory_nothing_is_left_on_the_disk() {
    let parent = tempfile::tempdir().expect("a folder");
    let never = parent.path().join("never");
    let process = Process::start_with(&never, &["--in-memory"]).await;
    process.expect("POST", "/v1/accounts", "", json!({"email": "ada@example.com", "name": "Ada"}), 202).await;
    process.settle().await;
    assert_eq!(process.terminate().await, Some(0));
    assert!(!never.exists());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_is_its_owners_only_in_an_open_folder_too() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).expect("the folder is ours");
    let process = Process::start(folder.path()).await;
    process.expect("POST", "/v1/accounts", "", json!({"email": "ada@example.com", "name": "Ada"}), 202).await;
    process.settle().await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(folder.path()).expect("a folder") {
        let file = file.expect("a file");
        let mode = file.metadata().expect("it has a mode").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{} is {mode:o}", file.path().display());
        names.push(file.file_name().to_string_lossy().into_owned());
    }
    for name in ["dynamodb.sqlite", "dynamodb.sqlite-wal", "queues.sqlite", "inbox.sqlite", "stack.json"] {
        assert!(names.iter().any(|it| it == name), "{name} is missing in {names:?}");
    }
}
