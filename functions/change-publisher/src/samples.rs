use domain::{Assignee, Change, ChangeKind, Priority, ProjectId, TaskId, UserId, Version};
use uuid::Uuid;

pub(crate) const ADA: UserId = UserId(Uuid::from_u128(2));

pub(crate) fn change() -> Change {
    Change {
        project: ProjectId(Uuid::from_u128(10)),
        task: TaskId(Uuid::from_u128(11)),
        version: Version(3),
        kind: ChangeKind::Updated,
        title: "Fix the pump".parse().expect("a title"),
        actor: ADA,
        creator: ADA,
        assignee: Assignee { before: None, after: None },
        priority: Priority::None,
        at: "2026-11-20T14:03:00Z".parse().expect("a time"),
        fields: Vec::new(),
    }
}
