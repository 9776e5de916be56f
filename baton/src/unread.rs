//! Reads what a handler leaves unread of a request, as API Gateway does, which has the whole request before it calls a function.
//! Without that, an early answer to a long request closes the connection under a client who is still sending, or sending the next one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::{
    body::{Body, HttpBody},
    extract::Request,
    http::{HeaderValue, header::CONNECTION},
    middleware::Next,
    response::Response,
};
use futures::{StreamExt, stream};
use tokio::time::timeout;

/// What API Gateway takes at most.
const MOST_OCTETS: usize = 10 * 1024 * 1024;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Lets a request be answered, then reads the rest of it. Where that is too much, the answer says that the connection closes.
pub async fn read_rest(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let body = Arc::new(Mutex::new(body.into_data_stream()));
    let lent = Arc::clone(&body);
    let lent = stream::poll_fn(move |context| lent.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context));
    let mut response = next.run(Request::from_parts(parts, Body::from_stream(lent))).await;
    let mut rest = stream::poll_fn(move |context| body.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context));
    let read = async {
        let mut octets = 0;
        while let Some(Ok(data)) = rest.next().await {
            octets += data.len();
            if octets > MOST_OCTETS {
                return false;
            }
        }
        true
    };
    if timeout(LONGEST_WAIT, read).await != Ok(true) {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
