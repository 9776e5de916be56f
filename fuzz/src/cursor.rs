use api::{Paging, Query};
use axum::extract::{FromRequestParts, Request};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::EmailAddress;
use futures::FutureExt;
use http::StatusCode;
use store::{AddressHash, Position};

/// A query is refused with the status of the contract or read; a cursor has one spelling and leads no list out of its partition.
pub fn read(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    read_cursor(text);
    // As if it were what the lists' own cursors hold.
    read_cursor(&URL_SAFE_NO_PAD.encode(text));
    let Ok(request) = Request::get(format!("/v1/tasks?{text}")).body(()) else { return };
    let (mut parts, ()) = request.into_parts();
    let Ok(query) = Query::from_request_parts(&mut parts, &()).now_or_never().expect("a query is read at once");
    match query.parse::<Paging>() {
        Ok(paging) => {
            assert!((1..=100).contains(&paging.limit.get()));
            if let Some(position) = paging.position() {
                read_cursor(&position.to_string());
            }
        }
        Err(error) => assert_eq!(error.status(), StatusCode::BAD_REQUEST, "{error}"),
    }
}

fn read_cursor(text: &str) {
    let Ok(position) = text.parse::<Position>() else { return };
    assert_eq!(position.to_string(), text, "one spelling");
    let address: EmailAddress = "ada@example.com".parse().expect("an address");
    assert!(!store::fuzzing::leads_astray(&position, &AddressHash::from(&address)), "{position:?}");
}
