use login::{Login, Settings};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), lambda_http::Error> {
    store::logging();
    let login = Login::new(&Settings::from_environment()?);
    if let Err(error) = login.warm_up().await {
        tracing::warn!(%error, "could not read the keys yet");
    }
    api::serve(login::app(login)).await
}
