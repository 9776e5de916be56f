//! SESv2's `SendEmail` (`POST /v2/email/outbound-emails`): an accepted mail lies in the inbox before the answer goes out.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::inbox::{Inbox, Mail};

/// The body of `SendEmail` with simple content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Text,
    body: Body,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Body {
    text: Text,
    html: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

/// Answers `SendEmail`; the number of accepted mails is the second part.
pub fn send_email(inbox: &Inbox, request: SendEmail) -> (Response, u64) {
    let SendEmail { from_email_address, destination, content } = request;
    let Destination { to_addresses, cc_addresses, bcc_addresses } = destination;
    let recipients: Vec<String> = to_addresses.into_iter().chain(cc_addresses).chain(bcc_addresses).collect();
    let Some(simple) = content.simple else { return (refuse("Only simple content is emulated."), 0) };
    if recipients.is_empty() {
        return (refuse("At least one recipient is required."), 0);
    }
    if from_email_address.is_empty() {
        return (refuse("FromEmailAddress is required."), 0);
    }
    let Simple { subject, body, headers } = simple;
    let breaks = |text: &str| text.contains(['\r', '\n']);
    if breaks(&subject.data) || headers.iter().any(|header| breaks(&header.name) || breaks(&header.value)) {
        return (refuse("A header contains a line break."), 0);
    }
    let id = Uuid::now_v7().to_string();
    let mut headers: BTreeMap<String, String> = headers.into_iter().map(|header| (header.name, header.value)).collect();
    headers.insert("From".to_owned(), from_email_address);
    // SES sets its own, whatever it was given.
    headers.insert("Message-ID".to_owned(), format!("<{id}@{}.amazonses.com>", crate::dynamodb::REGION));
    let received_at = jiff::Timestamp::now();
    let mails: Vec<Mail> = recipients
        .iter()
        .map(|recipient| Mail {
            id: id.clone(),
            to: bare(recipient),
            subject: subject.data.clone(),
            text: body.text.data.clone(),
            html: body.html.data.clone(),
            headers: headers.clone(),
            received_at,
        })
        .collect();
    match inbox.keep(&mails) {
        Ok(()) => (Json(json!({"MessageId": id})).into_response(), mails.len() as u64),
        Err(error) => {
            tracing::error!(%error, "the inbox's file failed");
            (error_response(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", "The inbox's file failed."), 0)
        }
    }
}

fn refuse(message: &str) -> Response {
    error_response(StatusCode::BAD_REQUEST, "BadRequestException", message)
}

fn error_response(status: StatusCode, kind: &'static str, message: &str) -> Response {
    (status, [("x-amzn-errortype", kind)], Json(json!({"message": message}))).into_response()
}

/// The address in `Name <address>`.
fn bare(recipient: &str) -> String {
    match recipient.rsplit_once('<') {
        Some((_, address)) => address.trim_end_matches('>').trim().to_owned(),
        None => recipient.trim().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(to: &str, subject: &str) -> (StatusCode, Vec<Mail>) {
        let request = json!({
            "FromEmailAddress": "Baton <baton@example.com>",
            "Destination": {"ToAddresses": [to]},
            "Content": {"Simple": {
                "Subject": {"Data": subject}, "Body": {"Text": {"Data": "plain"}, "Html": {"Data": "<p>html</p>"}},
                "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com>"}],
            }},
        });
        let inbox = Inbox::open(None).expect("an inbox opens in memory");
        let (response, _) = send_email(&inbox, serde_json::from_value(request).expect("a request"));
        (response.status(), inbox.mails(None, None).expect("the inbox answers"))
    }

    #[test]
    fn a_mail_lies_in_the_inbox_with_its_bare_address_and_headers() {
        let (status, mails) = send("Ada <ada@example.com>", "[Relay] Hand over");
        assert_eq!((status, mails.len()), (StatusCode::OK, 1));
        assert_eq!((mails[0].to.as_str(), mails[0].html.as_str()), ("ada@example.com", "<p>html</p>"));
        assert_eq!(mails[0].headers["List-Unsubscribe"], "<https://example.com>");
    }

    #[test]
    fn a_line_break_in_a_header_is_refused() {
        let (status, mails) = send("ada@example.com", "x\r\nBcc: all@example.com");
        assert_eq!((status, mails.len()), (StatusCode::BAD_REQUEST, 0));
    }
}
