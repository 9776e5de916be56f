//! What calls the event functions: queues, batch by batch, and the clock.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    dynamodb::REGION,
    function::{Function, failed_items},
    queue::{Message, QueueError, Queues},
    template::{Mapping, Schedule},
};

/// Pause before a failed message is offered again, times the attempts so far. AWS waits for the visibility timeout; a person at a
/// laptop should not have to.
const RETRY: Duration = Duration::from_secs(1);

/// Batches of one queue handled at a time.
const CONCURRENCY: usize = 2;

/// Feeds the queue of `mapping` to `function`, a few batches at a time, until `stop`.
pub fn work(workers: &mut JoinSet<()>, mapping: &Mapping, queues: &Queues, function: &Function, stop: &CancellationToken) {
    for _ in 0..CONCURRENCY {
        workers.spawn(feed(mapping.clone(), queues.clone(), function.clone(), stop.clone()));
    }
}

/// One batch after the other.
async fn feed(mapping: Mapping, queues: Queues, function: Function, stop: CancellationToken) {
    while !stop.is_cancelled() {
        let fed = match queues.receive(&mapping.source, mapping.batch_size) {
            Ok(messages) if messages.is_empty() => {
                tokio::select! { waited = queues.wait(&mapping.source) => waited, () = stop.cancelled() => Ok(()) }
            }
            Ok(messages) => offer(&mapping, &queues, &function, &messages).await,
            Err(error) => Err(error),
        };
        if let Err(error) = fed {
            tracing::error!(queue = mapping.source, error = &error as &dyn std::error::Error, "could not work on the queue");
            tokio::select! { () = tokio::time::sleep(RETRY) => {}, () = stop.cancelled() => {} }
        }
    }
}

async fn offer(mapping: &Mapping, queues: &Queues, function: &Function, messages: &[Message]) -> Result<(), QueueError> {
    let records: Vec<Value> = messages.iter().map(|message| record(&mapping.source, message)).collect();
    let failed = match function.call(json!({"Records": records})).await {
        Ok(answer) => failed_items(&answer),
        Err(error) => {
            tracing::warn!(function = function.name(), %error, "the queue's function failed");
            messages.iter().map(|message| message.message_id.clone()).collect()
        }
    };
    let (failed, done): (Vec<_>, Vec<_>) = messages.iter().partition(|message| failed.contains(&message.message_id));
    queues.delete(done)?;
    for message in failed {
        queues.release([message], RETRY * message.received)?;
    }
    Ok(())
}

/// A message as Lambda hands it on.
fn record(queue: &str, message: &Message) -> Value {
    let attributes: Value = serde_json::from_str(&message.attributes).unwrap_or_default();
    let attributes = attributes.as_object().into_iter().flatten().map(|(name, value)| {
        let value = json!({"dataType": value["DataType"], "stringValue": value["StringValue"]});
        (name.clone(), value)
    });
    json!({
        "messageId": message.message_id,
        "receiptHandle": message.message_id,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": message.received.to_string(),
            "SentTimestamp": message.sent_at.to_string(),
            "SenderId": "000000000000",
            "ApproximateFirstReceiveTimestamp": message.first_received_at.to_string(),
        },
        "messageAttributes": attributes.collect::<serde_json::Map<_, _>>(),
        "md5OfBody": "",
        "eventSource": "aws:sqs",
        "eventSourceARN": format!("arn:aws:sqs:{REGION}:000000000000:{queue}"),
        "awsRegion": REGION,
    })
}

/// Calls `function` at `schedule`'s rate until `stop`, the first time one period from now.
pub async fn follow(schedule: Schedule, function: Function, stop: CancellationToken) {
    loop {
        tokio::select! { () = tokio::time::sleep(schedule.every) => {}, () = stop.cancelled() => return }
        if let Err(error) = function.call(schedule.input.clone()).await {
            tracing::error!(schedule = schedule.name, function = function.name(), %error, "a scheduled call failed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::template::{Queue, Redrive};

    /// Feeds `bodies` to a function that fails the ones that say `bad`, and returns what it left in the queue and its dead letters.
    async fn feed_until_empty(bodies: &[&str], max_receive_count: u32) -> Result<(u64, Vec<String>), QueueError> {
        let redrive = Some(Redrive { queue: "Dead".to_owned(), max_receive_count });
        let visibility = Duration::from_secs(30);
        let declared = [
            Queue { name: "Mail".to_owned(), delay: Duration::ZERO, visibility, redrive },
            Queue { name: "Dead".to_owned(), delay: Duration::ZERO, visibility, redrive: None },
        ];
        let queues = Queues::open(None, &declared, store::Clock::system())?;
        queues.send(&bodies.iter().map(|body| ("Mail", *body)).collect::<Vec<_>>())?;
        let function = Function::new("Mailer", |event: Value| async move {
            let failures: Vec<Value> = event["Records"]
                .as_array()
                .into_iter()
                .flatten()
                .filter(|record| record["body"] == "bad")
                .map(|record| json!({"itemIdentifier": record["messageId"]}))
                .collect();
            Ok::<_, String>(json!({"batchItemFailures": failures}))
        });
        let mapping = Mapping {
            name: "Mail".to_owned(),
            function: "Mailer".to_owned(),
            source: "Mail".to_owned(),
            batch_size: 10,
            retries: None,
            on_failure: None,
        };
        let stop = CancellationToken::new();
        let feeding = tokio::spawn(feed(mapping, queues.clone(), function, stop.clone()));
        while queues.depth("Mail")? > 0 {
            tokio::task::yield_now().await;
        }
        stop.cancel();
        feeding.await.expect("feeding does not panic");
        Ok((queues.depth("Mail")?, queues.peek("Dead")?.into_iter().map(|(body, _)| body).collect()))
    }

    #[tokio::test]
    async fn what_fails_again_and_again_becomes_a_dead_letter_and_holds_nothing_back() -> Result<(), QueueError> {
        assert_eq!(feed_until_empty(&["good", "bad", "good"], 1).await?, (0, vec!["bad".to_owned()]));
        Ok(())
    }
}
