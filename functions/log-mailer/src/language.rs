use std::collections::BTreeMap;

use domain::{
    Device, EmailAddress, FieldChange, Letter, Locale, Name, NetChange, NoticeKind, ProjectName, Reason, TimeZoneName, UserId,
};
use jiff::Timestamp;

use crate::english::English;
use crate::korean::Korean;

/// Those a mail speaks of, as its reader sees them.
#[derive(Clone, Debug)]
pub struct People {
    pub reader: UserId,
    /// Who is not here any more has no name.
    pub names: BTreeMap<UserId, Name>,
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
    /// What a digest is called, in its subject and its first line, without a full stop.
    fn digest(&self, tasks: usize, projects: usize) -> String;
    /// What the link is called that ends mails of one kind.
    fn stop_kind(&self, kind: NoticeKind) -> &'static str;
    /// What the link is called that ends mails about one project.
    fn stop_project(&self, project: &ProjectName) -> String;
    /// What the link is called that ends all mails about tasks.
    fn stop_everything(&self) -> &'static str;
    /// A letter's words, with times as in `zone`.
    fn letter(&self, letter: &Letter, zone: &TimeZoneName) -> LetterWords;
    /// From where something was done, in words of closed sets only: a client calls itself whatever it likes.
    fn device(&self, device: &Device) -> String;
    /// In quotation marks, as what people typed is where it begins a line: it must not pass for a line of ours.
    fn quoted(&self, text: &str) -> String;
    /// The task and its project, as the line above the link names them.
    fn place(&self, title: &str, project: &ProjectName) -> String {
        format!("{} · {project}", self.quoted(title))
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

/// Whether a line that begins with this name could pass for one of ours: what a link is called, a colon, the link.
pub(crate) fn is_lead(name: &str) -> bool {
    name.contains([':', '：'])
}

/// A name, if a mail may quote it to somebody who may not know its owner. Mail programs make links of what looks like one, so
/// whoever can choose a name could have Baton mail a link of theirs: addresses, domains, anything with a scheme and telephone
/// numbers are not quoted.
pub(crate) fn quotable(name: &str) -> Option<&str> {
    // What takes no room hides nothing from whoever makes the link.
    let seen: Vec<char> = name.chars().filter(|it| !is_invisible(*it)).collect();
    let is_lure = |(at, it): (usize, &char)| {
        let after = &seen[at + 1..];
        match it {
            '@' | '＠' | '\\' => true,
            ':' | '：' => after.first().is_some_and(|it| !it.is_whitespace()),
            // Before the last label of a domain, which has two letters or more.
            it if is_full_stop(*it) => after.len() > 1 && after[..2].iter().all(|it| it.is_alphabetic() || *it == '-'),
            _ => false,
        }
    };
    let is_lure = seen.iter().enumerate().any(is_lure) || is_network_address(&seen) || is_dialled(&seen);
    (!is_lure).then_some(name)
}

/// An address somebody else chose, if a mail may quote it: with all that may stand before its `@` it could read as a link to a page.
pub(crate) fn quotable_address(address: &EmailAddress) -> Option<&str> {
    let local = address.as_str().rsplit_once('@').map_or("", |(local, _)| local);
    let is_plain = local.chars().all(|it| it.is_ascii_alphanumeric() || "._+-".contains(it));
    (is_plain && !local.starts_with("www.")).then_some(address.as_str())
}

/// The four that separate the labels of a domain (UTS 46, section 4).
fn is_full_stop(character: char) -> bool {
    matches!(character, '.' | '。' | '．' | '｡')
}

/// Whether there is an IPv4 address in it.
fn is_network_address(text: &[char]) -> bool {
    let parts = text.windows(3).filter(|it| it[0].is_numeric() && is_full_stop(it[1]) && it[2].is_numeric());
    parts.count() >= 3
}

/// Whether there are as many digits in a row as the shortest telephone numbers have that mail programs offer to call.
fn is_dialled(text: &[char]) -> bool {
    const SHORTEST: usize = 7;
    let separates = |it: &char| it.is_whitespace() || matches!(it, '-' | '\u{2010}'..='\u{2015}' | '.' | '(' | ')' | '+');
    let mut digits = 0;
    text.iter().any(|it| {
        digits = match it {
            it if it.is_numeric() => digits + 1,
            it if separates(it) => digits,
            _ => 0,
        };
        digits >= SHORTEST
    })
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
            ("a＠b", false),
            ("\\\\evil\\share", false),
            ("Release 1.2.3", true),
            ("192.0.2.7/win", false),
            ("192。0。2。7", false),
            ("School year 2025/2026", true),
            ("Flat 12, floor 3, 80331 Munich", true),
            ("Locked? Call +1 (800) 555-0100", false),
            ("1588–0000", false),
            ("０２ 555 0100", false),
        ] {
            assert_eq!(quotable(name).is_some(), expected, "{name}");
        }
    }

    #[test]
    fn an_address_that_could_become_a_link_to_a_page_is_not_quoted() {
        for (address, expected) in [
            ("ada.king+baton@new.example", true),
            ("www.evil.example@new.example", false),
            ("evil.example/log-in@new.example", false),
            ("evil.example?baton=1@new.example", false),
            ("evil.example#baton@new.example", false),
        ] {
            let address: EmailAddress = address.parse().expect("an address");
            assert_eq!(quotable_address(&address).is_some(), expected, "{address}");
        }
    }
}
