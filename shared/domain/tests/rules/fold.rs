use domain::{
    Change, Description, FieldChange, FieldName, Labels, NetChange, NetKind, NoticeKind, NotificationContent, OwedSpan, Priority,
    Reason, Status, TaskPatch, UserId, Version, net_change, net_change_of,
};

use crate::story::{ADA, BEN, CAM, DEE, Story, everything, reader, second, watcher};

fn status(from: Status, to: Status) -> FieldChange {
    FieldChange::Status { from: Some(from), to }
}

fn assignee(from: Option<UserId>, to: Option<UserId>) -> FieldChange {
    FieldChange::Assignee { from, to }
}

fn labelled(label: &str) -> Labels {
    vec![label.parse().expect("a label")].try_into().expect("labels")
}

fn names(net: &NetChange) -> Vec<&'static str> {
    net.fields.iter().map(FieldChange::name).collect()
}

#[test]
fn a_status_that_comes_back_is_no_news() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done).move_to(CAM, Status::Waiting);
    assert_eq!(story.told(BEN, 1), None);
}

#[test]
fn a_new_assignee_is_told_of_the_whole_task_once() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::InProgress);
    let (kind, reason, fields) = story.told(BEN, 0).expect("BEN is told");
    assert_eq!((kind, reason), (NetKind::Created, Reason::Assignee));
    assert!(fields.contains(&FieldChange::Status { from: None, to: Status::InProgress }));
    assert_eq!(story.told(ADA, 0), None, "nobody is told of their own act");
}

#[test]
fn a_new_task_is_told_whole_also_where_it_was_nobodys_first() {
    let urgent = TaskPatch { priority: Some(Priority::Urgent), ..TaskPatch::default() };
    let story = Story::begin(ADA, None).patch(ADA, urgent).assign(CAM, Some(BEN));
    let net = net_change(&story.log, reader(BEN), &everything()).expect("BEN is told");
    let names: Vec<_> = net.fields.iter().map(FieldChange::name).collect();
    assert_eq!((net.kind, names), (NetKind::Created, vec!["assignee", "status", "title", "priority"]));
    assert_eq!(net.actors, [CAM], "it comes from whoever handed it over");
}

#[test]
fn who_took_a_new_task_themselves_was_not_given_it() {
    let story = Story::begin(ADA, None).assign(BEN, Some(BEN)).move_to(ADA, Status::InProgress);
    let moved = FieldChange::Status { from: None, to: Status::InProgress };
    assert_eq!(story.told(BEN, 0), Some((NetKind::Updated, Reason::Assignee, vec![moved])));
}

#[test]
fn who_held_a_task_only_in_between_is_told_nothing() {
    let story = Story::begin(DEE, Some(ADA)).assign(DEE, Some(BEN)).assign(DEE, Some(CAM));
    let reassigned = vec![FieldChange::Assignee { from: Some(ADA), to: Some(CAM) }];
    assert_eq!(story.told(BEN, 1), None);
    assert_eq!(story.told(ADA, 1), Some((NetKind::Updated, Reason::FormerAssignee, reassigned.clone())));
    assert_eq!(story.told(CAM, 1), Some((NetKind::Updated, Reason::Assignee, reassigned)));
}

#[test]
fn a_field_is_told_from_where_the_reader_left_it() {
    let story = Story::begin(ADA, Some(BEN)).move_to(BEN, Status::InProgress).move_to(ADA, Status::Done);
    let moved = FieldChange::Status { from: Some(Status::InProgress), to: Status::Done };
    assert_eq!(story.told(BEN, 1), Some((NetKind::Updated, Reason::Assignee, vec![moved])));
    assert_eq!(story.told(ADA, 1), None, "ADA had the last word on it");
}

#[test]
fn a_task_that_came_and_went_is_no_news() {
    let story = Story::begin(ADA, Some(BEN)).delete(ADA);
    assert_eq!(story.told(BEN, 0), None);
    assert_eq!(story.told(BEN, 1), Some((NetKind::Deleted, Reason::Assignee, Vec::new())));
}

