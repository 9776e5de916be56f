use aws_lambda_events::eventbridge::EventBridgeEvent;
use domain::{ChangeKind, ProjectId, TaskId};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use store::RecipientKey;

use crate::feedback::{self, Feedback};

/// What an event asks for. It is a hint only: what is owed stands in the tables, and a hint lost, repeated or late changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Hint {
    /// This task's log has grown.
    TaskMoved { project: ProjectId, task: TaskId },
    /// This recipient is owed a letter.
    LetterDue { recipient: RecipientKey },
    /// What this recipient is owed should be due: the mailer's own wake-up, and when it put it.
    MailDue { recipient: RecipientKey, put_at: Timestamp },
    /// The mail service says something of a mail.
    Feedback(Feedback),
}

impl Hint {
    /// Of a wake-up: whom it is about, and when it was put.
    pub(crate) fn wake_up(&self) -> Option<(RecipientKey, Timestamp)> {
        match self {
            Self::MailDue { recipient, put_at } => Some((recipient.clone(), *put_at)),
            Self::TaskMoved { .. } | Self::LetterDue { .. } | Self::Feedback(_) => None,
        }
    }
}

/// Why an event is no hint; stands beside it among the dead letters.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoHint {
    #[error("the message has no body")]
    Empty,
    #[error("the body is not an EventBridge event: {0}")]
    NotAnEvent(serde_json::Error),
    #[error("envelope version {0:?} is unknown")]
    UnknownVersion(String),
    #[error("nobody here knows {detail_type:?} from {source_name:?}")]
    UnknownEvent { source_name: String, detail_type: String },
    #[error("the detail of {detail_type:?} is not as expected: {error}")]
    BadDetail { detail_type: String, error: serde_json::Error },
}

#[derive(Deserialize)]
struct TaskMoved {
    project: ProjectId,
    task: TaskId,
    /// Read for one that nobody knows: what such a change means, this release cannot tell anybody.
    #[serde(rename = "kind")]
    _kind: Option<ChangeKind>,
}

#[derive(Deserialize)]
struct LetterDue {
    recipient: RecipientKey,
}

#[derive(Deserialize)]
struct MailDue {
    recipient: RecipientKey,
    put_at: Timestamp,
}

/// Reads the body of a queued message.
///
/// # Errors
/// [`NoHint`], with the reason.
pub(crate) fn parse(body: Option<&str>) -> Result<Hint, NoHint> {
    let body = body.ok_or(NoHint::Empty)?;
    let event: EventBridgeEvent<Value> = serde_json::from_str(body).map_err(NoHint::NotAnEvent)?;
    let EventBridgeEvent { version, detail_type, source, detail, .. } = event;
    // EventBridge calls its one envelope "0".
    if let Some(version) = version.filter(|it| it != "0") {
        return Err(NoHint::UnknownVersion(version));
    }
    let bad_detail = |error| NoHint::BadDetail { detail_type: detail_type.clone(), error };
    match (source.as_str(), detail_type.as_str()) {
        ("baton.tasks", "Task Created" | "Task Updated" | "Task Deleted") => {
            let TaskMoved { project, task, _kind } = serde_json::from_value(detail).map_err(bad_detail)?;
            Ok(Hint::TaskMoved { project, task })
        }
        ("baton.mail", "Letter Due") => {
            let LetterDue { recipient } = serde_json::from_value(detail).map_err(bad_detail)?;
            Ok(Hint::LetterDue { recipient })
        }
        ("baton.mail", "Mail Due") => {
            let MailDue { recipient, put_at } = serde_json::from_value(detail).map_err(bad_detail)?;
            Ok(Hint::MailDue { recipient, put_at })
        }
        ("aws.ses", known) => match feedback::parse(known, detail) {
            Some(parsed) => parsed.map(Hint::Feedback).map_err(bad_detail),
            None => Err(NoHint::UnknownEvent { source_name: source, detail_type }),
        },
        _ => Err(NoHint::UnknownEvent { source_name: source, detail_type }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{PROJECT, READER, TASK};

    fn check(body: &str, expected: Result<Hint, &str>) {
        match (parse(Some(body)), expected) {
            (Ok(hint), Ok(expected)) => assert_eq!(hint, expected),
            (Err(reason), Err(expected)) => assert!(reason.to_string().starts_with(expected), "{reason}"),
            (parsed, expected) => panic!("{body}: {parsed:?}, not {expected:?}"),
        }
    }

    #[test]
    fn a_hint_names_a_task_or_a_recipient() {
        let moved = format!(
            r#"{{"version": "0", "id": "x", "source": "baton.tasks", "detail-type": "Task Updated",
                "detail": {{"project": "{PROJECT}", "task": "{TASK}", "version": 3, "kind": "updated"}}}}"#
        );
        check(&moved, Ok(Hint::TaskMoved { project: PROJECT, task: TASK }));
        let due = format!(
            r#"{{"version": "0", "source": "baton.mail", "detail-type": "Letter Due", "detail": {{"recipient": {{"user": "{READER}"}}}}}}"#
        );
        check(&due, Ok(Hint::LetterDue { recipient: RecipientKey::User(READER) }));
    }

    #[test]
    fn what_is_no_hint_is_named_with_its_reason() {
        check("hello", Err("the body is not an EventBridge event"));
        check(r#"{"detail": {}}"#, Err("the body is not an EventBridge event"));
        check(
            r#"{"source": "baton.tasks", "detail-type": "Task Painted", "detail": {}}"#,
            Err(r#"nobody here knows "Task Painted" from "baton.tasks""#),
        );
        check(
            r#"{"source": "aws.ec2", "detail-type": "Task Updated", "detail": {}}"#,
            Err(r#"nobody here knows "Task Updated" from "aws.ec2""#),
        );
        check(
            r#"{"version": "1", "source": "baton.tasks", "detail-type": "Task Updated", "detail": {}}"#,
            Err(r#"envelope version "1" is unknown"#),
        );
        check(
            r#"{"source": "baton.tasks", "detail-type": "Task Updated", "detail": {"project": "1"}}"#,
            Err(r#"the detail of "Task Updated" is not as expected"#),
        );
        let painted = format!(
            r#"{{"source": "baton.tasks", "detail-type": "Task Updated",
                "detail": {{"project": "{PROJECT}", "task": "{TASK}", "kind": "painted"}}}}"#
        );
        check(&painted, Err(r#"the detail of "Task Updated" is not as expected: unknown variant `painted`"#));
        check(
            r#"{"source": "aws.ses", "detail-type": "Email Framed", "detail": {}}"#,
            Err(r#"nobody here knows "Email Framed" from "aws.ses""#),
        );
        check(
            r#"{"source": "aws.ses", "detail-type": "Email Sent", "detail": {}}"#,
            Err(r#"the detail of "Email Sent" is not as expected: missing field `mail`"#),
        );
        check(
            r#"{"version": "1", "source": "aws.ses", "detail-type": "Email Sent", "detail": {}}"#,
            Err(r#"envelope version "1" is unknown"#),
        );
        check(
            r#"{"source": "baton.mail", "detail-type": "Letter Due", "detail": {"recipient": {"address_hash": "ada@example.com"}}}"#,
            Err(r#"the detail of "Letter Due" is not as expected"#),
        );
        assert!(matches!(parse(None), Err(NoHint::Empty)));
    }
}
