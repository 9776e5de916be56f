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

    /// Sends nothing to an address from now on. Answers whether this is what suppressed it: also on a repeat with the same reason and
    /// time, so that what has to follow can be done until it is done.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn suppress(&self, email: &EmailAddress, reason: &str, at: Timestamp) -> Result<bool, StoreError> {
        let step = "suppress the address";
        let item = Item::new(keys::suppressed(&email.into())).with("reason", text(reason)).with("at", text(keys::timestamp(at)));
        match Write::create(&self.table, item.clone()).run(step).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => {
                Ok(self.table.get(step, keys::suppressed(&email.into())).await?.is_some_and(|it| it == item))
            }
            Err(error) => Err(error),
        }
    }
}
