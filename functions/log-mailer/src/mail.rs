use askama::Template;
use domain::{EmailAddress, Locale, NetChange, NetKind, Profile, ProjectName, TaskId, UnsubscribeScope, UnsubscribeToken};

use crate::language::{Detail, People, language};

/// The most tasks one mail tells of; the rest are counted in it.
pub(crate) const MOST_TASKS: usize = 20;

/// One mail to one mailbox, ready to be handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    pub to: EmailAddress,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Beyond those that the mail service writes itself. Names and values are printable ASCII, without line breaks.
    pub headers: Vec<(&'static str, String)>,
}

/// What every mail is made with.
#[derive(Clone, Debug)]
pub struct Letterhead {
    /// The mailbox mails come from.
    pub sender: EmailAddress,
    /// Where the page is, without a slash at the end.
    pub web_origin: String,
    /// Where the API is, without a slash at the end.
    pub api_origin: String,
}

/// One task, and what its reader has to be told of it.
#[derive(Clone, Debug)]
pub(crate) struct TaskNews {
    pub(crate) project_name: ProjectName,
    pub(crate) net: NetChange,
}

/// Why a mail could not be written.
#[derive(Debug, thiserror::Error)]
#[error("a mail's template does not render")]
pub(crate) struct UnwritableMail(#[from] askama::Error);

#[derive(Template)]
#[template(path = "tasks.txt")]
struct TasksText<'a> {
    blocks: &'a [Block],
    rest: Option<&'a str>,
    home: &'a str,
    stop_label: &'a str,
    stop_link: &'a str,
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksHtml<'a> {
    lang: &'a str,
    subject: &'a str,
    blocks: &'a [Block],
    rest: Option<&'a str>,
    home: &'a str,
    stop_label: &'a str,
    stop_link: &'a str,
}

/// One task's part of a mail.
struct Block {
    headline: String,
    details: Vec<Detail>,
    place: String,
    when: String,
    why: &'static str,
    link: String,
}

/// The mail that tells `reader` of tasks, in the order given; of at most [`MOST_TASKS`] in words.
///
/// # Errors
/// [`UnwritableMail`], which only a broken template can cause.
pub(crate) fn task_mail(
    letterhead: &Letterhead,
    reader: &Profile,
    news: &[TaskNews],
    people: &People,
) -> Result<Mail, UnwritableMail> {
    let Letterhead { sender, web_origin, api_origin } = letterhead;
    let language = language(reader.locale);
    let shown = &news[..news.len().min(MOST_TASKS)];
    let blocks: Vec<Block> = shown.iter().map(|it| block(web_origin, reader, it, news, people)).collect();
    let omitted = news.len() - shown.len();
    let rest = (omitted > 0).then(|| language.rest(omitted));
    let subject = header_text(&subject(reader.locale, news));
    let token = UnsubscribeToken::sign(reader.id, UnsubscribeScope::Everything, &reader.unsubscribe_secret);
    let stop_link = format!("{api_origin}/v1/unsubscribe/{token}");
    let home = format!("{web_origin}/#/");
    let (rest, home, stop_label, stop_link) = (rest.as_deref(), home.as_str(), language.stop(), stop_link.as_str());
    let text = TasksText { blocks: &blocks, rest, home, stop_label, stop_link }.render()?;
    let html =
        TasksHtml { lang: language.tag(), subject: &subject, blocks: &blocks, rest, home, stop_label, stop_link }.render()?;
    let mut headers = automatic_headers();
    headers.push(("List-Unsubscribe", format!("<{stop_link}>")));
    headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    if let [only] = news {
        let thread = thread_id(only.net.task, sender);
        headers.push(("In-Reply-To", thread.clone()));
        headers.push(("References", thread));
    }
    Ok(Mail { to: reader.email.clone(), subject, text: straight(&text), html: straight(&html), headers })
}

fn block(web_origin: &str, reader: &Profile, it: &TaskNews, all: &[TaskNews], people: &People) -> Block {
    let TaskNews { project_name, net } = it;
    let language = language(reader.locale);
    let headline = language.headline(net, people);
    // The first line is what a mail program previews: it names the task where the subject does not.
    let headline = if all.len() == 1 { headline } else { format!("{}: {headline}", net.title) };
    let told_in_full = net.kind == NetKind::Updated && net.fields.len() <= crate::language::FIELDS_IN_A_SENTENCE;
    let details = if told_in_full { Vec::new() } else { details(reader, net, people) };
    Block {
        headline,
        details,
        place: language.place(net.title.as_str(), project_name),
        when: language.when(net.at, &reader.time_zone),
        why: language.why(net.reason),
        link: link(web_origin, net),
    }
}

/// To the task, or where it was.
fn link(web_origin: &str, net: &NetChange) -> String {
    let NetChange { project, task, .. } = net;
    match net.kind {
        NetKind::Created | NetKind::Updated => format!("{web_origin}/#/projects/{project}/tasks/{task}"),
        NetKind::Deleted => format!("{web_origin}/#/projects/{project}"),
    }
}

