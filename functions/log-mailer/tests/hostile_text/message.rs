//! A mail as the octets that travel: made as the mail service makes them of a subject, two bodies and headers, and read back.

use log_mailer::Mail;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use mail_parser::{Message, MessageParser};

/// One message to one recipient with our headers, whoever writes it and whoever reads it.
#[track_caller]
pub(crate) fn check(mail: &Mail) {
    let octets = written(mail);
    let message = MessageParser::default().parse(&octets).expect("a message");
    let added = ["From", "To", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type"];
    check_headers(&message, mail, &added);
    assert_eq!(message.parts.len(), 3, "two alternatives and what holds them");
    assert_eq!((message.text_body_count(), message.html_body_count(), message.attachment_count()), (1, 1, 0));
    assert_eq!(body(message.body_text(0)), body(Some(mail.text.as_str().into())));
    assert_eq!(body(message.body_html(0)), body(Some(mail.html.as_str().into())));

    let octets = written_carelessly(mail);
    let message = MessageParser::default().parse(&octets).expect("a message");
    check_headers(&message, mail, &["From", "To", "Subject"]);
    assert_eq!(message.parts.len(), 1);
}

#[track_caller]
fn check_headers(message: &Message<'_>, mail: &Mail, added: &[&str]) {
    let mut names: Vec<String> = message.headers().iter().map(|it| it.name().to_lowercase()).collect();
    let ours = mail.headers.iter().map(|(name, _)| *name);
    let mut expected: Vec<String> = added.iter().copied().chain(ours).map(str::to_lowercase).collect();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    let recipients: Vec<_> =
        message.to().into_iter().flat_map(mail_parser::Address::iter).filter_map(|it| it.address()).collect();
    assert_eq!(recipients, [mail.to.as_str()]);
    assert!(message.cc().is_none() && message.bcc().is_none());
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(message.subject().map(words), Some(words(&mail.subject)));
}

fn body(text: Option<std::borrow::Cow<'_, str>>) -> String {
    text.unwrap_or_default().replace("\r\n", "\n").trim_end().to_owned()
}

fn written(mail: &Mail) -> Vec<u8> {
    let Mail { to, subject, text, html, headers } = mail;
    let mut message = MessageBuilder::new().from(("Baton", "mail@baton.example")).to(to.as_str()).subject(subject.as_str());
    for (name, value) in headers {
        message = message.header(*name, Raw::new(value.as_str()));
    }
    message.text_body(text.as_str()).html_body(html.as_str()).write_to_vec().expect("memory suffices")
}

/// With every header as it is (RFC 6532), encoded and folded by nobody.
fn written_carelessly(mail: &Mail) -> Vec<u8> {
    let Mail { to, subject, text, html: _, headers } = mail;
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("From: Baton <mail@baton.example>\r\nTo: {to}\r\nSubject: {subject}\r\n{headers}\r\n{text}").into_bytes()
}
