//! What `baton` logs: to standard error, for people.

use tracing_subscriber::{EnvFilter, fmt};

/// The emulated DynamoDB reports every failed condition, which is daily business here.
const DEFAULT: &str = "info,dynoxide=error";

/// Starts logging; `RUST_LOG` filters.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}
