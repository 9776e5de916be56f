use std::error::Error;
use std::io::ErrorKind;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::config::http::HttpResponse;
use aws_sdk_sesv2::config::retry::RetryConfig;
use aws_sdk_sesv2::error::{BuildError, DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_sesv2::operation::send_email::SendEmailError;
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message, MessageHeader, MessageTag};
use domain::{ClaimId, EmailAddress};
use store::RecipientKey;

use crate::feedback::{CLAIM_TAG, RECIPIENT_TAG, recipient_tag};
use crate::mail::Mail;

/// The mail service.
#[derive(Clone, Debug)]
pub struct Ses {
    client: Client,
    sender: EmailAddress,
    configuration_set: Option<String>,
}

/// What is known after handing a mail over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted {
        message_id: String,
    },
    /// Certainly not taken, for no fault of this mail: too many at once.
    Throttled,
    /// Certainly not taken, since nothing was ever said to the mail service.
    Unreached {
        reason: String,
    },
    /// Certainly not taken, for no fault of this mail: the account or the settings do not let anything out now.
    NotNow {
        reason: String,
    },
    /// Certainly not taken, and never will be.
    Refused {
        reason: String,
    },
    /// It may have been taken, or not.
    Unknown {
        reason: String,
    },
}

impl Ses {
    /// Sends from `sender`, with the configuration set that reports what becomes of mails, if there is one.
    #[must_use]
    pub fn new(client: Client, sender: EmailAddress, configuration_set: Option<String>) -> Self {
        Self { client, sender, configuration_set }
    }

    /// Hands one mail over, once: a second attempt of the client's own could be a second mail.
    /// The tags come back with what the mail service reports of it.
    pub(crate) async fn send(&self, mail: &Mail, claim: ClaimId, recipient: &RecipientKey) -> Outcome {
        let (content, tags) = match (content(mail), tags(claim, recipient)) {
            (Ok(content), Ok(tags)) => (content, tags),
            (Err(error), _) | (_, Err(error)) => return Outcome::Refused { reason: error.to_string() },
        };
        let once = aws_sdk_sesv2::Config::builder().retry_config(RetryConfig::disabled());
        let answer = self
            .client
            .send_email()
            .from_email_address(format!("Baton <{}>", self.sender))
            .destination(Destination::builder().to_addresses(mail.to.as_str()).build())
            .content(content)
            .set_email_tags(Some(tags))
            .set_configuration_set_name(self.configuration_set.clone())
            .customize()
            .config_override(once)
            .send()
            .await;
        match answer {
            Ok(accepted) => Outcome::Accepted { message_id: accepted.message_id.unwrap_or_default() },
            Err(error) => outcome(&error, &self.sender),
        }
    }
}

fn tags(claim: ClaimId, recipient: &RecipientKey) -> Result<Vec<MessageTag>, BuildError> {
    let tag = |name: &str, value: String| MessageTag::builder().name(name).value(value).build();
    Ok(vec![tag(CLAIM_TAG, claim.to_string())?, tag(RECIPIENT_TAG, recipient_tag(recipient))?])
}

fn content(mail: &Mail) -> Result<EmailContent, BuildError> {
    let Mail { to: _, subject, text, html, headers } = mail;
    let utf8 = |data: &str| Content::builder().data(data).charset("UTF-8").build();
    let headers: Vec<MessageHeader> = headers
        .iter()
        .map(|(name, value)| MessageHeader::builder().name(*name).value(value).build())
        .collect::<Result<_, _>>()?;
    let body = Body::builder().text(utf8(text)?).html(utf8(html)?).build();
    let message = Message::builder().subject(utf8(subject)?).body(body).set_headers(Some(headers)).build();
    Ok(EmailContent::builder().simple(message).build())
}

