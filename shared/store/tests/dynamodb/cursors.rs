use domain::{ProjectId, TaskId, UserId, Version};
use store::{Cursor, Mail, MailEntry, Part, Progress, StoreError};
use uuid::Uuid;

use crate::claims::owed;
use crate::samples::{ADA, BEN, OTHER_TASK, PROJECT, TASK, claim, letter, note, part, refused};
use crate::tables::Tables;

async fn cursor(mail: &Mail) -> Cursor {
    mail.cursor(PROJECT, TASK).await.expect("the table answers")
}

async fn plan(mail: &Mail, from: &Cursor, to: &Cursor, parts: &[Part]) -> Result<(), StoreError> {
    mail.file_plan(PROJECT, TASK, from, to, parts, &[]).await
}

fn under_way(version: u64, to: u64, after: UserId) -> Cursor {
    Cursor { version: Version(version), progress: Some(Progress { to: Version(to), after }) }
}

async fn unread(mail: &Mail, user: UserId) -> usize {
    mail.unread(user, usize::MAX).await.expect("the table answers").values().sum()
}

#[tokio::test]
async fn a_plan_moves_the_cursor_and_files_all_or_nothing() {
    let Tables { mail, .. } = &Tables::new().await;
    let (start, two, three) = (Cursor::START, Cursor::at(Version(2)), Cursor::at(Version(3)));
    assert_eq!(cursor(mail).await, start);
    refused(&plan(mail, &two, &three, &[part(ADA, TASK, 3)]).await);
    assert_eq!((cursor(mail).await, owed(mail).await), (start, vec![]));
    let first = part(ADA, TASK, 1);
    mail.file_plan(PROJECT, TASK, &start, &two, std::slice::from_ref(&first), &[note(1, ADA)]).await.expect("it is planned");
    assert_eq!((cursor(mail).await, owed(mail).await, unread(mail, ADA).await), (two, vec![first.clone()], 1));
    for stale in [start, three, under_way(2, 3, ADA)] {
        refused(&mail.file_plan(PROJECT, TASK, &stale, &three, &[part(ADA, TASK, 3)], &[note(2, ADA)]).await);
        refused(&mail.file_plan(PROJECT, TASK, &stale, &Cursor::at(Version(4)), &[], &[]).await);
    }
    assert_eq!((cursor(mail).await, owed(mail).await, unread(mail, ADA).await), (two, vec![first], 1));
    plan(mail, &two, &three, &[]).await.expect("nobody is owed anything");
    assert_eq!(cursor(mail).await, three);
}

#[tokio::test]
async fn of_many_who_plan_at_once_one_does() {
    let Tables { mail, .. } = &Tables::new().await;
    let steps = [Cursor::START, Cursor::at(Version(2)), under_way(2, 4, ADA), Cursor::at(Version(4))];
    for step in steps.windows(2) {
        let (from, to) = (step[0], step[1]);
        let planners = (0..8).map(|it| {
            let mail = mail.clone();
            tokio::spawn(
                async move { plan(&mail, &from, &to, &[part(UserId(Uuid::from_u128(100 + it)), TASK, 1)]).await.is_ok() },
            )
        });
        let mut planned = 0;
        for planner in planners.collect::<Vec<_>>() {
            planned += usize::from(planner.await.expect("nobody panics"));
        }
        assert_eq!((planned, cursor(mail).await), (1, to));
    }
}

