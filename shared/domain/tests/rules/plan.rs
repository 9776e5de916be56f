use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Change, ChangeKind, Choice, FieldChange, NetKind, NoticeKind, NoticeKinds, Notify, Owed, OwedSpan, Priority, Reader, Status,
    Subscription, Subscriptions, UserId, audience, concerned, net_change, net_change_of, owed, recent,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::story::{ADA, BEN, CAM, DEE, EVERYBODY, Story, everything, notify, reader, second, story, subscription};

const NOW: Choice = Choice::Now;
const WEEK: i64 = 7 * 24 * 3_600;

fn nobody_asked() -> Subscriptions {
    Subscriptions::default()
}

fn watching(users: &[UserId]) -> Subscriptions {
    Subscriptions { task: users.iter().map(|user| (*user, Subscription::Watch)).collect(), ..Subscriptions::default() }
}

fn muting(user: UserId) -> Subscriptions {
    Subscriptions { project: [(user, Subscription::Mute)].into(), ..Subscriptions::default() }
}

fn everybody_wants(notify: Notify) -> BTreeMap<UserId, Notify> {
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

/// What each of them asked for, about the task or about its project.
fn subscriptions() -> impl Strategy<Value = Subscriptions> {
    let asked = || prop::collection::vec(subscription(), EVERYBODY.len());
    let by_user =
        |asked: Vec<Option<Subscription>>| EVERYBODY.into_iter().zip(asked).filter_map(|(user, it)| Some((user, it?))).collect();
    (asked(), asked()).prop_map(move |(project, task)| Subscriptions { project: by_user(project), task: by_user(task) })
}

fn preferences() -> impl Strategy<Value = BTreeMap<UserId, Notify>> {
    prop::collection::vec(notify(), EVERYBODY.len()).prop_map(|it| EVERYBODY.into_iter().zip(it).collect())
}

/// A log cut into the spans of plans: `cuts` are the lengths of all but the last.
fn spans<'a>(log: &'a [Change], cuts: &[usize]) -> Vec<&'a [Change]> {
    let mut rest = log;
    let mut spans = Vec::new();
    for cut in cuts {
        if *cut < rest.len() {
            let (span, after) = rest.split_at(*cut);
            spans.push(span);
            rest = after;
        }
    }
    spans.push(rest);
    spans
}

/// One letter part: what is owed of a span of the log.
fn part(span: &[Change], kinds: &NoticeKinds) -> Option<OwedSpan> {
    (!kinds.is_empty()).then(|| OwedSpan { from: span[0].version, to: span[span.len() - 1].version, kinds: kinds.clone() })
}

/// The mail that tells of these parts.
fn told(log: &[Change], reader: Reader, parts: &[OwedSpan]) -> Vec<FieldChange> {
    let (Some(from), Some(to)) = (parts.iter().map(|it| it.from).min(), parts.iter().map(|it| it.to).max()) else {
        return Vec::new();
    };
    let span: Vec<Change> = log.iter().filter(|it| from <= it.version && it.version <= to).cloned().collect();
    net_change_of(&span, reader, parts).map(|it| it.fields).unwrap_or_default()
}

