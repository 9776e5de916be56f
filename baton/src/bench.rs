//! `baton bench`: how many changes a second, how soon the mail, how much memory; against a process of its own, on disk, over HTTP.
//! `baton bench --mails`: how many mails a second, and what a change and a mail cost. `baton bench --log-ins`: whether the time of a refusal tells who has an account.

mod log_ins;
mod mails;

use std::process::Stdio;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PASSWORD: &str = "correct horse battery staple";

type Error = Box<dyn std::error::Error + Send + Sync>;

/// What to measure, and how much of it.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct BenchOptions {
    /// Changes made by each measured crowd of clients.
    #[arg(long, default_value_t = 20_000)]
    changes: usize,
    /// Mails whose delay is measured.
    #[arg(long, default_value_t = 500)]
    delays: usize,
    /// Pause between two changes that owe a mail, in milliseconds.
    #[arg(long, default_value_t = 20)]
    pause_milliseconds: u64,
    /// Measure mails instead: how many a second are planned and composed for this many people, and what changes and mails cost
    #[arg(long, value_name = "RECIPIENTS", num_args = 0..=1, default_missing_value = "50", conflicts_with = "log_ins")]
    mails: Option<usize>,
    /// Measure refused log-ins instead: this many to accounts, as many to addresses without one
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "2000")]
    log_ins: Option<usize>,
}

/// Runs every measurement and prints a table.
///
/// # Errors
/// Whatever kept a measurement from being made.
pub async fn bench(options: BenchOptions) -> Result<(), Error> {
    if let Some(count) = options.log_ins {
        return log_ins::log_ins(count).await;
    }
    if let Some(recipients) = options.mails {
        return mails::mails(recipients).await;
    }
    let folder = tempfile::tempdir()?;
    let mut server = Server::start(folder.path()).await?;
    let ada = Client::sign_up(&server.origin, "ada@example.com", "Ada").await?;
    let ben = Client::sign_up(&server.origin, "ben@example.com", "Ben").await?;
    println!("{:<44}{:>10}", "memory when idle, RSS (MB)", server.resident_megabytes("VmRSS")?);

    for clients in [1, 32] {
        let rates = throughput(&ada, clients, options.changes).await?;
        println!("{:<44}{:>10.0}", format!("changes/s, {clients} client(s), median of windows"), rates.median);
        println!("{:<44}{:>10.0}", "  first thousand", rates.first);
        println!("{:<44}{:>10.0}", "  last thousand", rates.last);
        println!("{:<44}{:>10.2}", "  last / first", rates.last / rates.first);
    }
    println!("{:<44}{:>10}", "memory after the changes, RSS (MB)", server.resident_megabytes("VmRSS")?);

    let project = ada.create_project().await?;
    ada.bring_in(&project, &ben).await?;
    server.settle().await?;
    let delays = delays(&server, &ada, &ben, &project, options).await?;
    println!("{:<44}{:>10.1}", "change to inbox, p50 (ms)", delays.p50);
    println!("{:<44}{:>10.1}", "change to inbox, p99 (ms)", delays.p99);
    println!("{:<44}{:>10.2}", "  p99 / p50", delays.p99 / delays.p50);
    println!("{:<44}{:>10}", "memory at the end, RSS (MB)", server.resident_megabytes("VmRSS")?);
    println!("{:<44}{:>10}", "memory at its highest (MB)", server.resident_megabytes("VmHWM")?);
    server.stop().await
}

struct Server {
    process: Child,
    origin: String,
}

impl Server {
    async fn start(folder: &std::path::Path) -> Result<Self, Error> {
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--port", "0", "--data"])
            .arg(folder)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = process.stdout.take().ok_or("the process has no output")?;
        let mut lines = BufReader::new(stdout).lines();
        let mut origin = None;
        while let Some(line) = lines.next_line().await? {
            if let Some(at) = line.find("http://").filter(|_| origin.is_none()) {
                origin = line[at..].split_whitespace().next().map(|it| it.trim_end_matches('/').to_owned());
            }
            if line.trim() == "ready" {
                break;
            }
        }
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok(Self { process, origin: origin.ok_or("the process ended before it was ready")? })
    }

