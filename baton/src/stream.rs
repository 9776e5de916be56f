//! The event source mapping between the changes table's stream and its publisher.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    dynamodb::{DynamoDb, DynamoDbError},
    flush::Flush,
    function::{Function, FunctionError, failed_items},
    queue::{QueueError, Queues},
    template::Mapping,
};

/// How long an unannounced write may wait to be seen; writes through this process's API are announced.
const POLL: Duration = Duration::from_millis(250);
/// Batches that are not full start no closer together than this, so that a busy hour is published in tens and a single change at once.
const PACE: Duration = Duration::from_millis(40);
/// The first pause after a failure; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// Records consumed before they are deleted from the stream.
const FORGET_AFTER: usize = 250;

/// One stream's reader. Its position moves only after the function has taken the records before it.
#[derive(Debug)]
pub struct Stream {
    mapping: Mapping,
    database: Arc<DynamoDb>,
    queues: Queues,
    function: Function,
    written: Arc<Notify>,
    flush: Option<Flush>,
}

#[derive(Debug, thiserror::Error)]
enum StreamError {
    #[error(transparent)]
    Read(#[from] DynamoDbError),
    #[error(transparent)]
    Position(#[from] QueueError),
    #[error("could not bring the records onto the disk")]
    Flush(#[from] std::io::Error),
}

/// What one call of the function came to.
enum Outcome {
    /// This many records from the front were taken.
    Taken(usize),
    /// None was, for this reason.
    Refused(FunctionError),
}

impl Stream {
    /// A reader of `mapping`'s stream into `function`, woken by `written`.
    pub fn new(mapping: Mapping, database: Arc<DynamoDb>, queues: Queues, function: Function, written: Arc<Notify>) -> Self {
        let flush = database.flush();
        Self { mapping, database, queues, function, written, flush }
    }

    /// How many records were not taken yet; counts to `limit` only.
    ///
    /// # Errors
    /// The stream or its position cannot be read.
    pub fn unread(&self, limit: usize) -> Result<usize, Box<dyn std::error::Error + Send + Sync>> {
        let position = self.queues.position(&self.mapping.source)?;
        Ok(self.database.stream_records(&self.mapping.source, position.as_deref(), limit)?.len())
    }

    /// Reads until `stop`.
    pub async fn run(&self, stop: CancellationToken) {
        let mut pause = FIRST_PAUSE;
        let mut batch_size = self.mapping.batch_size;
        let mut attempts = 0;
        let mut unforgotten = 0;
        while !stop.is_cancelled() {
            let began = Instant::now();
            let step = self.step(&mut batch_size, &mut attempts).await;
            match step {
                Ok(Some(0)) => {
                    tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} }
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                Ok(Some(taken)) => {
                    unforgotten += taken;
                    if taken < batch_size {
                        tokio::select! { () = tokio::time::sleep_until(began + PACE) => {}, () = stop.cancelled() => {} }
                    }
                }
                Ok(None) => {
                    tokio::select! { () = self.written.notified() => {}, () = tokio::time::sleep(POLL) => {}, () = stop.cancelled() => {} }
                }
                Err(error) => {
                    tracing::error!(error = &error as &dyn std::error::Error, "could not work on the stream");
                    tokio::select! { () = tokio::time::sleep(pause) => {}, () = stop.cancelled() => {} }
                }
            }
            pause = FIRST_PAUSE;
            if unforgotten >= FORGET_AFTER {
                unforgotten = 0;
                self.forget();
            }
        }
        self.forget();
    }

    /// Offers the next batch: `None` when there is nothing, else how many records were taken.
    async fn step(&self, batch_size: &mut usize, attempts: &mut u32) -> Result<Option<usize>, StreamError> {
        let table = &self.mapping.source;
        let position = self.queues.position(table)?;
        let records = self.database.stream_records(table, position.as_deref(), *batch_size)?;
        let Some(first) = records.first() else { return Ok(None) };
        // A record that a power loss took back would leave its number to the next one, which the position had passed already.
        if let Some(flush) = &self.flush {
            flush.written().await?;
        }
        let mut taken = match self.offer(&records).await {
            Outcome::Taken(taken) => taken,
            Outcome::Refused(error) => {
                tracing::warn!(function = self.function.name(), %error, "the stream's function failed");
                0
            }
        };
        if taken > 0 {
            *attempts = 0;
            *batch_size = self.mapping.batch_size;
        } else {
            // Halving finds the one record that fails; only its own attempts count.
            *attempts = if records.len() == 1 { *attempts + 1 } else { 0 };
            *batch_size = (records.len() / 2).max(1);
            if self.mapping.retries.is_some_and(|retries| *attempts > retries) {
                self.give_up(first)?;
                (taken, *attempts, *batch_size) = (1, 0, self.mapping.batch_size);
            }
        }
        if let Some(last) = taken.checked_sub(1).and_then(|index| records.get(index)) {
            self.queues.set_position(table, sequence(last))?;
        }
        Ok(Some(taken))
    }

    async fn offer(&self, records: &[Value]) -> Outcome {
        match self.function.call(json!({"Records": records})).await {
            Ok(answer) => {
                let failed = failed_items(&answer);
                let first = records.iter().position(|record| failed.iter().any(|item| item == sequence(record)));
                match (first, failed.is_empty()) {
                    (Some(first), _) => Outcome::Taken(first),
                    (None, true) => Outcome::Taken(records.len()),
                    // Lambda treats an identifier it did not send as the failure of the whole batch.
                    (None, false) => Outcome::Refused(FunctionError("it named a record it was not given".to_owned())),
                }
            }
            Err(error) => Outcome::Refused(error),
        }
    }

    /// Tells the on-failure queue where the record is, as Lambda does: not what it was.
    fn give_up(&self, record: &Value) -> Result<(), StreamError> {
        tracing::error!(stream = self.mapping.source, sequence = sequence(record), "gave a record up");
        let Some(queue) = &self.mapping.on_failure else { return Ok(()) };
        let arrival = record["dynamodb"]["ApproximateCreationDateTime"].as_f64().unwrap_or_default();
        let arrival = jiff::Timestamp::from_millisecond((arrival * 1000.0) as i64).unwrap_or_default().to_string();
        let letter = json!({
            "requestContext": {"functionArn": self.function.name(), "condition": "RetryAttemptsExhausted"},
            "version": "1.0",
            "timestamp": jiff::Timestamp::now().to_string(),
            "DDBStreamBatchInfo": {
                "startSequenceNumber": sequence(record), "endSequenceNumber": sequence(record), "batchSize": 1,
                "approximateArrivalOfFirstRecord": arrival, "approximateArrivalOfLastRecord": arrival,
                "streamArn": record["eventSourceARN"],
            },
        });
        Ok(self.queues.send(&[(queue, &letter.to_string())])?)
    }

    fn forget(&self) {
        let forgotten = match self.queues.position(&self.mapping.source) {
            Ok(Some(position)) => self.database.forget_stream_records(&self.mapping.source, &position),
            Ok(None) | Err(_) => return,
        };
        if let Err(error) = forgotten {
            tracing::debug!(error = &error as &dyn std::error::Error, "consumed stream records stay a while longer");
        }
    }
}

fn sequence(record: &Value) -> &str {
    record["dynamodb"]["SequenceNumber"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests;
