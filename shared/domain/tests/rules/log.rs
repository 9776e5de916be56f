use domain::{FieldChange, Status, TaskPatch, Version};
use proptest::prelude::*;

use crate::story::{ADA, BEN, Story, second, story};

#[test]
fn a_patch_that_changes_nothing_makes_no_change() {
    let story = Story::begin(ADA, Some(BEN)).move_to(BEN, Status::Waiting).assign(ADA, Some(BEN));
    assert_eq!(story.log.len(), 1);
    assert_eq!(story.task.summary.version, Version::FIRST);
}

#[test]
fn a_new_task_lists_only_what_was_given() {
    let names: Vec<_> = Story::begin(ADA, Some(BEN)).log[0].fields.iter().map(FieldChange::name).collect();
    assert_eq!(names, ["title", "status", "assignee"]);
}

#[test]
fn a_change_is_never_dated_before_the_one_it_follows() {
    let story = Story::begin(ADA, None);
    let (task, change) = story
        .task
        .apply(TaskPatch { status: Some(Status::Done), ..TaskPatch::default() }, BEN, second(-100))
        .expect("the status changes");
    assert_eq!((task.summary.updated_at, change.at), (second(1), second(1)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_log_has_no_gap_and_its_fields_lead_to_the_task(story in story()) {
        let versions: Vec<u64> = story.log.iter().map(|it| it.version.0).collect();
        prop_assert_eq!(versions, (1..=story.log.len() as u64).collect::<Vec<_>>());
        let mut title = None;
        let mut status = None;
        let mut assignee = None;
        for change in &story.log {
            for field in &change.fields {
                match field.clone() {
                    FieldChange::Title { from, to } => { prop_assert_eq!(&title, &from); title = Some(to); }
                    FieldChange::Status { from, to } => { prop_assert_eq!(status, from); status = Some(to); }
                    FieldChange::Assignee { from, to } => { prop_assert_eq!(assignee, from); assignee = to; }
                    _ => {}
                }
            }
            prop_assert_eq!(change.assignee.after, assignee);
        }
        prop_assert_eq!(title.as_ref(), Some(&story.task.summary.title));
        prop_assert_eq!(status, Some(story.task.summary.status));
        prop_assert_eq!(assignee, story.task.summary.assignee);
    }
}
