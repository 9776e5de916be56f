//! Where mails end up instead of at their readers: kept on disk, shown at `/inbox` and `/inbox.json`.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use crate::database;

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS mails (
        id INTEGER PRIMARY KEY AUTOINCREMENT, recipient TEXT NOT NULL, mail TEXT NOT NULL);
    CREATE INDEX IF NOT EXISTS mails_by_recipient ON mails (recipient, id);";

/// The inbox page shows this many of the newest mails.
const SHOWN: u32 = 200;

/// All mails that were accepted.
#[derive(Debug, Clone)]
pub struct Inbox(Arc<Mutex<Connection>>);

/// A mail as accepted, one recipient each.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// The message id its sender was told.
    pub id: String,
    /// One bare address.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The plain text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
    /// Every other header by its name.
    pub headers: BTreeMap<String, String>,
    /// What its sender tagged it with, for the events about it.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// When it was accepted.
    pub received_at: jiff::Timestamp,
}

impl Inbox {
    /// Opens the inbox on the file at `path`, in memory without one.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn open(path: Option<&path::Path>) -> rusqlite::Result<Self> {
        Ok(Self(Arc::new(Mutex::new(database::open(path, SCHEMA)?))))
    }

    /// Keeps `mails`, all or none.
    ///
    /// # Errors
    /// None was kept.
    pub fn keep(&self, mails: &[Mail]) -> rusqlite::Result<()> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        for mail in mails {
            let json = serde_json::to_string(mail).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            transaction
                .prepare_cached("INSERT INTO mails (recipient, mail) VALUES (?1, ?2)")?
                .execute(params![mail.to.to_lowercase(), json])?;
        }
        transaction.commit()
    }

    /// All mails, newest first, of one recipient if asked, at most `limit` if given.
    ///
    /// # Errors
    /// The file failed.
    pub fn mails(&self, to: Option<&str>, limit: Option<u32>) -> rusqlite::Result<Vec<Mail>> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(match to {
            Some(_) => "SELECT mail FROM mails WHERE recipient = ?1 ORDER BY id DESC LIMIT ?2",
            None => "SELECT mail FROM mails WHERE ?1 IS NULL ORDER BY id DESC LIMIT ?2",
        })?;
        let limit = limit.map_or(-1, i64::from);
        let rows = statement.query_map(params![to.map(str::to_lowercase), limit], |row| row.get::<_, String>(0))?;
        rows.map(|row| {
            serde_json::from_str(&row?)
                .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))
        })
        .collect()
    }

    /// One mail.
    ///
    /// # Errors
    /// The file failed.
    fn mail(&self, id: &str) -> rusqlite::Result<Option<Mail>> {
        // Its ids are in the mails alone, so this reads them all: somebody looks at one of them, once.
        Ok(self.mails(None, None)?.into_iter().find(|mail| mail.id == id))
    }

    /// How many mails there are.
    ///
    /// # Errors
    /// The file failed.
    pub fn len(&self) -> rusqlite::Result<u64> {
        self.connection().query_row("SELECT COUNT(*) FROM mails", [], |row| row.get(0))
    }

    /// Whether there are none.
    ///
    /// # Errors
    /// The file failed.
    pub fn is_empty(&self) -> rusqlite::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Throws all mails away.
    ///
    /// # Errors
    /// They are all still there.
    pub fn empty(&self) -> rusqlite::Result<()> {
        self.connection().execute("DELETE FROM mails", []).map(drop)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic while the lock was held rolled its transaction back, so the connection is sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `/inbox`, its mails and its style, and `/inbox.json`.
pub fn routes(inbox: Inbox) -> Router {
    Router::new()
        .route("/inbox", get(show_inbox))
        .route("/inbox.css", get(async || ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], STYLE)))
        .route("/inbox/{id}", get(show_mail))
        .route("/inbox.json", get(list_mails).delete(empty_inbox))
        .with_state(inbox)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    to: Option<String>,
}

async fn list_mails(State(inbox): State<Inbox>, Query(filter): Query<Filter>) -> Response {
    match inbox.mails(filter.to.as_deref(), None) {
        Ok(mails) => Json(mails).into_response(),
        Err(error) => failed(&error),
    }
}

async fn empty_inbox(State(inbox): State<Inbox>) -> Response {
    match inbox.empty() {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => failed(&error),
    }
}

async fn show_inbox(State(inbox): State<Inbox>, Query(filter): Query<Filter>) -> Response {
    match inbox.mails(filter.to.as_deref(), Some(SHOWN)) {
        Ok(mails) => Html(page(&mails)).into_response(),
        Err(error) => failed(&error),
    }
}