fn concerns(change: &Change, reader: Reader) -> bool {
    change.actor != reader.user && (reader.watching || concerned(change).any(|it| it == reader.user))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_owed_or_told_of_their_own_act(story in story(), known in 0_usize..12, subscriptions in subscriptions()) {
        let span = story.after(known);
        for user in EVERYBODY {
            let watching = subscriptions.of(user) == Some(Subscription::Watch);
            if let Some(told) = net_change(span, Reader { user, watching }, &everything()) {
                prop_assert!(!told.actors.contains(&user));
                prop_assert!(!told.actors.is_empty());
            }
        }
        for change in span {
            prop_assert!(concerned(change).all(|user| user != change.actor));
            let own = owed(std::slice::from_ref(change), &everybody_wants(Notify::default()), &subscriptions, second(100));
            prop_assert!(own.iter().all(|it| it.user != change.actor));
        }
    }

    #[test]
    fn whoever_is_told_of_a_span_was_owed_it(story in story(), known in 0_usize..12) {
        let span = story.after(known);
        let members = everybody_wants(Notify::default());
        let owed: Vec<UserId> = owed(span, &members, &nobody_asked(), second(100)).into_iter().map(|it| it.user).collect();
        for user in EVERYBODY {
            if net_change(span, reader(user), &everything()).is_some() {
                prop_assert!(owed.contains(&user), "{user} would be told but is not owed");
            }
        }
    }

    #[test]
    fn each_piece_of_news_is_told_now_or_in_the_digest_or_is_not_wanted(
        story in story(), known in 0_usize..12, preferences in preferences(), subscriptions in subscriptions(),
    ) {
        let span = story.after(known);
        let owed: BTreeMap<UserId, Owed> =
            owed(span, &preferences, &subscriptions, second(100)).into_iter().map(|it| (it.user, it)).collect();
        let audience = audience(span, &subscriptions);
        for user in EVERYBODY {
            let (notify, asked) = (preferences[&user], subscriptions.of(user));
            let reader = Reader { user, watching: asked == Some(Subscription::Watch) };
            let net = net_change(span, reader, &everything());
            let Some(owed) = owed.get(&user) else {
                prop_assert_eq!(net, None, "{} is not told in the product", user);
                continue;
            };
            prop_assert!(audience.contains(&user));
            prop_assert_eq!(&owed.net, &net);
            prop_assert_eq!((owed.watching, owed.muted), (reader.watching, asked == Some(Subscription::Mute)));
            prop_assert!(owed.now.is_subset(&notify.with(NOW)) && owed.digest.is_subset(&notify.with(Choice::Digest)));
            if owed.muted {
                prop_assert!(owed.now.is_empty() && owed.digest.is_empty());
                continue;
            }
            let Some(net) = net else { continue };
            let (now, digest) = (net_change(span, reader, &owed.now), net_change(span, reader, &owed.digest));
            let choice = |field: &FieldChange| match net.kind {
                NetKind::Created => notify.assigned,
                _ => notify.choice(field.notice_kind()),
            };
            let chosen = |wanted| net.fields.iter().filter(|it| choice(it) == wanted).cloned().collect::<Vec<_>>();
            let fields = |net: &Option<domain::NetChange>| net.as_ref().map(|it| it.fields.clone()).unwrap_or_default();
            prop_assert_eq!(fields(&now), chosen(NOW));
            prop_assert_eq!(fields(&digest), chosen(Choice::Digest));
            if net.kind == NetKind::Deleted {
                prop_assert_eq!((now.is_some(), digest.is_some()), (notify.deleted == NOW, notify.deleted == Choice::Digest));
            }
        }
    }

    #[test]
    fn every_version_that_concerns_a_person_is_in_one_part_of_each_kind_they_want(
        story in story(), cuts in prop::collection::vec(1_usize..4, 0..6), preferences in preferences(), subscriptions in subscriptions(),
    ) {
        for user in EVERYBODY {
            let asked = subscriptions.of(user);
            let reader = Reader { user, watching: asked == Some(Subscription::Watch) };
            let notify = preferences[&user];
            for span in spans(&story.log, &cuts) {
                let owed = owed(span, &preferences, &subscriptions, second(100)).into_iter().find(|it| it.user == user);
                let parts: Vec<NoticeKinds> = owed.iter().flat_map(|it| [it.now.clone(), it.digest.clone()]).collect();
                let is_new = owed.as_ref().and_then(|it| it.net.as_ref()).is_some_and(|it| it.kind == NetKind::Created);
                let theirs: BTreeSet<NoticeKind> =
                    span.iter().filter(|it| concerns(it, reader)).flat_map(Change::notice_kinds).collect();
                for kind in theirs {
                    let kind = if is_new { NoticeKind::Assigned } else { kind };
                    let wanted = asked != Some(Subscription::Mute) && notify.choice(kind) != Choice::None;
                    let times = parts.iter().filter(|it| it.contains(&kind)).count();
                    prop_assert_eq!(times, usize::from(wanted), "{:?} to {}", kind, user);
                }
            }
        }
    }

    #[test]
    fn however_a_log_is_planned_and_mailed_a_watcher_is_led_from_where_they_were_to_where_the_task_is(
        story in story(),
        known in 1_usize..12,
        cuts in prop::collection::vec(1_usize..4, 0..6),
        mails in prop::collection::vec(1_usize..4, 0..6),
        notify in notify(),
    ) {
        // Now and digest each tell a field's way without a gap and without a step told twice, whatever goes first.
        let log = story.after(known);
        if log.last().is_some_and(|it| it.kind == ChangeKind::Deleted) || log[0].kind == ChangeKind::Created {
            return Ok(());
        }
        for user in EVERYBODY.into_iter().filter(|user| log.iter().all(|it| it.actor != *user)) {
            let reader = Reader { user, watching: true };
            let mut parts: [Vec<OwedSpan>; 2] = Default::default();
            for span in spans(log, &cuts) {
                let owed = owed(span, &[(user, notify)].into(), &watching(&[user]), second(100)).pop();
                                parts[0].extend(owed.iter().filter_map(|it| part(span, &it.now)));
                parts[1].extend(owed.iter().filter_map(|it| part(span, &it.digest)));
            }
            for (parts, choice) in parts.iter().zip([NOW, Choice::Digest]) {
                let mut rest = parts.as_slice();
                let mut way: BTreeMap<&'static str, Vec<FieldChange>> = BTreeMap::new();
                for size in mails.iter().copied().chain([usize::MAX]) {
                    let (mail, after) = rest.split_at(size.min(rest.len()));
                    rest = after;
                    for field in told(log, reader, mail) {
                        prop_assert_eq!(notify.choice(field.notice_kind()), choice);
                        way.entry(field.name()).or_default().push(field);
                    }
                }
                let whole = net_change(log, reader, &notify.with(choice)).map(|it| it.fields).unwrap_or_default();
                for field in whole {
                    prop_assert!(way.contains_key(field.name()), "{} is lost", field.name());
                }
                for (name, steps) in way {
                    prop_assert!(steps.windows(2).all(|it| follows(&it[0], &it[1])), "{}: {:?}", name, steps);
                    let changes: Vec<&FieldChange> = log.iter().flat_map(|it| &it.fields).filter(|it| it.name() == name).collect();
                    prop_assert!(is_begun_by(&steps[0], changes[0]), "{}: {:?}", name, steps);
                    prop_assert!(is_ended_by(&steps[steps.len() - 1], changes[changes.len() - 1]), "{}: {:?}", name, steps);
                }
            }
        }
    }

    #[test]
    fn whatever_is_chosen_between_two_plans_no_step_is_told_by_two_mails(
        story in story(),
        cuts in prop::collection::vec(1_usize..3, 0..8),
        choices in prop::collection::vec(notify(), 12),
    ) {
        let log = story.after(1);
        if log[0].kind == ChangeKind::Created {
            return Ok(());
        }
        for user in EVERYBODY.into_iter().filter(|user| log.iter().all(|it| it.actor != *user)) {
            let reader = Reader { user, watching: true };
            let mut mails: [Vec<OwedSpan>; 2] = Default::default();
            for (span, notify) in spans(log, &cuts).into_iter().zip(&choices) {
                if let Some(owed) = owed(span, &[(user, *notify)].into(), &watching(&[user]), second(100)).pop() {
                    mails[0].extend(part(span, &owed.now));
                    mails[1].extend(part(span, &owed.digest));
                }
            }
            for mail in &mails {
                for field in told(log, reader, mail) {
                    let is_owed = |change: &Change| mail.iter().any(|it| {
                        it.from <= change.version && change.version <= it.to && it.kinds.contains(&field.notice_kind())
                    });
                    let owed_steps = log.iter().filter(|it| is_owed(it)).flat_map(|it| &it.fields);
                    let last = owed_steps.filter(|it| it.field() == field.field()).last();
                    prop_assert!(last.is_some_and(|it| is_ended_by(&field, it)), "{:?} is not owed by {:?}", field, mail);
                }
            }
        }
    }
}

