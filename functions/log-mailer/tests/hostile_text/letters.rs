//! Letters: about accounts and invitations, with names chosen by whoever signed up.

use domain::{
    Device, EmailAddress, EventId, Letter, Locale, Name, ProjectId, ProjectName, SecurityEvent, SecurityEventKind, TokenName,
    UserAgent,
};
use jiff::Timestamp;
use log_mailer::Mail;
use log_mailer::fuzzing::letter_mail;
use proptest::prelude::*;
use proptest::sample::select;
use uuid::Uuid;

use crate::news::{letterhead, line, locale, reader};
use crate::words::{Words, typed};

/// Addresses that are addresses, and would like to be links.
const ADDRESSES: [&str; 4] =
    ["www.evil.example@new.example", "evil.example/log-in@new.example", "evil.example?x=1@new.example", "ada+x@new.example"];

#[derive(Clone, Debug)]
pub(crate) struct LetterCase {
    locale: Locale,
    kind: Kind,
    project: String,
    name: String,
    user_agent: String,
    address: &'static str,
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    VerifyAddress,
    Invitation,
    TokenMade,
    TokenRevoked,
    NewDevice,
    ApproveEmailChange,
}

pub(crate) fn letter_case() -> impl Strategy<Value = LetterCase> {
    let kinds = vec![
        Kind::VerifyAddress,
        Kind::Invitation,
        Kind::Invitation,
        Kind::TokenMade,
        Kind::TokenRevoked,
        Kind::NewDevice,
        Kind::ApproveEmailChange,
    ];
    (locale(), select(kinds), typed(), typed(), typed(), select(&ADDRESSES[..])).prop_map(
        |(locale, kind, project, name, user_agent, address)| LetterCase { locale, kind, project, name, user_agent, address },
    )
}

impl LetterCase {
    pub(crate) fn mail(&self, words: Words) -> Mail {
        let Self { locale, kind, project, name, user_agent, address } = self;
        let (locale, token) = (*locale, "tok-EN_1".to_owned());
        let reader = reader(locale, "UTC");
        let to: EmailAddress = "new@example.com".parse().expect("an address");
        let event = |kind| {
            let user_agent = if words == Words::Typed { UserAgent::new(user_agent) } else { UserAgent::default() };
            let device = Device { user_agent, network_address: None };
            let at = Timestamp::UNIX_EPOCH;
            Letter::Security { event: SecurityEvent { id: EventId(Uuid::from_u128(6)), user: reader.id, at, kind, device } }
        };
        let token_name = || line::<TokenName>(name, TokenName::LONGEST, words);
        let (letter, to_person) = match kind {
            Kind::VerifyAddress => (Letter::VerifyAddress { name: line(name, Name::LONGEST, words), token, locale }, false),
            Kind::Invitation => {
                let (project_name, inviter) = (line(project, ProjectName::LONGEST, words), line(name, Name::LONGEST, words));
                (Letter::Invitation { project: ProjectId(Uuid::from_u128(10)), project_name, inviter, locale }, false)
            }
            Kind::TokenMade => (event(SecurityEventKind::TokenMade { name: token_name() }), true),
            Kind::TokenRevoked => (event(SecurityEventKind::TokenRevoked { name: token_name() }), true),
            Kind::NewDevice => (event(SecurityEventKind::NewDevice), true),
            Kind::ApproveEmailChange => {
                let new = if words == Words::Typed { address } else { "ada@new.example" };
                (Letter::ApproveEmailChange { token, new: new.parse().expect("an address") }, true)
            }
        };
        let written = if to_person {
            letter_mail(&letterhead(), &reader.email, Some(&reader), &letter)
        } else {
            letter_mail(&letterhead(), &to, None, &letter)
        };
        written.expect("templates render")
    }
}
