//! DynamoDB: dynoxide on a runtime thread of its own, reached over loopback HTTP like the real one.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use dynoxide::{
    Database, DynoxideError,
    actions::{get_records::GetRecordsRequest, get_shard_iterator::GetShardIteratorRequest},
};
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::{flush::Flush, template::Table};

/// The region every emulator says it is in.
pub const REGION: &str = "eu-central-1";

/// dynoxide looks a table's last sequence number up at every write and has no index for it: without this one a write becomes
/// slower with every record.
const STREAM_INDEX: &str = "CREATE INDEX IF NOT EXISTS baton_stream_position
    ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";

/// What a public sequence number is more than the stored one.
const SEQUENCE_OFFSET: u128 = 100_000_000_000_000_000_000;

/// How often expired items are looked for.
const TTL_SWEEP: Duration = Duration::from_secs(60);

/// The running database.
#[derive(Debug)]
pub struct DynamoDb {
    database: Handle,
    /// A second connection to the same data, for what dynoxide has no call for.
    connection: Mutex<Connection>,
    address: SocketAddr,
    flush: Option<Flush>,
    stop: CancellationToken,
    kill: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone)]
struct Handle(Database);

impl std::fmt::Debug for Handle {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Database")
    }
}

/// The database cannot start or answer.
#[derive(Debug, thiserror::Error)]
pub enum DynamoDbError {
    /// dynoxide refused.
    #[error("the embedded DynamoDB refused {step}")]
    Database {
        /// What was asked.
        step: String,
        /// Its answer.
        source: DynoxideError,
    },
    /// The second connection failed.
    #[error("the embedded DynamoDB's file failed")]
    File(#[from] rusqlite::Error),
    /// No port or no thread.
    #[error("the embedded DynamoDB could not start")]
    Start(#[from] std::io::Error),
    /// The data was written under another template.
    #[error("table {0} has other keys or indexes than template.yaml declares; start with another data folder")]
    Changed(String),
    /// A request or answer that is not what dynoxide says.
    #[error("the embedded DynamoDB speaks otherwise than expected")]
    Shape(#[from] serde_json::Error),
}

impl DynamoDb {
    /// Opens the file at `path` (in memory without one), creates the tables that are missing, and serves on a free port.
    ///
    /// # Errors
    /// The file cannot be used, or holds tables of other shapes than `tables`.
    pub fn start(path: Option<&Path>, tables: &[Table]) -> Result<Self, DynamoDbError> {
        let place = path.map_or_else(
            || PathBuf::from(format!("file:baton-{}?mode=memory&cache=shared", uuid::Uuid::now_v7())),
            Path::to_path_buf,
        );
        let place = place.to_string_lossy();
        let database = Database::new(&place).map_err(|source| failed("its file", source))?;
        for table in tables {
            create_table(&database, table)?;
        }
        // The only call that sets the engine to `synchronous = NORMAL`: it no longer synchronises the file at each commit, one after
        // the other. `flush` does, for many commits at once, before a write is acknowledged.
        database.disable_bulk_loading().map_err(|source| failed("its journal mode", source))?;
        let flush = match path {
            Some(path) => Some(Flush::start(&path.with_extension("sqlite-wal"))?),
            None => None,
        };
        let connection = Connection::open(&*place)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(STREAM_INDEX)?;

        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, kill) = (CancellationToken::new(), CancellationToken::new());
        let thread = std::thread::Builder::new().name("dynamodb".to_owned()).spawn({
            let (database, stop, kill) = (database.clone(), stop.clone(), kill.clone());
            move || serve(listener, database, &stop, &kill)
        })?;
        let database = Handle(database);
        Ok(Self { database, connection: Mutex::new(connection), address, flush, stop, kill, thread: Some(thread) })
    }

    /// Its `AWS_ENDPOINT_URL_DYNAMODB`.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What brings its writes onto the disk; there is none in memory.
    pub fn flush(&self) -> Option<Flush> {
        self.flush.clone()
    }

    /// Up to `limit` stream records after the public sequence number `after`, as Lambda gets them.
    ///
    /// # Errors
    /// The table has no stream, or the file failed.
    pub fn stream_records(&self, table: &str, after: Option<&str>, limit: usize) -> Result<Vec<Value>, DynamoDbError> {
        let stream = format!(
            "arn:aws:dynamodb:{}:{}:table/{table}/stream/local",
            dynoxide::streams::LOCAL_REGION,
            dynoxide::streams::LOCAL_ACCOUNT
        );
        let iterator = GetShardIteratorRequest {
            stream_arn: stream.clone(),
            shard_id: dynoxide::streams::shard_id(table),
            shard_iterator_type: if after.is_some() { "AFTER_SEQUENCE_NUMBER" } else { "TRIM_HORIZON" }.to_owned(),
            sequence_number: after.map(str::to_owned),
        };
        let iterator = self.database.0.get_shard_iterator(iterator).map_err(|source| failed("a stream position", source))?;
        let request = GetRecordsRequest { shard_iterator: iterator.shard_iterator.unwrap_or_default(), limit: Some(limit) };
        let answer = self.database.0.get_records(request).map_err(|source| failed("stream records", source))?;
        let mut records = Vec::with_capacity(answer.records.len());
        for record in &answer.records {
            let mut record = serde_json::to_value(record)?;
            record["eventSourceARN"] = json!(stream);
            records.push(record);
        }
        Ok(records)
    }

    /// Lets go of the records before the public sequence number `consumed`. That one itself stays, so that numbers never go back.
    ///
    /// # Errors
    /// Nothing was deleted; it can be asked again.
    pub fn forget_stream_records(&self, table: &str, consumed: &str) -> Result<(), DynamoDbError> {
        // Two connections to one shared cache would lock each other out; memory is given back at the end instead.
        if self.flush.is_none() {
            return Ok(());
        }
        let Some(stored) =
            consumed.parse::<u128>().ok().and_then(|public| i64::try_from(public.checked_sub(SEQUENCE_OFFSET)?).ok())
        else {
            return Ok(());
        };
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        connection
            .prepare_cached("DELETE FROM _stream_records WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) < ?2")?
            .execute(rusqlite::params![table, stored])?;
        Ok(())
    }

    /// Stops serving once running requests are answered.
    pub fn stop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed by its own thread.
            let _ended = thread.join();
        }
    }

