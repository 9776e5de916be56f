use std::collections::BTreeMap;

use domain::{Change, NewTask, ProjectId, Task, TaskId, Version};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{LogPosition, StoreError, logged_position};
use uuid::Uuid;

use crate::samples::{ADA, NANOSECOND, PROJECT, TASK, noon};
use crate::tables::Tables;

const OTHER_PROJECT: ProjectId = ProjectId(Uuid::from_u128(77));

impl Tables {
    /// A task that was made at each of these times, and its first change.
    async fn made(&self, project: ProjectId, times: impl IntoIterator<Item = Timestamp>) -> Vec<Change> {
        let mut changes = Vec::new();
        for at in times {
            let new: NewTask = serde_json::from_value(json!({"title": "Fix the pump"})).expect("a task");
            let (task, change) = Task::create(new, TaskId(Uuid::now_v7()), project, ADA, at);
            self.work.create_task(&self.changes, &task, &change, None).await.expect("it is stored");
            changes.push(change);
        }
        changes
    }

    async fn span(&self, since: Timestamp, until: Timestamp, project: Option<ProjectId>) -> Vec<Change> {
        let mut span = self.changes.span(since, until, project);
        let mut changes = Vec::new();
        while let Some(page) = span.next_page().await.expect("the table answers") {
            assert!(page.len() <= 100);
            changes.extend(page);
        }
        changes
    }
}

#[tokio::test]
async fn a_span_of_the_log_is_read_in_order_of_time_and_by_project() {
    let tables = Tables::new().await;
    let minutes = |it: i64| noon() + SignedDuration::from_mins(it);
    // Over more than one hour, page and shard.
    let all = tables.made(PROJECT, (0..130).map(minutes)).await;
    let others = tables.made(OTHER_PROJECT, [minutes(5) + NANOSECOND]).await;
    assert_eq!(tables.span(minutes(0), minutes(130), Some(PROJECT)).await, all);
    assert_eq!(tables.span(minutes(0), minutes(130), Some(OTHER_PROJECT)).await, others);
    let both = tables.span(minutes(0), minutes(130), None).await;
    assert_eq!((both.len(), &both[6]), (131, &others[0]));
    assert!(both.is_sorted_by_key(|it| it.at));
    for project in [None, Some(PROJECT)] {
        let some = tables.span(minutes(59), minutes(61), project).await;
        assert_eq!(some, all[59..61], "from the first on, before the last");
        let later = tables.span(minutes(59) + NANOSECOND, minutes(60) + NANOSECOND, project).await;
        assert_eq!(later, all[60..61]);
        assert_eq!(tables.span(minutes(60), minutes(60), project).await, []);
    }
}

#[tokio::test]
async fn the_heads_of_all_logs_are_found() {
    let tables = Tables::new().await;
    let first = tables.made(PROJECT, [noon()]).await.remove(0);
    let second = tables.made(OTHER_PROJECT, [noon()]).await.remove(0);
    let context = tables.work.task_context(PROJECT, ADA, first.task).await.expect("the table answers");
    let before = context.task.expect("a task");
    let patch = serde_json::from_value(json!({"description": "It drips."})).expect("a patch");
    let (after, change) = before.apply(patch, ADA, noon()).expect("it changes something");
    tables.work.save_task(&tables.changes, &before, &after, &change).await.expect("it is stored");

    let mut heads = tables.changes.heads();
    let mut found: BTreeMap<TaskId, Version> = BTreeMap::new();
    while let Some(page) = heads.next_page().await.expect("the table answers") {
        found.extend(page.into_iter().map(|it| (it.task, it.version)));
    }
    assert_eq!(found, [(first.task, Version(2)), (second.task, Version(1))].into());
    let head = async |project, task| tables.changes.head(project, task).await.expect("the table answers");
    assert_eq!((head(PROJECT, first.task).await, head(PROJECT, TASK).await), (Version(2), Version::NONE));
}

#[tokio::test]
async fn what_cannot_be_read_hides_nothing_else() {
    let tables = Tables::new().await;
    let changes = tables.made(PROJECT, [noon(), noon() + NANOSECOND]).await;
    let partition = aws_sdk_dynamodb::types::AttributeValue::S(format!("TASK#{PROJECT}#{}", changes[0].task));
    let key = [("pk", partition), ("version", aws_sdk_dynamodb::types::AttributeValue::N("1".to_owned()))];
    tables.spoil("changes", key, "kind", "exploded").await;
    assert_eq!(tables.span(noon(), noon() + SignedDuration::from_mins(1), None).await, changes[1..]);
    let mut logged = 0;
    for shard in 0..store::SHARDS {
        logged += tables.changes.hour(noon(), shard).await.expect("the table answers").len();
    }
    assert_eq!(logged, 2);
}

#[test]
fn the_keys_of_a_record_say_where_it_stands() {
    let keys = |partition: String| json!({"pk": {"S": partition}, "version": {"N": "7"}});
    let position = logged_position(&keys(format!("TASK#{PROJECT}#{TASK}")));
    let expected = LogPosition { project: PROJECT, task: TASK, version: Version(7) };
    assert_eq!(position.ok(), Some(Some(expected)));
    assert_eq!(logged_position(&keys(format!("DESCRIPTION#{PROJECT}#{TASK}"))).ok(), Some(None));
    for nonsense in [json!({}), json!(null), keys("PIGEON#1".to_owned())] {
        assert!(matches!(logged_position(&nonsense), Err(StoreError::Corrupt { .. })), "{nonsense}");
    }
}
