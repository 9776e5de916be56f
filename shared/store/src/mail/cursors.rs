use std::collections::{BTreeMap, BTreeSet};

use domain::{Notification, ProjectId, TaskId, UserId, Version};
use tracing::error;

use super::notifications::filing;
use super::parts::part_item;
use crate::item::{Item, number, text};
use crate::table::write::{Write, transact};
use crate::{Mail, Part, StoreError, keys};

/// How far a task's log is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The last version planned for everybody; [`Version::NONE`] before the first.
    pub version: Version,
    /// How far the plan of the span after it has come, where it takes several transactions.
    pub progress: Option<Progress>,
}

/// How far a plan has come that owes more than one transaction holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The last version of its span: whoever goes on plans the same one.
    pub to: Version,
    /// The last person it was filed for; people come in the order of their ids.
    pub after: UserId,
}

impl Cursor {
    /// Before the first change.
    pub const START: Self = Self::at(Version::NONE);

    /// Everything up to this version is planned, nothing of what follows.
    #[must_use]
    pub const fn at(version: Version) -> Self {
        Self { version, progress: None }
    }
}

impl Mail {
    /// How far a task's log is planned. Read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cursor(&self, project: ProjectId, task: TaskId) -> Result<Cursor, StoreError> {
        let item = self.table.get("read the cursor", keys::cursor(project, task)).await?;
        item.map_or(Ok(Cursor::START), |it| cursor(&it))
    }

    /// Up to which version several tasks are planned for everybody; those that have no cursor are left out, and one that cannot be read
    /// is logged.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cursors(&self, tasks: &[(ProjectId, TaskId)]) -> Result<BTreeMap<(ProjectId, TaskId), Version>, StoreError> {
        let unique: BTreeSet<(ProjectId, TaskId)> = tasks.iter().copied().collect();
        let keys = unique.into_iter().map(|(project, task)| keys::cursor(project, task)).collect();
        let items = self.table.get_many("read the cursors", keys).await?;
        let cursors = items.iter().map(|it| Ok::<_, StoreError>((task_of(it)?, cursor(it)?.version))).inspect(|it| {
            if let Err(error) = it {
                error!(error = error as &dyn std::error::Error, "a cursor cannot be read");
            }
        });
        Ok(cursors.flatten().collect())
    }

    /// Moves a task's cursor and files what is owed and what is noted in the product, all or nothing. At most 99 of both together:
    /// DynamoDB takes 100 items in a transaction.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the cursor is not `from` any more, or a notification is there already.
    pub async fn file_plan(
        &self,
        project: ProjectId,
        task: TaskId,
        from: &Cursor,
        to: &Cursor,
        parts: &[Part],
        notifications: &[Notification],
    ) -> Result<(), StoreError> {
        let step = "file what is owed";
        let cursor = as_read(Write::put(&self.table, cursor_item(project, task, to)), from);
        if parts.is_empty() && notifications.is_empty() {
            return match cursor.run(step).await {
                // The SDK repeats a write whose answer was lost. Somebody else may have moved the cursor there too, and planned all of it.
                Err(StoreError::Conflict { .. }) if self.cursor(project, task).await? == *to => Ok(()),
                outcome => outcome,
            };
        }
        let mut writes = vec![cursor];
        for part in parts {
            writes.push(Write::put(&self.table, part_item(part)?));
        }
        for notification in notifications {
            writes.push(filing(&self.table, notification)?);
        }
        transact(step, writes).await?.or_conflict(step)
    }

    /// Sets a cursor right by hand, or takes it away, whatever was planned; a plan under way is not gone on with.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the cursor is not `before` any more.
    pub async fn set_cursor(
        &self,
        project: ProjectId,
        task: TaskId,
        before: &Cursor,
        after: Option<Version>,
    ) -> Result<(), StoreError> {
        let write = match after.filter(|it| *it != Version::NONE) {
            Some(version) => Write::put(&self.table, cursor_item(project, task, &Cursor::at(version))),
            None => Write::delete(&self.table, keys::cursor(project, task)),
        };
        match as_read(write, before).run("set the cursor").await {
            Err(StoreError::Conflict { .. })
                if self.cursor(project, task).await? == Cursor::at(after.unwrap_or(Version::NONE)) =>
            {
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// A write of a cursor that is still as it was read.
fn as_read(write: Write, cursor: &Cursor) -> Write {
    if *cursor == Cursor::START {
        return write.when("attribute_not_exists(#pk)");
    }
    let Cursor { version, progress } = cursor;
    let write = match progress {
        None => write.when("#version = :version AND attribute_not_exists(#to)"),
        Some(Progress { to, after }) => write
            .when("#version = :version AND #to = :to AND #after = :after")
            .value(":to", number(to.0))
            .value(":after", text(after)),
    };
    write.value(":version", number(version.0))
}

fn cursor_item(project: ProjectId, task: TaskId, cursor: &Cursor) -> Item {
    let Cursor { version, progress } = cursor;
    let item = Item::new(keys::cursor(project, task)).with("version", number(version.0));
    match progress {
        Some(Progress { to, after }) => item.with("to", number(to.0)).with("after", text(after)),
        None => item,
    }
}

pub(crate) fn cursor(item: &Item) -> Result<Cursor, StoreError> {
    let progress = match item.some_number("to")? {
        Some(to) => Some(Progress { to: Version(to), after: item.word("after")? }),
        None => None,
    };
    Ok(Cursor { version: Version(item.number("version")?), progress })
}

pub(crate) fn task_of(item: &Item) -> Result<(ProjectId, TaskId), StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a log") };
    keys::log_of_partition(partition).ok_or_else(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER};

    #[test]
    fn a_cursor_survives_storage() {
        for progress in [None, Some(Progress { to: Version(9), after: USER })] {
            let before = Cursor { version: Version(7), progress };
            let item = cursor_item(PROJECT, TASK, &before);
            assert_eq!((task_of(&item).ok(), cursor(&item).ok()), (Some((PROJECT, TASK)), Some(before)));
        }
    }
}
