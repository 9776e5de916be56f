//! SESv2's `SendEmail` (`POST /v2/email/outbound-emails`): an accepted mail lies in the inbox before the answer goes out, and what
//! became of it is published to the default bus where it was sent with a configuration set.

use std::collections::BTreeMap;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    bus::Bus,
    inbox::{Inbox, Mail},
};

mod feedback;

/// The body of `SendEmail` with simple content.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
    #[serde(default)]
    email_tags: Vec<Header>,
    configuration_set_name: Option<String>,
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
pub fn send_email(inbox: &Inbox, bus: &Bus, request: SendEmail) -> (Response, u64) {
    let SendEmail { from_email_address, destination, content, email_tags, configuration_set_name } = request;
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
    if email_tags.iter().any(|Header { name, value }| !is_tag_word(name) || !is_tag_word(value)) {
        return (refuse("Tag names and values hold ASCII letters, digits, _ and - only."), 0);
    }
    let id = Uuid::now_v7().to_string();
    let source = bare(&from_email_address);
    let tags: BTreeMap<String, String> = email_tags.into_iter().map(|tag| (tag.name, tag.value)).collect();
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
            tags: tags.clone(),
            received_at,
        })
        .collect();
    match inbox.keep(&mails) {
        Ok(()) => {
            if let Some(configuration_set) = configuration_set_name {
                publish(bus, &mails, &source, &configuration_set);
            }
            (Json(json!({"MessageId": id})).into_response(), mails.len() as u64)
        }
        Err(error) => {
            tracing::error!(%error, "the inbox's file failed");
            (error_response(StatusCode::INTERNAL_SERVER_ERROR, "InternalServiceErrorException", "The inbox's file failed."), 0)
        }
    }
}

/// Best effort, as at AWS: a mail is accepted whether or not anybody learns what became of it.
fn publish(bus: &Bus, mails: &[Mail], source: &str, configuration_set: &str) {
    let sent = mails.iter().map(|mail| feedback::Sent { mail, source, configuration_set });
    if let Err(error) = bus.put_service_events("aws.ses", sent.flat_map(|sent| feedback::events(&sent)).collect()) {
        tracing::warn!(error = &error as &dyn std::error::Error, "nobody will learn what became of a mail");
    }
}

/// As the API's reference has it, for names and values alike.
fn is_tag_word(text: &str) -> bool {
    let is_of_tags = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-');
    (1..=256).contains(&text.len()) && text.bytes().all(is_of_tags)
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
    use serde_json::Value;

    use super::*;
    use crate::{metrics::Metrics, queue::Queues};

    /// A stack's mail service and its bus, which remembers its events.
    struct Service {
        inbox: Inbox,
        bus: Bus,
    }

    impl Service {
        fn new() -> Self {
            let queues = Queues::open(None, &[], store::Clock::system()).expect("queues open in memory");
            let bus = Bus::new(&[], queues, Metrics::default(), true).expect("a bus without rules");
            Self { inbox: Inbox::open(None).expect("an inbox opens in memory"), bus }
        }

        /// Sends, with `more` in the request.
        fn send(&self, to: &str, subject: &str, more: Value) -> (StatusCode, Vec<Mail>) {
            let mut request = json!({
                "FromEmailAddress": "Baton <baton@example.com>",
                "Destination": {"ToAddresses": [to]},
                "Content": {"Simple": {
                    "Subject": {"Data": subject}, "Body": {"Text": {"Data": "plain"}, "Html": {"Data": "<p>html</p>"}},
                    "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com>"}],
                }},
            });
            if let (Some(request), Value::Object(more)) = (request.as_object_mut(), more) {
                request.extend(more);
            }
            let (response, _) = send_email(&self.inbox, &self.bus, serde_json::from_value(request).expect("a request"));
            (response.status(), self.inbox.mails(None, None).expect("the inbox answers"))
        }

        fn event_types(&self) -> Vec<String> {
            let events = self.bus.recorded();
            events.iter().map(|it| it["detail-type"].as_str().unwrap_or_default().to_owned()).collect()
        }
    }

    #[test]
    fn a_mail_lies_in_the_inbox_with_its_bare_address_headers_and_tags() {
        let tags = json!({"EmailTags": [{"Name": "claim", "Value": "c-1"}]});
        let (status, mails) = Service::new().send("Ada <ada@example.com>", "[Relay] Hand over", tags);
        assert_eq!((status, mails.len()), (StatusCode::OK, 1));
        assert_eq!((mails[0].to.as_str(), mails[0].html.as_str()), ("ada@example.com", "<p>html</p>"));
        assert_eq!(mails[0].headers["List-Unsubscribe"], "<https://example.com>");
        assert_eq!(mails[0].tags["claim"], "c-1");
    }

    #[test]
    fn a_line_break_in_a_header_is_refused() {
        let (status, mails) = Service::new().send("ada@example.com", "x\r\nBcc: all@example.com", json!({}));
        assert_eq!((status, mails.len()), (StatusCode::BAD_REQUEST, 0));
    }

    #[test]
    fn a_tag_that_ses_would_not_take_is_refused() {
        for (name, value) in [("claim", "USER#1"), ("claim", "a.b"), ("claim", ""), ("the claim", "1")] {
            let tags = json!({"EmailTags": [{"Name": name, "Value": value}]});
            let (status, mails) = Service::new().send("ada@example.com", "x", tags);
            assert_eq!((status, mails.len()), (StatusCode::BAD_REQUEST, 0), "{name}: {value}");
        }
    }

    #[test]
    fn what_becomes_of_a_mail_is_published_as_ses_spells_it() {
        for (to, expected) in [
            ("ada@example.com", &["Email Sent", "Email Delivered"][..]),
            ("bounce+1@simulator.amazonses.com", &["Email Sent", "Email Bounced"]),
            ("complaint@simulator.amazonses.com", &["Email Sent", "Email Delivered", "Email Complaint Received"]),
        ] {
            let service = Service::new();
            let more = json!({"ConfigurationSetName": "ours", "EmailTags": [{"Name": "claim", "Value": "c-1"}]});
            let (_, mails) = service.send(to, "x", more);
            assert_eq!(service.event_types(), expected, "{to}");
            for event in service.bus.recorded() {
                assert_eq!((&event["source"], &event["version"]), (&json!("aws.ses"), &json!("0")));
                let mail = &event["detail"]["mail"];
                assert_eq!((&mail["messageId"], &mail["destination"]), (&json!(mails[0].id), &json!([to])));
                assert_eq!((&mail["tags"]["claim"], &mail["tags"]["ses:configuration-set"]), (&json!(["c-1"]), &json!(["ours"])));
            }
        }
    }

    #[test]
    fn nothing_is_published_of_a_mail_without_a_configuration_set() {
        let service = Service::new();
        service.send("ada@example.com", "x", json!({}));
        assert_eq!(service.event_types(), Vec::<String>::new());
    }
}