#[tokio::test]
async fn a_plan_of_many_goes_on_where_it_stopped_and_files_nobody_twice() {
    let Tables { mail, .. } = &Tables::new().await;
    let steps = [Cursor::START, under_way(0, 4, ADA), under_way(0, 4, BEN), Cursor::at(Version(4))];
    for (place, step) in steps.windows(2).enumerate() {
        plan(mail, &step[0], &step[1], &[part(ADA, TASK, 10 + place as u64)]).await.expect("it is planned");
        assert_eq!(cursor(mail).await, step[1]);
        let others = [
            Cursor::START,
            Cursor::at(Version(1)),
            under_way(0, 4, UserId(Uuid::from_u128(99))),
            under_way(0, 5, ADA),
            under_way(0, 5, BEN),
            under_way(1, 4, BEN),
            Cursor::at(Version(5)),
        ];
        for other in steps.iter().chain(&others).filter(|it| **it != step[1]) {
            refused(&plan(mail, other, &Cursor::at(Version(9)), &[part(ADA, TASK, 99)]).await);
            refused(&plan(mail, other, &Cursor::at(Version(9)), &[]).await);
            refused(&mail.set_cursor(PROJECT, TASK, other, Some(Version(9))).await);
        }
    }
    assert_eq!(owed(mail).await.len(), 3);
}

#[tokio::test]
async fn a_plan_of_ninety_nine_is_one_transaction() {
    let Tables { mail, .. } = &Tables::new().await;
    let parts: Vec<Part> = (0..50).map(|it| part(UserId(Uuid::from_u128(100 + it)), TASK, 1)).collect();
    let notes: Vec<_> = (0..49).map(|it| note(it, UserId(Uuid::from_u128(100 + it)))).collect();
    let to = Cursor::at(Version(2));
    mail.file_plan(PROJECT, TASK, &Cursor::START, &to, &parts, &notes).await.expect("it is planned");
    assert_eq!(cursor(mail).await, to);
}

#[tokio::test]
async fn a_notification_that_is_there_holds_a_plan_back() {
    let Tables { mail, .. } = &Tables::new().await;
    mail.file_notifications(&[note(1, ADA)]).await.expect("it is filed");
    let planned =
        mail.file_plan(PROJECT, TASK, &Cursor::START, &Cursor::at(Version(2)), &[part(ADA, TASK, 1)], &[note(1, ADA)]).await;
    refused(&planned);
    assert_eq!((cursor(mail).await, owed(mail).await), (Cursor::START, vec![]));
}

#[tokio::test]
async fn cursors_are_read_together_and_one_under_way_is_behind() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    plan(mail, &Cursor::START, &Cursor::at(Version(7)), &[]).await.expect("it is planned");
    mail.file_plan(PROJECT, OTHER_TASK, &Cursor::START, &under_way(0, 3, ADA), &[], &[]).await.expect("it is planned");
    let [absent, spoilt] = [8, 9].map(|it| TaskId(Uuid::from_u128(it)));
    mail.file_plan(PROJECT, spoilt, &Cursor::START, &Cursor::at(Version(1)), &[], &[]).await.expect("it is planned");
    let text = |it: String| aws_sdk_dynamodb::types::AttributeValue::S(it);
    let key = [("pk", text(format!("TASK#{PROJECT}#{spoilt}"))), ("sk", text("CURSOR".to_owned()))];
    tables.spoil("mail", key, "version", "pigeon").await;
    let asked = [(PROJECT, TASK), (PROJECT, TASK), (PROJECT, OTHER_TASK), (PROJECT, absent), (PROJECT, spoilt)];
    let cursors = mail.cursors(&asked).await.expect("the table answers");
    assert_eq!(cursors, [((PROJECT, TASK), Version(7)), ((PROJECT, OTHER_TASK), Version::NONE)].into());
    assert!(matches!(mail.cursor(PROJECT, spoilt).await, Err(StoreError::Corrupt { .. })));
}