    /// Stops serving and answers nobody any more.
    pub fn kill(&self) {
        self.kill.cancel();
    }
}

impl Drop for DynamoDb {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn serve(listener: std::net::TcpListener, database: Database, stop: &CancellationToken, kill: &CancellationToken) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("dynamodb")
        .enable_all()
        .build()
        .expect("a runtime needs a thread and an epoll instance only");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).expect("the listener is sound and not blocking");
        let sweeper = tokio::spawn(sweep(database.clone()));
        // Clients keep their connections open, so waiting for them to close would wait for the clients.
        let served = dynoxide::server::serve_with_shutdown(listener, database, stop.clone().cancelled_owned());
        tokio::select! {
            result = served => if let Err(error) = result { tracing::error!(%error, "the embedded DynamoDB ended") },
            () = async { stop.cancelled().await; tokio::time::sleep(Duration::from_millis(200)).await } => {}
            () = kill.cancelled() => {}
        }
        sweeper.abort();
    });
}

async fn sweep(database: Database) {
    let mut timer = tokio::time::interval(TTL_SWEEP);
    loop {
        timer.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(deleted)) => tracing::debug!(deleted, "removed expired items"),
            Ok(Err(error)) => tracing::warn!(error = &error as &dyn std::error::Error, "could not remove expired items"),
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "could not remove expired items"),
        }
    }
}

fn create_table(database: &Database, table: &Table) -> Result<(), DynamoDbError> {
    let describe = serde_json::from_value(json!({"TableName": table.name}))?;
    match database.describe_table(describe) {
        Ok(existing) => {
            let existing = serde_json::to_value(existing)?;
            if shape(&existing["Table"]) != shape(&table.create) {
                return Err(DynamoDbError::Changed(table.name.clone()));
            }
        }
        Err(DynoxideError::ResourceNotFoundException(_)) => {
            let create = serde_json::from_value(table.create.clone())?;
            database.create_table(create).map_err(|source| failed(&table.name, source))?;
        }
        Err(source) => return Err(failed(&table.name, source)),
    }
    if let Some(attribute) = &table.ttl_attribute {
        let current = database
            .describe_time_to_live(serde_json::from_value(json!({"TableName": table.name}))?)
            .map_err(|source| failed(&table.name, source))?;
        let current = serde_json::to_value(current)?;
        if current["TimeToLiveDescription"]["AttributeName"].as_str() != Some(attribute) {
            let enable =
                json!({"TableName": table.name, "TimeToLiveSpecification": {"AttributeName": attribute, "Enabled": true}});
            database.update_time_to_live(serde_json::from_value(enable)?).map_err(|source| failed(&table.name, source))?;
        }
    }
    Ok(())
}