fn details(reader: &Profile, net: &NetChange, people: &People) -> Vec<Detail> {
    let language = language(reader.locale);
    let is_said_already = |it: &domain::FieldChange| match (net.kind, it) {
        // A new task's title stands below, and its assignee is the reader.
        (
            NetKind::Created,
            domain::FieldChange::Title { .. } | domain::FieldChange::Assignee { .. } | domain::FieldChange::Description,
        ) => true,
        (NetKind::Created | NetKind::Updated | NetKind::Deleted, _) => false,
    };
    net.fields.iter().filter(|it| !is_said_already(it)).map(|it| language.detail(it, people)).collect()
}

fn subject(locale: Locale, news: &[TaskNews]) -> String {
    let language = language(locale);
    let mut projects: Vec<_> = news.iter().map(|it| it.net.project).collect();
    projects.sort_unstable();
    projects.dedup();
    match (news, projects.as_slice()) {
        ([TaskNews { project_name, net }], _) => format!("[{project_name}] {}", net.title),
        ([TaskNews { project_name, .. }, ..], [_]) => format!("[{project_name}] {}", language.several_tasks(news.len())),
        (_, projects) => language.several_projects(news.len(), projects.len()),
    }
}

/// RFC 3834, section 5, and what Exchange reads: no holiday replies, please.
pub(crate) fn automatic_headers() -> Vec<(&'static str, String)> {
    vec![("Auto-Submitted", "auto-generated".to_owned()), ("X-Auto-Response-Suppress", "All".to_owned())]
}

/// A message id that no mail has: all mails about a task answer it, so that they thread (RFC 5322, section 3.6.4).
fn thread_id(task: TaskId, sender: &EmailAddress) -> String {
    let domain = sender.as_str().rsplit_once('@').map_or("", |(_, domain)| domain);
    format!("<{task}@{domain}>")
}

/// User text as it may stand in a header: one line, without characters that end it or turn it around.
pub(crate) fn header_text(text: &str) -> String {
    straight(text).chars().map(|it| if it.is_control() || matches!(it, '\u{2028}' | '\u{2029}') { ' ' } else { it }).collect()
}

/// Without the characters that turn text around (Unicode Standard Annex 9, section 2): what one person typed must not change
/// how the words beside it read.
pub(crate) fn straight(text: &str) -> String {
    let turns =
        |it: &char| matches!(it, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|it| !turns(it)).collect()
}

#[cfg(test)]
mod tests {
    use domain::{FieldChange, Priority, Status};

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

    fn write(locale: Locale, news: &[TaskNews]) -> Mail {
        task_mail(&letterhead(), &reader(locale), news, &people()).expect("templates render")
    }

    #[test]
    fn a_mail_about_a_task_says_it_in_its_first_line_threads_and_can_be_stopped() {
        let mail = write(Locale::En, &[news("House", net(NetKind::Updated, &[ADA], moved()))]);
        assert_eq!(mail.subject, "[House] Fix the pump");
        let expected = "\
Ada moved it from waiting to in progress.

Fix the pump · House
Friday, 20 November 2026, 23:03 (Asia/Seoul)
https://baton.example/#/projects/00000000-0000-0000-0000-00000000000a/tasks/00000000-0000-0000-0000-00000000000b
You get this because the task is yours.

-- 
Stop these mails: https://api.baton.example/v1/unsubscribe/";
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

Fix the pump · 집수리
2026년 11월 20일 (금) 23:03 (Asia/Seoul)
https://baton.example/#/projects/00000000-0000-0000-0000-00000000000a/tasks/00000000-0000-0000-0000-00000000000b
회원님이 담당하는 작업이어서 보내 드립니다.

-- 
이 알림 메일 그만 받기: https://api.baton.example/v1/unsubscribe/";
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
            mail.text.starts_with("Ada gave you a new task.\n- Status: waiting\n- Priority: high\n\nFix the pump"),
            "{}",
            mail.text
        );
    }

    #[test]
    fn several_tasks_are_one_mail_and_those_beyond_twenty_are_counted() {
        let all: Vec<_> = (0..23).map(|_| news("House", net(NetKind::Updated, &[ADA], moved()))).collect();
        let mail = write(Locale::En, &all);
        assert_eq!(mail.subject, "[House] 23 tasks changed");
        assert!(mail.text.starts_with("Fix the pump: Ada moved it from waiting to in progress.\n"), "{}", mail.text);
        assert_eq!(mail.text.matches("Ada moved it").count(), MOST_TASKS);
        assert!(mail.text.contains("\n3 more tasks changed.\nhttps://baton.example/#/\n"), "{}", mail.text);
        assert_eq!(header(&mail, "In-Reply-To"), None);
        assert!(write(Locale::Ko, &all).text.contains("이 밖에도 작업 3건이 변경되었습니다."));
    }

    #[test]
    fn a_deleted_task_leads_to_its_project() {
        let mail = write(Locale::En, &[news("House", net(NetKind::Deleted, &[ADA], Vec::new()))]);
        assert!(mail.text.starts_with("Ada deleted it.\n\nFix the pump · House\n"), "{}", mail.text);
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
            let told = task_mail(&letterhead(), &reader(locale), &news, &people).expect("templates render");
            let Mail { subject, text, html, .. } = told;
            assert!(text.contains("Ada") && html.contains("Ada") && subject.contains("House"), "{text}");
            assert!(![&subject, &text, &html].into_iter().any(|it| it.contains(turns)), "{subject:?} {text:?} {html:?}");
        }
    }
}
