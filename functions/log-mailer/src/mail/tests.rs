use domain::{Locale, NoticeKind, Priority, Reason, Status, UnsubscribeScope, UnsubscribeToken};

use super::*;
use crate::samples::{ADA, GRACE, letterhead, net, people, reader, title};

fn moved() -> Vec<FieldChange> {
    vec![FieldChange::Status { from: Some(Status::Waiting), to: Status::InProgress }]
}

fn news(project: &str, net: NetChange) -> TaskNews {
    TaskNews { project_name: project.parse().expect("a project name"), net }
}

fn header<'a>(mail: &'a Mail, name: &str) -> Option<&'a str> {
    mail.headers.iter().find(|it| it.0 == name).map(|it| it.1.as_str())
}

fn digest(locale: Locale, news: &[TaskNews]) -> Mail {
    task_mail(&letterhead(), &reader(locale), Occasion::Digest, news, &people()).expect("templates render")
}

fn elsewhere(news: TaskNews) -> TaskNews {
    TaskNews { net: NetChange { project: ProjectId(uuid::Uuid::from_u128(12)), ..news.net }, ..news }
}

/// What each link in a mail's footer ends, in order, with its label.
fn stops(mail: &Mail) -> Vec<(String, UnsubscribeScope)> {
    let footer = mail.text.split_once("\n-- \n").expect("a footer").1;
    let link = |line: &str| {
        let (label, token) = line.split_once(": https://api.baton.example/v1/unsubscribe/").expect("a label and a link");
        let token: UnsubscribeToken = token.parse().expect("a token");
        (label.to_owned(), token.verify(&reader(Locale::En).unsubscribe_secret).expect("made under the reader's secret"))
    };
    footer.trim_end().lines().map(link).collect()
}

fn write(locale: Locale, news: &[TaskNews]) -> Mail {
    task_mail(&letterhead(), &reader(locale), Occasion::Changes, news, &people()).expect("templates render")
}

