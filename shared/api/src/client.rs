use std::net::IpAddr;

/// Where a request came from: whoever serves a router puts it into the request's extensions. Headers a client could write itself,
/// `Forwarded` and its kin, say nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub IpAddr);
