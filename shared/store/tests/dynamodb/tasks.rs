use domain::{NewTask, Task, TaskPatch};
use serde_json::json;

use crate::samples::{ADA, MINUTE, PROJECT, TASK, noon};
use crate::tables::Tables;

/// What a person changed once must not be written a second time, over what somebody else made of it in between.
#[tokio::test]
async fn a_change_whose_answer_was_lost_is_known_again_after_a_collision() {
    let tables = Tables::new().await;
    let new: NewTask = serde_json::from_value(json!({"title": "Fix the pump"})).expect("a task");
    let (before, created) = Task::create(new, TASK, PROJECT, ADA, noon());
    tables.work.create_task(&tables.changes, &before, &created, None).await.expect("it is stored");
    let patch: TaskPatch = serde_json::from_value(json!({"status": "done"})).expect("a patch");
    let (after, change) = before.apply(patch, ADA, noon() + MINUTE).expect("it changes something");
    {
        let mut wire = tables.wire();
        (wire.loses_answers, wire.collides) = (true, true);
        wire.writes.clear();
    }
    tables.work.save_task(&tables.changes, &before, &after, &change).await.expect("it was stored at once");
    assert_eq!(tables.wire().writes.len(), 3, "lost, collided, known again");
}
