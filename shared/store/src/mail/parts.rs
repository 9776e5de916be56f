use std::ops::Not;

use domain::{Letter, NoticeKinds, PartId, ProjectId, Recipient, TaskId, Version};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use tracing::error;

use crate::item::{Attributes, Item, json, number, text};
use crate::keys::Key;
use crate::table::query::Query;
use crate::table::write::{Write, transact};
use crate::{Mail, RecipientKey, StoreError, keys};

/// How long after it was due something that could never be sent is forgotten.
pub(crate) const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The most parts one claim may freeze: with its parts, an item stays far below DynamoDB's 400 KB.
pub const MOST_PARTS_PER_CLAIM: usize = 200;

/// Something one recipient is owed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub recipient: Recipient,
    pub due_at: Timestamp,
    pub content: PartContent,
}

/// What a part is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartContent {
    Task(TaskSpan),
    Letter { id: PartId, letter: Letter },
}

/// A span of a task's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSpan {
    pub project: ProjectId,
    pub task: TaskId,
    /// The first version of the span.
    pub from: Version,
    /// The last version of the span.
    pub to: Version,
    /// What the recipient wanted to hear of when this was planned.
    pub kinds: NoticeKinds,
    #[serde(default, skip_serializing_if = "Timing::is_now")]
    pub timing: Timing,
    /// When the first change of the span happened. What was filed before this was stored has waited long enough.
    #[serde(default)]
    pub first_at: Timestamp,
    /// When the last change of the span happened.
    #[serde(default)]
    pub last_at: Timestamp,
    /// The recipient watches the task, as of planning.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub watching: bool,
    /// It does not wait for the end of quiet hours.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub urgent: bool,
}

/// Whether a person is told soon or once a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Timing {
    #[default]
    Now,
    Digest,
}

impl Timing {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
    fn is_now(&self) -> bool {
        *self == Self::Now
    }
}

/// A part as it stands among what is due. Its content is not read: one that cannot be read hides nobody else's.
#[derive(Clone, Debug, PartialEq)]
pub struct DuePart {
    pub recipient: RecipientKey,
    paced: bool,
    /// In the index, also once it is gone from there.
    place: Attributes,
}

impl DuePart {
    /// Whether the recipient's rhythm may hold it back: no letter, no digest.
    #[must_use]
    pub fn is_paced(&self) -> bool {
        self.paced
    }
}

impl Part {
    /// Whose it is, as keys and hints spell it.
    #[must_use]
    pub fn recipient_key(&self) -> RecipientKey {
        RecipientKey::from(&self.recipient)
    }
}

impl Mail {
    /// Files a letter that nothing else has to be stored with.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn file_letter(&self, letter: &Part) -> Result<(), StoreError> {
        Write::put(&self.table, part_item(letter)?).run("file the letter").await
    }

    /// A recipient's parts that are due by then, letters first, at most `limit`; read consistently. One that cannot be read, as
    /// after a step back to an older release, is logged and left where it is, and the others are told.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn parts_of(&self, recipient: &RecipientKey, due_by: Timestamp, limit: usize) -> Result<Vec<Part>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::recipient_partition(recipient)).and("begins_with(#sk, :parts)");
        let items = query.value(":parts", text(keys::PARTS_PREFIX)).consistent().all("read what is owed").await?;
        Ok(readable(&items).into_iter().filter(|it| it.due_at <= due_by).take(limit).collect())
    }

    /// All that a recipient is owed of one task, whenever it is due; read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn owed_of(&self, recipient: &RecipientKey, project: ProjectId, task: TaskId) -> Result<Vec<Part>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::recipient_partition(recipient)).and("begins_with(#sk, :parts)");
        let query = query.value(":parts", text(keys::parts_of_task_prefix(project, task))).consistent();
        Ok(readable(&query.all("read what is owed of the task").await?))
    }

    /// Puts another part in the place of one, or nothing, where that one is still there. For operators.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where it is gone.
    pub async fn replace_part(&self, before: &Part, after: Option<&Part>) -> Result<(), StoreError> {
        let step = "replace what is owed";
        let there = |write: Write| write.when("attribute_exists(#pk)");
        let gone = there(Write::delete(&self.table, part_key(before)));
        let Some(after) = after else { return gone.run(step).await };
        let put = Write::put(&self.table, part_item(after)?);
        if part_key(before) == part_key(after) {
            return there(put).run(step).await;
        }
        transact(step, vec![gone, put]).await?.or_conflict(step)
    }

    /// What is due by then in one of the [`crate::SHARDS`], the longest overdue first, at most `limit`, after one of them where
    /// it is given. Claimed parts are among them, and for a moment also ones that are gone already: read the recipient's parts
    /// before acting.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn due(
        &self,
        shard: u8,
        due_by: Timestamp,
        after: Option<&DuePart>,
        limit: usize,
    ) -> Result<Vec<DuePart>, StoreError> {
        let query = Query::new(&self.table, "due_pk", keys::due_partition(shard))
            .index(keys::DUE)
            .and("#due_sk < :due_by")
            .start_after(after.map(|it| it.place.clone()));
        let items = query.value(":due_by", text(keys::due_by(due_by))).take("read what is due", limit).await?;
        items.iter().take(limit).map(due_part).collect()
    }
}

