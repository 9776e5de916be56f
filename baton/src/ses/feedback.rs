//! What becomes of an accepted mail, as SES publishes it to EventBridge. Every address takes mail but those of SES's mailbox
//! simulator, which behave as they do there.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::{dynamodb::REGION, inbox::Mail};

/// The domain of the simulator's addresses; each may carry a label, as in `bounce+ada@simulator.amazonses.com`.
const SIMULATOR: &str = "simulator.amazonses.com";

/// A mail as its events tell of it.
pub(super) struct Sent<'a> {
    pub(super) mail: &'a Mail,
    /// The bare address it is from.
    pub(super) source: &'a str,
    pub(super) configuration_set: &'a str,
}

/// What happens to a mail after it was accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Delivered,
    Bounced { sub_type: &'static str },
    ComplainedOf,
}

impl Fate {
    fn of(address: &str) -> Self {
        let Some((local, domain)) = address.split_once('@') else { return Self::Delivered };
        let mailbox = local.split('+').next().unwrap_or(local);
        match (domain.eq_ignore_ascii_case(SIMULATOR), mailbox.to_ascii_lowercase().as_str()) {
            (true, "bounce") => Self::Bounced { sub_type: "General" },
            (true, "suppressionlist") => Self::Bounced { sub_type: "Suppressed" },
            (true, "complaint") => Self::ComplainedOf,
            _ => Self::Delivered,
        }
    }
}

/// The mail's events, detail type and detail each, in the order they happen.
pub(super) fn events(sent: &Sent<'_>) -> Vec<(&'static str, Value)> {
    let happened = jiff::Timestamp::now();
    let mail = &sent.mail;
    let send = event(sent, "Send", ("send", json!({})));
    let delivery = || {
        let delivery = json!({
            "timestamp": milliseconds(happened), "processingTimeMillis": 1, "recipients": [mail.to],
            "smtpResponse": "250 2.0.0 Ok", "reportingMTA": "a0-0.smtp-out.amazonses.com",
        });
        ("Email Delivered", event(sent, "Delivery", ("delivery", delivery)))
    };
    let feedback_id = format!("{}-000000", Uuid::now_v7());
    let mut events = vec![("Email Sent", send)];
    match Fate::of(&mail.to) {
        Fate::Delivered => events.push(delivery()),
        Fate::Bounced { sub_type } => {
            let bounce = json!({
                "feedbackId": feedback_id, "bounceType": "Permanent", "bounceSubType": sub_type,
                "bouncedRecipients": [{
                    "emailAddress": mail.to, "action": "failed", "status": "5.1.1",
                    "diagnosticCode": "smtp; 550 5.1.1 user unknown",
                }],
                "timestamp": milliseconds(happened), "reportingMTA": "dns; a0-0.smtp-out.amazonses.com",
            });
            events.push(("Email Bounced", event(sent, "Bounce", ("bounce", bounce))));
        }
        Fate::ComplainedOf => {
            let complaint = json!({
                "feedbackId": feedback_id, "complaintSubType": null, "complaintFeedbackType": "abuse",
                "complainedRecipients": [{"emailAddress": mail.to}], "timestamp": milliseconds(happened),
                "arrivalDate": milliseconds(happened), "userAgent": "Amazon SES Mailbox Simulator",
            });
            events.extend([delivery(), ("Email Complaint Received", event(sent, "Complaint", ("complaint", complaint)))]);
        }
    }
    events
}

fn event(sent: &Sent<'_>, event_type: &str, (name, what): (&str, Value)) -> Value {
    let Sent { mail, source, configuration_set } = sent;
    let own = [("ses:configuration-set", *configuration_set), ("ses:caller-identity", "local")];
    let tags: BTreeMap<&str, [&str; 1]> = own
        .into_iter()
        .chain(mail.tags.iter().map(|(name, value)| (name.as_str(), value.as_str())))
        .map(|(name, value)| (name, [value]))
        .collect();
    let headers: Vec<Value> = mail.headers.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!({
        "eventType": event_type,
        "mail": {
            "timestamp": milliseconds(mail.received_at),
            "source": source,
            "sourceArn": format!("arn:aws:ses:{REGION}:000000000000:identity/{source}"),
            "sendingAccountId": "000000000000",
            "messageId": mail.id,
            "destination": [mail.to],
            "headersTruncated": false,
            "headers": headers,
            "commonHeaders": {"to": [mail.to], "subject": mail.subject, "messageId": mail.id},
            "tags": tags,
        },
        name: what,
    })
}

/// SES writes three fraction digits.
fn milliseconds(at: jiff::Timestamp) -> String {
    format!("{at:.3}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_simulators_addresses_behave_as_at_ses_and_all_others_take_mail() {
        for (address, expected) in [
            ("ada@example.com", Fate::Delivered),
            ("bounce@example.com", Fate::Delivered),
            ("bounce@simulator.amazonses.com", Fate::Bounced { sub_type: "General" }),
            ("Bounce+ada@simulator.amazonses.com", Fate::Bounced { sub_type: "General" }),
            ("suppressionlist@simulator.amazonses.com", Fate::Bounced { sub_type: "Suppressed" }),
            ("complaint+1@simulator.amazonses.com", Fate::ComplainedOf),
            ("success@simulator.amazonses.com", Fate::Delivered),
        ] {
            assert_eq!(Fate::of(address), expected, "{address}");
        }
    }
}
