//! The mailer on Lambda.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use log_mailer::{Deadline, Invocation, Mailer, Settings, handle};
use tracing::error;

#[tokio::main]
async fn main() -> Result<(), Error> {
    store::logging();
    let mailer = Mailer::new(Settings::from_environment()?, store::Clock::system());
    run(service_fn(async |event: LambdaEvent<Invocation>| {
        let deadline = Deadline::before_kill(event.context.deadline());
        let answer = handle(&mailer, event.payload, deadline).await;
        answer.inspect_err(|error| error!(error = error as &dyn std::error::Error, "could not sweep")).map_err(Error::from)
    }))
    .await
}
