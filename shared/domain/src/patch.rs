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
    #[serde(default, deserialize_with = "full_date")]
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
    #[serde(deserialize_with = "set_full_date")]
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

/// A date as RFC 3339, section 5.6, writes it, so that dates sort as their texts do: no `20261201`, no year before 1 or after 9999.
fn full_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Date>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let is_plain = |it: &Date| it.year() >= 1 && it.to_string() == text && text.len() == "2026-12-01".len();
    let date = text.parse().ok().filter(is_plain);
    date.map(Some).ok_or_else(|| serde::de::Error::custom("is not a date such as 2026-12-01, from 0001-01-01 to 9999-12-31"))
}

fn set_full_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<Date>>, D::Error> {
    full_date(deserializer).map(Some)
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
    fn a_date_is_written_one_way_only() {
        let check = |text: &str, accepted: bool| {
            let patch = serde_json::from_value::<TaskPatch>(serde_json::json!({"due_on": text}));
            assert_eq!(patch.is_ok(), accepted, "{text}");
            let new = serde_json::from_value::<NewTask>(serde_json::json!({"title": "a", "due_on": text}));
            assert_eq!(new.is_ok(), accepted, "{text}");
        };
        check("2026-12-01", true);
        check("9999-12-31", true);
        check("0001-01-01", true);
        for text in ["0000-12-31", "-000001-01-01", "-009999-01-01", "10000-01-01", "+010000-01-01"] {
            check(text, false);
        }
        for text in ["20261201", "+002026-12-01", "2026-12-01[UTC]", "2026-12-01T00:00", "2026-02-30", " 2026-12-01", ""] {
            check(text, false);
        }
        let cleared: Result<TaskPatch, _> = serde_json::from_str(r#"{"due_on": null}"#);
        assert_eq!(cleared.ok(), Some(TaskPatch { due_on: Some(None), ..TaskPatch::default() }));
    }

    #[test]
    fn null_is_refused_where_there_is_nothing_to_clear_to() {
        for body in [r#"{"title": null}"#, r#"{"status": null}"#, r#"{"colour": "red"}"#, r#"{"status": "Done"}"#] {
            assert!(serde_json::from_str::<TaskPatch>(body).is_err(), "{body}");
        }
    }
}
