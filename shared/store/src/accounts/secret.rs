use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::item::Item;
use crate::table::write::Write;
use crate::{Accounts, StoreError, keys};

impl Accounts {
    /// The secret other keys are derived from, where somebody made it already.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn secret(&self) -> Result<Option<[u8; 32]>, StoreError> {
        let item = self.table.get("read the secret", keys::secret()).await?;
        item.map(|it| secret(&it)).transpose()
    }

    /// Stores the secret where there is none, and answers the one there is: of several who make one at once, all get the same.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn create_secret(&self, new: &[u8; 32]) -> Result<[u8; 32], StoreError> {
        match Write::create(&self.table, secret_item(new)).run("store the secret").await {
            Ok(()) => Ok(*new),
            Err(conflict @ StoreError::Conflict { .. }) => self.secret().await?.ok_or(conflict),
            Err(error) => Err(error),
        }
    }
}

fn secret_item(secret: &[u8; 32]) -> Item {
    Item::new(keys::secret()).with("secret", AttributeValue::B(Blob::new(secret.to_vec())))
}

fn secret(item: &Item) -> Result<[u8; 32], StoreError> {
    let corrupt = |_| StoreError::Corrupt { what: "the secret is not 32 octets".to_owned() };
    item.octets("secret")?.try_into().map_err(corrupt)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_survives_storage() {
        assert_eq!(secret(&secret_item(&[7; 32])).ok(), Some([7; 32]));
    }
}
