use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use domain::{ClaimId, EmailAddress, Invalid, Notification, NotificationContent, NotificationId, ProjectId, UserId};
use futures::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::Error as _;
use serde_json::{Error, Value};
use store::{RecipientKey, StoreError};
use tracing::{debug, info, warn};
use uuid::{Builder, Uuid};

use crate::{Followed, Mailer};

/// The tag that says which claim a mail was sent for.
pub(crate) const CLAIM_TAG: &str = "claim";

/// The tag that says whose claim that is, without their address.
pub(crate) const RECIPIENT_TAG: &str = "recipient";

/// How many projects are asked for their owners at once.
const PROJECTS_AT_ONCE: usize = 8;

const INVITATIONS_A_PAGE: usize = 100;

/// A recipient as a tag spells them: SES takes no `#` there.
pub(crate) fn recipient_tag(recipient: &RecipientKey) -> String {
    recipient.to_string().replace('#', "_")
}

/// What the mail service says of one mail. It comes late, repeated, in any order, or never.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Feedback {
    /// It took the mail. Both events that say so are one to the mailer.
    Accepted { recipient: RecipientKey, claim: ClaimId },
    /// The mail did not reach its reader, or was not wanted.
    Failed { recipient: RecipientKey, claim: ClaimId, failure: Failure },
    /// Nothing to act on.
    Nothing { why: String },
}

/// Why a mail failed for good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Failure {
    /// Shown to whoever may read the task, so it holds no word of the receiving server.
    pub(crate) reason: String,
    pub(crate) at: Timestamp,
    /// Where no mail is to go any more; nothing, where the mail alone is at fault.
    pub(crate) address: Option<EmailAddress>,
}

#[derive(Deserialize)]
struct Detail {
    mail: MailDetail,
    bounce: Option<Bounce>,
    complaint: Option<Complaint>,
    reject: Option<Reject>,
}

#[derive(Deserialize)]
struct MailDetail {
    timestamp: Timestamp,
    destination: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    bounce_type: BounceType,
    bounce_sub_type: String,
    timestamp: Timestamp,
}

#[derive(Deserialize)]
enum BounceType {
    Permanent,
    Transient,
    Undetermined,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    /// RFC 5965, section 7.3; absent where the reader's provider does not say.
    complaint_feedback_type: Option<String>,
    timestamp: Timestamp,
}

#[derive(Deserialize)]
struct Reject {
    reason: String,
}

/// Reads an event about a mail; nothing, where no such event is known. One recipient per mail, so the mail's destination is whom it
/// is about, however the receiving server spells them.
///
/// # Errors
/// What the detail lacks.
pub(crate) fn parse(detail_type: &str, detail: Value) -> Option<Result<Feedback, Error>> {
    let known = match detail_type {
        "Email Sent" | "Email Delivered" | "Email Bounced" | "Email Complaint Received" | "Email Rejected" => true,
        "Email Delivery Delayed" | "Email Opened" | "Email Clicked" | "Email Subscribed" | "Email Rendering Failed" => false,
        _ => return None,
    };
    if !known {
        return Some(Ok(Feedback::Nothing { why: detail_type.to_owned() }));
    }
    Some(serde_json::from_value(detail).and_then(|it| read(detail_type, it)))
}

fn read(detail_type: &str, detail: Detail) -> Result<Feedback, Error> {
    let Detail { mail, bounce, complaint, reject } = detail;
    let MailDetail { timestamp, destination, tags } = mail;
    if !tags.contains_key(CLAIM_TAG) {
        return Ok(Feedback::Nothing { why: "the mail is not one of the mailer's".to_owned() });
    }
    let claim: ClaimId = tag(&tags, CLAIM_TAG)?;
    let recipient = tag::<TaggedRecipient>(&tags, RECIPIENT_TAG)?.0;
    let [destination] = destination.as_slice() else { return Err(Error::custom("a mail has one destination")) };
    let address: EmailAddress = destination.parse().map_err(|why| Error::custom(format!("its destination {why}")))?;
    let failed = |failure| Ok(Feedback::Failed { recipient: recipient.clone(), claim, failure });
    match detail_type {
        "Email Bounced" => {
            let Bounce { bounce_type, bounce_sub_type, timestamp } = bounce.ok_or_else(|| Error::missing_field("bounce"))?;
            let reason = format!("bounced: {bounce_sub_type}");
            match bounce_type {
                BounceType::Permanent => failed(Failure { reason, at: timestamp, address: Some(address) }),
                // A full mailbox, or a server that said nothing that SES understood.
                BounceType::Transient | BounceType::Undetermined => Ok(Feedback::Nothing { why: reason }),
            }
        }
        "Email Complaint Received" => {
            let Complaint { complaint_feedback_type, timestamp } = complaint.ok_or_else(|| Error::missing_field("complaint"))?;
            let reason = complaint_feedback_type.unwrap_or_else(|| "no reason given".to_owned());
            match reason.as_str() {
                // The one takes a complaint back, the other is of a server and not of a reader.
                "not-spam" | "auth-failure" => Ok(Feedback::Nothing { why: format!("complaint: {reason}") }),
                _ => failed(Failure { reason: format!("complaint: {reason}"), at: timestamp, address: Some(address) }),
            }
        }
        "Email Rejected" => {
            let Reject { reason } = reject.ok_or_else(|| Error::missing_field("reject"))?;
            failed(Failure { reason: format!("rejected: {reason}"), at: timestamp, address: None })
        }
        _ => Ok(Feedback::Accepted { recipient, claim }),
    }
}

struct TaggedRecipient(RecipientKey);

impl FromStr for TaggedRecipient {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        text.replacen('_', "#", 1).parse().map(Self)
    }
}

