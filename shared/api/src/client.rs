use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use domain::{Device, UserAgent};
use http::header::USER_AGENT;
use http::request::Parts;

/// Where a request came from: whoever serves a router puts it into the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);

/// What the request was sent with, and from where. The address is what the server saw, a [`PeerAddress`] or axum's [`ConnectInfo`]:
/// headers a client could write itself, `Forwarded` and its kin, say nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client(pub Device);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT).map(|it| String::from_utf8_lossy(it.as_bytes()));
        let user_agent = user_agent.map_or_else(UserAgent::default, |it| UserAgent::new(&it));
        let peer = parts.extensions.get::<PeerAddress>().map(|it| it.0);
        let peer = peer.or_else(|| parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|it| it.0.ip()));
        // A socket of both families shows IPv4 as `::ffff:192.0.2.1`.
        let network_address = peer.map(|it| it.to_canonical());
        Ok(Self(Device { user_agent, network_address }))
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn device(request: Request<()>) -> Device {
        let (mut parts, ()) = request.into_parts();
        let Client(device) = Client::from_request_parts(&mut parts, &()).await.expect("never refused");
        device
    }

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    #[tokio::test]
    async fn a_device_is_what_the_server_saw_and_not_what_a_header_claims() {
        let request = Request::builder().header("user-agent", "curl/8").header("x-forwarded-for", "192.0.2.9");
        let mut request = request.header("forwarded", "for=192.0.2.9").body(()).expect("a request");
        assert_eq!(device(request.clone()).await, Device { user_agent: UserAgent::new("curl/8"), network_address: None });
        let connected: SocketAddr = "[::ffff:192.0.2.1]:4711".parse().expect("an address");
        request.extensions_mut().insert(ConnectInfo(connected));
        assert_eq!(device(request.clone()).await.network_address, address("192.0.2.1"));
        request.extensions_mut().insert(PeerAddress("2001:db8::1".parse().expect("an address")));
        assert_eq!(device(request).await.network_address, address("2001:db8::1"));
    }

    #[tokio::test]
    async fn a_user_agent_that_is_not_text_is_no_reason_to_refuse() {
        let request = Request::builder().header("user-agent", &b"a\xffb"[..]).body(()).expect("a request");
        assert_eq!(device(request).await.user_agent.as_str(), "a\u{fffd}b");
        assert_eq!(device(Request::new(())).await, Device::default());
    }
}
