use std::collections::BTreeMap;

/// The settings a process was started with. Reads all that are needed first and complains once.
#[derive(Debug)]
pub struct Environment {
    settings: BTreeMap<String, String>,
    missing: Vec<String>,
}

/// Settings that are missing or unreadable, all of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing settings: {}", .0.join(", "))]
pub struct MissingSettings(pub Vec<String>);

impl Default for Environment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment {
    /// The environment variables of this process.
    #[must_use]
    pub fn new() -> Self {
        let settings =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self::from_settings(settings)
    }

    /// Settings given by whoever builds a function in its own process.
    #[must_use]
    pub fn from_settings(settings: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { settings: settings.into_iter().collect(), missing: Vec::new() }
    }

    /// A setting without which [`Environment::finish`] fails; an empty one counts as missing.
    pub fn required(&mut self, name: &str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.missing.push(name.to_owned());
            String::new()
        })
    }

    /// A required setting that is a whole number.
    pub fn required_number(&mut self, name: &str) -> u32 {
        let Some(text) = self.optional(name) else {
            self.missing.push(name.to_owned());
            return 0;
        };
        text.parse().unwrap_or_else(|_| {
            self.missing.push(format!("{name} (not a whole number)"));
            0
        })
    }

    /// A setting that may be absent or empty.
    #[must_use]
    pub fn optional(&self, name: &str) -> Option<String> {
        self.settings.get(name).filter(|it| !it.is_empty()).cloned()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Names every required setting that was not there.
    pub fn finish(self) -> Result<(), MissingSettings> {
        if self.missing.is_empty() { Ok(()) } else { Err(MissingSettings(self.missing)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_missing_setting_is_named_at_once() {
        let given = [("A", "a"), ("EMPTY", ""), ("RATE", "many")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let mut environment = Environment::from_settings(given);
        assert_eq!(environment.required("A"), "a");
        environment.required("B");
        environment.required("EMPTY");
        environment.required_number("RATE");
        let refused = environment.finish().map_err(|it| it.to_string());
        assert_eq!(refused, Err("missing settings: B, EMPTY, RATE (not a whole number)".to_owned()));
    }
}
