use serde_json::json;

use super::*;
use crate::samples::{ADA, GRACE, PROJECT, READER};

const CLAIM: ClaimId = ClaimId(Uuid::from_u128(5));

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn address() -> EmailAddress {
    "rea@example.com".parse().expect("an address")
}

/// The detail of an event about a mail of ours, with `more` in it.
fn detail(more: &Value) -> Value {
    let mut detail = json!({"mail": {
        "timestamp": "2026-11-20T14:03:00.123Z",
        "messageId": "1",
        "destination": ["Rea@Example.com"],
        "tags": {
            "ses:configuration-set": ["baton-dev"],
            CLAIM_TAG: [CLAIM.to_string()],
            RECIPIENT_TAG: [recipient_tag(&RecipientKey::User(READER))],
        },
    }});
    if let (Some(detail), Some(more)) = (detail.as_object_mut(), more.as_object()) {
        detail.extend(more.clone());
    }
    detail
}

fn parsed(detail_type: &str, detail: Value) -> Feedback {
    parse(detail_type, detail).expect("a known event").expect("a sound detail")
}

fn failed(reason: &str, time: &str, address: Option<EmailAddress>) -> Feedback {
    let failure = Failure { reason: reason.to_owned(), at: at(time), address };
    Feedback::Failed { recipient: RecipientKey::User(READER), claim: CLAIM, failure }
}

#[test]
fn a_recipient_survives_their_tag_which_ses_takes() {
    for recipient in [RecipientKey::User(READER), RecipientKey::Address((&address()).into())] {
        let tag = recipient_tag(&recipient);
        assert!(tag.bytes().all(|it| it.is_ascii_alphanumeric() || matches!(it, b'_' | b'-')), "{tag}");
        assert_eq!(tag.parse::<TaggedRecipient>().map(|it| it.0), Ok(recipient));
    }
}

#[test]
fn both_events_of_a_mail_that_was_taken_are_one() {
    let accepted = Feedback::Accepted { recipient: RecipientKey::User(READER), claim: CLAIM };
    assert_eq!(parsed("Email Sent", detail(&json!({"eventType": "Send", "send": {}}))), accepted);
    assert_eq!(parsed("Email Delivered", detail(&json!({"eventType": "Delivery", "delivery": {}}))), accepted);
}

#[test]
fn an_address_is_given_up_for_a_permanent_bounce_or_a_complaint_only() {
    let bounce = |kind: &str| {
        let bounce = json!({"bounceType": kind, "bounceSubType": "General", "timestamp": "2026-11-20T14:04:00Z"});
        parsed("Email Bounced", detail(&json!({"bounce": bounce})))
    };
    assert_eq!(bounce("Permanent"), failed("bounced: General", "2026-11-20T14:04:00Z", Some(address())));
    for kind in ["Transient", "Undetermined"] {
        assert_eq!(bounce(kind), Feedback::Nothing { why: "bounced: General".to_owned() });
    }
    let complaint = |kind: Value| {
        let complaint = json!({"complaintFeedbackType": kind, "timestamp": "2026-11-20T14:05:00Z"});
        parsed("Email Complaint Received", detail(&json!({"complaint": complaint})))
    };
    assert_eq!(complaint(json!("abuse")), failed("complaint: abuse", "2026-11-20T14:05:00Z", Some(address())));
    assert_eq!(complaint(json!(null)), failed("complaint: no reason given", "2026-11-20T14:05:00Z", Some(address())));
    for kind in ["not-spam", "auth-failure"] {
        assert_eq!(complaint(json!(kind)), Feedback::Nothing { why: format!("complaint: {kind}") });
    }
    let rejected = parsed("Email Rejected", detail(&json!({"reject": {"reason": "Bad content"}})));
    assert_eq!(rejected, failed("rejected: Bad content", "2026-11-20T14:03:00.123Z", None));
}

#[test]
fn what_asks_for_nothing_is_known_and_what_nobody_knows_is_not() {
    for known in ["Email Delivery Delayed", "Email Opened", "Email Clicked", "Email Subscribed", "Email Rendering Failed"] {
        assert_eq!(parsed(known, json!({})), Feedback::Nothing { why: known.to_owned() });
    }
    assert!(parse("Email Framed", detail(&json!({}))).is_none());
}

#[test]
fn a_mail_without_a_claim_is_not_ours_and_a_garbled_one_is_refused() {
    let mut foreign = detail(&json!({}));
    foreign["mail"]["tags"] = json!({"ses:configuration-set": ["baton-dev"]});
    assert!(matches!(parsed("Email Bounced", foreign), Feedback::Nothing { .. }));
    let check = |path: &str, value: Value, expected: &str| {
        let mut garbled = detail(&json!({}));
        *garbled.pointer_mut(path).expect("it is there") = value;
        let refused = parse("Email Sent", garbled).expect("a known event").expect_err("it is garbled").to_string();
        assert!(refused.starts_with(expected), "{refused}");
    };
    check("/mail/tags/claim", json!(["x"]), "the tag claim is not a UUID");
    check("/mail/tags/claim", json!([]), "the tag claim has one value");
    check("/mail/tags/recipient", json!(["USER#x"]), "the tag recipient is not a");
    check("/mail/tags", json!({"claim": [CLAIM.to_string()]}), "missing field `recipient`");
    check("/mail/destination", json!([]), "a mail has one destination");
    check("/mail/destination", json!(["rea"]), "its destination is not an e-mail address");
    check("/mail", json!({}), "missing field `timestamp`");
    for (detail_type, what) in
        [("Email Bounced", "bounce"), ("Email Complaint Received", "complaint"), ("Email Rejected", "reject")]
    {
        let refused = parse(detail_type, detail(&json!({}))).expect("a known event").expect_err("it lacks what happened");
        assert_eq!(refused.to_string(), format!("missing field `{what}`"));
    }
}

#[test]
fn an_owner_is_told_once_of_what_happens_to_an_address_within_a_minute() {
    let id = |owner, time: &str| notification_id(&address(), PROJECT, owner, at(time));
    let first = id(ADA, "2026-11-20T14:03:01Z");
    assert_eq!(first, id(ADA, "2026-11-20T14:03:59Z"));
    assert_ne!(first, id(GRACE, "2026-11-20T14:03:01Z"));
    assert_ne!(first, id(ADA, "2026-11-20T14:04:00Z"));
    assert_eq!(first.0.get_version_num(), 7);
    assert!(first < id(ADA, "2026-11-20T14:04:00Z"), "newer ones sort behind");
}
