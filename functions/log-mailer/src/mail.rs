use std::collections::BTreeSet;

use askama::Template;
use domain::{EmailAddress, FieldChange, NetChange, NetKind, Profile, ProjectId, ProjectName, TaskId};

use crate::footer::{Footer, StopLink};
use crate::language::{Detail, Language, People, language};

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
pub struct TaskNews {
    pub project_name: ProjectName,
    pub net: NetChange,
}

/// Why a mail is written now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// Tasks changed just now.
    Changes,
    /// It is the hour at which its reader wants to hear of the day.
    Digest,
}

/// Why a mail could not be written.
#[derive(Debug, thiserror::Error)]
#[error("a mail's template does not render")]
pub struct UnwritableMail(#[from] askama::Error);

#[derive(Template)]
#[template(path = "tasks.txt")]
struct TasksText<'a> {
    opening: Option<&'a str>,
    blocks: &'a [Block],
    rest: Option<&'a str>,
    home: &'a str,
    stops: &'a [StopLink],
}

#[derive(Template)]
#[template(path = "tasks.html")]
struct TasksHtml<'a> {
    lang: &'a str,
    subject: &'a str,
    opening: Option<&'a str>,
    blocks: &'a [Block],
    rest: Option<&'a str>,
    home: &'a str,
    stops: &'a [StopLink],
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

/// The mail that tells `reader` of tasks, in the order given; of at most `MOST_TASKS` in words.
///
/// # Errors
/// [`UnwritableMail`], which only a broken template can cause.
pub fn task_mail(
    letterhead: &Letterhead,
    reader: &Profile,
    occasion: Occasion,
    news: &[TaskNews],
    people: &People,
) -> Result<Mail, UnwritableMail> {
    let Letterhead { sender, web_origin, api_origin } = letterhead;
    let language = language(reader.locale);
    let shown = &news[..news.len().min(MOST_TASKS)];
    let digest = (occasion == Occasion::Digest).then(|| language.digest(news.len(), projects(news).len()));
    // The first line is what a mail program previews: it names the task where the subject does not.
    let is_named_above = news.len() == 1 && digest.is_none();
    let blocks: Vec<Block> = shown.iter().map(|it| block(web_origin, reader, it, is_named_above, people)).collect();
    let omitted = news.len() - shown.len();
    let rest = (omitted > 0).then(|| language.rest(omitted));
    let subject = header_text(&digest.clone().unwrap_or_else(|| subject(language, news)));
    let opening = digest.map(|it| format!("{it}."));
    let footer = Footer::new(api_origin, reader, language, news);
    let home = format!("{web_origin}/#/");
    let (opening, rest, home, stops) = (opening.as_deref(), rest.as_deref(), home.as_str(), footer.links.as_slice());
    let text = TasksText { opening, blocks: &blocks, rest, home, stops }.render()?;
    let html = TasksHtml { lang: language.tag(), subject: &subject, opening, blocks: &blocks, rest, home, stops }.render()?;
    let mut headers = automatic_headers();
    // RFC 2369, section 3.2, and RFC 8058, section 3.1: one click of the mail program's own ends all of these mails.
    headers.push(("List-Unsubscribe", format!("<{}>", footer.one_click)));
    headers.push(("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
    if let ([only], Occasion::Changes) = (news, occasion) {
        let thread = thread_id(only.net.task, sender);
        headers.push(("In-Reply-To", thread.clone()));
        headers.push(("References", thread));
    }
    Ok(Mail { to: reader.email.clone(), subject, text: straight(&text), html: straight(&html), headers })
}

/// The projects a mail is about, each once.
pub(crate) fn projects(news: &[TaskNews]) -> BTreeSet<ProjectId> {
    news.iter().map(|it| it.net.project).collect()
}

fn block(web_origin: &str, reader: &Profile, it: &TaskNews, is_named_above: bool, people: &People) -> Block {
    let TaskNews { project_name, net } = it;
    let language = language(reader.locale);
    let headline = language.headline(net, people);
    let headline = if is_named_above { headline } else { format!("{}: {headline}", language.quoted(net.title.as_str())) };
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
    let is_said_already = |it: &FieldChange| match (net.kind, it) {
        // A new task's title stands below.
        (NetKind::Created, FieldChange::Title { .. } | FieldChange::Description) => true,
        (NetKind::Created, FieldChange::Assignee { to, .. }) => to.is_none_or(|it| it == reader.id),
        (NetKind::Created | NetKind::Updated | NetKind::Deleted, _) => false,
    };
    net.fields.iter().filter(|it| !is_said_already(it)).map(|it| language.detail(it, people)).collect()
}

fn subject(language: &dyn Language, news: &[TaskNews]) -> String {
    match (news, projects(news).len()) {
        ([TaskNews { project_name, net }], _) => format!("[{project_name}] {}", net.title),
        ([TaskNews { project_name, .. }, ..], 1) => format!("[{project_name}] {}", language.several_tasks(news.len())),
        (_, projects) => language.several_projects(news.len(), projects),
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
    let one_line = |it: char| if it.is_control() || matches!(it, '\u{2028}' | '\u{2029}') { ' ' } else { it };
    let text: String = straight(text).chars().map(one_line).collect();
    // Its reader would decode what looks encoded (RFC 2047, section 2), and have back all that was taken out.
    text.replace("=?", "= ?")
}

/// Without the characters that turn text around (Unicode Standard Annex 9, section 2): what one person typed must not change
/// how the words beside it read.
pub(crate) fn straight(text: &str) -> String {
    let turns =
        |it: &char| matches!(it, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    text.chars().filter(|it| !turns(it)).collect()
}

#[cfg(test)]
mod tests;