#[test]
fn who_never_knew_that_a_task_was_theirs_is_not_told_that_it_is_gone() {
    let story = Story::begin(ADA, None).assign(ADA, Some(BEN)).delete(CAM);
    assert_eq!(story.told(BEN, 1), None);
    assert_eq!(
        story.told(BEN, 2),
        Some((NetKind::Deleted, Reason::Assignee, Vec::new())),
        "a mail about the assignment went out"
    );
    assert_eq!(story.told(ADA, 1), Some((NetKind::Deleted, Reason::Creator, Vec::new())));
    let taken = Story::begin(ADA, None).assign(BEN, Some(BEN)).delete(CAM);
    assert_eq!(taken.told(BEN, 1), Some((NetKind::Deleted, Reason::Assignee, Vec::new())), "BEN took it");
    let returned = Story::begin(ADA, None).assign(BEN, Some(ADA)).delete(CAM);
    assert_eq!(returned.told(ADA, 1), Some((NetKind::Deleted, Reason::Creator, Vec::new())), "ADA knows it as its maker only");
}

#[test]
fn reassigned_twice_between_two_plans_is_told_to_the_one_in_between_wholly() {
    let story = Story::begin(DEE, Some(ADA)).assign(DEE, Some(BEN)).assign(DEE, Some(CAM));
    let bit_by_bit = |user: UserId| {
        let told = |index: usize| net_change(&story.log[index..=index], reader(user), &everything()).map(|it| it.fields);
        [told(1), told(2)]
    };
    let (given, taken) = (assignee(Some(ADA), Some(BEN)), assignee(Some(BEN), Some(CAM)));
    assert_eq!(bit_by_bit(BEN), [Some(vec![given.clone()]), Some(vec![taken.clone()])]);
    assert_eq!(bit_by_bit(ADA), [Some(vec![given]), None]);
    assert_eq!(bit_by_bit(CAM), [None, Some(vec![taken])]);
}

#[test]
fn who_watches_is_told_of_all_but_their_own_acts() {
    let story = Story::begin(ADA, None).assign(ADA, Some(BEN)).move_to(BEN, Status::Done);
    let fields = vec![assignee(None, Some(BEN)), status(Status::Waiting, Status::Done)];
    assert_eq!(story.seen(CAM, 1), Some((NetKind::Updated, Reason::Watcher, fields)));
    assert_eq!(story.told(CAM, 1), None, "CAM has no part in it");
    assert_eq!(story.move_to(CAM, Status::Waiting).seen(CAM, 3), None);
}

#[test]
fn a_watchers_reason_is_the_first_that_holds() {
    let story = Story::begin(ADA, Some(BEN)).assign(DEE, Some(CAM)).move_to(DEE, Status::Done);
    let reason = |user| story.seen(user, 1).map(|it| it.1);
    let reasons = [ADA, BEN, CAM].map(reason);
    assert_eq!(reasons, [Some(Reason::Creator), Some(Reason::FormerAssignee), Some(Reason::Assignee)]);
}

#[test]
fn a_new_task_is_told_whole_to_who_watches_and_comes_from_its_maker() {
    let story = Story::begin(ADA, None).assign(BEN, Some(BEN)).move_to(BEN, Status::InProgress);
    let net = net_change(&story.log, watcher(CAM), &[NoticeKind::Assigned].into()).expect("CAM is told");
    assert_eq!((net.kind, net.reason, net.actors.as_slice()), (NetKind::Created, Reason::Watcher, [ADA].as_slice()));
    assert_eq!(names(&net), ["assignee", "status", "title"]);
    assert_eq!(net_change(&story.log, watcher(CAM), &[NoticeKind::Deleted].into()), None);
    let others = net_change(&story.log, watcher(CAM), &[NoticeKind::Status].into()).expect("CAM is told of the status");
    assert_eq!((others.kind, names(&others)), (NetKind::Updated, vec!["status"]));
}

#[test]
fn who_watches_and_had_a_hand_in_a_new_task_is_told_of_the_rest_of_it() {
    let story = Story::begin(ADA, None).assign(CAM, Some(CAM)).move_to(BEN, Status::InProgress);
    let (kind, reason, fields) = story.seen(CAM, 0).expect("CAM is told");
    let names: Vec<_> = fields.iter().map(FieldChange::name).collect();
    assert_eq!((kind, reason, names), (NetKind::Updated, Reason::Assignee, vec!["status", "title"]));
    assert_eq!(Story::begin(CAM, None).seen(CAM, 0), None, "CAM made it");
    let made = Story::begin(CAM, None).move_to(BEN, Status::Done).seen(CAM, 0).map(|it| (it.0, it.1));
    assert_eq!(made, Some((NetKind::Updated, Reason::Creator)));
}

