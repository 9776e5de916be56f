//! The HTML of a mail, as a browser reads it.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use log_mailer::Mail;
use markup5ever_rcdom::{Handle, NodeData, RcDom};

const ELEMENTS: [&str; 18] = [
    "html", "head", "meta", "title", "body", "div", "p", "ul", "li", "span", "a", "br", "h1", "h2", "table", "tbody", "tr", "td",
];
const ATTRIBUTES: [&str; 6] = ["lang", "charset", "name", "content", "style", "href"];
const ORIGINS: [&str; 2] = ["https://baton.example/#/", "https://api.baton.example/v1/unsubscribe/"];

#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Every element with its attributes and how deep it stands, in the order of the page.
    outline: Vec<String>,
    elements: Vec<String>,
    attributes: Vec<String>,
    links: Vec<String>,
    pub(crate) links_to_tasks: usize,
    title: String,
    /// All that is read, without the title.
    pub(crate) words: String,
    others: usize,
    errors: Vec<String>,
}

pub(crate) fn read(html: &str) -> Page {
    let dom = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    let mut page = Page { errors: dom.errors.borrow().iter().map(ToString::to_string).collect(), ..Page::default() };
    page.walk(&dom.document, 0, "");
    page
}

impl Page {
    fn walk(&mut self, node: &Handle, depth: usize, within: &str) {
        let mut name = within.to_owned();
        match &node.data {
            NodeData::Document | NodeData::Doctype { .. } => {}
            NodeData::Text { contents } if within == "title" => self.title.push_str(&contents.borrow()),
            NodeData::Text { contents } => self.words.push_str(&contents.borrow()),
            NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => self.others += 1,
            NodeData::Element { name: element, attrs, .. } => {
                name = element.local.to_string();
                let mut entry = format!("{depth} {name}");
                for attribute in attrs.borrow().iter() {
                    let (key, value) = (attribute.name.local.to_string(), attribute.value.to_string());
                    entry.push_str(&format!(" {key}={value:?}"));
                    if key == "href" {
                        self.links_to_tasks += usize::from(value.contains("/#/projects/"));
                        self.links.push(value);
                    }
                    self.attributes.push(key);
                }
                self.outline.push(entry);
                self.elements.push(name.clone());
            }
        }
        for child in node.children.borrow().iter() {
            self.walk(child, depth + 1, &name);
        }
    }
}

/// The page has the elements, attributes and links of the one of plain words, and those are ours.
#[track_caller]
pub(crate) fn check(typed: &Mail, plain: &Mail) {
    let html = &typed.html;
    let (typed, subject, plain) = (read(html), &typed.subject, read(&plain.html));
    assert_eq!(typed.outline, plain.outline, "{html}");
    assert_eq!(typed.errors, plain.errors, "{html}");
    assert_eq!(typed.others, 0, "a comment: {html}");
    assert_eq!(typed.elements.iter().find(|it| !ELEMENTS.contains(&it.as_str())), None, "{html}");
    assert_eq!(typed.attributes.iter().find(|it| !ATTRIBUTES.contains(&it.as_str())), None, "{html}");
    assert_eq!(typed.links.iter().find(|it| !ORIGINS.iter().any(|origin| it.starts_with(origin))), None, "{html}");
    assert_eq!(&typed.title, subject, "the page's title is the subject");
}
