/// Reads and writes a closed set of words as JSON strings only: what serde derives for an enum without fields also takes
/// `{"done": null}` for `"done"`. The enum derives both with `#[serde(remote = "Self")]`, which makes functions of its own of them,
/// so that the words and the text of a refusal stay serde's.
macro_rules! words_only {
    ($name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                Self::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(deserializer)?;
                Self::deserialize(serde::de::IntoDeserializer::into_deserializer(word))
            }
        }
    };
}

pub(crate) use words_only;

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use serde_json::{from_str, to_string};

    use crate::{Choice, Locale, Priority, Role, Status, Subscription, TokenAccess};

    fn check<T: DeserializeOwned + Serialize>(words: &[&str], allowed: &str) {
        let refused = |json: &str| from_str::<T>(json).map(|_| ()).map_err(|it| it.to_string()).expect_err(json);
        for word in words {
            let json = format!("\"{word}\"");
            assert_eq!(to_string(&from_str::<T>(&json).expect("a word of the set")).ok(), Some(json));
            assert!(refused(&format!(r#"{{"{word}": null}}"#)).starts_with("invalid type: map, expected a string"));
        }
        assert!(
            refused(r#""blue""#).starts_with(&format!("unknown variant `blue`, expected {allowed}")),
            "{}",
            refused(r#""blue""#)
        );
        for json in ["null", "1", "[]", "{}", r#"["done"]"#] {
            assert!(refused(json).starts_with("invalid type"), "{json}: {}", refused(json));
        }
    }

    #[test]
    fn a_word_of_a_closed_set_is_a_string_and_nothing_else() {
        check::<Status>(&["waiting", "in_progress", "done"], "one of `waiting`, `in_progress`, `done`");
        check::<Priority>(&["none", "low", "medium", "high", "urgent"], "one of `none`, `low`, `medium`, `high`, `urgent`");
        check::<Role>(&["viewer", "editor", "owner"], "one of `viewer`, `editor`, `owner`");
        check::<Locale>(&["en", "ko"], "`en` or `ko`");
        check::<Choice>(&["now", "digest", "none"], "one of `now`, `digest`, `none`");
        check::<Subscription>(&["watch", "mute"], "`watch` or `mute`");
        check::<TokenAccess>(&["read", "write"], "`read` or `write`");
    }
}
