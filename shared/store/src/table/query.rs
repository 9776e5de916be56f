use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{TOTAL, Table};
use crate::item::{Attributes, Item};
use crate::keys::List;
use crate::table::write::names_in;
use crate::{Page, Position, StoreError};

/// One Query, in ascending order and eventually consistent unless told otherwise.
#[derive(Clone, Debug)]
pub(crate) struct Query<'t> {
    table: &'t Table,
    index: Option<&'static str>,
    condition: String,
    values: HashMap<String, AttributeValue>,
    backward: bool,
    consistent: bool,
    start: Option<Attributes>,
}

impl<'t> Query<'t> {
    pub(crate) fn new(table: &'t Table, partition_attribute: &str, partition: String) -> Self {
        let values = HashMap::from([(":partition".to_owned(), AttributeValue::S(partition))]);
        let condition = format!("#{partition_attribute} = :partition");
        Self { table, index: None, condition, values, backward: false, consistent: false, start: None }
    }

    pub(crate) fn list(table: &'t Table, list: &List, after: Option<&Position>) -> Result<Self, StoreError> {
        let mut query = Self::new(table, list.partition_attribute(), list.partition());
        query.index = list.index();
        query.consistent = query.index.is_none();
        if let Some(prefix) = list.prefix() {
            query = query
                .and(&format!("begins_with(#{}, :prefix)", list.sort_attribute()))
                .value(":prefix", AttributeValue::S(prefix));
        }
        query.start = after.map(|position| list.start(position)).transpose()?;
        Ok(query)
    }

    pub(crate) fn and(mut self, condition: &str) -> Self {
        self.condition = format!("{} AND {condition}", self.condition);
        self
    }

    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn index(mut self, index: &'static str) -> Self {
        self.index = Some(index);
        self
    }

    pub(crate) fn consistent(mut self) -> Self {
        self.consistent = true;
        self
    }

    pub(crate) fn backward(mut self) -> Self {
        self.backward = true;
        self
    }

    pub(crate) fn start_after(mut self, place: Option<Attributes>) -> Self {
        self.start = place;
        self
    }

    /// Everything there is.
    pub(crate) async fn all(self, step: &'static str) -> Result<Vec<Item>, StoreError> {
        self.take(step, usize::MAX).await
    }

    /// At least `limit` items, if there are as many.
    pub(crate) async fn take(mut self, step: &'static str, limit: usize) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        while items.len() < limit {
            let (found, next) = self.once(step, limit - items.len()).await?;
            items.extend(found);
            self.start = next;
            if self.start.is_none() {
                break;
            }
        }
        Ok(items)
    }

    /// One page of a list. One more than asked for is read, so that the last page knows it is the last.
    pub(crate) async fn page(self, step: &'static str, list: &List, limit: usize) -> Result<Page<Item>, StoreError> {
        let mut items = self.take(step, limit.saturating_add(1)).await?;
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| list.position(last)).transpose()?;
        Ok(Page { items, next })
    }

    /// One call, answering what it found and where the next one has to start.
    async fn once(&self, step: &'static str, limit: usize) -> Result<(Vec<Item>, Option<Attributes>), StoreError> {
        let request = self
            .table
            .client
            .query()
            .table_name(&*self.table.name)
            .set_index_name(self.index.map(str::to_owned))
            .key_condition_expression(&self.condition)
            .set_expression_attribute_names(Some(names_in(&self.condition)))
            .set_expression_attribute_values(Some(self.values.clone()))
            .scan_index_forward(!self.backward)
            .consistent_read(self.consistent)
            .set_limit(i32::try_from(limit).ok())
            .set_exclusive_start_key(self.start.clone())
            .return_consumed_capacity(TOTAL);
        let answer = request.send().await.map_err(|error| StoreError::from_sdk(step, error))?;
        let items = answer.items.into_iter().flatten().map(Item::from).collect();
        Ok((items, answer.last_evaluated_key.filter(|it| !it.is_empty())))
    }
}

impl<T> Page<T> {
    pub(crate) fn try_map<U>(self, convert: impl FnMut(T) -> Result<U, StoreError>) -> Result<Page<U>, StoreError> {
        let Self { items, next } = self;
        Ok(Page { items: items.into_iter().map(convert).collect::<Result<_, _>>()?, next })
    }
}