/// Whether the second of two steps begins where the first ended.
fn follows(first: &FieldChange, second: &FieldChange) -> bool {
    match (first, second) {
        (FieldChange::Title { to, .. }, FieldChange::Title { from, .. }) => from.as_ref() == Some(to),
        (FieldChange::Status { to, .. }, FieldChange::Status { from, .. }) => *from == Some(*to),
        (FieldChange::Assignee { to, .. }, FieldChange::Assignee { from, .. }) => from == to,
        (FieldChange::Priority { to, .. }, FieldChange::Priority { from, .. }) => *from == Some(*to),
        (first, second) => first == second,
    }
}

fn is_begun_by(told: &FieldChange, step: &FieldChange) -> bool {
    match (told, step) {
        (FieldChange::Title { from: told, .. }, FieldChange::Title { from, .. }) => told == from,
        (FieldChange::Status { from: told, .. }, FieldChange::Status { from, .. }) => told == from,
        (FieldChange::Assignee { from: told, .. }, FieldChange::Assignee { from, .. }) => told == from,
        (FieldChange::Priority { from: told, .. }, FieldChange::Priority { from, .. }) => told == from,
        (told, step) => told == step,
    }
}

fn is_ended_by(told: &FieldChange, step: &FieldChange) -> bool {
    match (told, step) {
        (FieldChange::Title { to: told, .. }, FieldChange::Title { to, .. }) => told == to,
        (FieldChange::Status { to: told, .. }, FieldChange::Status { to, .. }) => told == to,
        (FieldChange::Assignee { to: told, .. }, FieldChange::Assignee { to, .. }) => told == to,
        (FieldChange::Priority { to: told, .. }, FieldChange::Priority { to, .. }) => told == to,
        (told, step) => told == step,
    }
}
