//! What happens to a task between the plan and its mail.

use domain::Subscription;
use serde_json::json;

use crate::world::{Handed, World};

#[tokio::test]
async fn what_its_reader_did_with_a_new_task_before_the_mail_is_not_told_as_if_it_waited() {
    let Handed { world, ada, ben, project, task: deleted } = Handed::within(World::with_window(30).await, json!({})).await;
    let new = async |title: &str| world.task(project, ada, json!({"title": title, "assignee": ben})).await;
    let (mut done, mut passed_on, mut gone) = (new("Oil it").await, new("Paint it").await, new("Sell it").await);
    world.hint(&[&deleted, &done, &passed_on, &gone]).await;
    // Owed to nobody, so that no plan goes further than the new tasks.
    world.delete(&deleted, ben).await;
    world.change(&mut done, ben, json!({"status": "done"})).await;
    world.change(&mut passed_on, ben, json!({"assignee": ada, "title": "Paint all of it"})).await;
    world.change(&mut gone, ben, json!({"status": "in_progress"})).await;
    world.delete(&gone, ada).await;
    world.hint(&[&gone]).await;
    world.live(32).await;
    let mails = world.sent_to("Ben");
    let [mail] = mails.as_slice() else { panic!("one mail: {mails:?}") };
    assert!(mail.subject == "[Boiler room] Oil it" && !mail.text.contains("Status"), "{mail:?}");
    assert_eq!(world.deliveries(&deleted).await[0].reason.as_deref(), Some("nothing left to tell"));
    assert!(world.owed(ben).await.is_empty());
}

#[tokio::test]
async fn who_had_a_task_taken_hears_of_it_also_where_it_is_deleted_before_the_mail() {
    for is_planned in [true, false] {
        let Handed { world, ada, ben, mut task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
        world.hint(&[&task]).await;
        world.live(32).await;
        world.pass_seconds(3_600);
        world.change(&mut task, ada, json!({"assignee": ada})).await;
        world.hint(&[&task]).await;
        // None of Ben's business any more, so that he is not owed it.
        world.delete(&task, ada).await;
        if is_planned {
            world.hint(&[&task]).await;
        }
        world.live(32).await;
        let mails = world.sent_to("Ben");
        assert!(mails.len() == 2 && mails[1].text.starts_with("Ada took it over from you."), "{mails:?}");
        assert!(world.owed(ben).await.is_empty());
    }
}

#[tokio::test]
async fn a_new_task_and_its_deletion_are_both_told_or_neither() {
    let Handed { world, ada, ben, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.delete(&task, ada).await;
    world.live(32).await;
    assert_eq!(world.sent_to("Ben").len(), 1, "nobody has planned the deletion yet");
    world.hint(&[&task]).await;
    world.live(300).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 2 && mails[1].text.starts_with("Ada deleted it."), "{mails:?}");

    let Handed { world, ada, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    world.delete(&task, ada).await;
    world.hint(&[&task]).await;
    world.live(300).await;
    assert_eq!((world.sent_to("Ben").len(), world.owed(ben).await.len()), (0, 0));
}

#[tokio::test]
async fn a_digest_tells_of_no_new_task_that_is_gone_since() {
    let notify = json!({"assigned": "digest", "digest_hour": 13});
    for (is_his_own_act, mails) in [(false, 2), (true, 1)] {
        let handed = Handed::within(World::with_window(30).await, notify.clone()).await;
        let Handed { world, ada, ben, mut task, .. } = handed;
        world.hint(&[&task]).await;
        world.live(60).await;
        world.change(&mut task, ada, json!({"priority": "high"})).await;
        world.hint(&[&task]).await;
        world.live(60).await;
        assert_eq!(world.sent_to("Ben").len(), 1, "as he wants edits");
        world.delete(&task, if is_his_own_act { ben } else { ada }).await;
        world.hint(&[&task]).await;
        world.live(400).await;
        world.pass_seconds(3_600);
        world.sweep().await;
        let sent = world.sent_to("Ben");
        assert!(sent.len() == mails && world.owed(ben).await.is_empty(), "{sent:?}");
    }
}

#[tokio::test]
async fn who_looks_on_is_told_of_a_whole_new_task_also_where_they_had_a_hand_in_it_later() {
    let Handed { world, ada, ben, project, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    let cam = world.person("Cam", &json!({"assigned": "digest", "digest_hour": 13}));
    world.join(project, cam);
    world.mail.subscribe(project, None, cam, Subscription::Watch).await.expect("Cam watches");
    let mut task = world.task(project, ada, json!({"title": "Oil it", "assignee": ben})).await;
    world.hint(&[&task]).await;
    for (actor, priority) in [(ada, "high"), (cam, "low")] {
        world.change(&mut task, actor, json!({"priority": priority})).await;
        world.hint(&[&task]).await;
        world.live(400).await;
    }
    world.pass_seconds(3_600);
    world.sweep().await;
    let mails = world.sent_to("Cam");
    let digest = &mails.last().expect("a digest").text;
    assert!(digest.contains("“Oil it”: Ada made a new task.\n- Assignee: Ben\n- Status: waiting\n"), "{digest}");
}

#[tokio::test]
async fn what_comes_later_and_cannot_be_read_holds_back_nothing_that_can() {
    let Handed { world, ben, project, task, .. } = Handed::within(World::with_window(30).await, json!({})).await;
    world.hint(&[&task]).await;
    let newer = json!({"pk": format!("TASK#{project}#{}", task.summary.id), "version": 2, "kind": "painted"});
    crate::tables::put(&world.database, "changes", &newer);
    world.live(32).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject == "[Boiler room] Fix the pump", "{mails:?}");
    assert!(world.owed(ben).await.is_empty());
}
