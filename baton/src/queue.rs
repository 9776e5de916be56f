//! SQS in process: delay, visibility timeout, receive count and dead letters, on disk.
//!
//! Messages are durable although the change log could replace them: the reconciling sweep looks back 25 hours only, and a
//! stack may rest for longer than that.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;
use store::Clock;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{database, template::Queue};

mod api;

pub use api::answer;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT, queue TEXT NOT NULL, message_id TEXT NOT NULL, body TEXT NOT NULL,
        attributes TEXT NOT NULL, sent_at INTEGER NOT NULL, visible_at INTEGER NOT NULL,
        received INTEGER NOT NULL DEFAULT 0, first_received_at INTEGER);
    CREATE INDEX IF NOT EXISTS messages_by_queue ON messages (queue, visible_at, id);
    CREATE TABLE IF NOT EXISTS positions (stream TEXT PRIMARY KEY, sequence TEXT NOT NULL);";

/// A test may set the clock forward while somebody waits for a delayed message, and no clock tells of that.
const LOOK: Duration = Duration::from_millis(50);

/// All queues of the template. Times on disk are milliseconds since the epoch, by the clock the queues were opened with.
#[derive(Debug, Clone)]
pub struct Queues(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    connection: Mutex<Connection>,
    clock: Clock,
    queues: BTreeMap<String, (Queue, Notify)>,
}

/// A message as received; it is gone only once it is deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    id: i64,
    /// The id its sender was told.
    pub message_id: String,
    /// What was sent.
    pub body: String,
    /// Message attributes, as the `SendMessage` request spelled them.
    pub attributes: String,
    /// How often it was received, this time included.
    pub received: u32,
    /// When it was sent.
    pub sent_at: i64,
    /// When it was first received.
    pub first_received_at: i64,
}

/// A queue could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// The template declares no such queue.
    #[error("there is no queue {0}")]
    Unknown(String),
    /// The file failed.
    #[error("the queues' file failed")]
    Storage(#[from] rusqlite::Error),
}

