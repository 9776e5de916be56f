use std::collections::{BTreeMap, BTreeSet};

use domain::{ProjectId, TaskId, Version};

use super::parts::part_item;
use crate::item::{Item, number};
use crate::table::write::{Write, transact};
use crate::{Mail, Part, StoreError, keys};

impl Mail {
    /// The last version of a task that was planned; [`Version::NONE`] before the first. Read consistently.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cursor(&self, project: ProjectId, task: TaskId) -> Result<Version, StoreError> {
        let item = self.table.get("read the cursor", keys::cursor(project, task)).await?;
        item.map_or(Ok(Version::NONE), |it| it.number("version").map(Version))
    }

    /// The cursors of several tasks; those that have none are left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn cursors(&self, tasks: &[(ProjectId, TaskId)]) -> Result<BTreeMap<(ProjectId, TaskId), Version>, StoreError> {
        let unique: BTreeSet<(ProjectId, TaskId)> = tasks.iter().copied().collect();
        let keys = unique.into_iter().map(|(project, task)| keys::cursor(project, task)).collect();
        let items = self.table.get_many("read the cursors", keys).await?;
        items.iter().map(cursor).collect()
    }

    /// Moves a task's cursor and files what is owed over the span, all or nothing. At most 99 parts: DynamoDB takes 100 items
    /// in a transaction, and a change concerns three people at most, so plan at most 33 changes at once.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the cursor is not `from` any more.
    pub async fn file_plan(
        &self,
        project: ProjectId,
        task: TaskId,
        from: Version,
        to: Version,
        parts: &[Part],
    ) -> Result<(), StoreError> {
        let step = "file what is owed";
        let item = Item::new(keys::cursor(project, task)).with("version", number(to.0));
        let cursor = Write::put(&self.table, item);
        let cursor = if from == Version::NONE {
            cursor.when("attribute_not_exists(#pk)")
        } else {
            cursor.when("#version = :from").value(":from", number(from.0))
        };
        if parts.is_empty() {
            return cursor.run(step).await;
        }
        let mut writes = vec![cursor];
        for part in parts {
            writes.push(Write::put(&self.table, part_item(part)?));
        }
        transact(step, writes).await?.or_conflict(step)
    }
}

fn cursor(item: &Item) -> Result<((ProjectId, TaskId), Version), StoreError> {
    let partition = item.text("pk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{partition} is not the partition of a log") };
    let task = keys::log_of_partition(partition).ok_or_else(corrupt)?;
    Ok((task, Version(item.number("version")?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::{PROJECT, TASK};

    #[test]
    fn a_cursor_survives_storage() {
        let item = Item::new(keys::cursor(PROJECT, TASK)).with("version", number(7_u64));
        assert_eq!(cursor(&item).ok(), Some(((PROJECT, TASK), Version(7))));
    }
}