fn outcome(error: &SdkError<SendEmailError, HttpResponse>, sender: &EmailAddress) -> Outcome {
    let SdkError::ServiceError(answered) = error else {
        let reason = DisplayErrorContext(error).to_string();
        // What could not even be built into a request was never on its way.
        return match error {
            SdkError::ConstructionFailure(_) => Outcome::NotNow { reason },
            error if is_refused_connection(error) => Outcome::Unreached { reason },
            _ => Outcome::Unknown { reason },
        };
    };
    let status = answered.raw().status().as_u16();
    let (error, code) = (answered.err(), answered.err().code().unwrap_or("no code"));
    let reason = format!("{code}: {}", without_addresses(error.message().unwrap_or("no message")));
    match error {
        SendEmailError::TooManyRequestsException(_) | SendEmailError::LimitExceededException(_) => Outcome::Throttled,
        // It names the identities it does not know. Where the sender is among them, the mail is not to blame.
        SendEmailError::MessageRejected(rejected) if rejected.message().is_some_and(|it| names_sender(it, sender)) => {
            Outcome::NotNow { reason }
        }
        SendEmailError::MessageRejected(_) | SendEmailError::BadRequestException(_) => Outcome::Refused { reason },
        _ if status == 429 || code.starts_with("Throttling") => Outcome::Throttled,
        _ if (400..500).contains(&status) => Outcome::NotNow { reason },
        _ => Outcome::Unknown { reason },
    }
}

/// Whether nobody listened: only who asks for a connection is refused one.
fn is_refused_connection(error: &(dyn Error + 'static)) -> bool {
    let is_refusal = error.downcast_ref::<std::io::Error>().is_some_and(|it| it.kind() == ErrorKind::ConnectionRefused);
    is_refusal || error.source().is_some_and(is_refused_connection)
}

fn names_sender(message: &str, sender: &EmailAddress) -> bool {
    message.contains("not verified") && message.to_lowercase().contains(&sender.as_str().to_lowercase())
}

/// The service names mailboxes in its messages; logs and deliveries do not.
fn without_addresses(message: &str) -> String {
    let words = message.split_whitespace().map(|word| if word.contains('@') { "(an address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use aws_sdk_sesv2::error::ErrorMetadata;
    use aws_sdk_sesv2::types::error::{MessageRejected, SendingPausedException, TooManyRequestsException};
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn answered(status: u16, error: SendEmailError) -> Outcome {
        let response = HttpResponse::new(status.try_into().expect("a status"), SdkBody::empty());
        outcome(&SdkError::service_error(error, response), &sender())
    }

    fn sender() -> EmailAddress {
        "mail@baton.example".parse().expect("an address")
    }

    fn coded(code: &str) -> SendEmailError {
        SendEmailError::generic(ErrorMetadata::builder().code(code).message("why").build())
    }

    #[test]
    fn only_a_definite_no_to_this_mail_is_a_refusal() {
        let refused = answered(400, SendEmailError::MessageRejected(MessageRejected::builder().build()));
        assert!(matches!(refused, Outcome::Refused { .. }), "{refused:?}");
        let paused = answered(400, SendEmailError::SendingPausedException(SendingPausedException::builder().build()));
        assert!(matches!(paused, Outcome::NotNow { .. }), "{paused:?}");
        let forbidden = answered(403, coded("AccessDeniedException"));
        assert_eq!(forbidden, Outcome::NotNow { reason: "AccessDeniedException: why".to_owned() });
    }

    #[test]
    fn a_sender_that_is_not_verified_is_no_fault_of_the_mail() {
        let rejected = |who: &str| {
            let why =
                format!("Email address is not verified. The following identities failed the check in region EU-CENTRAL-1: {who}");
            answered(400, SendEmailError::MessageRejected(MessageRejected::builder().message(why).build()))
        };
        let sender = rejected("ada@example.com, Baton <mail@baton.example>");
        assert!(matches!(&sender, Outcome::NotNow { reason } if !reason.contains('@')), "{sender:?}");
        let recipient = rejected("ada@example.com");
        assert!(matches!(recipient, Outcome::Refused { .. }), "{recipient:?}");
    }

    #[test]
    fn a_reason_names_no_mailbox() {
        let reason = without_addresses("Not verified in eu-central-1: ada@example.com, bob@example.com");
        assert_eq!(reason, "Not verified in eu-central-1: (an address) (an address)");
    }

    #[test]
    fn a_throttle_is_not_ambiguous_and_a_broken_answer_is() {
        let busy = SendEmailError::TooManyRequestsException(TooManyRequestsException::builder().build());
        assert_eq!(answered(429, busy), Outcome::Throttled);
        assert_eq!(answered(400, coded("ThrottlingException")), Outcome::Throttled);
        let broken = answered(500, coded("InternalFailure"));
        assert!(matches!(broken, Outcome::Unknown { .. }), "{broken:?}");
        let late = outcome(&SdkError::timeout_error("no answer"), &sender());
        assert!(matches!(late, Outcome::Unknown { .. }), "{late:?}");
    }
}
