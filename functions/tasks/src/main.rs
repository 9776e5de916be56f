use tasks::{Settings, TasksState};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    store::logging();
    let state = TasksState::connect(Settings::from_environment()?).await?;
    api::serve(tasks::app(state)).await
}
