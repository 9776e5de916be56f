use std::collections::HashMap;
use std::fmt::Display;
use std::str::FromStr;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::StoreError;
use crate::keys::Key;

pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A text attribute.
pub(crate) fn text(value: impl Display) -> AttributeValue {
    AttributeValue::S(value.to_string())
}

/// A number attribute.
pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A value whose JSON is a string, as a text attribute.
pub(crate) fn word(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(AttributeValue::S(word)),
        _ => Err(StoreError::Corrupt { what: format!("{} is not one word", std::any::type_name_of_val(value)) }),
    }
}

/// A value as JSON in a text attribute.
pub(crate) fn json(value: &impl Serialize) -> Result<AttributeValue, StoreError> {
    serde_json::to_string(value).map(AttributeValue::S).map_err(|error| StoreError::Corrupt { what: error.to_string() })
}

/// An item as stored: written attribute by attribute, and read back with a word on what is wrong with it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Item(Attributes);

impl Item {
    pub(crate) fn new(key: Key) -> Self {
        Self(key.into())
    }

    pub(crate) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn with_some(self, name: &str, value: Option<AttributeValue>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// As DynamoDB counts it: names and values.
    #[cfg(test)]
    pub(crate) fn octets_stored(&self) -> usize {
        let value = |it: &AttributeValue| match it {
            AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
            AttributeValue::B(octets) => octets.as_ref().len(),
            other => panic!("no item holds {other:?}"),
        };
        self.0.iter().map(|(name, it)| name.len() + value(it)).sum()
    }

    pub(crate) fn text(&self, name: &str) -> Result<&str, StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::S(text)) => Ok(text),
            _ => Err(self.corrupt(name, "is not a text")),
        }
    }

    pub(crate) fn number<T: FromStr>(&self, name: &str) -> Result<T, StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::N(number)) => number.parse().map_err(|_| self.corrupt(name, "is not a whole number in range")),
            _ => Err(self.corrupt(name, "is not a number")),
        }
    }

    pub(crate) fn octets(&self, name: &str) -> Result<&[u8], StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::B(octets)) => Ok(octets.as_ref()),
            _ => Err(self.corrupt(name, "is not binary")),
        }
    }

    /// A set of texts; a set that became empty is not stored at all.
    pub(crate) fn texts(&self, name: &str) -> Result<&[String], StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::Ss(texts)) => Ok(texts),
            None => Ok(&[]),
            _ => Err(self.corrupt(name, "is not a set of texts")),
        }
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<bool, StoreError> {
        match self.0.get(name) {
            Some(AttributeValue::Bool(value)) => Ok(*value),
            _ => Err(self.corrupt(name, "is not true or false")),
        }
    }

    pub(crate) fn some_number<T: FromStr>(&self, name: &str) -> Result<Option<T>, StoreError> {
        if self.has(name) { self.number(name).map(Some) } else { Ok(None) }
    }

    /// The reverse of [`word`], and of [`text`] for whatever parses itself from a JSON string.
    pub(crate) fn word<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        let text = self.text(name)?.to_owned();
        serde_json::from_value(serde_json::Value::String(text)).map_err(|error| self.corrupt(name, &error.to_string()))
    }

    pub(crate) fn some_word<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, StoreError> {
        if self.has(name) { self.word(name).map(Some) } else { Ok(None) }
    }

    /// The reverse of [`json`].
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, StoreError> {
        serde_json::from_str(self.text(name)?).map_err(|error| self.corrupt(name, &error.to_string()))
    }

    /// The item's key is named in full: a corrupt item has to be found. No key holds a secret; that of a credential is an address,
    /// so its sort part alone is named.
    fn corrupt(&self, name: &str, why: &str) -> StoreError {
        let part = |name: &str| match self.0.get(name) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) if !text.starts_with("CREDENTIAL#") => text.clone(),
            _ => "…".to_owned(),
        };
        let sort = if self.has("sk") { part("sk") } else { part("version") };
        StoreError::Corrupt { what: format!("{name} of {} / {sort} {why}", part("pk")) }
    }
}

impl From<Attributes> for Item {
    fn from(attributes: Attributes) -> Self {
        Self(attributes)
    }
}

impl From<Item> for Attributes {
    fn from(item: Item) -> Self {
        item.0
    }
}

#[cfg(test)]
mod tests {
    use domain::Version;

    use super::*;
    use crate::keys;

    #[test]
    fn a_corrupt_item_names_its_key_and_attribute() {
        let (project, task) = (keys::tests::PROJECT, keys::tests::TASK);
        let item = Item::new(keys::change(project, task, Version(3))).with("kind", text("exploded"));
        let error = item.word::<domain::ChangeKind>("kind").map_err(|it| it.to_string());
        let expected = format!("a stored item is corrupt: kind of TASK#{project}#{task} / 3 unknown variant `exploded`");
        assert!(error.is_err_and(|it| it.starts_with(&expected)));
        assert!(item.number::<u64>("missing").is_err());
    }

    #[test]
    fn an_address_is_not_told_by_an_error() {
        let email: domain::EmailAddress = "ada@example.com".parse().expect("an address");
        let error = Item::new(keys::credential(&email)).text("password_hash").map(str::to_owned).map_err(|it| it.to_string());
        assert!(error.is_err_and(|it| !it.contains("ada")));
    }
}
