use std::collections::BTreeMap;
use std::fmt;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::item::{Item, json, number, text};
use crate::table::write::{Write, transact};
use crate::{Accounts, StoreError, keys};

/// A key that signs access tokens for one period of 30 days.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// Days since the epoch, divided by 30.
    pub period: u64,
    pub kid: String,
    /// PKCS #8. Read by `login` only; removed some time after the public key has expired.
    pub private_key: Vec<u8>,
    pub public_key: PublicKey,
    pub created_at: Timestamp,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SigningKey").field("period", &self.period).field("kid", &self.kid).finish_non_exhaustive()
    }
}

/// The public half of a signing key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicKey {
    /// The Ed25519 public key, base64url without padding (RFC 8037, section 2).
    pub x: String,
    /// When the last token signed with it has expired.
    pub expires_at: Timestamp,
}

impl Accounts {
    /// The published public keys by their `kid`, expired ones among them. Reads the partition `KEYS` only.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn public_keys(&self) -> Result<BTreeMap<String, PublicKey>, StoreError> {
        let item = self.table.get("read the public keys", keys::public_keys()).await?;
        item.map_or_else(|| Ok(BTreeMap::new()), |it| public_keys(&it))
    }

    /// The key of a period, where somebody made it already.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn signing_key(&self, period: u64) -> Result<Option<SigningKey>, StoreError> {
        let item = self.table.get("read the signing key", keys::signing_key(period)).await?;
        item.map(|it| signing_key(&it)).transpose()
    }

    /// Stores the key of a period and publishes its public half, all or nothing; public keys expired at its creation are dropped.
    ///
    /// # Errors
    /// [`StoreError::Conflict`], where the period has its key: read that one.
    pub async fn create_signing_key(&self, key: &SigningKey) -> Result<(), StoreError> {
        let step = "store the signing key";
        let expired = self.public_keys().await?.into_iter().filter(|(_, published)| published.expires_at <= key.created_at);
        let expired: Vec<String> = expired.map(|(kid, _)| keys::public_key_attribute(&kid)).collect();
        let places: Vec<String> = (0..expired.len()).map(|place| format!("#expired{place}")).collect();
        let remove = if places.is_empty() { String::new() } else { format!(" REMOVE {}", places.join(", ")) };
        let mut publish = Write::update(&self.table, keys::public_keys(), &format!("SET #public_key = :public_key{remove}"))
            .name("#public_key", keys::public_key_attribute(&key.kid))
            .value(":public_key", json(&key.public_key)?);
        for (place, attribute) in places.iter().zip(expired) {
            publish = publish.name(place, attribute);
        }
        let private = Write::create(&self.table, signing_key_item(key)?);
        transact(step, vec![private, publish]).await?.or_conflict(step)
    }
}

fn public_keys(item: &Item) -> Result<BTreeMap<String, PublicKey>, StoreError> {
    let kids = item.names().filter_map(|name| Some((name, keys::kid_of_attribute(name)?)));
    kids.map(|(name, kid)| Ok((kid.to_owned(), item.json(name)?))).collect()
}

fn signing_key_item(key: &SigningKey) -> Result<Item, StoreError> {
    let SigningKey { period, kid, private_key, public_key, created_at } = key;
    Ok(Item::new(keys::signing_key(*period))
        .with("period", number(*period))
        .with("kid", text(kid))
        .with("private_key", AttributeValue::B(Blob::new(private_key.clone())))
        .with("public_key", json(public_key)?)
        .with("created_at", text(keys::timestamp(*created_at)))
        // In whole seconds, so the one after: never before the public key.
        .with("expires_at", number(public_key.expires_at.as_second().saturating_add(1))))
}

fn signing_key(item: &Item) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        period: item.number("period")?,
        kid: item.text("kid")?.to_owned(),
        private_key: item.octets("private_key")?.to_vec(),
        public_key: item.json("public_key")?,
        created_at: item.word("created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::tests::at;

    #[test]
    fn keys_survive_storage_and_the_private_one_is_not_told_by_debug() {
        let public_key = PublicKey { x: "x".to_owned(), expires_at: at("2027-01-01T00:00:00Z") };
        let created_at = at("2026-11-20T11:00:00Z");
        let before = SigningKey {
            period: 692,
            kid: "k1".to_owned(),
            private_key: vec![222; 3],
            public_key: public_key.clone(),
            created_at,
        };
        let item = signing_key_item(&before).expect("an item");
        assert!(signing_key(&item).is_ok_and(|it| it == before));
        assert!(!format!("{before:?}").contains("222"));
        let removed_at = item.number::<i64>("expires_at").expect("the private key is removed some day");
        assert!(removed_at >= public_key.expires_at.as_second(), "and not before the public one");

        let published = Item::new(keys::public_keys()).with("KEY#k1", json(&public_key).expect("JSON"));
        assert_eq!(public_keys(&published).ok(), Some(BTreeMap::from([("k1".to_owned(), public_key)])));
    }
}
