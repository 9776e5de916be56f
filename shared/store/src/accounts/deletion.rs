use domain::{SessionId, UserId};
use jiff::Timestamp;

use super::credentials::{AsRead, where_as_read};
use crate::item::text;
use crate::table::query::Query;
use crate::table::write::{Write, transact};
use crate::{Accounts, Credential, StoreError, Work, keys};

/// How many API tokens one transaction takes away; each is two items.
const TOKENS_AT_ONCE: usize = 40;

impl Accounts {
    /// Takes an account away, as the last step of leaving: API tokens and security events first, then, in one transaction, credential,
    /// profile, sessions and what else is under way. Until then the person can log in and do it again. For `sessions` see
    /// [`Accounts::change_password`].
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the credential is not as read any more, or somebody logged in since.
    pub async fn delete_account(
        &self,
        work: &Work,
        credential: &Credential,
        sessions: &[SessionId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let (step, user) = ("take the account away", credential.user);
        self.delete_api_tokens(user).await?;
        self.delete_items(user, keys::EVENTS_PREFIX).await?;
        let gone = Write::delete(&self.table, keys::credential(&credential.email));
        let mut writes = vec![
            where_as_read(gone, credential, &[AsRead::Revision, AsRead::Password], &[]),
            Write::delete(&work.table, keys::profile(user)),
            Write::delete(&self.table, keys::email_change(user)),
        ];
        writes.extend(self.ending(work, user, sessions, now).await?);
        transact(step, writes).await?.or_conflict(step)?;
        // None is made from here on; what was made in between goes now, and so do sessions that were over long ago.
        self.delete_api_tokens(user).await?;
        self.delete_items(user, keys::EVENTS_PREFIX).await?;
        self.delete_items(user, keys::SESSIONS_PREFIX).await
    }

    async fn delete_api_tokens(&self, user: UserId) -> Result<(), StoreError> {
        let step = "take the API tokens away";
        for some in self.api_tokens(user).await?.chunks(TOKENS_AT_ONCE) {
            transact(step, some.iter().flat_map(|it| self.removing_api_token(it)).collect()).await?.or_conflict(step)?;
        }
        Ok(())
    }

    async fn delete_items(&self, user: UserId, prefix: &str) -> Result<(), StoreError> {
        let step = "take what was kept of the account away";
        let query = Query::new(&self.table, "pk", keys::person_partition(user)).and("begins_with(#sk, :prefix)");
        let items = query.value(":prefix", text(prefix)).consistent().all(step).await?;
        self.table.delete_many(step, &items).await
    }
}
