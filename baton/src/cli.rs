//! The command line.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{ExitCode, Stdio},
    time::Duration,
};

use axum::http::{HeaderValue, Uri};
use clap::{Args, Parser, Subcommand};

use crate::{
    bench::{BenchOptions, bench},
    demo,
    folder::{Folder, FolderError},
    functions,
    operate::{
        redrive::{self, RedriveOptions},
        repair_cursors::{self, RepairOptions},
        replay::{self, ReplayOptions},
    },
    runtime::{self, Outcome},
    stack::{Options, Stack, StartError, read_calls},
};

/// Baton on one machine: the API, the page, an inbox, and the AWS services behind them.
#[derive(Debug, Parser)]
#[command(name = "baton", version, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(flatten)]
    serve: Serve,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Args)]
struct Serve {
    /// The port on loopback; 0 picks a free one
    #[arg(long, default_value_t = 3000, value_name = "N")]
    port: u16,
    /// Where everything is kept
    #[arg(long, default_value = ".baton", value_name = "DIR")]
    data: PathBuf,
    /// Keep nothing on disk, whatever --data says
    #[arg(long)]
    in_memory: bool,
    /// How long nothing new must have happened for a person before they are mailed of what did
    #[arg(long, default_value_t = 0, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(..=900))]
    window: u32,
    /// Let pages of this origin call the API; may be given several times
    #[arg(long = "allow-origin", value_name = "ORIGIN", value_parser = origin)]
    allowed_origins: Vec<HeaderValue>,
    /// Make two users, a project and a few tasks, and print the log-ins
    #[arg(long)]
    demo: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Build a function and run its binary once over the Lambda Runtime API, against the running stack or one of its own
    Invoke {
        /// login, tasks, change-publisher or log-mailer
        function: String,
        /// The event, as JSON
        event: PathBuf,
        /// Build it as it is deployed
        #[arg(long)]
        release: bool,
        /// Build nothing: run this binary of the function
        #[arg(long, conflicts_with = "release", value_name = "PATH")]
        binary: Option<PathBuf>,
        /// The data folder of the running stack
        #[arg(long, default_value = ".baton", value_name = "DIR")]
        data: PathBuf,
    },
    /// Print the HTTP contract
    Openapi,
    /// Measure changes a second, the way to the inbox and memory, on a process and a folder of its own
    Bench(BenchOptions),
    /// Publish a span of the log once more, on the running stack or on AWS; nobody is mailed again by it
    Replay(ReplayOptions),
    /// Put dead letters back to where they were going, on the running stack or on AWS
    Redrive(RedriveOptions),
    /// After a restore to an earlier point: make what was planned fit the log, on the running stack or on AWS, while no mailer works
    RepairCursors(RepairOptions),
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// What kept it from being done.
    pub async fn run(self) -> Result<ExitCode, StartError> {
        match self.command {
            None => serve(self.serve).await,
            Some(Command::Bench(options)) => bench(options).await.map(|()| ExitCode::SUCCESS),
            Some(Command::Replay(options)) => replay::run(options).await.map(code),
            Some(Command::Redrive(options)) => redrive::run(options).await.map(code),
            Some(Command::RepairCursors(options)) => repair_cursors::run(options).await.map(code),
            Some(Command::Invoke { function, event, release, binary, data }) => {
                invoke(&function, &event, binary, release, &data).await
            }
            Some(Command::Openapi) => {
                writeln!(std::io::stdout(), "{}", functions::document().to_pretty_json()?)?;
                Ok(ExitCode::SUCCESS)
            }
        }
    }
}

