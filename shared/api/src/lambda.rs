use axum::Router;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};
use tower::ServiceExt;

use crate::{PeerAddress, RequestId};

/// Serves a router as a Lambda function behind an HTTP API, under the request ids of Lambda and with the network address that API
/// Gateway saw.
///
/// # Errors
/// When the Lambda Runtime API is not to be reached.
pub async fn serve(app: Router) -> Result<(), lambda_http::Error> {
    lambda_http::run(app.map_request(known)).await
}

/// A request with what is known of it from elsewhere than its headers.
fn known(mut request: Request) -> Request {
    let peer = request.request_context_ref().and_then(peer_address);
    let id = request.lambda_context_ref().map(|it| RequestId(it.request_id.clone()));
    if let Some(peer) = peer {
        request.extensions_mut().insert(peer);
    }
    if let Some(id) = id {
        request.extensions_mut().insert(id);
    }
    request
}

fn peer_address(context: &RequestContext) -> Option<PeerAddress> {
    let RequestContext::ApiGatewayV2(context) = context else { return None };
    context.http.source_ip.as_ref()?.parse().ok().map(PeerAddress)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_address_is_the_one_api_gateway_saw() {
        let event = include_str!("../../../events/login-log-in.json");
        let sent: serde_json::Value = serde_json::from_str(event).expect("an event is JSON");
        let request = known(lambda_http::request::from_str(event).expect("an event"));
        let peer = request.extensions().get::<PeerAddress>().map(|it| it.0.to_string());
        assert!(peer.is_some());
        assert_eq!(peer.as_deref(), sent["requestContext"]["http"]["sourceIp"].as_str());
    }
}
