use domain::{Letter, PartId, Recipient, SecurityEvent, UserId};
use jiff::SignedDuration;

use crate::item::{Item, json, number};
use crate::keys::List;
use crate::mail::parts::part_item;
use crate::table::query::Query;
use crate::table::write::Write;
use crate::{Accounts, Mail, Page, Part, PartContent, Position, StoreError, keys};

/// How long a person can read up what happened to their account.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

/// A security event and the letter that tells the person of it: stored together, in the transaction that makes it happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    event: SecurityEvent,
    letter: Part,
}

impl Notice {
    /// The event with its letter, due at once.
    #[must_use]
    pub fn of(event: SecurityEvent) -> Self {
        let letter = PartContent::Letter { id: PartId(event.id.0), letter: Letter::Security { event: event.clone() } };
        Self { letter: Part { recipient: Recipient::User(event.user), due_at: event.at, content: letter }, event }
    }

    /// What the person is told of.
    #[must_use]
    pub fn event(&self) -> &SecurityEvent {
        &self.event
    }

    /// To whom the letter goes, for a hint that it is due.
    #[must_use]
    pub fn recipient(&self) -> &Recipient {
        &self.letter.recipient
    }

    pub(crate) fn writes(&self, accounts: &Accounts, mail: &Mail) -> Result<[Write; 2], StoreError> {
        Ok([accounts.recording(&self.event)?, Write::put(&mail.table, part_item(&self.letter)?)])
    }
}

impl Accounts {
    /// What happened to a person's account, newest first.
    ///
    /// # Errors
    /// [`StoreError::InvalidPosition`] for a cursor of another list.
    pub async fn events(&self, user: UserId, limit: usize, after: Option<&Position>) -> Result<Page<SecurityEvent>, StoreError> {
        let list = List::Events(user);
        let query = Query::list(&self.table, &list, after)?.backward();
        query.page("list the security events", &list, limit).await?.try_map(|it| event(&it))
    }

    pub(crate) fn recording(&self, event: &SecurityEvent) -> Result<Write, StoreError> {
        Ok(Write::put(&self.table, event_item(event)?))
    }
}

fn event_item(event: &SecurityEvent) -> Result<Item, StoreError> {
    let kept_until = event.at.saturating_add(KEPT_FOR).map_err(|error| StoreError::Corrupt { what: error.to_string() })?;
    Ok(Item::new(keys::event(event.user, event.at, event.id))
        .with("event", json(event)?)
        .with("expires_at", number(kept_until.as_second())))
}

fn event(item: &Item) -> Result<SecurityEvent, StoreError> {
    item.json("event")
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{Device, EventId, SecurityEventKind, UserAgent};

    use super::*;
    use crate::keys::tests::{TASK, USER, at};

    pub(crate) fn sample() -> SecurityEvent {
        SecurityEvent {
            id: EventId(TASK.0),
            user: USER,
            at: at("2026-11-20T11:00:00.000000001Z"),
            kind: SecurityEventKind::RecoveryCodeUsed { left: 9 },
            device: Device { user_agent: UserAgent::new("curl/8"), network_address: "192.0.2.1".parse().ok() },
        }
    }

    #[test]
    fn an_event_survives_storage_for_a_year() {
        let before = sample();
        let item = event_item(&before).expect("an item");
        assert_eq!(item.number("expires_at").ok(), Some(at("2027-11-20T11:00:00Z").as_second()));
        assert_eq!(event(&item).ok(), Some(before));
    }

    #[test]
    fn a_notice_is_one_letter_to_the_person_and_due_at_once() {
        let notice = Notice::of(sample());
        assert_eq!(notice.recipient(), &Recipient::User(USER));
        assert_eq!(notice.letter.due_at, notice.event.at);
        let PartContent::Letter { id, letter } = &notice.letter.content else { panic!("a letter is a letter") };
        assert_eq!((id.0, letter), (TASK.0, &Letter::Security { event: sample() }));
    }
}
