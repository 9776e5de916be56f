use std::collections::BTreeMap;

use domain::{Notification, NotificationContent, NotificationId, ProjectId, UserId};
use jiff::SignedDuration;

use crate::item::{Item, json, number, text};
use crate::keys::List;
use crate::table::Table;
use crate::table::query::Query;
use crate::table::write::{MOST_WRITES, Transacted, Write, transact};
use crate::{Mail, Page, Position, StoreError, keys};

/// How long a notification is kept, read or not.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Not there yet.
const NEW: &str = "attribute_not_exists(#pk)";

impl Mail {
    /// A person's notifications: those not read first, each newest first.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn notifications(
        &self,
        user: UserId,
        limit: usize,
        after: Option<&Position>,
    ) -> Result<Page<Notification>, StoreError> {
        let list = List::Notifications(user);
        let query = Query::list(&self.table, &list, after)?.backward();
        query.page("list the notifications", &list, limit).await?.try_map(|it| notification(user, &it))
    }

    /// How many notifications a person has not read, by project; of more than `most`, the newest.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unread(&self, user: UserId, most: usize) -> Result<BTreeMap<ProjectId, usize>, StoreError> {
        let items = self.unread_up_to(user, None).take("count what is not read", most).await?;
        let mut unread = BTreeMap::new();
        for item in &items {
            *unread.entry(item.word("project")?).or_default() += 1;
        }
        Ok(unread)
    }

    /// A person's notifications that are not read, newest first, not newer than one of them where it is given.
    fn unread_up_to(&self, user: UserId, through: Option<NotificationId>) -> Query<'_> {
        let list = List::Notifications(user);
        let query = Query::new(&self.table, list.partition_attribute(), list.partition()).consistent().backward();
        match through {
            None => query.and("begins_with(#sk, :unread)").value(":unread", text(keys::UNREAD_PREFIX)),
            Some(id) => query
                .and("#sk BETWEEN :unread AND :through")
                .value(":unread", text(keys::UNREAD_PREFIX))
                .value(":through", text(format!("{}{id}", keys::UNREAD_PREFIX))),
        }
    }

    /// Marks a notification as read. Answers whether there is such a one; it may have been read before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn mark_read(&self, user: UserId, id: NotificationId) -> Result<bool, StoreError> {
        let step = "mark a notification as read";
        let places = [false, true].map(|read| keys::notification(user, id, read)).into();
        let found = self.table.get_many("read the notification", places).await?;
        let found: Vec<Notification> = found.iter().map(|it| notification(user, it)).collect::<Result<_, _>>()?;
        let Some(unread) = found.iter().find(|it| !it.read) else { return Ok(!found.is_empty()) };
        match transact(step, self.marking(unread)?.into()).await? {
            Transacted::Done => Ok(true),
            // It was marked, or taken away, a moment ago.
            Transacted::Refused(_) => Ok(self.table.get(step, keys::notification(user, id, true)).await?.is_some()),
        }
    }

    /// Marks everything as read, or everything that is not newer than one notification. Answers how many it found unread.
    ///
    /// # Errors
    /// See [`StoreError`]; what was marked until then stays marked.
    pub async fn mark_all_read(&self, user: UserId, through: Option<NotificationId>) -> Result<usize, StoreError> {
        let unread = self.unread_up_to(user, through).all("list what is not read").await?;
        let unread: Vec<Notification> = unread.iter().map(|it| notification(user, it)).collect::<Result<_, _>>()?;
        for page in unread.chunks(MOST_WRITES / 2) {
            let mut writes = Vec::with_capacity(MOST_WRITES);
            for notification in page {
                writes.extend(self.marking(notification)?);
            }
            if transact("mark notifications as read", writes).await? != Transacted::Done {
                // Somebody marks some of them at this moment: then one by one.
                for notification in page {
                    self.mark_read(user, notification.id).await?;
                }
            }
        }
        Ok(unread.len())
    }

    /// Moves a notification among those that are read.
    fn marking(&self, unread: &Notification) -> Result<[Write; 2], StoreError> {
        let read = Notification { read: true, ..unread.clone() };
        let gone = Write::delete(&self.table, keys::notification(unread.user, unread.id, false));
        let put = Write::put(&self.table, notification_item(&read)?);
        Ok([gone.when("attribute_exists(#pk)"), put])
    }

    /// Files notifications that no plan files, each once: one that is there already, also as read, is left as it is.
    ///
    /// # Errors
    /// See [`StoreError`]; it can be repeated.
    pub async fn file_notifications(&self, notifications: &[Notification]) -> Result<(), StoreError> {
        for notification in notifications {
            let elsewhere = keys::notification(notification.user, notification.id, !notification.read);
            let writes = vec![filing(&self.table, notification)?, Write::check(&self.table, elsewhere).when(NEW)];
            transact("file a notification", writes).await?;
        }
        Ok(())
    }

    /// Takes all of a person's notifications away.
    ///
    /// # Errors
    /// See [`StoreError`]; it can be repeated.
    pub async fn forget_notifications(&self, user: UserId) -> Result<(), StoreError> {
        let list = List::Notifications(user);
        let all = Query::list(&self.table, &list, None)?.all("list the notifications").await?;
        self.table.delete_many("forget the notifications", &all).await
    }
}

