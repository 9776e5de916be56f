//! What is owed and told of any log, whatever people want, however it is cut into plans and mails.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Change, ChangeKind, Choice, FieldChange, NetKind, NoticeKind, NoticeKinds, Notify, Owed, OwedSpan, Reader, Subscription,
    Subscriptions, UserId, Version, audience, concerned, net_change, net_change_of, owed,
};
use proptest::prelude::*;

use crate::plan::{everybody_wants, nobody_asked, watching};
use crate::story::{EVERYBODY, everything, notify, reader, second, story, subscription};

const NOW: Choice = Choice::Now;

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
            // The beginning of another's task goes out as one.
            let begins = span.first().is_some_and(|it| it.kind == ChangeKind::Created && it.actor != user);
            let together = begins && !owed.now.is_empty();
            let goes = |choice| if together && choice == Choice::Digest { NOW } else { choice };
            let wanted_now = NoticeKind::ALL.into_iter().filter(|it| goes(notify.choice(*it)) == NOW).collect();
            prop_assert!(owed.now.is_subset(&wanted_now) && owed.digest.is_subset(&notify.with(Choice::Digest)));
            prop_assert!(!together || owed.digest.is_empty());
            if owed.muted {
                prop_assert!(owed.now.is_empty() && owed.digest.is_empty());
                continue;
            }
            let Some(net) = net else { continue };
            let (now, digest) = (net_change(span, reader, &owed.now), net_change(span, reader, &owed.digest));
            let choice = |field: &FieldChange| match net.kind {
                NetKind::Created => goes(notify.assigned),
                _ => goes(notify.choice(field.notice_kind())),
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
        known in 0_usize..2,
        cuts in prop::collection::vec(1_usize..3, 0..8),
        choices in prop::collection::vec(notify(), 12),
    ) {
        let log = story.after(known);
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
                    // A new task is one piece of news with all that was planned together with it.
                    let is_new = |it: &OwedSpan| it.from == Version(1) && it.kinds.contains(&NoticeKind::Assigned);
                    let is_owed = |change: &Change| mail.iter().any(|it| {
                        let is_of_it = it.from <= change.version && change.version <= it.to;
                        is_of_it && (it.kinds.contains(&field.notice_kind()) || is_new(it))
                    });
                    let mut owed_steps = log.iter().filter(|it| is_owed(it)).flat_map(|it| &it.fields);
                    let last = owed_steps.rfind(|it| it.field() == field.field());
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
