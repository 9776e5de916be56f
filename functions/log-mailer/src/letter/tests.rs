use std::fmt::Write;

use domain::{Device, EventId, UserAgent};
use uuid::Uuid;

use super::*;
use crate::samples::{PROJECT, READER, letterhead, reader};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0";

fn event(kind: SecurityEventKind, user_agent: &str, network_address: &str) -> Letter {
    let device = Device { user_agent: UserAgent::new(user_agent), network_address: network_address.parse().ok() };
    let at = "2026-11-20T14:03:00Z".parse().expect("a time");
    Letter::Security { event: SecurityEvent { id: EventId(Uuid::from_u128(6)), user: READER, at, kind, device } }
}

fn invitation(project: &str, inviter: &str, locale: Locale) -> Letter {
    let (project_name, inviter) = (project.parse().expect("a name"), inviter.parse().expect("a name"));
    Letter::Invitation { project: PROJECT, project_name, inviter, locale }
}

/// Every letter there is, as a mailbox of its kind gets it.
fn all(locale: Locale) -> Vec<Mail> {
    let token = || "tok-EN_1".to_owned();
    let to_addresses = [
        Letter::VerifyAddress { name: "Ada".parse().expect("a name"), token: token(), locale },
        Letter::AddressTaken { locale },
        Letter::NoAccount { locale },
        Letter::ConfirmNewEmail { token: token(), locale },
        Letter::EmailChanged { locale },
        invitation("<House>", "그레이스", locale),
        invitation("win.example", "Grace", locale),
        invitation("House", "see https://win.example", locale),
        invitation("win.example", "win.example", locale),
    ];
    let name = || "nightly export".parse().expect("a name");
    let events = [
        SecurityEventKind::NewDevice,
        SecurityEventKind::PasswordChanged,
        SecurityEventKind::PasswordReset,
        SecurityEventKind::SecondFactorOn,
        SecurityEventKind::SecondFactorOff,
        SecurityEventKind::RecoveryCodeUsed { left: 9 },
        SecurityEventKind::RecoveryCodeUsed { left: 1 },
        SecurityEventKind::RecoveryCodeUsed { left: 0 },
        SecurityEventKind::RecoveryCodesRenewed,
        SecurityEventKind::TokenMade { name: name() },
        SecurityEventKind::TokenMade { name: "win.example".parse().expect("a name") },
        SecurityEventKind::TokenRevoked { name: name() },
        SecurityEventKind::RefreshTokenReused,
        SecurityEventKind::EmailChangeAsked,
        SecurityEventKind::EmailChanged,
        SecurityEventKind::SessionsEnded,
    ];
    let approve = Letter::ApproveEmailChange { token: token(), new: "ada@new.example".parse().expect("an address") };
    let lure = Letter::ApproveEmailChange { token: token(), new: "win.example/now@new.example".parse().expect("an address") };
    let to_people = [Letter::ResetPassword { token: token() }, approve, lure]
        .into_iter()
        .chain(events.map(|it| event(it, FIREFOX, "192.0.2.7")))
        .chain([event(SecurityEventKind::NewDevice, "curl/8.11.0", "::ffff:192.0.2.7")]);
    let to: EmailAddress = "new@example.com".parse().expect("an address");
    let reader = reader(locale);
    let to_addresses = to_addresses.iter().map(|it| letter_mail(&letterhead(), &to, None, it));
    let to_people = to_people.map(|it| letter_mail(&letterhead(), &reader.email, Some(&reader), &it));
    to_addresses.chain(to_people).collect::<Result<_, _>>().expect("templates render")
}

fn check_words(name: &str, locale: Locale) {
    let mut page = String::new();
    for Mail { to, subject, text, html, headers } in all(locale) {
        writeln!(page, "To: {to}\nSubject: {subject}\n\n{text}\n=====").expect("memory suffices");
        let link = text.lines().find(|it| it.starts_with("https://baton.example/#/")).expect("a link on a line of its own");
        assert!(html.contains(&format!("href=\"{link}\"")), "{html}");
        assert!(!subject.chars().any(char::is_control), "{subject:?}");
        let safe = |it: &str| it.chars().all(|it| it.is_ascii_graphic() || it == ' ');
        assert!(headers.iter().all(|(name, value)| safe(name) && safe(value)), "{headers:?}");
        assert_eq!(headers.len(), 2, "a letter is no list: {headers:?}");
        assert!(!subject.contains("win.example") && !text.contains("win.example") && !html.contains("win.example"), "{text}");
    }
    insta::assert_snapshot!(name, page);
}

#[test]
fn every_letter_says_what_happened_and_what_to_do_in_english() {
    check_words("english", Locale::En);
}

#[test]
fn every_letter_says_what_happened_and_what_to_do_in_korean() {
    check_words("korean", Locale::Ko);
}

#[test]
fn a_letter_to_a_person_is_in_the_language_and_time_zone_of_their_profile() {
    let korean = reader(Locale::Ko);
    let to_ada = |letter: &Letter| letter_mail(&letterhead(), &korean.email, Some(&korean), letter).expect("templates render");
    let taken = to_ada(&Letter::AddressTaken { locale: Locale::En });
    assert!(taken.html.contains("<html lang=\"ko\">"), "{}", taken.html);
    let told = to_ada(&event(SecurityEventKind::NewDevice, FIREFOX, ""));
    assert!(told.text.contains("2026년 11월 20일 (금) 23:03 (Asia/Seoul)\nLinux의 Firefox\n"), "{}", told.text);
}

#[test]
fn a_mail_never_quotes_what_a_client_calls_itself() {
    for locale in [Locale::En, Locale::Ko] {
        let reader = reader(locale);
        for text in ["see https://win.example Firefox/1", "Linux <b>win.example</b>", "call 555-0100"] {
            let letter = event(SecurityEventKind::NewDevice, text, "2001:db8::1");
            let Mail { subject, text, html, .. } =
                letter_mail(&letterhead(), &reader.email, Some(&reader), &letter).expect("templates render");
            assert!(text.contains("2001:db8::1"), "{text}");
            for part in [subject, text, html] {
                assert!(!part.contains("win.example") && !part.contains("555"), "{part}");
            }
        }
    }
}

#[test]
fn what_people_typed_does_not_turn_a_letter_around() {
    let turned = |text: &str| format!("\u{202E}{text}\u{2066}\u{061C}\u{200F}");
    let turns = |it: char| straight(&it.to_string()).is_empty();
    let to: EmailAddress = "new@example.com".parse().expect("an address");
    for locale in [Locale::En, Locale::Ko] {
        let letter = invitation(&turned("<House>"), &turned("Ada"), locale);
        let Mail { subject, text, html, .. } = letter_mail(&letterhead(), &to, None, &letter).expect("templates render");
        assert!(text.contains("Ada") && html.contains("Ada") && subject.contains("House"), "{text}");
        assert!(html.contains("&#60;House&#62;"), "{html}");
        assert!(![subject, text, html].iter().any(|it| it.contains(turns)));
    }
}
