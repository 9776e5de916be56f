use domain::{NetKind, NoticeKind, NoticeKinds, Profile, UnsubscribeScope, UnsubscribeToken};

use crate::language::Language;
use crate::mail::{TaskNews, projects};

/// A link that ends mails, and what it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StopLink {
    pub(crate) label: String,
    pub(crate) link: String,
}

/// How the reader of a mail about tasks ends such mails: of its kinds, of its project where it is about one, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Footer {
    pub(crate) links: Vec<StopLink>,
    /// Ends all of them.
    pub(crate) one_click: String,
}

impl Footer {
    /// Below a mail that tells `reader` of these.
    pub(crate) fn new(api_origin: &str, reader: &Profile, language: &dyn Language, news: &[TaskNews]) -> Self {
        let link = |scope| {
            let token = UnsubscribeToken::sign(reader.id, scope, &reader.unsubscribe_secret);
            format!("{api_origin}/v1/unsubscribe/{token}")
        };
        let one_click = link(UnsubscribeScope::Everything);
        let mut links: Vec<StopLink> = kinds(news)
            .into_iter()
            .map(|kind| StopLink { label: language.stop_kind(kind).to_owned(), link: link(UnsubscribeScope::Kind(kind)) })
            .collect();
        if let ([first, ..], 1) = (news, projects(news).len()) {
            let scope = UnsubscribeScope::Project(first.net.project);
            links.push(StopLink { label: language.stop_project(&first.project_name), link: link(scope) });
        }
        links.push(StopLink { label: language.stop_everything().to_owned(), link: one_click.clone() });
        Self { links, one_click }
    }
}

/// The preferences a mail falls under.
fn kinds(news: &[TaskNews]) -> NoticeKinds {
    let of_one = |it: &TaskNews| -> NoticeKinds {
        match it.net.kind {
            NetKind::Created => [NoticeKind::Assigned].into(),
            NetKind::Deleted => [NoticeKind::Deleted].into(),
            NetKind::Updated => it.net.fields.iter().map(domain::FieldChange::notice_kind).collect(),
        }
    };
    news.iter().flat_map(of_one).collect()
}