/// The HTML part of a mail as a document of its own, to be framed by the inbox.
async fn show_mail(State(inbox): State<Inbox>, Path(id): Path<String>) -> Response {
    // Links open outside the frame.
    let document = |mail: Mail| Html(format!("<base target=\"_blank\">{}", mail.html));
    match inbox.mail(&id) {
        Ok(Some(mail)) => ([(header::CONTENT_SECURITY_POLICY, MAIL_POLICY), FRAMED], document(mail)).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => failed(&error),
    }
}

fn failed(error: &rusqlite::Error) -> Response {
    tracing::error!(%error, "the inbox's file failed");
    (StatusCode::INTERNAL_SERVER_ERROR, "The inbox's file failed; the log says why.").into_response()
}

/// A mail has styles and pictures of its own. It runs nothing, sends nothing and, sandboxed, is of no origin.
const MAIL_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: https:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox",
);
const FRAMED: (HeaderName, HeaderValue) = (header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));

const STYLE: &str =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}
details{border-top:1px solid #8886;padding:.6rem 0}summary{cursor:pointer}time{opacity:.7;font-size:.85em}
pre{white-space:pre-wrap;overflow-wrap:anywhere}iframe{width:100%;height:24rem;border:1px solid #8886;background:#fff}
";

const PAGE_START: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Inbox - Baton</title>
<link rel="stylesheet" href="/inbox.css"></head>
<body><h1>Inbox</h1><p>Every mail this stack has sent, newest first. <a href="/inbox.json">As JSON</a>.</p>
"#;

fn page(mails: &[Mail]) -> String {
    let mut page = String::from(PAGE_START);
    if mails.is_empty() {
        page.push_str("<p>No mail yet.</p>");
    }
    for mail in mails {
        let Mail { id, to, subject, text, html: _, headers, tags: _, received_at } = mail;
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
        let _infallible = write!(
            page,
            "<details><summary><b>{}</b> to {} <time>{received_at:.0}</time></summary>\n<pre>{}</pre>\n\
             <iframe sandbox=\"allow-popups allow-popups-to-escape-sandbox\" title=\"{}\" loading=\"lazy\" src=\"/inbox/{}\"></iframe>\n\
             <details><summary>Headers</summary><pre>{}</pre></details></details>\n",
            escape(subject),
            escape(to),
            escape(text),
            escape(subject),
            escape(id),
            escape(&headers),
        );
    }
    page.push_str("</body></html>\n");
    page
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, to: &str, subject: &str) -> Mail {
        Mail {
            id: id.to_owned(),
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: "text".to_owned(),
            html: "<p title=\"x\">html</p>".to_owned(),
            headers: BTreeMap::new(),
            tags: BTreeMap::new(),
            received_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    #[test]
    fn mails_come_newest_first_filtered_by_address_and_can_be_emptied() -> rusqlite::Result<()> {
        let inbox = Inbox::open(None)?;
        inbox.keep(&[mail("1", "ada@example.com", "a"), mail("2", "Bo@example.com", "b")])?;
        inbox.keep(&[mail("3", "ada@example.com", "c")])?;
        let ids = |to: Option<&str>| -> rusqlite::Result<Vec<String>> {
            Ok(inbox.mails(to, None)?.into_iter().map(|mail| mail.id).collect())
        };
        assert_eq!(ids(None)?, ["3", "2", "1"]);
        assert_eq!(ids(Some("ada@example.com"))?, ["3", "1"]);
        assert_eq!(ids(Some("bo@example.com"))?, ["2"]);
        inbox.empty()?;
        assert!(inbox.is_empty()?);
        Ok(())
    }

    #[test]
    fn a_mail_cannot_break_out_of_the_page() {
        let page = page(&[mail("1", "a@example.com", "<script>alert('x')</script>")]);
        assert!(!page.contains("<script>") && !page.contains("<p title"), "{page}");
        assert!(page.contains(r#"<iframe sandbox="allow-popups allow-popups-to-escape-sandbox""#), "{page}");
        assert!(page.contains(r#"src="/inbox/1""#), "{page}");
    }

    #[tokio::test]
    async fn a_mail_is_shown_sandboxed_and_to_the_inbox_only() -> rusqlite::Result<()> {
        let inbox = Inbox::open(None)?;
        inbox.keep(&[mail("1", "ada@example.com", "a")])?;
        let answer = show_mail(State(inbox.clone()), Path("1".to_owned())).await;
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap_or_default();
        assert!(policy.starts_with("default-src 'none';") && policy.contains("sandbox allow-popups "), "{policy}");
        assert!(policy.contains("frame-ancestors 'self'"), "{policy}");
        assert_eq!(show_mail(State(inbox), Path("2".to_owned())).await.status(), StatusCode::NOT_FOUND);
        Ok(())
    }
}