/// A tag's value; SES has lists of them, ours have one.
fn tag<T: FromStr<Err = Invalid>>(tags: &BTreeMap<String, Vec<String>>, name: &'static str) -> Result<T, Error> {
    let [value] = tags.get(name).map(Vec::as_slice).ok_or_else(|| Error::missing_field(name))? else {
        return Err(Error::custom(format!("the tag {name} has one value")));
    };
    value.parse().map_err(|why| Error::custom(format!("the tag {name} {why}")))
}

impl Mailer {
    /// Acts on what the mail service says of a mail.
    pub(crate) async fn take_in(&self, feedback: &Feedback) -> Followed {
        let done = match feedback {
            Feedback::Accepted { recipient, claim } => self.note_accepted(recipient, *claim).await,
            Feedback::Failed { recipient, claim, failure } => self.note_failed(recipient, *claim, failure).await,
            Feedback::Nothing { why } => {
                debug!(why, "an event about a mail asks for nothing");
                Ok(())
            }
        };
        match done {
            Ok(()) => Followed::to(BTreeSet::new()),
            Err(StoreError::Corrupt { what }) => Followed::DeadEnd { reason: format!("what it is about cannot be read: {what}") },
            Err(error) => {
                warn!(
                    error = &error as &dyn std::error::Error,
                    "could not take in an event about a mail, so it has to come again"
                );
                Followed::again()
            }
        }
    }

    /// Of nearly every mail the claim is closed when this comes: one read, no write. Where its holder did not learn that the mail was
    /// taken, it is closed now without a second one; a holder still at it closes it itself, or its successor does.
    async fn note_accepted(&self, recipient: &RecipientKey, claim: ClaimId) -> Result<(), StoreError> {
        if !self.mail.mark_accepted(recipient, claim).await? {
            return Ok(());
        }
        match self.mail.mailbox(recipient).await?.claim {
            Some(open) if open.id == claim => self.settle(&open).await,
            _ => Ok(()),
        }
    }

    /// The suppression is written last: whoever died before is repeated from the start, and every write of before is the same again.
    async fn note_failed(&self, recipient: &RecipientKey, claim: ClaimId, failure: &Failure) -> Result<(), StoreError> {
        let Failure { reason, at, address } = failure;
        // It was taken before it failed, and the event that said so may be lost.
        self.note_accepted(recipient, claim).await?;
        warn!(claim.id = %claim, reason, "a mail did not reach its reader");
        let feedback = store::Feedback { reason: reason.clone(), at: *at };
        self.mail.record_feedback(recipient, claim, &feedback).await?;
        let Some(address) = address else { return Ok(()) };
        if self.mail.suppressed(address).await? {
            return Ok(());
        }
        let notifications = self.undeliverable(recipient, address, *at).await?;
        self.mail.file_notifications(&notifications).await?;
        if self.mail.suppress(address, reason, *at).await? {
            info!(claim.id = %claim, owners = notifications.len(), "an address takes no mail from now on");
        }
        Ok(())
    }

    /// What the owners of a person's projects are told, or of those that an address without an account is invited to.
    async fn undeliverable(
        &self,
        recipient: &RecipientKey,
        address: &EmailAddress,
        at: Timestamp,
    ) -> Result<Vec<Notification>, StoreError> {
        let (user, projects) = match recipient {
            RecipientKey::User(user) => (Some(*user), self.projects_of(*user, address).await?),
            RecipientKey::Address(_) => (None, self.projects_inviting(address).await?),
        };
        let owners: Vec<(ProjectId, UserId)> = futures::stream::iter(projects)
            .map(async |project| {
                let owners = self.work.owners(project).await?;
                Ok::<_, StoreError>(owners.into_iter().map(|owner| (project, owner)).collect::<Vec<_>>())
            })
            .buffer_unordered(PROJECTS_AT_ONCE)
            .try_concat()
            .await?;
        let notification = |(project, owner): (ProjectId, UserId)| Notification {
            id: notification_id(address, project, owner, at),
            user: owner,
            at,
            read: false,
            content: NotificationContent::Undeliverable { project, user },
        };
        Ok(owners.into_iter().map(notification).collect())
    }

    /// None where the person has another address by now: their mail is fine.
    async fn projects_of(&self, user: UserId, address: &EmailAddress) -> Result<Vec<ProjectId>, StoreError> {
        let profile = self.work.profile(user).await?;
        if profile.is_none_or(|it| it.email != *address) {
            return Ok(Vec::new());
        }
        Ok(self.work.memberships_of(user).await?.into_iter().map(|(project, _)| project.id).collect())
    }

    async fn projects_inviting(&self, address: &EmailAddress) -> Result<Vec<ProjectId>, StoreError> {
        let mut projects = Vec::new();
        let mut after = None;
        loop {
            let page = self.work.invitations_for(address, INVITATIONS_A_PAGE, after.as_ref()).await?;
            projects.extend(page.items.into_iter().map(|(invitation, _)| invitation.project));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(projects),
            }
        }
    }
}

/// The same for whatever happens to one address within a minute, so that events that are repeated, or come together, tell it once.
fn notification_id(address: &EmailAddress, project: ProjectId, owner: UserId, at: Timestamp) -> NotificationId {
    let minute = at.as_second().div_euclid(60) * 60_000;
    let name = format!("{project} {owner} {address}", address = address.as_str());
    let distinct = Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).into_bytes();
    let mut random = [0; 10];
    random.copy_from_slice(&distinct[..10]);
    NotificationId(Builder::from_unix_timestamp_millis(u64::try_from(minute).unwrap_or_default(), &random).into_uuid())
}

#[cfg(test)]
mod tests {
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
}