#[test]
fn who_watches_is_told_that_a_task_is_gone() {
    let story = Story::begin(ADA, None).assign(ADA, Some(BEN)).delete(ADA);
    assert_eq!(story.seen(CAM, 1), Some((NetKind::Deleted, Reason::Watcher, Vec::new())));
    assert_eq!(story.seen(BEN, 1), Some((NetKind::Deleted, Reason::Watcher, Vec::new())), "BEN never knew it was theirs");
    assert_eq!(story.seen(CAM, 0), None, "it came and went");
    assert_eq!(story.seen(ADA, 1), None, "their own act");
    assert_eq!(net_change(&story.log[1..], watcher(CAM), &[NoticeKind::Assigned].into()), None, "not asked for");
    let former = Story::begin(ADA, Some(BEN)).assign(CAM, None).delete(CAM);
    assert_eq!(former.told(BEN, 1), Some((NetKind::Deleted, Reason::FormerAssignee, Vec::new())));
}

#[test]
fn who_acted_is_named_once_in_order_of_their_last_word() {
    let story = Story::begin(BEN, Some(BEN))
        .retitle(ADA, "Mend the pump")
        .move_to(CAM, Status::Done)
        .press(DEE, Priority::High)
        .patch(ADA, TaskPatch { labels: Some(labelled("wet")), ..TaskPatch::default() });
    let net = net_change(&story.log[1..], reader(BEN), &everything()).expect("BEN is told");
    assert_eq!(net.actors, [CAM, DEE, ADA]);
    assert_eq!(names(&net), ["status", "title", "priority", "labels"]);
    assert_eq!((net.at, net.version), (second(5), Version(5)));
    assert_eq!(net.title.as_str(), "Mend the pump");
    let first_two = net_change(&story.log[1..4], reader(BEN), &[NoticeKind::Status].into()).expect("BEN is told");
    assert_eq!((first_two.at, first_two.version, first_two.actors), (second(3), Version(4), vec![CAM]));
}

#[test]
fn fields_are_told_in_the_order_of_what_matters_most() {
    let story = Story::begin(BEN, Some(BEN)).patch(
        ADA,
        TaskPatch {
            title: "Mend the pump".parse().ok(),
            description: Description::try_from("It drips.".to_owned()).ok(),
            status: Some(Status::Done),
            assignee: Some(None),
            priority: Some(Priority::Low),
            due_on: Some("2026-12-01".parse().ok()),
            labels: Some(labelled("wet")),
        },
    );
    let net = net_change(&story.log[1..], reader(BEN), &everything()).expect("BEN is told");
    assert_eq!(names(&net), ["assignee", "status", "title", "due_on", "priority", "labels", "description"]);
    let NotificationContent::Task { fields, from, to, .. } = NotificationContent::task(&net, Version(2)) else {
        panic!("a net effect is one of a task")
    };
    assert_eq!(fields.iter().map(|it| it.as_str()).collect::<Vec<_>>(), names(&net));
    assert_eq!((from, to), (Version(2), Version(2)));
    for (field, name) in net.fields.iter().zip(fields) {
        assert_eq!(serde_json::to_value(name).ok(), serde_json::to_value(field).ok().map(|it| it["name"].clone()));
    }
}

/// What is told to BEN, whose task it is, of two acts of ADA's: the fields, from what to what.
fn told_of_both(first: TaskPatch, second: TaskPatch) -> Vec<FieldChange> {
    let story = Story::begin(BEN, Some(BEN)).patch(ADA, first).patch(ADA, second);
    story.told(BEN, 1).map(|it| it.2).unwrap_or_default()
}

