use tasks::{Settings, TasksState};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    store::logging();
    let state = TasksState::connect(Settings::from_environment()?, store::Clock::system()).await?;
    api::serve(tasks::app(state)).await
}
