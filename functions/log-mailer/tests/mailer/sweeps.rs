use domain::{Letter, Locale, PartId, Recipient};
use jiff::SignedDuration;
use log_mailer::Deadline;
use serde_json::json;
use store::{Part, PartContent, RecipientKey};
use uuid::Uuid;

use crate::tables;
use crate::world::{Handed, World};

#[tokio::test]
async fn a_claim_that_cannot_be_read_blocks_nobody_else_and_is_counted() {
    let Handed { world, ada, ben, project, task } = Handed::new().await;
    let cam = world.person("Cam", &json!({}));
    world.join(project, cam);
    let other = world.task(project, ada, json!({"title": "Paint the door", "assignee": cam})).await;
    let broken = json!({"pk": format!("RECIPIENT#USER#{ben}"), "sk": "CLAIM", "claim": "?", "parts": "[]", "attempt": 1,
        "opened_at": "?", "lease_until": "?"});
    tables::put(&world.database, "mail", &broken);
    world.hint(&[&task, &other]).await;
    assert_eq!(world.sent_to("Cam").len(), 1);
}

#[tokio::test]
async fn a_position_that_cannot_be_read_does_not_fail_the_reconciliation() {
    let Handed { world, task, .. } = Handed::new().await;
    let hour = world.clock.now().strftime("%Y-%m-%dT%H").to_string();
    for shard in 0..store::SHARDS {
        let broken = json!({"pk": "TASK#nobody's", "version": i32::from(shard) + 1, "hour_pk": format!("HOUR#{hour}#{shard}"),
            "project_sk": format!("{hour}#{shard}")});
        tables::put(&world.database, "changes", &broken);
    }
    let settled = world.clock.now() + SignedDuration::from_secs(1);
    let behind = world.mailer.reconcile(settled, Deadline::from_now()).await;
    assert_eq!((behind.ok(), world.sent_to("Ben").len()), (Some(1), 1), "{}", task.summary.id);
}

#[tokio::test]
async fn a_task_whose_cursor_cannot_be_read_does_not_stop_the_others() {
    let Handed { world, ada, ben, project, task } = Handed::new().await;
    let other = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
    let broken = json!({"pk": format!("TASK#{project}#{}", task.summary.id), "sk": "CURSOR", "version": "?"});
    tables::put(&world.database, "mail", &broken);
    let settled = world.clock.now() + SignedDuration::from_secs(1);
    let failed = world.mailer.reconcile(settled, Deadline::from_now()).await;
    assert!(failed.is_err(), "somebody has to look");
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject.contains("Paint the door"), "{mails:?} {}", other.summary.id);
}

#[tokio::test]
async fn a_part_that_cannot_be_read_is_left_and_the_others_are_told() {
    let Handed { world, ben, task, .. } = Handed::new().await;
    let broken =
        json!({"pk": format!("RECIPIENT#USER#{ben}"), "sk": "PART#LETTER#x", "recipient": "?", "due_at": "?", "content": "?"});
    tables::put(&world.database, "mail", &broken);
    world.hint(&[&task]).await;
    assert_eq!(world.sent_to("Ben").len(), 1);
}

#[tokio::test]
async fn one_address_after_the_other_is_told_and_failures_are_counted() {
    let world = World::new().await;
    for number in 0..40 {
        let recipient = Recipient::Address(format!("new{number}@example.com").parse().expect("an address"));
        let content = PartContent::Letter { id: PartId(Uuid::now_v7()), letter: Letter::AddressTaken { locale: Locale::En } };
        let part = Part { recipient, due_at: world.clock.now(), content };
        world.mail.file_letter(&part).await.expect("a letter is filed");
    }
    assert_eq!(world.mailer.tellable_now().await.expect("a read"), 40);
    let address: domain::EmailAddress = "new7@example.com".parse().expect("an address");
    let broken = RecipientKey::Address((&address).into());
    let claim = json!({"pk": format!("RECIPIENT#{broken}"), "sk": "CLAIM", "claim": "?"});
    tables::put(&world.database, "mail", &claim);
    let failures = world.sweep().await;
    assert_eq!(world.office.sent().len() + failures, 40);
    assert!(world.office.sent().len() >= 39);
}
