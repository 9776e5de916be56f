use axum::Router;
use lambda_http::RequestExt;
use tower::ServiceExt;

use crate::RequestId;

/// Serves a router as a Lambda function behind an HTTP API, under the request ids of Lambda.
///
/// # Errors
/// When the Lambda Runtime API is not to be reached.
pub async fn serve(app: Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(app.map_request(|mut request: lambda_http::Request| {
        if let Some(id) = request.lambda_context_ref().map(|it| RequestId(it.request_id.clone())) {
            request.extensions_mut().insert(id);
        }
        request
    }))
    .await
}