/// Keys of a table and of its indexes, to compare what is with what is declared.
fn shape(table: &Value) -> (String, BTreeSet<String>) {
    let indexes = table["GlobalSecondaryIndexes"].as_array().into_iter().flatten();
    let indexes = indexes.map(|index| format!("{} {}", index["IndexName"], index["KeySchema"])).collect();
    (table["KeySchema"].to_string(), indexes)
}

fn failed(step: &str, source: DynoxideError) -> DynamoDbError {
    DynamoDbError::Database { step: step.to_owned(), source }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn changes() -> Table {
        let create = json!({
            "TableName": "ChangesTable", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}, {"AttributeName": "version", "AttributeType": "N"}],
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "version", "KeyType": "RANGE"}],
            "StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"},
        });
        Table { name: "ChangesTable".to_owned(), create, ttl_attribute: Some("expires_at".to_owned()) }
    }

    pub(crate) fn put(database: &DynamoDb, version: u32) {
        let item = json!({"pk": {"S": "TASK#p#t"}, "version": {"N": version.to_string()}});
        let request = serde_json::from_value(json!({"TableName": "ChangesTable", "Item": item})).expect("a put");
        database.database.0.put_item(request).expect("the put is accepted");
    }

    fn sequences(database: &DynamoDb, after: Option<&str>) -> Vec<String> {
        let records = database.stream_records("ChangesTable", after, 100).expect("the stream is there");
        records.iter().map(|record| record["dynamodb"]["SequenceNumber"].as_str().expect("a number").to_owned()).collect()
    }

    fn plan(database: &DynamoDb, sql: &str) -> String {
        let connection = database.connection.lock().expect("nobody panicked");
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("dynoxide's table has these columns");
        let rows = statement.query_map([], |row| row.get::<_, String>("detail")).expect("a plan");
        rows.collect::<Result<Vec<_>, _>>().expect("a plan").join("\n")
    }

    #[test]
    fn the_look_up_of_the_last_sequence_number_uses_our_index() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        for path in [None, Some(folder.path().join("dynamodb.sqlite"))] {
            let database = DynamoDb::start(path.as_deref(), &[changes()])?;
            // As dynoxide 3.2.0 spells them in storage.rs.
            let next = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = 'ChangesTable'";
            let read = "SELECT event_name FROM _stream_records WHERE table_name = 'ChangesTable' AND shard_id = 's'
                AND CAST(sequence_number AS INTEGER) > 5 ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 9";
            for sql in [next, read] {
                let plan = plan(&database, sql);
                assert!(
                    plan.contains("USING INDEX baton_stream_position")
                        || plan.contains("USING COVERING INDEX baton_stream_position"),
                    "{plan}"
                );
                assert!(!plan.contains("TEMP B-TREE"), "{plan}");
            }
        }
        Ok(())
    }

    #[test]
    fn stream_records_come_in_order_after_a_position_and_can_be_forgotten() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("dynamodb.sqlite");
        let database = DynamoDb::start(Some(&file), &[changes()])?;
        (1..=3).for_each(|version| put(&database, version));
        let all = sequences(&database, None);
        assert_eq!(all.len(), 3);
        assert!(all.is_sorted());
        assert_eq!(sequences(&database, Some(&all[0])), all[1..]);
        database.forget_stream_records("ChangesTable", &all[2])?;
        assert_eq!(sequences(&database, None), all[2..]);
        put(&database, 4);
        let after = sequences(&database, Some(&all[2]));
        assert_eq!(after.len(), 1);
        assert!(after[0] > all[2]);
        Ok(())
    }

    #[test]
    fn data_of_another_shape_is_refused() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("dynamodb.sqlite");
        DynamoDb::start(Some(&file), &[changes()])?.stop();
        DynamoDb::start(Some(&file), &[changes()])?.stop();
        let mut other = changes();
        other.create["KeySchema"] = json!([{"AttributeName": "pk", "KeyType": "HASH"}]);
        let error = DynamoDb::start(Some(&file), &[other]).expect_err("the keys differ");
        assert!(matches!(error, DynamoDbError::Changed(table) if table == "ChangesTable"));
        Ok(())
    }
}