pub(crate) fn part_key(part: &Part) -> Key {
    let recipient = part.recipient_key();
    match &part.content {
        PartContent::Task(TaskSpan { project, task, from, timing, .. }) => {
            keys::task_part(&recipient, *project, *task, *from, *timing)
        }
        PartContent::Letter { id, .. } => keys::letter_part(&recipient, *id),
    }
}

pub(crate) fn part_item(part: &Part) -> Result<Item, StoreError> {
    let key = part_key(part);
    let Part { recipient, due_at, content } = part;
    let by_due = keys::part_by_due(*due_at, &key);
    let forgotten = due_at.saturating_add(FORGOTTEN_AFTER).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(Item::new(key)
        .with("recipient", json(recipient)?)
        .with("due_at", text(keys::timestamp(*due_at)))
        .with("content", json(content)?)
        .with("expires_at", number(forgotten.as_second()))
        .with("due_pk", text(keys::due_partition(keys::due_shard(&part.recipient_key()))))
        .with("due_sk", text(by_due)))
}

fn due_part(item: &Item) -> Result<DuePart, StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a recipient") };
    let recipient = keys::recipient_of_partition(partition).ok_or_else(corrupt)?;
    let mut place = Attributes::new();
    for name in ["pk", "sk", "due_pk", "due_sk"] {
        place.insert(name.to_owned(), text(item.text(name)?));
    }
    Ok(DuePart { recipient, paced: keys::is_paced_part(item.text("sk")?), place })
}

fn readable(items: &[Item]) -> Vec<Part> {
    let parts = items.iter().map(part).inspect(|it| {
        if let Err(error) = it {
            error!(error = error as &dyn std::error::Error, "what somebody is owed cannot be read, so it is not told");
        }
    });
    parts.flatten().collect()
}

pub(crate) fn part(item: &Item) -> Result<Part, StoreError> {
    Ok(Part { recipient: item.json("recipient")?, due_at: item.word("due_at")?, content: item.json("content")? })
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{Locale, NoticeKind};

    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    pub(crate) fn task_part() -> Part {
        let kinds = NoticeKinds::from([NoticeKind::Assigned, NoticeKind::Status]);
        let span = TaskSpan {
            project: PROJECT,
            task: TASK,
            from: Version(3),
            to: Version(5),
            kinds,
            timing: Timing::Now,
            first_at: at("2026-11-20T10:00:00Z"),
            last_at: at("2026-11-20T10:30:00.5Z"),
            watching: false,
            urgent: false,
        };
        Part { recipient: Recipient::User(USER), due_at: at("2026-11-20T11:00:00Z"), content: PartContent::Task(span) }
    }

    pub(crate) fn letter_part() -> Part {
        let letter = Letter::AddressTaken { locale: Locale::En };
        Part {
            recipient: Recipient::Address("ada@example.com".parse().expect("an address")),
            due_at: at("2026-11-20T11:00:00Z"),
            content: PartContent::Letter { id: PartId(TASK.0), letter },
        }
    }

    #[test]
    fn parts_survive_storage() {
        for before in [task_part(), letter_part()] {
            let item = part_item(&before).expect("an item");
            assert!(item.text("due_sk").is_ok_and(|it| it < keys::due_by(before.due_at).as_str()));
            assert_eq!(part(&item).ok(), Some(before));
        }
    }

    #[test]
    fn a_part_of_an_earlier_release_is_read_and_has_waited_long_enough() {
        let Part { content: PartContent::Task(span), .. } = task_part() else { panic!("a part of a task") };
        let mut content = serde_json::to_value(PartContent::Task(span.clone())).expect("JSON");
        let fields = content["task"].as_object_mut().expect("a span");
        fields.remove("first_at");
        fields.remove("last_at");
        assert!(fields.keys().all(|it| ["project", "task", "from", "to", "kinds"].contains(&it.as_str())), "{fields:?}");
        let before = part_item(&task_part()).expect("an item").with("content", text(content));
        let at = Timestamp::UNIX_EPOCH;
        let read = PartContent::Task(TaskSpan { first_at: at, last_at: at, ..span });
        assert_eq!(part(&before).ok(), Some(Part { content: read, ..task_part() }));
    }

    #[test]
    fn a_part_that_cannot_be_read_hides_neither_its_recipient_nor_the_others() {
        let (good, bad) = (task_part(), Part { due_at: at("2026-11-20T12:00:00Z"), ..letter_part() });
        let broken = part_item(&bad).expect("an item").with("content", text(r#"{"pigeon": {}}"#));
        let due = due_part(&broken).expect("its keys can be read");
        assert_eq!(due.recipient, bad.recipient_key());
        assert!(due.place.len() == 4 && due.place.values().all(|it| it.as_s().is_ok()), "{due:?}");
        assert_eq!(readable(&[broken, part_item(&good).expect("an item")]), [good]);
    }

    #[test]
    fn a_part_of_a_task_is_one_write_unit() {
        let stored = Attributes::from(part_item(&task_part()).expect("an item"));
        assert!(format!("{stored:?}").len() < 1_024, "its debug form is longer than what is stored: {stored:?}");
    }
}