#[test]
fn a_mail_about_a_task_says_it_in_its_first_line_threads_and_can_be_stopped() {
    let mail = write(Locale::En, &[news("House", net(NetKind::Updated, &[ADA], moved()))]);
    assert_eq!(mail.subject, "[House] Fix the pump");
    let expected = "\
Ada moved it from waiting to in progress.

“Fix the pump” · House
Friday, 20 November 2026, 23:03 (Asia/Seoul)
https://baton.example/#/projects/00000000-0000-0000-0000-00000000000a/tasks/00000000-0000-0000-0000-00000000000b
You get this because the task is yours.

-- 
Stop mails about changes of status: https://api.baton.example/v1/unsubscribe/";
    assert!(mail.text.starts_with(expected), "{}", mail.text);
    let thread = Some("<00000000-0000-0000-0000-00000000000b@baton.example>");
    assert_eq!((header(&mail, "In-Reply-To"), header(&mail, "References")), (thread, thread));
    assert_eq!(header(&mail, "List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    assert_eq!(header(&mail, "Auto-Submitted"), Some("auto-generated"));
    let link = header(&mail, "List-Unsubscribe").and_then(|it| it.strip_prefix("<https://api.baton.example/v1/unsubscribe/"));
    let token: UnsubscribeToken = link.and_then(|it| it.strip_suffix('>')).expect("a link").parse().expect("a token");
    let reader = reader(Locale::En);
    assert_eq!((token.user(), token.verify(&reader.unsubscribe_secret)), (reader.id, Some(UnsubscribeScope::Everything)));
}

#[test]
fn a_korean_reader_gets_korean() {
    let mail = write(Locale::Ko, &[news("집수리", net(NetKind::Updated, &[GRACE], moved()))]);
    assert_eq!(mail.subject, "[집수리] Fix the pump");
    let expected = "\
그레이스 님이 상태를 대기에서 진행 중으로 바꾸었습니다.

‘Fix the pump’ · 집수리
2026년 11월 20일 (금) 23:03 (Asia/Seoul)
https://baton.example/#/projects/00000000-0000-0000-0000-00000000000a/tasks/00000000-0000-0000-0000-00000000000b
회원님이 담당하는 작업이어서 보내 드립니다.

-- 
상태 변경 메일 그만 받기: https://api.baton.example/v1/unsubscribe/";
    assert!(mail.text.starts_with(expected), "{}", mail.text);
    assert!(mail.html.contains("<html lang=\"ko\">"), "{}", mail.html);
}

#[test]
fn a_new_task_is_told_with_what_it_says() {
    let fields = vec![
        FieldChange::Status { from: None, to: Status::Waiting },
        FieldChange::Title { from: None, to: title("Fix the pump") },
        FieldChange::Priority { from: None, to: Priority::High },
    ];
    let mail = write(Locale::En, &[news("House", net(NetKind::Created, &[ADA], fields))]);
    assert!(
        mail.text.starts_with("Ada gave you a new task.\n- Status: waiting\n- Priority: high\n\n“Fix the pump”"),
        "{}",
        mail.text
    );
}

#[test]
fn several_tasks_are_one_mail_and_those_beyond_twenty_are_counted() {
    let all: Vec<_> = (0..23).map(|_| news("House", net(NetKind::Updated, &[ADA], moved()))).collect();
    let mail = write(Locale::En, &all);
    assert_eq!(mail.subject, "[House] 23 tasks changed");
    assert!(mail.text.starts_with("“Fix the pump”: Ada moved it from waiting to in progress.\n"), "{}", mail.text);
    assert_eq!(mail.text.matches("Ada moved it").count(), MOST_TASKS);
    assert!(mail.text.contains("\n3 more tasks changed.\nhttps://baton.example/#/\n"), "{}", mail.text);
    assert_eq!(header(&mail, "In-Reply-To"), None);
    assert!(write(Locale::Ko, &all).text.contains("이 밖에도 작업 3건이 변경되었습니다."));
}

#[test]
fn a_deleted_task_leads_to_its_project() {
    let mail = write(Locale::En, &[news("House", net(NetKind::Deleted, &[ADA], Vec::new()))]);
    assert!(mail.text.starts_with("Ada deleted it.\n\n“Fix the pump” · House\n"), "{}", mail.text);
    assert!(mail.text.contains("/#/projects/00000000-0000-0000-0000-00000000000a\n"), "{}", mail.text);
}

#[test]
fn what_people_typed_is_text_in_html_and_never_a_header_of_its_own() {
    let lure = "<script>alert(1)</script> & \"x\" \u{202E}evil";
    let mut net = net(NetKind::Updated, &[ADA], vec![FieldChange::Title { from: Some(title("old")), to: title(lure) }]);
    net.title = title(lure);
    for locale in [Locale::En, Locale::Ko] {
        let mail = write(locale, &[news("<b>House</b>", net.clone())]);
        assert!(!mail.html.contains("<script>") && !mail.html.contains("<b>"), "{}", mail.html);
        assert!(mail.html.contains("&#60;script&#62;"), "{}", mail.html);
        assert_eq!(mail.subject, "[<b>House</b>] <script>alert(1)</script> & \"x\" evil");
        let safe = |it: &str| it.chars().all(|it| it.is_ascii_graphic() || it == ' ');
        assert!(mail.headers.iter().all(|(name, value)| safe(name) && safe(value)), "{:?}", mail.headers);
    }
    assert_eq!(header_text("=?utf-8?b?DQo=?="), "= ?utf-8?b?DQo= ?=", "a reader decodes what looks encoded");
    assert_eq!(header_text("a\r\nBcc: x@example.com\u{2028}b\0"), "a  Bcc: x@example.com b ");
}

#[test]
fn what_people_typed_does_not_turn_the_words_beside_it_around() {
    let turned = |text: &str| format!("\u{202E}{text}\u{2066}\u{061C}\u{200F}");
    let turns = |it: char| straight(&it.to_string()).is_empty();
    let mut net = net(NetKind::Updated, &[ADA], moved());
    net.title = title(&turned("Fix the pump"));
    let mut people = people();
    people.names.insert(ADA, turned("Ada").parse().expect("a name"));
    for locale in [Locale::En, Locale::Ko] {
        let news = [news(&turned("House"), net.clone())];
        let told = task_mail(&letterhead(), &reader(locale), Occasion::Changes, &news, &people).expect("templates render");
        let Mail { subject, text, html, .. } = told;
        assert!(text.contains("Ada") && html.contains("Ada") && subject.contains("House"), "{text}");
        assert!(![&subject, &text, &html].into_iter().any(|it| it.contains(turns)), "{subject:?} {text:?} {html:?}");
    }
}

#[test]
fn a_digest_has_a_subject_and_a_first_line_of_its_own_and_no_thread() {
    let one = || news("House", net(NetKind::Updated, &[ADA], moved()));
    for (locale, news, expected) in [
        (Locale::En, vec![one()], "Your day in Baton: one task changed"),
        (Locale::En, vec![one(), one()], "Your day in Baton: 2 tasks changed"),
        (Locale::En, vec![one(), elsewhere(one())], "Your day in Baton: 2 tasks changed in 2 projects"),
        (Locale::Ko, vec![one()], "Baton 오늘의 요약: 작업 1건이 변경되었습니다"),
        (Locale::Ko, vec![one(), elsewhere(one())], "Baton 오늘의 요약: 프로젝트 2개에서 작업 2건이 변경되었습니다"),
    ] {
        let mail = digest(locale, &news);
        let quoted = language(locale).quoted("Fix the pump");
        assert_eq!(mail.subject, expected);
        assert!(mail.text.starts_with(&format!("{expected}.\n\n{quoted}: ")), "{}", mail.text);
        assert!(mail.html.contains(&format!("{expected}.</p>")), "{}", mail.html);
        assert_eq!((header(&mail, "In-Reply-To"), header(&mail, "References")), (None, None));
        assert_eq!(header(&mail, "List-Unsubscribe-Post"), Some("List-Unsubscribe=One-Click"));
    }
}

#[test]
fn the_footer_ends_the_kinds_the_project_or_everything() {
    let edited = vec![FieldChange::Priority { from: None, to: Priority::High }];
    let (status, edit) =
        (news("House", net(NetKind::Updated, &[ADA], moved())), news("House", net(NetKind::Updated, &[ADA], edited)));
    let label = |label: &str, scope| (label.to_owned(), scope);
    let project = UnsubscribeScope::Project(crate::samples::PROJECT);
    let expected = vec![
        label("Stop mails about changes of status", UnsubscribeScope::Kind(NoticeKind::Status)),
        label("Stop mails about edits", UnsubscribeScope::Kind(NoticeKind::Edited)),
        label("Stop mails about the project “House”", project),
        label("Stop all mails about tasks", UnsubscribeScope::Everything),
    ];
    assert_eq!(stops(&write(Locale::En, &[status.clone(), edit.clone()])), expected);
    let two_projects = write(Locale::En, &[status.clone(), elsewhere(status.clone())]);
    let expected = vec![expected[0].clone(), expected[3].clone()];
    assert_eq!(stops(&two_projects), expected, "there is no one project to end");
    let made = news("House", net(NetKind::Created, &[ADA], moved()));
    let gone = news("House", net(NetKind::Deleted, &[ADA], Vec::new()));
    let scopes: Vec<UnsubscribeScope> = stops(&write(Locale::Ko, &[made, gone])).into_iter().map(|it| it.1).collect();
    let kind = UnsubscribeScope::Kind;
    assert_eq!(scopes, [kind(NoticeKind::Assigned), kind(NoticeKind::Deleted), project, UnsubscribeScope::Everything]);
}

#[test]
fn a_watcher_reads_why_they_are_told_and_of_a_new_task_who_has_it() {
    let mut moved = net(NetKind::Updated, &[ADA], moved());
    moved.reason = Reason::Watcher;
    let mut made = net(NetKind::Created, &[ADA], vec![FieldChange::Assignee { from: None, to: Some(GRACE) }]);
    made.reason = Reason::Watcher;
    let (english, korean) = (write(Locale::En, &[news("House", moved.clone())]), write(Locale::Ko, &[news("House", moved)]));
    assert!(english.text.contains("\nYou get this because you watch the task or its project.\n"), "{}", english.text);
    assert!(korean.text.contains("\n회원님이 지켜보는 작업이어서 보내 드립니다.\n"), "{}", korean.text);
    let english = write(Locale::En, &[news("House", made.clone())]).text;
    assert!(english.starts_with("Ada made a new task.\n- Assignee: 그레이스\n"), "{english}");
    let korean = write(Locale::Ko, &[news("House", made)]).text;
    assert!(korean.starts_with("Ada 님이 새 작업을 만들었습니다.\n- 담당자: 그레이스 님\n"), "{korean}");
}
