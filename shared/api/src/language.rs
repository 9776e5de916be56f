use domain::Locale;
use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

tokio::task_local! {
    static LOCALE: Locale;
}

/// The language of whoever asked for what this task is answering; English outside of a router of ours.
#[must_use]
pub(crate) fn current() -> Locale {
    LOCALE.try_with(|it| *it).unwrap_or_default()
}

/// Answers a request in a language.
pub(crate) async fn scope<F: Future>(locale: Locale, answer: F) -> F::Output {
    LOCALE.scope(locale, answer).await
}

/// What `Accept-Language` likes better (RFC 9110, section 12.5.4); of two liked as much, what it names first. English where it says
/// nothing of either.
#[must_use]
pub(crate) fn preferred(headers: &HeaderMap) -> Locale {
    let lines = headers.get_all(ACCEPT_LANGUAGE).iter().filter_map(|it| it.to_str().ok());
    let ranges: Vec<(String, u16)> = lines.flat_map(|it| it.split(',')).filter_map(range).collect();
    // Where it stands, from the end, breaks a tie.
    let liking = |language: &str| {
        let of = |name: &str| {
            let named = ranges.iter().rev().enumerate().filter(|(_, (it, _))| it == name);
            named.map(|(place, (_, quality))| (*quality, place)).max()
        };
        of(language).or_else(|| of("*")).filter(|(quality, _)| *quality > 0)
    };
    if liking("ko") > liking("en") { Locale::Ko } else { Locale::En }
}

/// The language of a range, `ko` of `ko-KR;q=0.8`, and its quality in thousandths.
fn range(text: &str) -> Option<(String, u16)> {
    let (tag, quality) = match text.split_once(';') {
        Some((tag, parameter)) => {
            let (name, value) = parameter.split_once('=')?;
            (tag, if name.trim().eq_ignore_ascii_case("q") { thousandths(value.trim())? } else { return None })
        }
        None => (text, 1_000),
    };
    Some((tag.trim().split('-').next()?.to_ascii_lowercase(), quality))
}

/// A `qvalue`: 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let is_value = matches!(whole, "0" | "1") && decimals.len() <= 3 && decimals.bytes().all(|it| it.is_ascii_digit());
    let value = if is_value { format!("{whole}{decimals:0<3}").parse().ok()? } else { return None };
    (value <= 1_000).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&str], expected: Locale) {
        let lines = lines.iter().map(|it| (ACCEPT_LANGUAGE, it.parse().expect("a header")));
        let headers: HeaderMap = lines.collect();
        assert_eq!(preferred(&headers), expected, "{headers:?}");
    }

    #[test]
    fn the_language_liked_better_is_taken_and_english_without_a_word_of_either() {
        for korean in [
            "ko",
            "KO-kr",
            "ko-KR,ko;q=0.9,en-US;q=0.8,en;q=0.7",
            "fr, ko;q=0.1",
            "en;q=0.8, ko;q=0.801",
            "en;q=0, *",
            "ko, en",
            "ko;q=0.5, *;q=0.4",
            "ko ; Q=1.000",
        ] {
            check(&[korean], Locale::Ko);
        }
        for english in [
            "",
            "*",
            "en",
            "fr, de;q=0.5",
            "en, ko",
            "en-GB, ko;q=0.9",
            "ko;q=0",
            "ko;q=0, *",
            "ko;q=0.5, *",
            "ko;q=2",
            "ko;q=0.0001",
            "ko;q=",
            "ko;q",
            "ko;level=1",
            "korean",
            "\u{7f}",
            ";;,=,",
        ] {
            let line = english.replace('\u{7f}', "");
            check(&[&line], Locale::En);
        }
        check(&[], Locale::En);
        check(&["en;q=0.5", "ko"], Locale::Ko);
        check(&["en", "ko;q=0.5"], Locale::En);
    }
}
