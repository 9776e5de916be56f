use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Notification, NotificationContent, NotificationId, ProjectId, UserId};
use store::{Cursor, Mail, Position, StoreError};
use uuid::Uuid;

use crate::samples::{ADA, BEN, PROJECT, TASK, letter, note, refused};
use crate::tables::Tables;

fn id(number: u128) -> NotificationId {
    NotificationId(Uuid::from_u128(number))
}

/// Their numbers, those that were read with a minus.
async fn listed(mail: &Mail, user: UserId, limit: usize) -> Vec<i128> {
    let (mut listed, mut after): (_, Option<Position>) = (Vec::new(), None);
    loop {
        let page = mail.notifications(user, limit, after.as_ref()).await.expect("the table answers");
        assert!(page.items.len() <= limit && page.items.iter().all(|it| it.user == user));
        let number =
            |it: &Notification| i128::try_from(it.id.0.as_u128()).expect("a small number") * if it.read { -1 } else { 1 };
        listed.extend(page.items.iter().map(number));
        after = page.next;
        if after.is_none() {
            return listed;
        }
    }
}

async fn unread(mail: &Mail, user: UserId) -> usize {
    mail.unread(user, usize::MAX).await.expect("the table answers").values().sum()
}

async fn file(mail: &Mail, user: UserId, numbers: impl Iterator<Item = u128>) {
    mail.file_notifications(&numbers.map(|it| note(it, user)).collect::<Vec<_>>()).await.expect("they are filed");
}

#[tokio::test]
async fn what_is_not_read_comes_first_and_each_newest_first() {
    let Tables { mail, .. } = &Tables::new().await;
    file(mail, ADA, 1..=5).await;
    file(mail, BEN, 9..=9).await;
    mail.file_letter(&letter(7)).await.expect("it is filed");
    mail.file_notifications(&[Notification { read: true, ..note(6, ADA) }]).await.expect("it is filed as read");
    assert!(mail.mark_read(ADA, id(2)).await.expect("the table answers"));
    assert!(mail.mark_read(ADA, id(4)).await.expect("the table answers"));
    for limit in 1..=7 {
        assert_eq!(listed(mail, ADA, limit).await, [5, 3, 1, -6, -4, -2], "{limit} on a page");
    }
    assert_eq!((unread(mail, ADA).await, unread(mail, BEN).await), (3, 1));
    let page = mail.notifications(ADA, 1, None).await.expect("the table answers");
    assert_eq!(page.items, [note(5, ADA)]);
    for foreign in ["PART#LETTER#x", "NOTE#", "NOTE#LOST#00000000-0000-0000-0000-000000000001", "CLAIM"] {
        let position: Position = URL_SAFE_NO_PAD.encode(foreign).parse().expect("a cursor");
        let page = mail.notifications(ADA, 1, Some(&position)).await;
        assert!(matches!(page, Err(StoreError::InvalidPosition)), "{page:?}");
    }
}

#[tokio::test]
async fn one_is_marked_as_often_as_asked_and_never_one_of_somebody_else() {
    let Tables { mail, .. } = &Tables::new().await;
    file(mail, ADA, 1..=2).await;
    let mark = async |user, number| mail.mark_read(user, id(number)).await.expect("the table answers");
    assert!(!mark(BEN, 1).await && !mark(ADA, 3).await);
    assert_eq!(listed(mail, ADA, 9).await, [2, 1]);
    assert!(mark(ADA, 1).await && mark(ADA, 1).await);
    assert_eq!((listed(mail, ADA, 9).await, unread(mail, ADA).await), (vec![2, -1], 1));
    let read = mail.notifications(ADA, 9, None).await.expect("the table answers").items.pop();
    assert_eq!(read, Some(Notification { read: true, ..note(1, ADA) }));
    assert_eq!(listed(mail, BEN, 9).await, [] as [i128; 0]);
}

#[tokio::test]
async fn all_are_marked_or_all_up_to_one() {
    let Tables { mail, .. } = &Tables::new().await;
    // More than one transaction holds.
    file(mail, ADA, 1..=120).await;
    file(mail, BEN, 1..=1).await;
    let mark = async |through: Option<u128>| mail.mark_all_read(ADA, through.map(id)).await.expect("the table answers");
    assert_eq!((mark(Some(3)).await, unread(mail, ADA).await), (3, 117));
    assert_eq!((mark(Some(3)).await, unread(mail, ADA).await), (0, 117));
    assert_eq!((mark(None).await, unread(mail, ADA).await), (117, 0));
    assert_eq!((mark(None).await, listed(mail, ADA, 50).await.len()), (0, 120));
    assert_eq!(unread(mail, BEN).await, 1);
}

#[tokio::test]
async fn those_who_mark_at_once_do_not_get_into_each_others_way() {
    let Tables { mail, .. } = &Tables::new().await;
    file(mail, ADA, 1..=20).await;
    let one_by_one = async {
        for number in 1..=20 {
            assert!(mail.mark_read(ADA, id(number)).await.expect("the table answers"));
        }
    };
    let (marked, ()) = tokio::join!(mail.mark_all_read(ADA, None), one_by_one);
    assert!(marked.expect("the table answers") <= 20);
    assert_eq!((unread(mail, ADA).await, listed(mail, ADA, 50).await.len()), (0, 20));
}

#[tokio::test]
async fn what_is_not_read_is_counted_by_project_and_not_without_end() {
    let Tables { mail, .. } = &Tables::new().await;
    let other = ProjectId(Uuid::from_u128(9));
    file(mail, ADA, 1..=3).await;
    let undeliverable = NotificationContent::Undeliverable { project: other, user: None };
    mail.file_notifications(&[Notification { content: undeliverable, ..note(4, ADA) }]).await.expect("it is filed");
    assert_eq!(mail.unread(ADA, 100).await.expect("the table answers"), [(PROJECT, 3), (other, 1)].into());
    assert_eq!(mail.unread(ADA, 2).await.expect("the table answers"), [(PROJECT, 1), (other, 1)].into());
}

#[tokio::test]
async fn a_notification_is_filed_once_and_stays_read() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    tables.wire().loses_answers = true;
    file(mail, ADA, 1..=2).await;
    assert!(mail.mark_read(ADA, id(1)).await.expect("the table answers"), "a lost answer changes nothing");
    file(mail, ADA, 1..=3).await;
    assert_eq!(listed(mail, ADA, 9).await, [3, 2, -1]);
    let planned = mail.file_plan(PROJECT, TASK, &Cursor::START, &Cursor::at(domain::Version(2)), &[], &[note(2, ADA)]).await;
    refused(&planned);
    let days = tables.expires_at(&format!("RECIPIENT#USER#{ADA}"), &format!("NOTE#READ#{}", id(1))).await;
    assert_eq!(days.map(|it| (it - note(1, ADA).at.as_second()) / (24 * 60 * 60)), Some(90));
}

#[tokio::test]
async fn all_of_a_person_can_be_forgotten() {
    let Tables { mail, .. } = &Tables::new().await;
    file(mail, ADA, 1..=30).await;
    file(mail, BEN, 1..=1).await;
    mail.mark_all_read(ADA, Some(id(3))).await.expect("the table answers");
    mail.file_letter(&letter(7)).await.expect("it is filed");
    mail.forget_notifications(ADA).await.expect("they are forgotten");
    assert_eq!((listed(mail, ADA, 50).await.len(), listed(mail, BEN, 50).await.len()), (0, 1));
    assert_eq!(crate::claims::owed(mail).await.len(), 1);
}
