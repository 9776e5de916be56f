//! What hostile, careless and far-away people type.

use proptest::prelude::*;
use proptest::sample::select;

/// Whose words a mail is written with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Typed,
    Plain,
}

/// What must not be read in a letter, without what takes no room.
pub(crate) const LURES: [&str; 3] = ["evil.example", "192.0.2.66", "800-555-0100"];

const PLAIN: [&str; 8] = ["Fix the pump", "a", "펌프 수리", "회의록을 정리해 주세요", "Größe", "保守", "مضخة", "1"];

const LINES: [&str; 14] = [
    "\r\n",
    "\n",
    "\r",
    "\n\n",
    "\0",
    "\u{7}",
    "\t",
    "\u{B}\u{C}",
    "\u{1B}[31m",
    "\u{7F}",
    "\u{85}",
    "\u{9B}",
    "\u{2028}",
    "\u{2029}",
];

const INVISIBLE: [&str; 16] = [
    "\u{202E}",
    "\u{202A}x\u{202C}",
    "\u{2066}",
    "\u{2068}y\u{2069}",
    "\u{200E}",
    "\u{200F}",
    "\u{61C}",
    "\u{200B}",
    "\u{200C}",
    "\u{200D}",
    "\u{2060}",
    "\u{FEFF}",
    "\u{AD}",
    "\u{34F}",
    "\u{180E}",
    "\u{FFFE}",
];

const MARKUP: [&str; 26] = [
    "<script>alert(1)</script>",
    "</p></div></body></html>",
    "<img src=x onerror=alert(1)>",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "&lt;script&gt;",
    "&#x3c;b&#x3e;",
    "&amp",
    "<a href=\"https://evil.example/\">Baton</a>",
    "\" onmouseover=\"alert(1)",
    "' style='position:fixed",
    "<style>*{display:none}</style>",
    "</title>",
    "</textarea><plaintext>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content=0>",
    "<form action=//evil.example><input name=password>",
    "<svg/onload=alert(1)>",
    "<table><tr><td>",
    "{{ reader }}",
    "{% raw %}",
    "<",
    ">",
    "\"",
];

const MESSAGE: [&str; 20] = [
    "\r\nBcc: evil@evil.example",
    "\nTo: evil@evil.example\n",
    "Bcc: evil@evil.example",
    "\r\n\r\n<h1>Baton</h1>",
    "\r\n.\r\n",
    ".",
    "From ",
    "=?utf-8?q?=0D=0ABcc:_evil=40evil.example?=",
    "=?utf-8?b?DQpCY2M6IGV2aWw=?=",
    "=?",
    "?=",
    "=0D=0ABcc: evil@evil.example",
    "%0d%0aBcc: evil@evil.example",
    "Content-Type: text/html",
    "--=_boundary--",
    "-- ",
    "--",
    "List-Unsubscribe: <https://evil.example/>",
    "begin 644 evil.exe",
    "\u{FF0D}\u{FF0D} ",
];

const LINKS: [&str; 18] = [
    "https://evil.example/#/projects/1",
    "HTTPS://EVIL.EXAMPLE",
    "http://",
    "https:evil.example",
    "//evil.example/",
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:evil@evil.example",
    "evil.example",
    "evil\u{200B}.exam\u{2060}ple",
    "evil。example",
    "192.0.2.66/win",
    "Call 800-555-0100",
    "Stop these mails: https://evil.example/",
    "이 알림 메일 그만 받기: https://evil.example/",
    "You get this because the task is yours.",
    "https://baton.example/#/login",
    "https://baton.example.evil.example/#/",
];

const MARKS: [&str; 14] = [
    "\u{301}",
    "\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}",
    "\u{E33}",
    "\u{FE0F}",
    "\u{20E3}",
    "\u{1112}\u{1161}\u{11AB}",
    "\u{115F}",
    "\u{3164}",
    "👩\u{200D}👩\u{200D}👧\u{200D}👦",
    "🇰🇷",
    "🏴\u{E0067}\u{E0062}\u{E0073}\u{E0063}\u{E0074}\u{E007F}",
    "❤\u{FE0F}\u{200D}🔥",
    "\u{FFFD}",
    "\u{10FFFF}",
];

/// Longer than any field takes, in Unicode scalar values.
const LONG: usize = 10_000;

/// A text as sent to the API: none of it need be acceptable.
pub(crate) fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => select(&PLAIN[..]).prop_map(str::to_owned),
        1 => select(&LINES[..]).prop_map(str::to_owned),
        1 => select(&INVISIBLE[..]).prop_map(str::to_owned),
        2 => select(&MARKUP[..]).prop_map(str::to_owned),
        2 => select(&MESSAGE[..]).prop_map(str::to_owned),
        2 => select(&LINKS[..]).prop_map(str::to_owned),
        1 => select(&MARKS[..]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    let short = prop::collection::vec(piece, 0..5).prop_map(|it| it.concat());
    let all = [&PLAIN[..], &LINES, &INVISIBLE, &MARKUP, &MESSAGE, &LINKS, &MARKS].concat();
    let long = select(all).prop_map(|it| it.chars().cycle().take(LONG).collect());
    prop_oneof![40 => short, 1 => long]
}

/// What the API takes of a text: all of it, or else what is left of it without the characters it refuses.
///
/// # Panics
/// A type that does not even take a plain word.
pub(crate) fn accepted<T: TryFrom<String>>(typed: &str, longest: usize) -> T {
    if let Ok(taken) = T::try_from(typed.to_owned()) {
        return taken;
    }
    let left: String = typed.chars().filter(|it| !it.is_control() && !matches!(it, '\u{2028}' | '\u{2029}')).collect();
    let left: String = left.trim().chars().take(longest).collect();
    let Ok(taken) = T::try_from(left).or_else(|_| T::try_from("plain".to_owned())) else { panic!("a plain word is accepted") };
    taken
}
