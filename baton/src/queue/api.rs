//! SQS over HTTP (AWS JSON 1.0), as far as the functions and an operator use it.

use std::time::Duration;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

use super::{Message, QueueError, Queues, insert, milliseconds};
use crate::dynamodb::REGION;

/// Why a call is refused.
enum Refusal {
    /// The request is not as SQS takes it.
    Malformed(serde_json::Error),
    /// It names something that is not there, or asks for something that cannot be.
    Call {
        kind: &'static str,
        message: &'static str,
    },
    Queue(QueueError),
}

const RECEIPT: Refusal = Refusal::Call { kind: "ReceiptHandleIsInvalid", message: "The input receipt handle is invalid." };
/// In one `SendMessageBatch`.
const MOST_ENTRIES: usize = 10;

const TOO_MANY_ENTRIES: Refusal = Refusal::Call {
    kind: "TooManyEntriesInBatchRequest",
    message: "Maximum number of entries per request are 10, and one at least is needed.",
};
const TOO_MANY: Refusal =
    Refusal::Call { kind: "InvalidParameterValue", message: "MaxNumberOfMessages must be between 1 and 10, if provided." };

impl From<QueueError> for Refusal {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Queue(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, kind, message) = match self {
            Self::Malformed(error) => (StatusCode::BAD_REQUEST, "InvalidParameterValue", error.to_string()),
            Self::Call { kind, message } => (StatusCode::BAD_REQUEST, kind, message.to_owned()),
            Self::Queue(QueueError::Unknown(_)) => {
                (StatusCode::BAD_REQUEST, "QueueDoesNotExist", "The specified queue does not exist.".to_owned())
            }
            Self::Queue(error @ QueueError::Storage(_)) => {
                tracing::error!(error = &error as &dyn std::error::Error, "could not answer a call to a queue");
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "The queue's file failed.".to_owned())
            }
        };
        (status, Json(json!({"__type": format!("com.amazonaws.sqs#{kind}"), "message": message}))).into_response()
    }
}

/// Answers one operation, `SendMessage` for one; nothing where it is not emulated.
pub fn answer(queues: &Queues, operation: &str, body: &[u8]) -> Option<Response> {
    let answered = match operation {
        "SendMessage" => read(body).and_then(|request| send(queues, &request)),
        "SendMessageBatch" => read(body).and_then(|request| send_batch(queues, &request)),
        "ReceiveMessage" => read(body).and_then(|request| receive(queues, &request)),
        "DeleteMessage" => read(body).and_then(|request| delete(queues, &request)),
        "ChangeMessageVisibility" => read(body).and_then(|request| change_visibility(queues, &request)),
        "GetQueueUrl" => read(body).and_then(|request| queue_url(queues, &request)),
        "GetQueueAttributes" => read(body).and_then(|request| attributes(queues, &request)),
        _ => return None,
    };
    Some(answered.map_or_else(IntoResponse::into_response, |answer| Json(answer).into_response()))
}

fn read<Request: DeserializeOwned>(body: &[u8]) -> Result<Request, Refusal> {
    serde_json::from_slice(body).map_err(Refusal::Malformed)
}

