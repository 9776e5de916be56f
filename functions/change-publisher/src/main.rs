//! The publisher on Lambda.

use std::convert::Infallible;

use aws_lambda_events::dynamodb::Event;
use change_publisher::{Publisher, Settings, handle};
use lambda_runtime::{Error, LambdaEvent, run, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    store::logging();
    let publisher = Publisher::new(Settings::from_environment()?);
    run(service_fn(async |event: LambdaEvent<Event>| Ok::<_, Infallible>(handle(&publisher, event.payload).await))).await
}
