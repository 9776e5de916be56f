use tracing_subscriber::EnvFilter;

/// Starts logging to standard output: one JSON object a line in Lambda, for people elsewhere. `RUST_LOG` filters; `info` without it.
/// A second call changes nothing.
pub fn logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    let started = if std::env::var_os("AWS_LAMBDA_FUNCTION_NAME").is_some() {
        log.json().flatten_event(true).with_current_span(true).with_span_list(false).with_ansi(false).try_init()
    } else {
        log.try_init()
    };
    if started.is_err() {
        tracing::debug!("logging was started before");
    }
}
