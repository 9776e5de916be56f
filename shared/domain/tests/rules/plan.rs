use std::collections::BTreeMap;

use domain::{
    Choice, NetKind, NoticeKind, NoticeKinds, Notify, Owed, Priority, Status, Subscription, Subscriptions, UserId, audience,
    net_change, owed, recent,
};
use jiff::Timestamp;

use crate::story::{ADA, BEN, CAM, DEE, EVERYBODY, Story, reader, second};

const WEEK: i64 = 7 * 24 * 3_600;

pub(crate) fn nobody_asked() -> Subscriptions {
    Subscriptions::default()
}

pub(crate) fn watching(users: &[UserId]) -> Subscriptions {
    Subscriptions { task: users.iter().map(|user| (*user, Subscription::Watch)).collect(), ..Subscriptions::default() }
}

fn muting(user: UserId) -> Subscriptions {
    Subscriptions { project: [(user, Subscription::Mute)].into(), ..Subscriptions::default() }
}

pub(crate) fn everybody_wants(notify: Notify) -> BTreeMap<UserId, Notify> {
    EVERYBODY.map(|user| (user, notify)).into()
}

/// What one person with these preferences is owed over all of the log.
fn owed_to(user: UserId, story: &Story, notify: Notify, subscriptions: &Subscriptions) -> Option<Owed> {
    owed(&story.log, &[(user, notify)].into(), subscriptions, second(100)).into_iter().next()
}

fn kinds(kinds: &[NoticeKind]) -> NoticeKinds {
    kinds.iter().copied().collect()
}

#[test]
fn only_members_are_owed_and_only_what_they_want() {
    let story = Story::begin(ADA, Some(BEN)).assign(CAM, Some(DEE)).move_to(CAM, Status::Done);
    let quiet = Notify { assigned: Choice::None, ..Notify::default() };
    let members = BTreeMap::from([(BEN, quiet), (DEE, quiet)]);
    let owed: Vec<_> =
        owed(&story.log[1..], &members, &nobody_asked(), second(10)).into_iter().map(|it| (it.user, it.now)).collect();
    assert_eq!(owed, [(BEN, kinds(&[])), (DEE, kinds(&[NoticeKind::Status]))], "BEN is told in the product");
}

#[test]
fn different_choices_make_a_mail_now_and_one_for_the_digest() {
    let story = Story::begin(BEN, Some(BEN)).move_to(ADA, Status::Done).retitle(ADA, "Mend the pump").assign(ADA, None);
    let choices = Notify { status: Choice::Digest, assigned: Choice::None, ..Notify::default() };
    let it = owed_to(BEN, &story, choices, &nobody_asked()).expect("BEN is owed something");
    assert_eq!((it.now, it.digest), (kinds(&[NoticeKind::Edited]), kinds(&[NoticeKind::Status])));
}

#[test]
fn a_new_task_is_one_piece_of_news_whose_choice_is_that_for_assignments() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done).retitle(CAM, "Mend the pump");
    let check = |assigned: Choice, now: &[NoticeKind], digest: &[NoticeKind]| {
        let choices = Notify { assigned, status: Choice::Digest, ..Notify::default() };
        let it = owed_to(BEN, &story, choices, &nobody_asked()).expect("BEN is owed something");
        assert_eq!((it.now, it.digest), (kinds(now), kinds(digest)), "{assigned:?}");
        assert_eq!(it.net.map(|it| it.kind), Some(NetKind::Created));
    };
    check(Choice::Now, &[NoticeKind::Assigned], &[]);
    check(Choice::Digest, &[], &[NoticeKind::Assigned]);
    check(Choice::None, &[], &[]);
    let watched = Story::begin(ADA, None).move_to(ADA, Status::Done);
    let it = owed_to(CAM, &watched, Notify::default(), &watching(&[CAM])).expect("CAM watches");
    assert_eq!((it.now, it.watching), (kinds(&[NoticeKind::Assigned]), true));
}

#[test]
fn the_beginning_of_anothers_task_goes_out_at_once_where_any_of_it_does() {
    // It was taken from BEN at once, so it is not new to him, and may be once more before his digest.
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done).assign(ADA, None);
    let check = |status: Choice, now: &[NoticeKind], digest: &[NoticeKind]| {
        let choices = Notify { assigned: Choice::Digest, status, ..Notify::default() };
        let it = owed_to(BEN, &story, choices, &nobody_asked()).expect("BEN is owed something");
        assert_eq!((it.now, it.digest), (kinds(now), kinds(digest)), "{status:?}");
    };
    let both = [NoticeKind::Assigned, NoticeKind::Status];
    check(Choice::Now, &both, &[]);
    check(Choice::Digest, &[], &both);
}

#[test]
fn who_had_a_task_taken_and_given_back_is_owed_what_happened_meanwhile() {
    let story = Story::begin(ADA, Some(BEN)).assign(CAM, None).move_to(CAM, Status::Done).assign(CAM, Some(BEN));
    let it = owed(&story.log[1..], &[(BEN, Notify::default())].into(), &nobody_asked(), second(9)).pop().expect("BEN is owed it");
    assert!(it.now.contains(&NoticeKind::Status), "{:?}", it.now);
}

