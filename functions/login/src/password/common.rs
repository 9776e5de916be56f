use std::cmp::Ordering;

/// The passwords found most often in published breaches, folded, sorted by their octets, each ended by a line feed: of 8 to 14
/// characters and of 15 and more, thousands each. `common.py` makes it; `common.license` says from what.
const COMMON: &[u8] = include_bytes!("common.txt");

/// Whether a password, [folded](super::rules::fold), is among the commonest. Searches the list where it lies: nothing is built.
pub(super) fn is_common(folded: &str) -> bool {
    let mut rest = COMMON;
    while !rest.is_empty() {
        let (before, from_middle) = rest.split_at(rest.len() / 2);
        let start = before.iter().rposition(|it| *it == b'\n').map_or(0, |it| it + 1);
        let end = before.len() + from_middle.iter().position(|it| *it == b'\n').unwrap_or(from_middle.len());
        match rest[start..end].cmp(folded.as_bytes()) {
            Ordering::Equal => return true,
            Ordering::Less => rest = rest.get(end + 1..).unwrap_or_default(),
            Ordering::Greater => rest = &rest[..start],
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::super::rules::fold;
    use super::*;

    #[test]
    fn the_list_is_in_order_and_every_one_of_it_is_found() {
        let list: Vec<&str> = std::str::from_utf8(COMMON).expect("UTF-8").lines().collect();
        assert!(list.is_sorted() && COMMON.ends_with(b"\n") && !COMMON.contains(&b'\r'));
        for password in &list {
            assert!(is_common(password), "{password:?}");
            assert_eq!(fold(password), *password);
        }
        // At least the 3,000 commonest that fit, with a second factor and without (NIST SP 800-63B-4, section 3.1.1.2; OWASP ASVS 6.2.4).
        let long = list.iter().filter(|it| it.chars().count() >= 15).count();
        assert!(long >= 3_000 && list.len() - long >= 3_000, "{long} of {}", list.len());
    }

    #[test]
    fn what_is_not_in_the_list_is_not_found() {
        for text in
            ["", "\n", "a", "~~~~~~~~~~~~~~~~~~~~~~~~~", "password1\n", "correct horse battery staple", "한글로된암호입니다"]
        {
            assert!(!is_common(text), "{text:?}");
        }
    }
}