#[test]
fn every_field_is_told_from_its_beginning_to_its_end_and_not_where_they_are_the_same() {
    let labels = |labels| TaskPatch { labels: Some(labels), ..TaskPatch::default() };
    assert_eq!(
        told_of_both(labels(labelled("wet")), labels(labelled("dry"))),
        [FieldChange::Labels { from: Labels::default(), to: labelled("dry") }]
    );
    assert_eq!(told_of_both(labels(labelled("wet")), labels(Labels::default())), []);

    let due = |text: &str| TaskPatch { due_on: Some(text.parse().ok()), ..TaskPatch::default() };
    let second_day = "2026-12-02".parse().ok();
    assert_eq!(told_of_both(due("2026-12-01"), due("2026-12-02")), [FieldChange::DueOn { from: None, to: second_day }]);
    assert_eq!(told_of_both(due("2026-12-01"), due("")), []);

    let press = |priority| TaskPatch { priority: Some(priority), ..TaskPatch::default() };
    let pressed = [FieldChange::Priority { from: Some(Priority::None), to: Priority::High }];
    assert_eq!(told_of_both(press(Priority::Low), press(Priority::High)), pressed);
    assert_eq!(told_of_both(press(Priority::Low), press(Priority::None)), []);

    let call = |title: &str| TaskPatch { title: title.parse().ok(), ..TaskPatch::default() };
    let renamed = FieldChange::Title { from: "Fix the pump".parse().ok(), to: "Sell the pump".parse().expect("a title") };
    assert_eq!(told_of_both(call("Mend the pump"), call("Sell the pump")), [renamed]);
    assert_eq!(told_of_both(call("Mend the pump"), call("Fix the pump")), []);

    let describe = |text: &str| TaskPatch { description: Description::try_from(text.to_owned()).ok(), ..TaskPatch::default() };
    assert_eq!(told_of_both(describe("It drips."), describe("")), [FieldChange::Description], "its text is not in the log");
}

#[test]
fn a_priority_that_a_new_task_got_and_lost_is_no_news() {
    let story = Story::begin(ADA, Some(BEN));
    let mut given = story.log[0].clone();
    given.fields.push(FieldChange::Priority { from: None, to: Priority::High });
    let lost = story.press(CAM, Priority::High).press(CAM, Priority::None).log.pop().expect("a change");
    let net = net_change(&[given, lost], reader(BEN), &everything()).expect("BEN is told of the task");
    assert_eq!(names(&net), ["assignee", "status", "title"]);
}

#[test]
fn who_gave_a_task_away_does_not_hear_of_it_as_its_holder() {
    let story = Story::begin(ADA, Some(BEN)).assign(BEN, Some(CAM)).move_to(CAM, Status::Done).assign(CAM, Some(BEN));
    let fields = vec![assignee(Some(CAM), Some(BEN))];
    assert_eq!(story.told(BEN, 1), Some((NetKind::Updated, Reason::Assignee, fields)), "the status was not BEN's business");
    let taken = Story::begin(ADA, Some(BEN)).assign(CAM, None).move_to(CAM, Status::Done).assign(CAM, Some(BEN));
    let fields = vec![status(Status::Waiting, Status::Done)];
    assert_eq!(taken.told(BEN, 1), Some((NetKind::Updated, Reason::Assignee, fields)), "it was taken from BEN and came back");
}

fn owed_span(from: u64, to: u64, kinds: &[NoticeKind]) -> OwedSpan {
    OwedSpan { from: Version(from), to: Version(to), kinds: kinds.iter().copied().collect() }
}

#[test]
fn what_was_told_otherwise_between_two_spans_is_not_told_again() {
    // Version 2 waits for the digest; 3 was told at once, when that was BEN's choice; 4 waits again.
    let story = Story::begin(ADA, Some(BEN))
        .retitle(ADA, "Mend the pump")
        .move_to(ADA, Status::InProgress)
        .move_to(ADA, Status::Done)
        .retitle(ADA, "Sell the pump");
    let told = |owed: &[OwedSpan]| net_change_of(&story.log[1..5], reader(BEN), owed).map(|it| it.fields).unwrap_or_default();
    let renamed = FieldChange::Title { from: "Fix the pump".parse().ok(), to: "Sell the pump".parse().expect("a title") };
    let first = owed_span(2, 2, &[NoticeKind::Edited]);
    let last = owed_span(4, 5, &[NoticeKind::Edited, NoticeKind::Status]);
    assert_eq!(told(&[first.clone(), last]), [status(Status::InProgress, Status::Done), renamed.clone()]);
    assert_eq!(told(&[first.clone(), owed_span(5, 5, &[NoticeKind::Edited])]), [renamed]);
    assert_eq!(told(&[first, owed_span(3, 3, &[NoticeKind::Status])]), [], "both have been superseded");
    assert_eq!(told(&[]), []);
}

