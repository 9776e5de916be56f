//! The plain text of a mail: which of its lines are ours.

use crate::words::LURES;

/// Characters that a header's reader does not see as what they are: they end lines or turn text around.
pub(crate) fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{061C}' | '\u{200E}' | '\u{200F}')
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn takes_no_room(character: char) -> bool {
    is_unprintable(character)
        || matches!(character, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{3164}')
        || matches!(character, '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0000}'..='\u{E0FFF}')
}

/// As read, in lower case: without what takes no room.
pub(crate) fn seen(text: &str) -> String {
    text.chars().filter(|it| *it == '\n' || !takes_no_room(*it)).collect::<String>().to_lowercase()
}

/// Our lines are where they are in the mail of plain words, and no other line begins like one of them.
#[track_caller]
pub(crate) fn check(typed: &str, plain: &str) {
    assert_eq!(typed.chars().find(|it| *it != '\n' && is_unprintable(*it)), None, "{typed:?}");
    let (typed_lines, plain_lines): (Vec<&str>, Vec<&str>) = (typed.split('\n').collect(), plain.split('\n').collect());
    assert_eq!(typed_lines.len(), plain_lines.len(), "nobody types a line break: {typed}\n=====\n{plain}");
    let footer = plain_lines.iter().rposition(|it| *it == "-- ").expect("a footer");
    assert_eq!(typed_lines[footer], "-- ", "{typed}");
    let mut leads = vec!["http:".to_owned(), "https:".to_owned()];
    for (typed, plain) in typed_lines[footer..].iter().zip(&plain_lines[footer..]) {
        match (typed.rsplit_once(": "), plain.rsplit_once(": ")) {
            (Some((typed, typed_link)), Some((plain, plain_link))) if plain_link.starts_with("https://") => {
                assert_eq!(typed_link, plain_link, "a link of the footer is ours");
                let typed = seen(typed);
                let lure = LURES.iter().find(|it| typed.contains(**it));
                assert!(lure.is_none() && !typed.contains("://"), "{typed:?} is what a link of ours is called");
                leads.extend((typed == seen(plain)).then(|| format!("{typed}:")));
            }
            _ => assert_eq!(typed, plain, "the footer is ours alone"),
        }
    }
    for (typed, plain) in typed_lines[..footer].iter().zip(&plain_lines) {
        if plain.starts_with("https://") {
            assert_eq!(typed, plain, "a link line is ours alone");
            continue;
        }
        let seen = seen(typed);
        let lead = leads.iter().find(|it| seen.trim_start().starts_with(it.as_str()));
        assert_eq!(lead, None, "{typed:?} could be taken for ours");
        assert_ne!(seen.trim(), "--", "{typed:?} could be taken for the end");
    }
}
