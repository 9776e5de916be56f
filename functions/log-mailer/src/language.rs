use std::collections::BTreeMap;

use domain::{FieldChange, Letter, Locale, Name, NetChange, ProjectName, Reason, TimeZoneName, UserId};
use jiff::Timestamp;

use crate::english::English;
use crate::korean::Korean;

/// Those a mail speaks of, as its reader sees them.
#[derive(Clone, Debug)]
pub(crate) struct People {
    pub(crate) reader: UserId,
    /// Who is not here any more has no name.
    pub(crate) names: BTreeMap<UserId, Name>,
}

impl People {
    pub(crate) fn name(&self, user: UserId) -> Option<&str> {
        self.names.get(&user).map(Name::as_str)
    }
}

/// One field's way, under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    pub(crate) label: &'static str,
    pub(crate) value: String,
}

/// The words of a letter; its link is the same in every language.
#[derive(Clone, Debug)]
pub(crate) struct LetterWords {
    pub(crate) subject: String,
    pub(crate) headline: String,
    pub(crate) lines: Vec<String>,
    /// What following the link does.
    pub(crate) action: &'static str,
    pub(crate) why: &'static str,
}

/// What a mail says, in one language.
pub(crate) trait Language {
    /// As in HTML's `lang` (BCP 47).
    fn tag(&self) -> &'static str;
    /// Who did what, from what to what, in a sentence.
    fn headline(&self, net: &NetChange, people: &People) -> String;
    /// A field's name and its way.
    fn detail(&self, field: &FieldChange, people: &People) -> Detail;
    /// Why the reader is told.
    fn why(&self, reason: Reason) -> &'static str;
    /// The moment, in the reader's time zone.
    fn when(&self, at: Timestamp, zone: &TimeZoneName) -> String;
    /// The subject of a mail about several tasks of one project, without the project.
    fn several_tasks(&self, tasks: usize) -> String;
    /// The subject of a mail about tasks of several projects.
    fn several_projects(&self, tasks: usize, projects: usize) -> String;
    /// The line that counts the tasks the mail does not show.
    fn rest(&self, tasks: usize) -> String;
    /// What the link that ends these mails is called.
    fn stop(&self) -> &'static str;
    /// A letter's words.
    fn letter(&self, letter: &Letter) -> LetterWords;
    /// How a sentence names the project and the task beside each other.
    fn place(&self, title: &str, project: &ProjectName) -> String {
        format!("{title} · {project}")
    }
}

pub(crate) fn language(locale: Locale) -> &'static dyn Language {
    match locale {
        Locale::En => &English,
        Locale::Ko => &Korean,
    }
}

/// A sentence tells of this many fields; more are listed below it.
pub(crate) const FIELDS_IN_A_SENTENCE: usize = 2;

/// The name to greet with, unless somebody else may have typed a lure into it: mail programs make links of what looks like one.
pub(crate) fn greetable(name: &Name) -> Option<&str> {
    let text = name.as_str();
    let dotted = text.split('.').skip(1).any(|it| it.starts_with(char::is_alphanumeric));
    let lure = dotted || text.contains(['/', '@', ':', '\\']);
    (!lure).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_become_a_link_is_not_greeted() {
        for (name, expected) in
            [("Ada King", true), ("J. R. Hart", true), ("evil.example", false), ("see http://x", false), ("a@b", false)]
        {
            let name: Name = name.parse().expect("a name");
            assert_eq!(greetable(&name).is_some(), expected, "{name}");
        }
    }
}
