use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Assignee, Change, Description, Priority, ProjectId, TaskId, Version};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::item::{Attributes, Item, json, number, text};
use crate::keys::{self, List};
use crate::table::Table;
use crate::table::query::Query;
use crate::{Page, Position, StoreError};

pub(crate) mod span;

/// The table of changes: every task's log, append-only, and the outbox of everything that is announced.
#[derive(Clone, Debug)]
pub struct Changes {
    pub(crate) table: Table,
}

/// Which end of a log comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    NewestFirst,
    OldestFirst,
}

/// SHA-256 over what a create asked for, in hexadecimal: tells a repeat from another request under the same key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestHash(String);

impl RequestHash {
    /// The hash of a request body.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self(crate::keys::sha256_hex(body))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a change stands: task and version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LogPosition {
    pub project: ProjectId,
    pub task: TaskId,
    pub version: Version,
}

/// What a new entry of the changes table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Logged {
    Change(Box<Change>),
    /// The text beside a change: not announced.
    Description,
}

/// Reads the new image of a stream record, in DynamoDB's JSON (`{"pk": {"S": ".."}, ..}`).
///
/// # Errors
/// [`StoreError::Corrupt`], with the reason.
pub fn logged_change(image: &serde_json::Value) -> Result<Logged, StoreError> {
    let item = image_item(image)?;
    if keys::is_change_description(item.text("pk")?) {
        return Ok(Logged::Description);
    }
    change(&item).map(|it| Logged::Change(Box::new(it)))
}

/// Where the change stands that a stream record is of, from its keys in DynamoDB's JSON; nothing, where it is a description.
///
/// # Errors
/// [`StoreError::Corrupt`], with the reason.
pub fn logged_position(keys: &serde_json::Value) -> Result<Option<LogPosition>, StoreError> {
    let item = image_item(keys)?;
    if keys::is_change_description(item.text("pk")?) { Ok(None) } else { log_position(&item).map(Some) }
}

fn image_item(image: &serde_json::Value) -> Result<Item, StoreError> {
    let corrupt = || StoreError::Corrupt { what: "a stream image is not a JSON of attributes".to_owned() };
    let image = image.as_object().ok_or_else(corrupt)?;
    let attributes: Option<Attributes> = image.iter().map(|(name, value)| Some((name.clone(), attribute(value)?))).collect();
    Ok(Item::from(attributes.ok_or_else(corrupt)?))
}

impl Changes {
    /// The table of this name, behind this client.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { table: Table::new(client, table) }
    }

    /// A task's log after a version (exclusive) up to another (inclusive), oldest first, read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn log(
        &self,
        project: ProjectId,
        task: TaskId,
        after: Version,
        up_to: Option<Version>,
    ) -> Result<Vec<Change>, StoreError> {
        let first = number(after.next().0);
        let last = number(up_to.map_or(u64::MAX, |it| it.0));
        let query = Query::new(&self.table, "pk", keys::log_partition(project, task)).and("#version BETWEEN :first AND :last");
        if up_to.is_some_and(|it| it <= after) {
            return Ok(Vec::new());
        }
        let items = query.value(":first", first).value(":last", last).consistent().all("read the task's log").await?;
        items.iter().map(change).collect()
    }

    /// A task's changes, newest first.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn task_changes(
        &self,
        project: ProjectId,
        task: TaskId,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<Change>, StoreError> {
        let list = List::TaskChanges(project, task);
        let query = Query::list(&self.table, &list, after)?.backward();
        query.page("list the task's changes", &list, limit).await?.try_map(|it| change(&it))
    }

    /// A project's changes by time.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn project_changes(
        &self,
        project: ProjectId,
        direction: Direction,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<Change>, StoreError> {
        let list = List::ProjectChanges(project);
        let query = Query::list(&self.table, &list, after)?;
        let query = match direction {
            Direction::NewestFirst => query.backward(),
            Direction::OldestFirst => query,
        };
        query.page("list the project's changes", &list, limit).await?.try_map(|it| change(&it))
    }

    /// The place of a change in its project's list, for "what came since".
    #[must_use]
    pub fn project_position(change: &Change) -> Position {
        Position::new(keys::change_by_time(change.at, change.task, change.version))
    }

    /// A task's first change, with the hash of the request that made it.
    pub(crate) async fn first(
        &self,
        project: ProjectId,
        task: TaskId,
    ) -> Result<Option<(Change, Option<RequestHash>)>, StoreError> {
        let item = self.table.get("read the first change", keys::change(project, task, Version::FIRST)).await?;
        item.map(|it| Ok((change(&it)?, it.some_word("request_hash")?))).transpose()
    }

    /// One change.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn change(&self, project: ProjectId, task: TaskId, version: Version) -> Result<Option<Change>, StoreError> {
        let item = self.table.get("read the change", keys::change(project, task, version)).await?;
        item.map(|it| change(&it)).transpose()
    }

    /// The description as a change left it; nothing where the change did not touch it.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn description(
        &self,
        project: ProjectId,
        task: TaskId,
        version: Version,
    ) -> Result<Option<Description>, StoreError> {
        let item = self.table.get("read the description", keys::change_description(project, task, version)).await?;
        item.map(|it| it.word("description")).transpose()
    }

    /// The changes of the hour (UTC) that contains `at`, in one of its [`crate::SHARDS`]. One that cannot be read is logged and left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hour(&self, at: Timestamp, shard: u8) -> Result<Vec<LogPosition>, StoreError> {
        let query = Query::new(&self.table, "hour_pk", keys::hour_partition(at, shard)).index(keys::BY_HOUR);
        let items = query.all("read the log of an hour").await?;
        let positions = items.iter().map(log_position).inspect(|it| {
            if let Err(error) = it {
                error!(error = error as &dyn std::error::Error, "an entry of the log cannot be read");
            }
        });
        Ok(positions.flatten().collect())
    }
}

