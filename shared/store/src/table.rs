use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{DeleteRequest, KeysAndAttributes, PutRequest, ReturnConsumedCapacity, WriteRequest};

use crate::StoreError;
use crate::item::{Attributes, Item, text};
use crate::keys::Key;

pub(crate) mod query;
pub(crate) mod scan;
pub(crate) mod write;

/// What DynamoDB takes in one BatchGetItem.
const MOST_KEYS_PER_BATCH: usize = 100;
/// What DynamoDB takes in one BatchWriteItem.
const MOST_ITEMS_PER_BATCH: usize = 25;
/// How often what was throttled or lost against another transaction is tried in all.
const MOST_TRIES: u32 = 6;

pub(crate) const TOTAL: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

/// One table behind one client.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    client: Client,
    name: Arc<str>,
}

impl Table {
    pub(crate) fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into().into() }
    }

    pub(crate) async fn get(&self, step: &'static str, key: Key) -> Result<Option<Item>, StoreError> {
        let request = self.client.get_item().table_name(&*self.name).set_key(Some(key.into()));
        let answer = request.consistent_read(true).return_consumed_capacity(TOTAL).send().await;
        Ok(answer.map_err(|error| StoreError::from_sdk(step, error))?.item.map(Item::from))
    }

    /// Reads several items consistently, in no order; those that do not exist are left out.
    pub(crate) async fn get_many(&self, step: &'static str, keys: Vec<Key>) -> Result<Vec<Item>, StoreError> {
        let mut keys: Vec<Attributes> = keys.into_iter().map(Attributes::from).collect();
        let mut items = Vec::with_capacity(keys.len());
        let mut tries = 0;
        while !keys.is_empty() {
            let batch = keys.split_off(keys.len().saturating_sub(MOST_KEYS_PER_BATCH));
            let asked = batch.len();
            let wanted = KeysAndAttributes::builder().set_keys(Some(batch)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| StoreError::Refused { step, source: error.into() })?;
            let request = self.client.batch_get_item().request_items(&*self.name, wanted).return_consumed_capacity(TOTAL);
            let answer = request.send().await.map_err(|error| StoreError::from_sdk(step, error))?;
            items.extend(answer.responses.into_iter().flatten().flat_map(|(_, found)| found).map(Item::from));
            let left: Vec<Attributes> =
                answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, unprocessed)| unprocessed.keys).collect();
            if !left.is_empty() {
                tries = if left.len() < asked { 1 } else { tries + 1 };
                back_off(step, tries).await?;
                keys.extend(left);
            }
        }
        Ok(items)
    }

    /// Writes several items without a condition, each for itself.
    pub(crate) async fn put_many(&self, step: &'static str, items: Vec<Item>) -> Result<(), StoreError> {
        let put = |item: Item| PutRequest::builder().set_item(Some(item.into())).build();
        let puts = items.into_iter().map(|item| Ok(WriteRequest::builder().put_request(put(item)?).build()));
        self.write_many(step, puts.collect()).await
    }

    /// Deletes several items, found by their primary keys `pk` and `sk`, each for itself.
    pub(crate) async fn delete_many(&self, step: &'static str, items: &[Item]) -> Result<(), StoreError> {
        let mut deletes = Vec::with_capacity(items.len());
        for item in items {
            let key = ["pk", "sk"].map(|name| item.text(name).map(|value| (name.to_owned(), text(value))));
            let key = key.into_iter().collect::<Result<Attributes, StoreError>>()?;
            deletes.push(delete(key));
        }
        self.write_many(step, deletes.into_iter().collect()).await
    }

    /// Deletes several items without a condition, each for itself; those that are not there are no matter.
    pub(crate) async fn delete_keys(&self, step: &'static str, keys: Vec<Key>) -> Result<(), StoreError> {
        self.write_many(step, keys.into_iter().map(|it| delete(it.into())).collect()).await
    }

    async fn write_many(&self, step: &'static str, writes: Result<Vec<WriteRequest>, BuildError>) -> Result<(), StoreError> {
        let mut writes = writes.map_err(|error| StoreError::Refused { step, source: error.into() })?;
        let mut tries = 0;
        while !writes.is_empty() {
            let batch = writes.split_off(writes.len().saturating_sub(MOST_ITEMS_PER_BATCH));
            let asked = batch.len();
            let request = self.client.batch_write_item().request_items(&*self.name, batch).return_consumed_capacity(TOTAL);
            let answer = request.send().await.map_err(|error| StoreError::from_sdk(step, error))?;
            let left: Vec<WriteRequest> = answer.unprocessed_items.into_iter().flatten().flat_map(|(_, it)| it).collect();
            if !left.is_empty() {
                tries = if left.len() < asked { 1 } else { tries + 1 };
                back_off(step, tries).await?;
                writes.extend(left);
            }
        }
        Ok(())
    }
}

fn delete(key: Attributes) -> Result<WriteRequest, BuildError> {
    let delete = DeleteRequest::builder().set_key(Some(key)).build()?;
    Ok(WriteRequest::builder().delete_request(delete).build())
}

/// Waits before the next try: doubling from 20 ms, with jitter, so that those who collided do not meet again.
///
/// # Errors
/// [`StoreError::Unavailable`], when there were tries enough.
pub(crate) async fn back_off(step: &'static str, tries: u32) -> Result<(), StoreError> {
    if tries >= MOST_TRIES {
        return Err(StoreError::Unavailable { step, source: "still throttled or contended after all tries".into() });
    }
    let longest = 20 << tries;
    // A hasher is seeded randomly: all the randomness a pause needs.
    let random = RandomState::new().build_hasher().finish();
    tokio::time::sleep(Duration::from_millis(longest / 2 + random % (longest / 2))).await;
    Ok(())
}