/// The queue's name, as its URL ends.
fn name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or_default()
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessage {
    queue_url: String,
    #[serde(flatten)]
    message: NewMessage,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewMessage {
    message_body: String,
    #[serde(default)]
    message_attributes: Value,
    delay_seconds: Option<u64>,
}

fn send(queues: &Queues, request: &SendMessage) -> Result<Value, Refusal> {
    let SendMessage { queue_url, message } = request;
    let message_id = take_in(queues, queue_url, message)?;
    Ok(json!({"MessageId": message_id}))
}

fn take_in(queues: &Queues, queue_url: &str, message: &NewMessage) -> Result<String, Refusal> {
    let NewMessage { message_body, message_attributes, delay_seconds } = message;
    let (declared, notify) = queues.declared(name(queue_url))?;
    let delay = delay_seconds.map_or(declared.delay, Duration::from_secs);
    let attributes = message_attributes.to_string();
    let now = queues.now();
    let message_id = insert(&queues.connection(), declared, message_body, &attributes, delay, now)?;
    notify.notify_one();
    Ok(message_id)
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendMessageBatch {
    queue_url: String,
    entries: Vec<BatchEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct BatchEntry {
    id: String,
    #[serde(flatten)]
    message: NewMessage,
}

/// Takes all or, where the queue's file fails, none beyond those that are in it: their sender asks again.
fn send_batch(queues: &Queues, request: &SendMessageBatch) -> Result<Value, Refusal> {
    let SendMessageBatch { queue_url, entries } = request;
    if !(1..=MOST_ENTRIES).contains(&entries.len()) {
        return Err(TOO_MANY_ENTRIES);
    }
    let mut successful = Vec::new();
    for BatchEntry { id, message } in entries {
        successful.push(json!({"Id": id, "MessageId": take_in(queues, queue_url, message)?}));
    }
    Ok(json!({"Successful": successful, "Failed": []}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
}

/// Answers at once, whatever `WaitTimeSeconds` says.
fn receive(queues: &Queues, request: &ReceiveMessage) -> Result<Value, Refusal> {
    let ReceiveMessage { queue_url, max_number_of_messages, visibility_timeout } = request;
    let limit = max_number_of_messages.unwrap_or(1);
    if !(1..=10).contains(&limit) {
        return Err(TOO_MANY);
    }
    let messages = queues.receive_for(name(queue_url), limit, visibility_timeout.map(Duration::from_secs))?;
    let messages: Vec<Value> = messages.iter().map(as_received).collect();
    Ok(if messages.is_empty() { json!({}) } else { json!({"Messages": messages}) })
}

/// With every attribute, asked for or not.
fn as_received(message: &Message) -> Value {
    let Message { id, message_id, body, attributes, received, sent_at, first_received_at } = message;
    let mut answer = json!({
        "MessageId": message_id,
        "ReceiptHandle": format!("{id}.{received}"),
        "Body": body,
        "Attributes": {
            "ApproximateReceiveCount": received.to_string(),
            "SentTimestamp": sent_at.to_string(),
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": first_received_at.to_string(),
        },
    });
    let attributes: Value = serde_json::from_str(attributes).unwrap_or_default();
    if attributes.as_object().is_some_and(|it| !it.is_empty()) {
        answer["MessageAttributes"] = attributes;
    }
    answer
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OneMessage {
    queue_url: String,
    receipt_handle: String,
    visibility_timeout: Option<u64>,
}

impl OneMessage {
    /// Id and receive count: a receipt is of one receipt only.
    fn receipt(&self) -> Result<(i64, u32), Refusal> {
        let (id, received) = self.receipt_handle.split_once('.').ok_or(RECEIPT)?;
        Ok((id.parse().map_err(|_| RECEIPT)?, received.parse().map_err(|_| RECEIPT)?))
    }
}

/// What is gone already, or was received by somebody else since, is left as it is, as SQS does.
fn delete(queues: &Queues, request: &OneMessage) -> Result<Value, Refusal> {
    let (id, received) = request.receipt()?;
    let queue = &queues.declared(name(&request.queue_url))?.0.name;
    let connection = queues.connection();
    let mut statement = connection.prepare_cached("DELETE FROM messages WHERE id = ?1 AND received = ?2 AND queue = ?3")?;
    statement.execute(params![id, received, queue])?;
    Ok(json!({}))
}

fn change_visibility(queues: &Queues, request: &OneMessage) -> Result<Value, Refusal> {
    const NOT_IN_FLIGHT: Refusal = Refusal::Call { kind: "MessageNotInflight", message: "The message is not in flight." };
    let (id, received) = request.receipt()?;
    let (declared, notify) = queues.declared(name(&request.queue_url))?;
    let now = queues.now();
    let visible_at = now + milliseconds(Duration::from_secs(request.visibility_timeout.unwrap_or_default()));
    let changed = queues
        .connection()
        .prepare_cached("UPDATE messages SET visible_at = ?4 WHERE id = ?1 AND received = ?2 AND queue = ?3 AND visible_at > ?5")?
        .execute(params![id, received, declared.name, visible_at, now])?;
    notify.notify_one();
    if changed == 0 { Err(NOT_IN_FLIGHT) } else { Ok(json!({})) }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueName {
    queue_name: String,
}

/// The name is the URL here, as in the settings of the functions.
fn queue_url(queues: &Queues, request: &QueueName) -> Result<Value, Refusal> {
    Ok(json!({"QueueUrl": queues.declared(&request.queue_name)?.0.name}))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct QueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

fn attributes(queues: &Queues, request: &QueueAttributes) -> Result<Value, Refusal> {
    let declared = &queues.declared(name(&request.queue_url))?.0;
    let arn = |queue: &str| format!("arn:aws:sqs:{REGION}:000000000000:{queue}");
    let now = queues.now();
    let [visible, in_flight, delayed]: [u64; 3] = queues
        .connection()
        .prepare_cached(
            "SELECT COUNT(*) FILTER (WHERE visible_at <= ?2), COUNT(*) FILTER (WHERE visible_at > ?2 AND received > 0),
                COUNT(*) FILTER (WHERE visible_at > ?2 AND received = 0)
             FROM messages WHERE queue = ?1",
        )?
        .query_row(params![declared.name, now], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))
        .optional()?
        .unwrap_or_default();
    let mut all = Map::new();
    for (attribute, value) in [
        ("ApproximateNumberOfMessages", visible.to_string()),
        ("ApproximateNumberOfMessagesNotVisible", in_flight.to_string()),
        ("ApproximateNumberOfMessagesDelayed", delayed.to_string()),
        ("DelaySeconds", declared.delay.as_secs().to_string()),
        ("VisibilityTimeout", declared.visibility.as_secs().to_string()),
        ("QueueArn", arn(&declared.name)),
    ] {
        all.insert(attribute.to_owned(), json!(value));
    }
    if let Some(redrive) = &declared.redrive {
        let policy = json!({"deadLetterTargetArn": arn(&redrive.queue), "maxReceiveCount": redrive.max_receive_count});
        all.insert("RedrivePolicy".to_owned(), json!(policy.to_string()));
    }
    let is_wanted = |attribute: &str| request.attribute_names.iter().any(|it| it == "All" || it == attribute);
    all.retain(|attribute, _| is_wanted(attribute));
    Ok(json!({"Attributes": all}))
}

#[cfg(test)]
mod tests {
    use store::Clock;

    use super::*;
    use crate::template::{Queue, Redrive};

    fn queues() -> Queues {
        let visibility = Duration::from_secs(60);
        let redrive = Some(Redrive { queue: "Dead".to_owned(), max_receive_count: 3 });
        let declared = [
            Queue { name: "Mail".to_owned(), delay: Duration::ZERO, visibility, redrive },
            Queue { name: "Dead".to_owned(), delay: Duration::ZERO, visibility, redrive: None },
        ];
        Queues::open(None, &declared, Clock::system()).expect("queues open in memory")
    }

    async fn call(queues: &Queues, operation: &str, request: Value) -> (StatusCode, Value) {
        let response = answer(queues, operation, request.to_string().as_bytes()).expect("the operation is emulated");
        let status = response.status();
        let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.expect("a whole answer");
        (status, serde_json::from_slice(&body).expect("JSON"))
    }

    #[tokio::test]
    async fn a_message_is_sent_received_and_deleted_once() {
        let queues = queues();
        let url = "http://127.0.0.1/000000000000/Mail";
        let attributes = json!({"TARGET_ARN": {"DataType": "String", "StringValue": "x"}});
        let send = json!({"QueueUrl": url, "MessageBody": "one", "MessageAttributes": attributes});
        assert_eq!(call(&queues, "SendMessage", send).await.0, StatusCode::OK);
        let (_, received) = call(&queues, "ReceiveMessage", json!({"QueueUrl": "Mail", "MaxNumberOfMessages": 10})).await;
        let message = &received["Messages"][0];
        assert_eq!((&message["Body"], &message["MessageAttributes"]), (&json!("one"), &attributes));
        assert_eq!(message["Attributes"]["ApproximateReceiveCount"], "1");
        assert_eq!(call(&queues, "ReceiveMessage", json!({"QueueUrl": "Mail"})).await.1, json!({}));

        let receipt =
            |timeout: u64| json!({"QueueUrl": "Mail", "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": timeout});
        assert_eq!(call(&queues, "ChangeMessageVisibility", receipt(0)).await.0, StatusCode::OK);
        let (status, error) = call(&queues, "ChangeMessageVisibility", receipt(0)).await;
        assert_eq!((status, &error["__type"]), (StatusCode::BAD_REQUEST, &json!("com.amazonaws.sqs#MessageNotInflight")));
        let (_, again) = call(&queues, "ReceiveMessage", json!({"QueueUrl": "Mail", "VisibilityTimeout": 5})).await;
        call(&queues, "DeleteMessage", receipt(0)).await;
        assert_eq!(queues.depth("Mail").expect("the file works"), 1, "a receipt of before deletes nothing");
        let current = json!({"QueueUrl": "Mail", "ReceiptHandle": again["Messages"][0]["ReceiptHandle"]});
        call(&queues, "DeleteMessage", current).await;
        assert_eq!(queues.depth("Mail").expect("the file works"), 0);
    }

    #[tokio::test]
    async fn a_batch_of_messages_is_taken_in_each_with_its_delay() {
        let queues = queues();
        let entry = |id: &str, delay: u64| json!({"Id": id, "MessageBody": id, "DelaySeconds": delay});
        let batch = json!({"QueueUrl": "Mail", "Entries": [entry("now", 0), entry("later", 60)]});
        let (status, answer) = call(&queues, "SendMessageBatch", batch).await;
        assert_eq!((status, answer["Successful"].as_array().map(Vec::len)), (StatusCode::OK, Some(2)));
        let (_, received) = call(&queues, "ReceiveMessage", json!({"QueueUrl": "Mail", "MaxNumberOfMessages": 10})).await;
        let bodies: Vec<&Value> = received["Messages"].as_array().into_iter().flatten().map(|it| &it["Body"]).collect();
        assert_eq!(bodies, [&json!("now")]);
        let many: Vec<Value> = (0..11).map(|it| entry(&it.to_string(), 0)).collect();
        for entries in [json!(many), json!([])] {
            let refused = call(&queues, "SendMessageBatch", json!({"QueueUrl": "Mail", "Entries": entries})).await;
            assert_eq!(refused.0, StatusCode::BAD_REQUEST);
        }
    }

    #[tokio::test]
    async fn a_queue_tells_its_url_and_what_it_holds() {
        let queues = queues();
        assert_eq!(call(&queues, "GetQueueUrl", json!({"QueueName": "Mail"})).await.1, json!({"QueueUrl": "Mail"}));
        queues.send(&[("Mail", "one"), ("Mail", "two")]).expect("the queue takes them");
        call(&queues, "SendMessage", json!({"QueueUrl": "Mail", "MessageBody": "later", "DelaySeconds": 60})).await;
        call(&queues, "ReceiveMessage", json!({"QueueUrl": "Mail"})).await;
        let (_, all) = call(&queues, "GetQueueAttributes", json!({"QueueUrl": "Mail", "AttributeNames": ["All"]})).await;
        let counted =
            ["", "NotVisible", "Delayed"].map(|it| all["Attributes"][format!("ApproximateNumberOfMessages{it}")].clone());
        assert_eq!(counted, ["1", "1", "1"]);
        assert!(all["Attributes"]["RedrivePolicy"].as_str().is_some_and(|it| it.contains(":Dead")), "{all}");
        let (_, one) = call(&queues, "GetQueueAttributes", json!({"QueueUrl": "Dead", "AttributeNames": ["QueueArn"]})).await;
        assert_eq!(one["Attributes"].as_object().map(Map::len), Some(1));
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_as_sqs_does() {
        let queues = queues();
        for (operation, request, kind) in [
            ("GetQueueUrl", json!({"QueueName": "Nowhere"}), "QueueDoesNotExist"),
            ("SendMessage", json!({"QueueUrl": "Nowhere", "MessageBody": "x"}), "QueueDoesNotExist"),
            ("SendMessage", json!({"QueueUrl": "Mail"}), "InvalidParameterValue"),
            ("ReceiveMessage", json!({"QueueUrl": "Mail", "MaxNumberOfMessages": 11}), "InvalidParameterValue"),
            ("DeleteMessage", json!({"QueueUrl": "Mail", "ReceiptHandle": "x"}), "ReceiptHandleIsInvalid"),
        ] {
            let (status, error) = call(&queues, operation, request).await;
            assert_eq!((status, &error["__type"]), (StatusCode::BAD_REQUEST, &json!(format!("com.amazonaws.sqs#{kind}"))));
        }
        assert!(answer(&queues, "PurgeQueue", b"{}").is_none());
    }
}
