use domain::{ProjectId, Subscription, Subscriptions};
use store::Mail;
use uuid::Uuid;

use crate::samples::{ADA, BEN, OTHER_TASK, PROJECT, TASK};
use crate::tables::Tables;

async fn of_task(mail: &Mail) -> Subscriptions {
    mail.subscriptions(PROJECT, TASK).await.expect("the table answers")
}

#[tokio::test]
async fn what_is_watched_and_muted_is_kept_apart_by_task_project_and_person() {
    let Tables { mail, .. } = &Tables::new().await;
    assert_eq!(of_task(mail).await, Subscriptions::default());
    let elsewhere = ProjectId(Uuid::from_u128(9));
    for (project, task, user, mode) in [
        (PROJECT, None, ADA, Subscription::Mute),
        (PROJECT, None, BEN, Subscription::Mute),
        (PROJECT, Some(TASK), BEN, Subscription::Watch),
        (PROJECT, Some(OTHER_TASK), ADA, Subscription::Watch),
        (elsewhere, Some(TASK), ADA, Subscription::Watch),
        (PROJECT, None, BEN, Subscription::Watch),
    ] {
        mail.subscribe(project, task, user, mode).await.expect("it is stored");
    }
    let expected = Subscriptions {
        project: [(ADA, Subscription::Mute), (BEN, Subscription::Watch)].into(),
        task: [(BEN, Subscription::Watch)].into(),
    };
    assert_eq!(of_task(mail).await, expected);
    let one = async |task, user| mail.subscription(PROJECT, task, user).await.expect("the table answers");
    assert_eq!(one(None, ADA).await, Some(Subscription::Mute));
    assert_eq!(one(Some(TASK), ADA).await, None);
    assert_eq!(one(Some(OTHER_TASK), ADA).await, Some(Subscription::Watch));
    let adas = mail.subscriptions_of(PROJECT, ADA).await.expect("the table answers");
    assert_eq!(adas, [(None, Subscription::Mute), (Some(OTHER_TASK), Subscription::Watch)]);

    mail.unsubscribe(PROJECT, Some(TASK), BEN).await.expect("it is ended");
    mail.unsubscribe(PROJECT, Some(TASK), BEN).await.expect("it was ended");
    assert_eq!(of_task(mail).await, Subscriptions { task: [].into(), ..expected });
    mail.unsubscribe_all(PROJECT, ADA).await.expect("they are ended");
    assert_eq!(of_task(mail).await, Subscriptions { project: [(BEN, Subscription::Watch)].into(), task: [].into() });
    assert_eq!(mail.subscriptions_of(PROJECT, ADA).await.expect("the table answers"), []);
    assert_eq!(mail.subscriptions_of(elsewhere, ADA).await.expect("the table answers").len(), 1);
}