/// The request hash goes with the first change only.
pub(crate) fn change_item(change: &Change, request_hash: Option<&RequestHash>) -> Result<Item, StoreError> {
    let Change { project, task, version, kind, title, actor, creator, assignee, priority, at, fields } = change;
    let Assignee { before, after } = assignee;
    let by_time = keys::change_by_time(*at, *task, *version);
    Ok(Item::new(keys::change(*project, *task, *version))
        .with("kind", text(kind.as_str()))
        .with("title", text(title))
        .with("actor", text(actor))
        .with("creator", text(creator))
        .with_some("assignee_before", before.map(text))
        .with_some("assignee_after", after.map(text))
        // Few tasks have one, and entries from before it was logged have none.
        .with_some("priority", Some(*priority).filter(|it| *it != Priority::None).map(|it| text(it.as_str())))
        .with("at", text(keys::timestamp(*at)))
        .with("fields", json(fields)?)
        .with_some("request_hash", request_hash.map(|it| text(it.as_str())))
        .with("project_pk", text(keys::project_partition(*project)))
        // The sort key of both indexes: stored once, it leaves room for longer titles within the write unit.
        .with("project_sk", text(by_time))
        .with("hour_pk", text(keys::hour_partition(*at, keys::hour_shard(*task)))))
}

pub(crate) fn description_item(change: &Change, description: &Description) -> Item {
    let key = keys::change_description(change.project, change.task, change.version);
    Item::new(key).with("description", text(description.as_str()))
}

fn change(item: &Item) -> Result<Change, StoreError> {
    let LogPosition { project, task, version } = log_position(item)?;
    Ok(Change {
        project,
        task,
        version,
        kind: item.word("kind")?,
        title: item.word("title")?,
        actor: item.word("actor")?,
        creator: item.word("creator")?,
        assignee: Assignee { before: item.some_word("assignee_before")?, after: item.some_word("assignee_after")? },
        priority: item.some_word("priority")?.unwrap_or_default(),
        at: item.word("at")?,
        fields: item.json("fields")?,
    })
}

fn log_position(item: &Item) -> Result<LogPosition, StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a log") };
    let (project, task) = keys::log_of_partition(partition).ok_or_else(corrupt)?;
    Ok(LogPosition { project, task, version: Version(item.number("version")?) })
}

/// Texts and numbers: an entry of the log has no others.
fn attribute(value: &serde_json::Value) -> Option<AttributeValue> {
    let value = value.as_object().filter(|it| it.len() == 1)?;
    let (kind, value) = value.iter().next()?;
    match kind.as_str() {
        "S" => Some(AttributeValue::S(value.as_str()?.to_owned())),
        "N" => Some(AttributeValue::N(value.as_str()?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use domain::{ChangeKind, FieldChange, Status};
    use serde_json::{Value, json};

    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    fn example() -> Change {
        Change {
            project: PROJECT,
            task: TASK,
            version: Version(2),
            kind: ChangeKind::Updated,
            title: "Fix the pump".parse().expect("a title"),
            actor: USER,
            creator: USER,
            assignee: Assignee { before: None, after: Some(USER) },
            priority: Priority::Urgent,
            at: at("2026-11-20T11:00:00.123456789Z"),
            fields: vec![
                FieldChange::Description,
                FieldChange::Assignee { from: None, to: Some(USER) },
                FieldChange::Status { from: Some(Status::Waiting), to: Status::Done },
            ],
        }
    }

    fn image(item: Item) -> Value {
        let attributes = Attributes::from(item).into_iter().map(|(name, value)| match value {
            AttributeValue::S(text) => (name, json!({"S": text})),
            AttributeValue::N(number) => (name, json!({"N": number})),
            other => (name, json!({"?": format!("{other:?}")})),
        });
        Value::Object(attributes.collect())
    }

    #[test]
    fn a_change_survives_storage_and_the_stream() {
        let hash = RequestHash::of(b"{}");
        let item = change_item(&example(), Some(&hash)).expect("an item");
        assert_eq!(item.some_word("request_hash").ok(), Some(Some(hash)));
        assert_eq!(change(&item).ok(), Some(example()));
        assert_eq!(logged_change(&image(item)).ok(), Some(Logged::Change(Box::new(example()))));
    }

    #[test]
    fn a_change_with_a_long_title_is_one_write_unit() {
        let title: domain::Title = "한".repeat(55).parse().expect("a title");
        let fields = vec![
            FieldChange::Title { from: None, to: title.clone() },
            FieldChange::Status { from: None, to: Status::Waiting },
            FieldChange::Assignee { from: None, to: Some(USER) },
        ];
        let created = Change { kind: ChangeKind::Created, title, fields, ..example() };
        let item = change_item(&created, Some(&RequestHash::of(b"{}"))).expect("an item");
        assert!(item.octets_stored() <= 1_024, "{}", item.octets_stored());
    }

    #[test]
    fn a_description_beside_a_change_is_told_apart_and_stays_out_of_the_indexes() {
        let item = description_item(&example(), &Description::default());
        assert!(item.names().all(|name| !name.ends_with("_pk") && !name.ends_with("_sk")));
        assert_eq!(logged_change(&image(item)).ok(), Some(Logged::Description));
    }

    #[test]
    fn what_is_no_entry_of_the_log_is_refused_with_a_reason() {
        let unknown_kind = change_item(&example(), None).expect("an item").with("kind", text("exploded"));
        for image in [json!(null), json!({}), json!({"pk": {"S": 1}}), json!({"pk": "x"}), image(unknown_kind)] {
            assert!(matches!(logged_change(&image), Err(StoreError::Corrupt { .. })), "{image}");
        }
    }
}
