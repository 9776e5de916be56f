use jiff::civil::Date;
use serde::{Deserialize, Deserializer};

use crate::{Description, Labels, Priority, Status, Title, UserId};

/// A task as asked for. The project and the creator come from the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewTask {
    pub title: Title,
    #[serde(default)]
    pub description: Description,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub assignee: Option<UserId>,
    #[serde(default)]
    pub priority: Priority,
    #[serde(default)]
    pub due_on: Option<Date>,
    #[serde(default)]
    pub labels: Labels,
}

/// A change as asked for: an absent field keeps, `null` clears where there is something to clear to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskPatch {
    #[serde(deserialize_with = "set")]
    pub title: Option<Title>,
    #[serde(deserialize_with = "set_or_clear")]
    pub description: Option<Description>,
    #[serde(deserialize_with = "set")]
    pub status: Option<Status>,
    #[serde(deserialize_with = "set")]
    pub assignee: Option<Option<UserId>>,
    #[serde(deserialize_with = "set_or_clear")]
    pub priority: Option<Priority>,
    #[serde(deserialize_with = "set")]
    pub due_on: Option<Option<Date>>,
    #[serde(deserialize_with = "set_or_clear")]
    pub labels: Option<Labels>,
}

/// Tells a field that was given from one that was not: what is given must parse, `null` included.
///
/// # Errors
/// What the field's own type says.
pub fn set<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn set_or_clear<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<Option<T>, D::Error> {
    Option::<T>::deserialize(deserializer).map(|given| Some(given.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_field_keeps_and_null_clears() {
        let patch: TaskPatch = serde_json::from_str(r#"{"assignee": null, "description": null}"#).expect("a valid patch");
        let expected = TaskPatch { assignee: Some(None), description: Some(Description::default()), ..TaskPatch::default() };
        assert_eq!(patch, expected);
    }

    #[test]
    fn null_is_refused_where_there_is_nothing_to_clear_to() {
        for body in [r#"{"title": null}"#, r#"{"status": null}"#, r#"{"colour": "red"}"#, r#"{"status": "Done"}"#] {
            assert!(serde_json::from_str::<TaskPatch>(body).is_err(), "{body}");
        }
    }
}