/// A new notification; refused where it is there.
pub(crate) fn filing(table: &Table, notification: &Notification) -> Result<Write, StoreError> {
    Ok(Write::put(table, notification_item(notification)?).when(NEW))
}

fn notification_item(notification: &Notification) -> Result<Item, StoreError> {
    let Notification { id, user, at, read, content } = notification;
    let (NotificationContent::Task { project, .. } | NotificationContent::Undeliverable { project, .. }) = content;
    let expires_at = at.saturating_add(KEPT_FOR).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(Item::new(keys::notification(*user, *id, *read))
        .with("at", text(keys::timestamp(*at)))
        .with("project", text(project))
        .with("content", json(content)?)
        .with("expires_at", number(expires_at.as_second())))
}

fn notification(user: UserId, item: &Item) -> Result<Notification, StoreError> {
    let sort = item.text("sk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{sort} is not the key of a notification") };
    let (id, read) = keys::notification_of_key(sort).ok_or_else(corrupt)?;
    Ok(Notification { id, user, at: item.word("at")?, read, content: item.json("content")? })
}

#[cfg(test)]
mod tests {
    use domain::{FieldName, NetKind, Reason, Version};

    use super::*;
    use crate::keys::tests::{PROJECT, TASK, USER, at};

    fn of_a_task(title: &str) -> NotificationContent {
        NotificationContent::Task {
            project: PROJECT,
            task: TASK,
            from: Version(1_000_000),
            to: Version(1_000_002),
            kind: NetKind::Updated,
            title: title.parse().expect("a title"),
            fields: vec![FieldName::Status, FieldName::Assignee],
            actors: vec![USER],
            reason: Reason::FormerAssignee,
        }
    }

    fn of(content: NotificationContent, read: bool) -> Notification {
        Notification { id: NotificationId(TASK.0), user: USER, at: at("2026-11-20T11:00:00.5Z"), read, content }
    }

    #[test]
    fn notifications_survive_storage() {
        let undeliverable = NotificationContent::Undeliverable { project: PROJECT, user: Some(USER) };
        for content in [of_a_task("Fix the pump"), undeliverable] {
            for read in [false, true] {
                let before = of(content.clone(), read);
                let item = notification_item(&before).expect("an item");
                assert_eq!(notification(USER, &item).ok(), Some(before));
            }
        }
    }

    #[test]
    fn a_notification_with_a_long_title_is_one_write_unit() {
        let item = notification_item(&of(of_a_task(&"한".repeat(55)), false)).expect("an item");
        assert!(item.octets_stored() <= 1_024, "{}", item.octets_stored());
    }
}
