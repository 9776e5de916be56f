use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What a client calls itself, shortened and without control characters. It is anybody's text: shown to the owner of the account as
/// text, and never quoted in a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String")]
pub struct UserAgent(String);

impl UserAgent {
    /// How much of it is kept, in Unicode scalar values.
    pub const LONGEST: usize = 256;

    /// What is kept of the header's text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.chars().filter(|it| !it.is_control()).take(Self::LONGEST).collect())
    }

    /// The text; empty where the client said nothing.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for UserAgent {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

/// From where somebody acts, as far as it can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Device {
    pub user_agent: UserAgent,
    pub network_address: Option<IpAddr>,
}

/// The first word found decides: those who build on another's engine name that one too.
const BROWSERS: [(&str, &str); 10] = [
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

impl Device {
    /// The browser's name, one of a closed set, so that it can stand in a mail.
    #[must_use]
    pub fn browser(&self) -> Option<&'static str> {
        self.first_of(&BROWSERS)
    }

    /// The operating system's name, one of a closed set, so that it can stand in a mail.
    #[must_use]
    pub fn system(&self) -> Option<&'static str> {
        self.first_of(&SYSTEMS)
    }

    fn first_of(&self, words: &[(&str, &'static str)]) -> Option<&'static str> {
        words.iter().find(|(word, _)| self.user_agent.as_str().contains(word)).map(|(_, name)| *name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, browser: Option<&str>, system: Option<&str>) {
        let device = Device { user_agent: UserAgent::new(text), network_address: None };
        assert_eq!((device.browser(), device.system()), (browser, system), "{text}");
    }

    #[test]
    fn a_device_is_named_by_words_of_a_closed_set() {
        let engine =
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";
        check(engine, Some("Chrome"), Some("Windows"));
        check(&format!("{engine} Edg/142.0.0.0"), Some("Edge"), Some("Windows"));
        check("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", Some("Firefox"), Some("Linux"));
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
            Some("Safari"),
            Some("iOS"),
        );
        check(
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0.0.0 Mobile Safari/537.36",
            Some("Chrome"),
            Some("Android"),
        );
        check("curl/8.11.0", None, None);
        check("", None, None);
        check("Click http://evil.example now", None, None);
    }

    #[test]
    fn a_user_agent_is_short_and_one_line() {
        assert_eq!(UserAgent::new("a\r\nSubject: b\0\u{7f}").as_str(), "aSubject: b");
        assert_eq!(UserAgent::new(&"한".repeat(1_000)).as_str().chars().count(), UserAgent::LONGEST);
        let read: UserAgent = serde_json::from_str(r#""a\nb""#).expect("a text");
        assert_eq!(read.as_str(), "ab", "also what is read back is without control characters");
    }
}