    /// A line of `/proc/PID/status`, in megabytes.
    fn resident_megabytes(&self, name: &str) -> Result<u64, Error> {
        let id = self.process.id().ok_or("the process has ended")?;
        let status = std::fs::read_to_string(format!("/proc/{id}/status"))?;
        let line = status.lines().find(|it| it.starts_with(name)).ok_or("no such line in /proc")?;
        let kilobytes: u64 = line.split_whitespace().nth(1).ok_or("no figure in /proc")?.parse()?;
        Ok(kilobytes / 1024)
    }

    /// Waits until the mailer has caught up with the changes made so far.
    async fn settle(&self) -> Result<(), Error> {
        loop {
            let metrics = reqwest::get(format!("{}/metrics", self.origin)).await?.text().await?;
            let in_flight =
                metrics.lines().find_map(|it| it.strip_prefix("baton_in_flight ")).ok_or("no gauge of what is in flight")?;
            if in_flight.trim().parse::<f64>()? == 0.0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn stop(&mut self) -> Result<(), Error> {
        self.process.kill().await?;
        Ok(())
    }
}

/// Somebody logged in, on a connection of their own.
struct Client {
    http: reqwest::Client,
    origin: String,
    token: String,
    id: String,
    email: String,
}

impl Client {
    async fn sign_up(origin: &str, email: &str, name: &str) -> Result<Self, Error> {
        let mut client = Self::sign_up_only(origin, email, name).await?;
        let login = client.send(Method::POST, "/v1/login", None, json!({"email": email, "password": PASSWORD})).await?;
        client.token = text(&login["access_token"])?;
        client.id = text(&login["user"]["id"])?;
        Ok(client)
    }

    /// Somebody with an account who never logged in.
    async fn sign_up_only(origin: &str, email: &str, name: &str) -> Result<Self, Error> {
        let client = Self {
            http: reqwest::Client::new(),
            origin: origin.to_owned(),
            token: String::new(),
            id: String::new(),
            email: email.to_owned(),
        };
        client.send(Method::POST, "/v1/accounts", None, json!({"email": email, "name": name})).await?;
        let token = client.token_from_mail().await?;
        client.send(Method::POST, "/v1/accounts/verify", None, json!({"token": token, "password": PASSWORD})).await?;
        Ok(client)
    }

    /// The same person on another connection.
    fn another(&self) -> Self {
        let Self { origin, token, id, email, .. } = self;
        Self { http: reqwest::Client::new(), origin: origin.clone(), token: token.clone(), id: id.clone(), email: email.clone() }
    }

    async fn token_from_mail(&self) -> Result<String, Error> {
        for _ in 0..200 {
            let mails = self.inbox().await?;
            let token = mails.first().and_then(|it| it["text"].as_str()).and_then(|it| it.split_once("verify?token="));
            if let Some((_, rest)) = token {
                return Ok(rest.chars().take_while(|it| it.is_ascii_alphanumeric() || "-_".contains(*it)).collect());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err("the sign-up mail did not arrive".into())
    }

    async fn inbox(&self) -> Result<Vec<Value>, Error> {
        let url = format!("{}/inbox.json?to={}", self.origin, self.email);
        Ok(self.http.get(url).send().await?.error_for_status()?.json().await?)
    }

    async fn send(&self, method: Method, path: &str, if_match: Option<&str>, body: Value) -> Result<Value, Error> {
        let mut request = self.http.request(method, format!("{}{path}", self.origin)).json(&body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        if let Some(if_match) = if_match {
            request = request.header("if-match", if_match);
        }
        let bytes = request.send().await?.error_for_status()?.bytes().await?;
        Ok(if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes)? })
    }

    async fn create_project(&self) -> Result<String, Error> {
        let project = self.send(Method::POST, "/v1/projects", None, json!({"name": "Bench"})).await?;
        text(&project["id"])
    }

    async fn bring_in(&self, project: &str, guest: &Self) -> Result<(), Error> {
        let invitation = json!({"email": guest.email, "role": "editor"});
        self.send(Method::POST, &format!("/v1/projects/{project}/invitations"), None, invitation).await?;
        guest.send(Method::POST, &format!("/v1/me/invitations/{project}/accept"), None, json!({})).await?;
        Ok(())
    }

    /// One task, made and then moved on: returns when each change was answered.
    async fn changes(&self, project: &str, count: usize) -> Result<Vec<Instant>, Error> {
        let mut answered = Vec::with_capacity(count);
        while answered.len() < count {
            let task = self.send(Method::POST, &format!("/v1/projects/{project}/tasks"), None, json!({"title": "Bench"})).await?;
            answered.push(Instant::now());
            let path = format!("/v1/projects/{project}/tasks/{}", text(&task["id"])?);
            for (version, status) in [(1, "in_progress"), (2, "done"), (3, "waiting")] {
                if answered.len() < count {
                    self.send(Method::PATCH, &path, Some(&format!("\"{version}\"")), json!({"status": status})).await?;
                    answered.push(Instant::now());
                }
            }
        }
        Ok(answered)
    }
}

struct Rates {
    first: f64,
    median: f64,
    last: f64,
}

/// Changes a second over windows of a thousand, in the order in which they were answered.
async fn throughput(person: &Client, clients: usize, changes: usize) -> Result<Rates, Error> {
    let project = person.create_project().await?;
    let began = Instant::now();
    let crowd = (0..clients).map(|_| {
        let (client, project) = (person.another(), project.clone());
        tokio::spawn(async move { client.changes(&project, changes.div_ceil(clients)).await })
    });
    let mut answered = vec![began];
    for client in futures::future::join_all(crowd).await {
        answered.extend(client??);
    }
    answered.sort_unstable();
    let thousand = 1_000.min(answered.len() - 1);
    let rates: Vec<f64> = answered
        .windows(thousand + 1)
        .step_by(thousand)
        .map(|window| thousand as f64 / (window[thousand] - window[0]).as_secs_f64())
        .collect();
    let first = *rates.first().ok_or("no changes were made")?;
    let last = *rates.last().ok_or("no changes were made")?;
    Ok(Rates { first, median: percentile(rates, 50), last })
}

struct Delays {
    p50: f64,
    p99: f64,
}

/// Milliseconds from the time a change bears, taken before it is committed, to the time its mail is in the inbox.
async fn delays(server: &Server, ada: &Client, ben: &Client, project: &str, options: BenchOptions) -> Result<Delays, Error> {
    let mut made: Vec<(String, Timestamp)> = Vec::with_capacity(options.delays);
    for number in 0..options.delays {
        let body = json!({"title": format!("Task {number}"), "assignee": ben.id});
        let task = ada.send(Method::POST, &format!("/v1/projects/{project}/tasks"), None, body).await?;
        made.push((text(&task["id"])?, text(&task["created_at"])?.parse()?));
        tokio::time::sleep(Duration::from_millis(options.pause_milliseconds)).await;
    }
    server.settle().await?;
    let mails = ben.inbox().await?;
    let mut delays = Vec::with_capacity(made.len());
    for (task, at) in &made {
        let mail = mails.iter().find(|it| it["text"].as_str().is_some_and(|text| text.contains(task.as_str())));
        let received: Timestamp = text(&mail.ok_or("a mail is missing")?["received_at"])?.parse()?;
        delays.push(received.duration_since(*at).as_secs_f64() * 1_000.0);
    }
    Ok(Delays { p50: percentile(delays.clone(), 50), p99: percentile(delays, 99) })
}

fn percentile(mut values: Vec<f64>, percent: usize) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get((values.len() * percent / 100).min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

fn text(value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| format!("expected a text, found {value}").into())
}
