//! Whatever people type, a mail stays one message to one recipient, of our own elements, headers and links only.
//!
//! Each case is written twice: with what somebody typed, and with plain words in its place. The two must differ in nothing but the
//! words. `cargo test` tries 20,000 cases; a million are tried by
//! `PROPTEST_CASES=1000000 cargo test --profile measure -p log-mailer --test hostile_text`.

mod letters;
mod message;
mod news;
mod page;
mod text;
mod words;

use domain::Locale;
use log_mailer::Mail;
use proptest::prelude::*;

use crate::letters::letter_case;
use crate::news::{MOST_TASKS, news_case};
use crate::words::Words;

const CASES: u32 = 20_000;

/// More than the longest project name, in brackets, and title, with a blank in each `=?`; in Unicode scalar values.
const LONGEST_SUBJECT: usize = 460;

/// In octets; RFC 5322, section 2.1.1, less the name and the separator.
const LONGEST_HEADER: usize = 900;

/// In octets: mail programs cut what is longer by far, and the mail service refuses more than 40 MB.
const LONGEST_BODY: usize = 1 << 20;

fn config() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    // Proptest reads the variable itself.
    let asked = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig { cases: if asked { default.cases } else { CASES }, ..default }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_mail_about_tasks_stays_one_mail_whatever_people_type(case in news_case(1..=MOST_TASKS)) {
        let (typed, plain) = (case.mail(Words::Typed), case.mail(Words::Plain));
        check(&typed, &plain);
        let shown = usize::min(case.tasks(), 20);
        prop_assert_eq!(page::read(&typed.html).links_to_tasks, shown, "one link for each task shown");
    }

    #[test]
    fn a_letter_stays_one_mail_whatever_people_type(case in letter_case()) {
        let (typed, plain) = (case.mail(Words::Typed), case.mail(Words::Plain));
        check(&typed, &plain);
        // Whoever gets a letter may not know who chose these names.
        for part in [&typed.subject, &typed.text, &page::read(&typed.html).words] {
            let seen = text::seen(part);
            for lure in words::LURES {
                prop_assert!(!seen.contains(lure), "{} in {}", lure, part);
            }
        }
    }
}

#[track_caller]
fn check(typed: &Mail, plain: &Mail) {
    assert_eq!(typed.to, plain.to);
    assert!(!typed.subject.trim().is_empty(), "a subject");
    assert!(typed.subject.chars().count() <= LONGEST_SUBJECT, "{:?} is too long", typed.subject);
    assert_eq!(typed.subject.chars().find(|it| text::is_unprintable(*it)), None, "{:?}", typed.subject);
    assert_eq!(typed.headers, plain.headers, "nothing that people type reaches another header than the subject");
    for (name, value) in &typed.headers {
        let is_printable = |it: &str| it.chars().all(|it| it.is_ascii_graphic() || it == ' ');
        assert!(is_printable(name) && is_printable(value), "{name}: {value:?}");
        assert!(value.len() <= LONGEST_HEADER, "{name} is too long");
    }
    assert!(typed.text.len() + typed.html.len() <= LONGEST_BODY, "{} octets", typed.text.len() + typed.html.len());
    text::check(&typed.text, &plain.text);
    page::check(typed, plain);
    message::check(typed);
}

#[test]
fn both_languages_say_the_same_of_the_same_shape() {
    // A guard for the tests above: plain words are plain in either language.
    for locale in [Locale::En, Locale::Ko] {
        let mail = news::sample(locale, 25);
        check(&mail, &mail);
    }
}
