use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text was refused; reads on after the field's name: "title" + "is longer than 200 characters".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(Cow<'static, str>);

impl Invalid {
    /// A reason, without the field's name and without a full stop.
    #[must_use]
    pub fn new(reason: impl Into<Cow<'static, str>>) -> Self {
        Self(reason.into())
    }
}

/// Characters that end a line or do what no reader sees.
fn is_line_control(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Characters that take no room and leave no mark: alone they are no name (Unicode TR 36, section 2.5).
fn is_invisible(character: char) -> bool {
    let marks = '\u{200B}'..='\u{200F}';
    let embeddings = '\u{202A}'..='\u{202E}';
    let joiners_and_isolates = '\u{2060}'..='\u{206F}';
    let invisible = marks.contains(&character) || embeddings.contains(&character) || joiners_and_isolates.contains(&character);
    let selectors = '\u{FE00}'..='\u{FE0F}';
    let fillers = ['\u{3164}', '\u{FFA0}', '\u{115F}', '\u{1160}', '\u{2800}', '\u{180E}', '\u{034F}'];
    invisible
        || selectors.contains(&character)
        || fillers.contains(&character)
        || character.is_whitespace()
        || matches!(character, '\u{FEFF}' | '\u{061C}' | '\u{00AD}')
}

fn line(text: &str, longest: usize) -> Result<String, Invalid> {
    if text.chars().any(is_line_control) {
        return Err(Invalid::new("contains a control character or a line break"));
    }
    let text = text.trim();
    if text.chars().all(is_invisible) {
        return Err(Invalid::new("is empty"));
    }
    if text.chars().count() > longest {
        return Err(Invalid::new(format!("is longer than {longest} characters")));
    }
    Ok(text.to_owned())
}

macro_rules! line_type {
    ($(#[$doc:meta])* $name:ident, $longest:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// The longest accepted, in Unicode scalar values.
            pub const LONGEST: usize = $longest;

            /// The text, trimmed, one line.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = Invalid;

            fn try_from(text: String) -> Result<Self, Invalid> {
                line(&text, $longest).map(Self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = Invalid;

            fn from_str(text: &str) -> Result<Self, Invalid> {
                line(text, $longest).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }
    };
}

line_type!(/// A task's title: one line of 1 to 200 characters.
    Title, 200);
line_type!(/// A person's name: one line of 1 to 100 characters.
    Name, 100);
line_type!(/// A project's name: one line of 1 to 100 characters.
    ProjectName, 100);
line_type!(/// What a person calls an API token: one line of 1 to 100 characters.
    TokenName, 100);
line_type!(/// A label on a task: one line of 1 to 40 characters.
    Label, 40);

/// A task's description: 0 to 10,000 characters, several lines, no control characters but line feed and tab.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Description(String);

impl Description {
    /// The longest accepted, in Unicode scalar values.
    pub const LONGEST: usize = 10_000;

    /// The text, with line feeds for line breaks.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<String> for Description {
    type Error = Invalid;

    fn try_from(text: String) -> Result<Self, Invalid> {
        let text = text.replace("\r\n", "\n");
        if text.chars().any(|it| it.is_control() && it != '\n' && it != '\t') {
            return Err(Invalid::new("contains a control character"));
        }
        if text.chars().count() > Self::LONGEST {
            return Err(Invalid::new(format!("is longer than {} characters", Self::LONGEST)));
        }
        Ok(Self(text))
    }
}

/// The labels of a task: 0 to 20, each once, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<Label>")]
pub struct Labels(Vec<Label>);

impl Labels {
    /// The most a task can carry.
    pub const MOST: usize = 20;

    /// Each label once.
    #[must_use]
    pub fn as_slice(&self) -> &[Label] {
        &self.0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl TryFrom<Vec<Label>> for Labels {
    type Error = Invalid;

    fn try_from(labels: Vec<Label>) -> Result<Self, Invalid> {
        if labels.len() > Self::MOST {
            return Err(Invalid::new(format!("has more than {} labels", Self::MOST)));
        }
        let mut once: Vec<Label> = Vec::with_capacity(labels.len());
        for label in labels {
            if !once.contains(&label) {
                once.push(label);
            }
        }
        Ok(Self(once))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<&str, &str>) {
        let parsed = Title::try_from(text.to_owned());
        let parsed = parsed.as_ref().map(Title::as_str).map_err(ToString::to_string);
        assert_eq!(parsed, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_title_is_one_trimmed_line_of_1_to_200_scalar_values() {
        check("  Fix the pump ", Ok("Fix the pump"));
        check("   ", Err("is empty"));
        check("\u{200B}\u{202E} \u{FEFF}", Err("is empty"));
        check("\u{3164}\u{FE0F} \u{2800}", Err("is empty"));
        check("a\r\nBcc: x@example.com", Err("contains a control character or a line break"));
        check("a\0b", Err("contains a control character or a line break"));
        check("a\u{2028}b", Err("contains a control character or a line break"));
        check(&"한".repeat(200), Ok(&"한".repeat(200)));
        check(&"한".repeat(201), Err("is longer than 200 characters"));
    }

    #[test]
    fn a_description_keeps_its_lines_and_refuses_nul() {
        let described = Description::try_from("a\r\n\tb".to_owned()).map(|it| it.as_str().to_owned());
        assert_eq!(described, Ok("a\n\tb".to_owned()));
        assert!(Description::try_from("\0".to_owned()).is_err());
        assert!(Description::try_from("x".repeat(10_001)).is_err());
    }

    #[test]
    fn a_label_given_twice_is_kept_once() {
        let labels: Result<Labels, _> = serde_json::from_str(r#"["a", "b", "a"]"#);
        assert_eq!(labels.map(|it| it.as_slice().len()).ok(), Some(2));
    }
}
