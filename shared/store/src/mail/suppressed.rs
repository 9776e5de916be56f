use domain::EmailAddress;
use jiff::Timestamp;

use crate::item::{Item, text};
use crate::table::write::Write;
use crate::{Mail, StoreError, keys};

impl Mail {
    /// Whether nothing may be sent to an address any more.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn suppressed(&self, email: &EmailAddress) -> Result<bool, StoreError> {
        Ok(self.table.get("read whether the address is suppressed", keys::suppressed(&email.into())).await?.is_some())
    }

    /// Sends nothing to an address from now on.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn suppress(&self, email: &EmailAddress, reason: &str, at: Timestamp) -> Result<(), StoreError> {
        let item = Item::new(keys::suppressed(&email.into())).with("reason", text(reason)).with("at", text(keys::timestamp(at)));
        Write::put(&self.table, item).run("suppress the address").await
    }
}
