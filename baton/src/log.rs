//! What `baton` logs: to standard error, for people.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// The embedded DynamoDB reports every failed condition, and the functions every mail: daily business at a desk.
const DEFAULT: &str = "info,dynoxide=error,change_publisher=warn,log_mailer=warn";

/// Starts logging; `RUST_LOG` filters.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    fmt().with_env_filter(filter).with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).init();
}
