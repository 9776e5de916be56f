use axum::Router;
use lambda_http::RequestExt;
use lambda_http::request::RequestContext;
use tower::ServiceExt;

use crate::{PeerAddress, RequestId};

/// Serves a router as a Lambda function behind an HTTP API, under the request ids of Lambda and with the network address that API
/// Gateway saw.
///
/// # Errors
/// When the Lambda Runtime API is not to be reached.
pub async fn serve(app: Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(app.map_request(|mut request: lambda_http::Request| {
        if let Some(peer) = request.request_context_ref().and_then(peer_address) {
            request.extensions_mut().insert(peer);
        }
        if let Some(id) = request.lambda_context_ref().map(|it| RequestId(it.request_id.clone())) {
            request.extensions_mut().insert(id);
        }
        request
    }))
    .await
}

fn peer_address(context: &RequestContext) -> Option<PeerAddress> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    context.http.source_ip.as_ref()?.parse().ok().map(PeerAddress)
}