#[test]
fn who_had_a_task_taken_is_owed_that_it_is_gone() {
    let story = Story::begin(ADA, Some(BEN)).assign(ADA, None).delete(ADA);
    let it = owed(&story.log[1..], &[(BEN, Notify::default())].into(), &nobody_asked(), second(9)).pop().expect("BEN is owed it");
    assert_eq!(it.now, kinds(&[NoticeKind::Assigned, NoticeKind::Deleted]));
    assert_eq!(net_change(&story.log[1..], reader(BEN), &it.now).map(|it| it.kind), Some(NetKind::Deleted));
}

#[test]
fn who_mutes_a_task_gets_no_mail_and_is_told_in_the_product() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done);
    let it = owed_to(BEN, &story, Notify::default(), &muting(BEN)).expect("BEN is owed a notification");
    assert_eq!((it.muted, it.watching, it.now.len(), it.digest.len()), (true, false, 0, 0));
    assert!(it.net.is_some());
    let it = owed_to(BEN, &story, Notify::default(), &nobody_asked()).expect("BEN is owed a mail");
    assert!(!it.muted && !it.watching);
}

#[test]
fn nobody_who_is_owed_nothing_is_listed() {
    let story = Story::begin(BEN, None).move_to(ADA, Status::Done).move_to(ADA, Status::Waiting);
    let span = &story.log[1..];
    let none: Vec<_> = owed(span, &[(BEN, Notify::default().silent())].into(), &nobody_asked(), second(9));
    assert_eq!(none, [], "it came to nothing, and BEN wants no mail");
    let part = owed(span, &[(BEN, Notify::default())].into(), &nobody_asked(), second(9)).pop().expect("BEN wants mail");
    assert_eq!(
        (part.now, part.net),
        (kinds(&[NoticeKind::Status]), None),
        "together with an earlier part it can come to something"
    );
    let digest = Notify { status: Choice::Digest, ..Notify::default() };
    assert_eq!(owed(span, &[(BEN, digest)].into(), &nobody_asked(), second(9)).len(), 1);
    assert_eq!(owed(span, &[(CAM, Notify::default())].into(), &nobody_asked(), second(9)), []);
    assert_eq!(owed(&[], &everybody_wants(Notify::default()), &watching(&EVERYBODY), second(9)), []);
}

#[test]
fn changes_older_than_a_week_are_never_owed() {
    let story = Story::begin(ADA, Some(BEN)).move_to(ADA, Status::Done);
    let owed_at = |now: Timestamp| owed(&story.log, &[(BEN, Notify::default())].into(), &nobody_asked(), now);
    let kinds_at = |now| owed_at(now).into_iter().map(|it| (it.now, it.first_at)).collect::<Vec<_>>();
    assert_eq!(kinds_at(second(1 + WEEK)), [(kinds(&[NoticeKind::Assigned]), second(1))]);
    assert_eq!(kinds_at(second(2 + WEEK)), [(kinds(&[NoticeKind::Status]), second(2))]);
    assert_eq!(kinds_at(second(3 + WEEK)), []);
    let young = |now| recent(&story.log, now).len();
    assert_eq!([young(second(1 + WEEK)), young(second(2 + WEEK)), young(second(3 + WEEK)), young(second(-WEEK))], [2, 1, 0, 2]);
}

#[test]
fn a_task_is_urgent_as_the_span_leaves_it() {
    let story = Story::begin(ADA, Some(BEN)).press(ADA, Priority::Urgent);
    let urgent = |story: &Story| owed_to(BEN, story, Notify::default(), &nobody_asked()).map(|it| it.urgent);
    assert_eq!(urgent(&story), Some(true));
    assert_eq!(urgent(&story.clone().delete(ADA)), Some(true));
    assert_eq!(urgent(&story.clone().move_to(ADA, Status::Done)), Some(true));
    assert_eq!(urgent(&story.press(ADA, Priority::High)), Some(false));
}

#[test]
fn what_is_owed_is_dated_by_the_first_and_the_last_that_was_not_ones_own_and_never_in_the_future() {
    let story = Story::begin(BEN, Some(BEN))
        .move_to(ADA, Status::Done)
        .retitle(CAM, "Mend the pump")
        .move_to(ADA, Status::Waiting)
        .retitle(BEN, "Sell the pump");
    let times = |user: UserId, subscriptions: &Subscriptions, now: Timestamp| {
        let it = owed(&story.log, &[(user, Notify::default())].into(), subscriptions, now).pop().expect("it is owed");
        (it.first_at, it.last_at)
    };
    assert_eq!(times(BEN, &nobody_asked(), second(9)), (second(2), second(4)));
    assert_eq!(times(BEN, &watching(&[BEN]), second(9)), (second(2), second(4)));
    assert_eq!(times(CAM, &watching(&[CAM]), second(9)), (second(1), second(5)));
    assert_eq!(times(BEN, &nobody_asked(), second(3)), (second(2), second(3)));
    assert_eq!(times(BEN, &nobody_asked(), second(-9)), (second(-9), second(-9)));
}

#[test]
fn the_audience_is_whom_it_concerns_and_who_watches_others_do_it() {
    let story = Story::begin(ADA, Some(BEN)).assign(ADA, Some(CAM));
    let audience = |subscriptions: &Subscriptions| audience(&story.log[1..], subscriptions).into_iter().collect::<Vec<_>>();
    assert_eq!(audience(&nobody_asked()), [BEN, CAM]);
    assert_eq!(audience(&watching(&[ADA, DEE])), [BEN, CAM, DEE], "it is all ADA's own doing");
    assert_eq!(audience(&muting(BEN)), [BEN, CAM], "BEN is told in the product");
    assert_eq!(audience(&muting(DEE)), [BEN, CAM]);
}