impl Queues {
    /// Opens the queues on the file at `path`, in memory without one, with delays and visibility timeouts by `clock`. Messages that were in flight become visible:
    /// whoever opens the file knows that nobody else works on it.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(path: Option<&Path>, queues: &[Queue], clock: Clock) -> Result<Self, QueueError> {
        let connection = database::open(path, SCHEMA)?;
        let now = clock.now().as_millisecond();
        connection.execute("UPDATE messages SET visible_at = ?1 WHERE received > 0 AND visible_at > ?1", [now])?;
        let queues = queues.iter().map(|queue| (queue.name.clone(), (queue.clone(), Notify::new()))).collect();
        Ok(Self(Arc::new(Inner { connection: Mutex::new(connection), clock, queues })))
    }

    /// Puts all messages, `(queue, body)` each, into their queues, in one transaction.
    ///
    /// # Errors
    /// Nothing was sent.
    pub fn send(&self, messages: &[(&str, &str)]) -> Result<(), QueueError> {
        let now = self.now();
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for (queue, body) in messages {
            let (declared, _) = self.declared(queue)?;
            insert(&transaction, declared, body, "{}", declared.delay, now)?;
        }
        transaction.commit()?;
        drop(connection);
        for (queue, _) in messages {
            self.declared(queue)?.1.notify_one();
        }
        Ok(())
    }

    /// Takes up to `limit` visible messages, oldest first, and hides them for the visibility timeout. What was received
    /// too often goes to the dead letters instead.
    ///
    /// # Errors
    /// Nothing was received.
    pub fn receive(&self, queue: &str, limit: usize) -> Result<Vec<Message>, QueueError> {
        self.receive_for(queue, limit, None)
    }

    /// As [`Self::receive`], hidden for another time than the queue's visibility timeout if it is given.
    fn receive_for(&self, queue: &str, limit: usize, hidden: Option<Duration>) -> Result<Vec<Message>, QueueError> {
        let (declared, notify) = self.declared(queue)?;
        let (now, hidden) = (self.now(), hidden.unwrap_or(declared.visibility));
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        let mut dead_letter_queue = None;
        if let Some(redrive) = &declared.redrive {
            let moved = transaction
                .prepare_cached(
                    "UPDATE messages SET queue = ?3, visible_at = ?2 WHERE queue = ?1 AND visible_at <= ?2 AND received >= ?4",
                )?
                .execute(params![queue, now, redrive.queue, redrive.max_receive_count])?;
            dead_letter_queue = (moved > 0).then_some(redrive.queue.as_str());
        }
        let mut messages = transaction
            .prepare_cached(
                "UPDATE messages SET received = received + 1, visible_at = ?3, first_received_at = COALESCE(first_received_at, ?2)
                 WHERE id IN (SELECT id FROM messages WHERE queue = ?1 AND visible_at <= ?2 ORDER BY visible_at, id LIMIT ?4)
                 RETURNING id, message_id, body, attributes, received, sent_at, first_received_at",
            )?
            .query_map(params![queue, now, now + milliseconds(hidden), limit], |row| {
                Ok(Message {
                    id: row.get(0)?,
                    message_id: row.get(1)?,
                    body: row.get(2)?,
                    attributes: row.get(3)?,
                    received: row.get(4)?,
                    sent_at: row.get(5)?,
                    first_received_at: row.get(6)?,
                })
            })?
            .collect::<Result<Vec<_>, _>>()?;
        transaction.commit()?;
        drop(connection);
        // SQLite promises no order of what an update returns.
        messages.sort_unstable_by_key(|message| message.id);
        if let Some(dead_letter_queue) = dead_letter_queue {
            self.declared(dead_letter_queue)?.1.notify_one();
        }
        if messages.len() == limit {
            notify.notify_one();
        }
        Ok(messages)
    }

    /// Deletes what was handled, unless somebody else has received it since.
    ///
    /// # Errors
    /// Nothing was deleted.
    pub fn delete<'a>(&self, messages: impl IntoIterator<Item = &'a Message>) -> Result<(), QueueError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for message in messages {
            transaction
                .prepare_cached("DELETE FROM messages WHERE id = ?1 AND received = ?2")?
                .execute(params![message.id, message.received])?;
        }
        Ok(transaction.commit()?)
    }

    /// Makes what failed visible again after `delay`, earlier than its visibility timeout would.
    ///
    /// # Errors
    /// They become visible after their visibility timeout.
    pub fn release<'a>(&self, messages: impl IntoIterator<Item = &'a Message>, delay: Duration) -> Result<(), QueueError> {
        let visible_at = self.now() + milliseconds(delay);
        let connection = self.connection();
        for message in messages {
            connection
                .prepare_cached("UPDATE messages SET visible_at = ?3 WHERE id = ?1 AND received = ?2")?
                .execute(params![message.id, message.received, visible_at])?;
        }
        Ok(())
    }

    /// Messages in the queue: visible, delayed and in flight.
    ///
    /// # Errors
    /// The file failed.
    pub fn depth(&self, queue: &str) -> Result<u64, QueueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT COUNT(*) FROM messages WHERE queue = ?1")?;
        Ok(statement.query_row([queue], |row| row.get(0))?)
    }

    /// Messages in the queue that are visible or in flight: all but those that are delayed and whose time has not come.
    ///
    /// # Errors
    /// The file failed.
    pub fn depth_now(&self, queue: &str) -> Result<u64, QueueError> {
        let now = self.now();
        let connection = self.connection();
        let mut statement =
            connection.prepare_cached("SELECT COUNT(*) FROM messages WHERE queue = ?1 AND (visible_at <= ?2 OR received > 0)")?;
        Ok(statement.query_row(params![queue, now], |row| row.get(0))?)
    }

    /// Lets whoever waits for a message look again: the clock may have been moved.
    pub fn wake(&self) {
        self.0.queues.values().for_each(|(_, notify)| notify.notify_waiters());
    }

    /// Bodies and attributes of what a queue holds, oldest first, without receiving it.
    ///
    /// # Errors
    /// The file failed.
    pub fn peek(&self, queue: &str) -> Result<Vec<(String, Value)>, QueueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT body, attributes FROM messages WHERE queue = ?1 ORDER BY id")?;
        let rows = statement.query_map([queue], |row| {
            let attributes: String = row.get(1)?;
            Ok((row.get(0)?, serde_json::from_str(&attributes).unwrap_or(Value::Null)))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Logical ids of the queues.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.queues.keys().map(String::as_str)
    }

    /// Waits until something may have become visible in the queue.
    pub async fn wait(&self, queue: &str) -> Result<(), QueueError> {
        let (_, notify) = self.declared(queue)?;
        let next: Option<i64> = {
            let connection = self.connection();
            let mut statement =
                connection.prepare_cached("SELECT visible_at FROM messages WHERE queue = ?1 ORDER BY visible_at LIMIT 1")?;
            statement.query_row([queue], |row| row.get(0)).optional()?
        };
        match next {
            Some(at) => {
                let rest = Duration::from_millis(u64::try_from(at - self.now()).unwrap_or(0));
                // An early wake-up is harmless; a late one is not.
                let _elapsed = tokio::time::timeout(rest.min(LOOK), notify.notified()).await;
            }
            None => notify.notified().await,
        }
        Ok(())
    }

    /// How far the consumer of `stream` has come.
    ///
    /// # Errors
    /// The file failed.
    pub fn position(&self, stream: &str) -> Result<Option<String>, QueueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("SELECT sequence FROM positions WHERE stream = ?1")?;
        Ok(statement.query_row([stream], |row| row.get(0)).optional()?)
    }

    /// Remembers how far the consumer of `stream` has come. It lies in the same file as the messages, so that a position is
    /// never newer than the messages of the records before it.
    ///
    /// # Errors
    /// The position is as it was.
    pub fn set_position(&self, stream: &str, sequence: &str) -> Result<(), QueueError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached("INSERT OR REPLACE INTO positions (stream, sequence) VALUES (?1, ?2)")?;
        statement.execute([stream, sequence])?;
        Ok(())
    }

    fn declared(&self, queue: &str) -> Result<&(Queue, Notify), QueueError> {
        self.0.queues.get(queue).ok_or_else(|| QueueError::Unknown(queue.to_owned()))
    }

    fn now(&self) -> i64 {
        self.0.clock.now().as_millisecond()
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back, so the connection is sound.
        self.0.connection.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn insert(
    connection: &Connection,
    queue: &Queue,
    body: &str,
    attributes: &str,
    delay: Duration,
    now: i64,
) -> rusqlite::Result<String> {
    let message_id = Uuid::now_v7().to_string();
    connection
        .prepare_cached(
            "INSERT INTO messages (queue, message_id, body, attributes, sent_at, visible_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![queue.name, message_id, body, attributes, now, now + milliseconds(delay)])?;
    Ok(message_id)
}

fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX / 2)
}

#[cfg(test)]
mod tests;
