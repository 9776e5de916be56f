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
mod tests;