/// A command that left something to be done says so to whoever called it, too.
fn code(is_done: bool) -> ExitCode {
    if is_done { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn serve(serve: Serve) -> Result<ExitCode, StartError> {
    let Serve { port, data, in_memory, window, allowed_origins, demo } = serve;
    let mut ending = Box::pin(signal()?);
    let options = Options { port, data, in_memory, window_seconds: window, allowed_origins, ..Options::default() };
    let stack = Stack::start(options).await?;
    let origin = stack.origin();
    let mut output = std::io::stdout();
    writeln!(output, "page     {origin}/\ninbox    {origin}/inbox\nAPI      {origin}/docs\nmetrics  {origin}/metrics")?;
    if demo {
        for person in demo::run(&stack).await? {
            writeln!(output, "log-in   {} with the password: {}", person.email, person.password)?;
        }
    }
    writeln!(output, "ready")?;
    output.flush()?;
    ending.as_mut().await;
    // Whoever read the output may be gone by now, which is no reason to leave work undone.
    let _unread = writeln!(output, "ending");
    stack.stop().await;
    Ok(ExitCode::SUCCESS)
}

/// An origin as browsers send it (RFC 6454, section 6.2): scheme, host and port where it is not the scheme's own, and nothing else.
fn origin(text: &str) -> Result<HeaderValue, &'static str> {
    let uri: Uri = text.parse().map_err(|_| "is not an origin")?;
    let (scheme, authority) = (uri.scheme_str().unwrap_or_default(), uri.authority().map_or("", |it| it.as_str()));
    if !matches!(scheme, "http" | "https") || format!("{scheme}://{authority}") != text || authority.contains(['@', '*']) {
        return Err("is not an origin: give it as in https://baton.example");
    }
    HeaderValue::from_str(text).map_err(|_| "is not an origin")
}

/// Resolves when the process is asked to end.
fn signal() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! { _ = terminate.recv() => {}, _ = tokio::signal::ctrl_c() => {} }
        #[cfg(not(unix))]
        let _signalled = tokio::signal::ctrl_c().await;
    })
}

async fn invoke(
    function: &str,
    event: &Path,
    binary: Option<PathBuf>,
    release: bool,
    data: &Path,
) -> Result<ExitCode, StartError> {
    let event = std::fs::read_to_string(event).map_err(|error| format!("cannot read {}: {error}", event.display()))?;
    serde_json::from_str::<serde::de::IgnoredAny>(&event).map_err(|error| format!("the event is not JSON: {error}"))?;
    let own_stack = match is_running(data) {
        true => None,
        false => Some(Stack::start(Options { port: 0, in_memory: true, ..Options::default() }).await?),
    };
    let calls = match &own_stack {
        Some(stack) => stack.calls().clone(),
        None => read_calls(data)?,
    };
    let call = calls.get(function).ok_or_else(|| {
        let known: Vec<_> = calls.keys().map(String::as_str).collect();
        format!("there is no function {function}; there are {}", known.join(", "))
    })?;
    let binary = match binary {
        Some(binary) => binary,
        None => build(function, release).await?,
    };
    let mut environment = call.environment.clone();
    environment.insert("RUST_LOG".to_owned(), std::env::var("RUST_LOG").unwrap_or_else(|_| "info".to_owned()));
    let outcome = runtime::invoke(function, &binary, &environment, event, Duration::from_secs(call.timeout_seconds)).await?;
    if let Some(stack) = own_stack {
        stack.stop().await;
    }
    let (answer, code) = match outcome {
        Outcome::Answered(answer) => (answer, ExitCode::SUCCESS),
        Outcome::Failed(error) | Outcome::NotStarted(error) => (error, ExitCode::FAILURE),
    };
    writeln!(std::io::stdout(), "{}", serde_json::to_string_pretty(&answer)?)?;
    Ok(code)
}

/// Whether a stack works in the folder, without making one there.
fn is_running(data: &Path) -> bool {
    data.is_dir() && matches!(Folder::open(data), Err(FolderError::Taken { .. }))
}

/// Builds the function's binary and says where it is.
async fn build(function: &str, release: bool) -> Result<PathBuf, StartError> {
    let mut cargo = tokio::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--package", function, "--bin", function, "--message-format", "json-render-diagnostics"]);
    if release {
        cargo.arg("--release");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = cargo.args(["--manifest-path", manifest]).stderr(Stdio::inherit()).output().await?;
    if !output.status.success() {
        return Err(format!("cargo could not build {function}").into());
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().ok_or_else(|| format!("cargo built no binary {function}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_exact() {
        for text in ["https://baton.example", "http://localhost:5173", "http://[::1]:5173"] {
            assert_eq!(origin(text).as_ref().map(HeaderValue::as_bytes), Ok(text.as_bytes()));
        }
        for text in
            ["*", "null", "", "baton.example", "https://baton.example/", "https://a@b.example", "https://*.example", "ftp://a"]
        {
            assert!(origin(text).is_err(), "{text}");
        }
    }
}