#[tokio::test]
async fn a_cursor_is_set_right_by_hand_up_down_and_away() {
    let Tables { mail, .. } = &Tables::new().await;
    let set = async |before: Cursor, after| mail.set_cursor(PROJECT, TASK, &before, after).await;
    refused(&set(Cursor::at(Version(1)), Some(Version(3))).await);
    refused(&set(Cursor::at(Version(1)), Some(Version(1))).await);
    set(Cursor::START, Some(Version(5))).await.expect("up");
    assert_eq!(cursor(mail).await, Cursor::at(Version(5)));
    set(Cursor::at(Version(5)), Some(Version(2))).await.expect("down");
    plan(mail, &Cursor::at(Version(2)), &under_way(2, 4, ADA), &[]).await.expect("it is planned");
    refused(&set(Cursor::at(Version(2)), Some(Version(3))).await);
    set(under_way(2, 4, ADA), Some(Version(3))).await.expect("a plan under way ends");
    assert_eq!(cursor(mail).await, Cursor::at(Version(3)));
    refused(&set(Cursor::at(Version(2)), None).await);
    set(Cursor::at(Version(3)), None).await.expect("away");
    assert_eq!(cursor(mail).await, Cursor::START);
    set(Cursor::START, Some(Version(5))).await.expect("up");
    set(Cursor::at(Version(5)), Some(Version::NONE)).await.expect("away");
    assert_eq!(cursor(mail).await, Cursor::START);
    plan(mail, &Cursor::START, &Cursor::at(Version(1)), &[]).await.expect("as if it had never been there");
}

#[tokio::test]
async fn a_lost_answer_is_no_refusal_and_nothing_is_filed_twice() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    tables.wire().loses_answers = true;
    let steps = [Cursor::START, Cursor::at(Version(2)), under_way(2, 4, ADA), Cursor::at(Version(4))];
    for step in steps.windows(2) {
        plan(mail, &step[0], &step[1], &[]).await.expect("nobody is owed anything");
        assert_eq!(cursor(mail).await, step[1]);
    }
    let (four, five) = (steps[3], Cursor::at(Version(5)));
    mail.file_plan(PROJECT, TASK, &four, &five, &[part(ADA, TASK, 5)], &[note(1, ADA)]).await.expect("it is planned");
    assert_eq!((cursor(mail).await, owed(mail).await.len(), unread(mail, ADA).await), (five, 1, 1));
    mail.set_cursor(PROJECT, TASK, &five, Some(Version(3))).await.expect("it is set");
    mail.set_cursor(PROJECT, TASK, &Cursor::at(Version(3)), None).await.expect("it is away");
    let writes = tables.wire().writes.clone();
    assert_eq!(writes.len(), 12, "every write was sent twice: {writes:?}");
}

#[tokio::test]
async fn everything_that_points_into_the_log_is_found() {
    let tables = Tables::new().await;
    let mail = &tables.mail;
    let (parts, opened) = ([part(ADA, TASK, 1), letter(7)], claim(1, &[part(ADA, TASK, 1)]));
    mail.file_plan(PROJECT, TASK, &Cursor::START, &under_way(0, 2, ADA), &parts, &[note(1, ADA)]).await.expect("it is planned");
    mail.file_plan(PROJECT, OTHER_TASK, &Cursor::START, &Cursor::at(Version(2)), &[part(BEN, OTHER_TASK, 1)], &[])
        .await
        .expect("it is planned");
    mail.open_claim(&opened).await.expect("it is opened");
    let bens = store::Claim { recipient: store::RecipientKey::User(BEN), ..claim(2, &[]) };
    mail.open_claim(&bens).await.expect("it is opened");
    mail.close(&bens, None).await.expect("it is closed, and its mailbox is there");
    let text = |it: String| aws_sdk_dynamodb::types::AttributeValue::S(it);
    let sort = format!("PART#TASK#{PROJECT}#{OTHER_TASK}#0000000001");
    let key = [("pk", text(format!("RECIPIENT#USER#{BEN}"))), ("sk", text(sort))];
    tables.spoil("mail", key, "content", "pigeon").await;

    let mut entries = mail.entries();
    let mut found = Vec::new();
    while let Some(page) = entries.next_page().await.expect("the table answers") {
        found.extend(page);
    }
    let of = |project: ProjectId, task, cursor| MailEntry::Cursor { project, task, cursor };
    let expected = [
        of(PROJECT, TASK, under_way(0, 2, ADA)),
        of(PROJECT, OTHER_TASK, Cursor::at(Version(2))),
        MailEntry::Part(parts[0].clone()),
        MailEntry::Part(parts[1].clone()),
        MailEntry::Claim(opened),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    assert!(expected.iter().all(|it| found.contains(it)), "{found:?}");
}
