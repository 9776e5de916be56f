use std::collections::BTreeMap;

use domain::{Device, FieldChange, Letter, Locale, Name, NetChange, ProjectName, Reason, TimeZoneName, UserId};
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
    /// A letter's words, with times as in `zone`.
    fn letter(&self, letter: &Letter, zone: &TimeZoneName) -> LetterWords;
    /// From where something was done, in words of closed sets only: a client calls itself whatever it likes.
    fn device(&self, device: &Device) -> String;
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

/// A name, if a mail may quote it to somebody who may not know its owner. Mail programs make links of what looks like one, so
/// whoever can choose a name could have Baton mail a link of theirs: addresses, domains and anything with a scheme are not quoted.
pub(crate) fn quotable(name: &str) -> Option<&str> {
    // What takes no room hides nothing from whoever makes the link.
    let seen: Vec<char> = name.chars().filter(|it| !is_invisible(*it)).collect();
    let is_lure = |(at, it): (usize, &char)| {
        let after = &seen[at + 1..];
        match it {
            '@' | '\\' => true,
            ':' | '：' => after.first().is_some_and(|it| !it.is_whitespace()),
            // The four full stops that separate the labels of a domain (UTS 46, section 4), before a last one of two letters or more.
            '.' | '。' | '．' | '｡' => after.len() > 1 && after[..2].iter().all(|it| it.is_alphabetic() || *it == '-'),
            _ => false,
        }
    };
    (!seen.iter().enumerate().any(is_lure)).then_some(name)
}

fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}')
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}')
        || matches!(character, '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_become_a_link_is_not_quoted() {
        for (name, expected) in [
            ("Ada King", true),
            ("J. R. Hart", true),
            ("J.R. Hart", true),
            ("그레이스", true),
            ("Plan: week 2", true),
            ("UI/UX 2.0", true),
            ("Done. Really.", true),
            ("evil.example", false),
            ("see evil.xn--p1ai now", false),
            ("evil\u{200B}.\u{202E}ex\u{2060}ample", false),
            ("악.한국", false),
            ("例。中国", false),
            ("http://x", false),
            ("tel:123", false),
            ("a@b", false),
            ("\\\\evil\\share", false),
        ] {
            assert_eq!(quotable(name).is_some(), expected, "{name}");
        }
    }
}