#[test]
fn what_was_none_of_the_readers_business_in_between_is_told_with_the_rest() {
    let story = Story::begin(ADA, Some(BEN))
        .move_to(ADA, Status::InProgress)
        .assign(ADA, None)
        .move_to(ADA, Status::Done)
        .assign(ADA, Some(BEN));
    let owed = [owed_span(2, 3, &[NoticeKind::Status, NoticeKind::Assigned]), owed_span(5, 5, &[NoticeKind::Assigned])];
    let told = net_change_of(&story.log[1..], reader(BEN), &owed).map(|it| it.fields);
    assert_eq!(told, Some(vec![status(Status::Waiting, Status::Done)]));
}

#[test]
fn a_new_task_and_a_deletion_are_told_where_their_own_version_is_owed() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done);
    let kind = |owed: &[OwedSpan]| net_change_of(&story.log, reader(BEN), owed).map(|it| it.kind);
    assert_eq!(kind(&[owed_span(1, 1, &[NoticeKind::Assigned])]), Some(NetKind::Created));
    assert_eq!(kind(&[owed_span(2, 2, &[NoticeKind::Assigned, NoticeKind::Status])]), Some(NetKind::Updated));
    assert_eq!(kind(&[owed_span(1, 1, &[NoticeKind::Status])]), None);
    let gone = story.delete(ADA);
    let told = |owed: &[OwedSpan]| net_change_of(&gone.log[1..], reader(BEN), owed).map(|it| it.kind);
    assert_eq!(told(&[owed_span(2, 3, &[NoticeKind::Deleted])]), Some(NetKind::Deleted));
    assert_eq!(told(&[owed_span(2, 2, &[NoticeKind::Deleted])]), None);
}

#[test]
fn who_took_a_new_task_themselves_was_not_given_it_whatever_was_planned_around_that() {
    let story = Story::begin(ADA, Some(DEE)).assign(DEE, Some(BEN)).assign(DEE, None).assign(BEN, Some(BEN));
    let story = story.assign(DEE, Some(CAM)).assign(ADA, Some(BEN));
    // Nothing is planned for BEN of their own act, the fourth.
    let owed = [(1, 2), (3, 3), (5, 6)].map(|(from, to)| owed_span(from, to, &[NoticeKind::Assigned]));
    for reader in [reader(BEN), watcher(BEN)] {
        let told = net_change_of(&story.log, reader, &owed).map(|it| (it.kind, it.fields));
        assert_eq!(told, None, "{reader:?}");
    }
}

#[test]
fn a_new_task_is_told_with_what_was_planned_with_it_and_what_waits_for_the_digest_is_not_told_twice() {
    // Ben wants edits in the digest, and everything else at once.
    let log = Story::begin(ADA, Some(BEN)).press(ADA, Priority::High).press(ADA, Priority::Urgent).move_to(ADA, Status::Done).log;
    let span = |from, to, kind| OwedSpan { from: Version(from), to: Version(to), kinds: [kind].into() };
    let told = |log: &[Change], owed: &[OwedSpan]| net_change_of(log, reader(BEN), owed).map(|it| (it.kind, it.fields));
    let priority = |from, to| FieldChange::Priority { from: Some(from), to };
    let check = |now: &[OwedSpan], expected: &[FieldChange]| {
        let (kind, fields) = told(&log, now).expect("a new task is news");
        assert_eq!(kind, NetKind::Created);
        let has = |it: &&FieldChange| matches!(it.field(), FieldName::Priority | FieldName::Status);
        assert_eq!(fields.iter().filter(has).cloned().collect::<Vec<_>>(), expected, "{now:?}");
    };
    let done = FieldChange::Status { from: None, to: Status::Done };
    let status = span(4, 4, NoticeKind::Status);
    check(&[span(1, 1, NoticeKind::Assigned), status.clone()], std::slice::from_ref(&done));
    check(&[span(1, 2, NoticeKind::Assigned), status.clone()], &[done.clone(), priority(Priority::None, Priority::High)]);
    check(&[span(1, 3, NoticeKind::Assigned), status], &[done, priority(Priority::None, Priority::Urgent)]);
    let digest = told(&log[1..3], &[span(2, 2, NoticeKind::Edited), span(3, 3, NoticeKind::Edited)]);
    assert_eq!(digest, Some((NetKind::Updated, vec![priority(Priority::None, Priority::Urgent)])));
}
