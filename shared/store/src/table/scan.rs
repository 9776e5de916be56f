use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use super::{TOTAL, Table};
use crate::StoreError;
use crate::item::{Attributes, Item};
use crate::table::write::names_in;

/// Everything in a table, page by page and consistently, for what an operator does by hand and for the start of a stack of one
/// process: never in a request.
#[derive(Debug)]
pub(crate) struct Scan<'t> {
    table: &'t Table,
    filter: Option<String>,
    projection: Option<String>,
    values: HashMap<String, AttributeValue>,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Start,
    After(Attributes),
    End,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(table: &'t Table) -> Self {
        Self { table, filter: None, projection: None, values: HashMap::new(), place: Place::Start }
    }

    /// Only the items for which this holds.
    pub(crate) fn only(mut self, filter: &str) -> Self {
        self.filter = Some(filter.to_owned());
        self
    }

    /// Only these attributes of them.
    pub(crate) fn attributes(mut self, projection: &str) -> Self {
        self.projection = Some(projection.to_owned());
        self
    }

    pub(crate) fn value(mut self, name: &str, value: AttributeValue) -> Self {
        self.values.insert(name.to_owned(), value);
        self
    }

    /// What one call finds, perhaps nothing; nothing at all after the last.
    pub(crate) async fn next_page(&mut self, step: &'static str) -> Result<Option<Vec<Item>>, StoreError> {
        let start = match &self.place {
            Place::Start => None,
            Place::After(start) => Some(start.clone()),
            Place::End => return Ok(None),
        };
        let Self { table, filter, projection, values, .. } = &*self;
        let names: HashMap<String, String> = filter.iter().chain(projection).flat_map(|it| names_in(it)).collect();
        let request = table.client.scan().table_name(&*table.name).consistent_read(true).return_consumed_capacity(TOTAL);
        let request = request.set_filter_expression(filter.clone()).set_projection_expression(projection.clone());
        let request = request.set_expression_attribute_names(Some(names).filter(|it| !it.is_empty()));
        let request = request.set_expression_attribute_values(Some(values.clone()).filter(|it| !it.is_empty()));
        let answer = request.set_exclusive_start_key(start).send().await.map_err(|error| StoreError::from_sdk(step, error))?;
        self.place = answer.last_evaluated_key.filter(|it| !it.is_empty()).map_or(Place::End, Place::After);
        Ok(Some(answer.items.into_iter().flatten().map(Item::from).collect()))
    }
}
