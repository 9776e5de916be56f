//! How the emulators' own SQLite files are opened.

use std::path::Path;

use rusqlite::Connection;

/// Opens the file at `path` (in memory without one) and makes sure of `schema`.
///
/// The journal is a WAL synchronised at checkpoints: what was committed survives any death of the process, and
/// a power loss can take only the last moments, which the reconciling sweep repairs from the change log.
///
/// # Errors
/// The file cannot be opened, or holds something else.
pub(crate) fn open(path: Option<&Path>, schema: &str) -> rusqlite::Result<Connection> {
    let connection = match path {
        Some(path) => Connection::open(path)?,
        None => Connection::open_in_memory()?,
    };
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 1000)?;
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.execute_batch(schema)?;
    Ok(connection)
}

/// Milliseconds since the epoch, the emulators' unit of time on disk.
pub(crate) fn now_milliseconds() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
