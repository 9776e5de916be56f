use std::collections::BTreeMap;

use domain::{ProjectId, Subscription, Subscriptions, TaskId, UserId};

use crate::item::{Item, text, word};
use crate::table::query::Query;
use crate::table::write::Write;
use crate::{Mail, StoreError, keys};

impl Mail {
    /// Who watches or mutes a task, or the project it is in; read consistently. Also of those who are no members any more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn subscriptions(&self, project: ProjectId, task: TaskId) -> Result<Subscriptions, StoreError> {
        let prefixes = [None, Some(task)].map(keys::subscriptions_prefix).map(|it| self.beginning(project, it));
        let [project, task] = prefixes;
        let (project, task) = tokio::try_join!(project, task)?;
        let by_user = |items: Vec<Item>| {
            let subscriptions = items.iter().map(subscription).map(|it| it.map(|(_, user, mode)| (user, mode)));
            subscriptions.collect::<Result<BTreeMap<_, _>, StoreError>>()
        };
        Ok(Subscriptions { project: by_user(project)?, task: by_user(task)? })
    }

    async fn beginning(&self, project: ProjectId, prefix: String) -> Result<Vec<Item>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::subscriptions_partition(project)).and("begins_with(#sk, :prefix)");
        query.value(":prefix", text(prefix)).consistent().all("read who watches or mutes").await
    }

    /// What a person watches or mutes in a project: of the project, and of its tasks. All of the project's are read, so this is for rare
    /// occasions.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn subscriptions_of(
        &self,
        project: ProjectId,
        user: UserId,
    ) -> Result<Vec<(Option<TaskId>, Subscription)>, StoreError> {
        let query = Query::new(&self.table, "pk", keys::subscriptions_partition(project)).consistent();
        let items = query.all("read what somebody watches or mutes").await?;
        let all: Vec<_> = items.iter().map(subscription).collect::<Result<_, _>>()?;
        Ok(all.into_iter().filter(|(_, of, _)| *of == user).map(|(task, _, mode)| (task, mode)).collect())
    }

    /// Ends all that a person watches or mutes in a project.
    ///
    /// # Errors
    /// See [`StoreError`]; it can be repeated.
    pub async fn unsubscribe_all(&self, project: ProjectId, user: UserId) -> Result<(), StoreError> {
        let of_user = self.subscriptions_of(project, user).await?;
        let keys = of_user.into_iter().map(|(task, _)| keys::subscription(project, task, user)).collect();
        self.table.delete_keys("end what somebody watches or mutes", keys).await
    }

    /// What a person has chosen for a task, or for all of a project, and not what comes of both.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn subscription(
        &self,
        project: ProjectId,
        task: Option<TaskId>,
        user: UserId,
    ) -> Result<Option<Subscription>, StoreError> {
        let item = self.table.get("read whether somebody watches or mutes", keys::subscription(project, task, user)).await?;
        item.map(|it| it.word("mode")).transpose()
    }

    /// Lets a person watch or mute a task, or all of a project.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn subscribe(
        &self,
        project: ProjectId,
        task: Option<TaskId>,
        user: UserId,
        mode: Subscription,
    ) -> Result<(), StoreError> {
        let item = Item::new(keys::subscription(project, task, user)).with("mode", word(&mode)?);
        Write::put(&self.table, item).run("let somebody watch or mute").await
    }

    /// Ends that; nothing, where there was none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn unsubscribe(&self, project: ProjectId, task: Option<TaskId>, user: UserId) -> Result<(), StoreError> {
        Write::delete(&self.table, keys::subscription(project, task, user)).run("let nobody watch or mute").await
    }
}

fn subscription(item: &Item) -> Result<(Option<TaskId>, UserId, Subscription), StoreError> {
    let sort = item.text("sk")?;
    let corrupt = || StoreError::Corrupt { what: format!("{sort} is not the key of a subscription") };
    let (task, user) = keys::subscription_of_key(sort).ok_or_else(corrupt)?;
    Ok((task, user, item.word("mode")?))
}
