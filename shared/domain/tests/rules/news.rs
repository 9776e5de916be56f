//! What is told of any span of any log.

use domain::{Change, ChangeKind, FieldChange, FieldName, NetKind, NoticeKind, NoticeKinds, UserId, concerned, net_change};
use proptest::prelude::*;

use crate::story::{EVERYBODY, everything, reader, story, watcher};

/// Where each field that changed stands at both ends of a span.
fn ends(span: &[Change], name: FieldName) -> Option<(FieldChange, FieldChange)> {
    let mut steps = span.iter().flat_map(|it| &it.fields).filter(|it| it.field() == name);
    let first = steps.next()?;
    Some((first.clone(), steps.next_back().unwrap_or(first).clone()))
}

fn is_same(begin: &FieldChange, end: &FieldChange) -> bool {
    match (begin, end) {
        (FieldChange::Title { from, .. }, FieldChange::Title { to, .. }) => from.as_ref() == Some(to),
        (FieldChange::Status { from, .. }, FieldChange::Status { to, .. }) => *from == Some(*to),
        (FieldChange::Assignee { from, .. }, FieldChange::Assignee { to, .. }) => from == to,
        (FieldChange::Priority { from, .. }, FieldChange::Priority { to, .. }) => from.unwrap_or_default() == *to,
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_deletion_is_told_only_to_who_knew_the_task(story in story(), known in 0_usize..12) {
        let span = story.after(known);
        for user in EVERYBODY {
            let is_deleted = |kind: NetKind| kind == NetKind::Deleted;
            if net_change(span, reader(user), &everything()).is_some_and(|it| is_deleted(it.kind)) {
                let took_it = |it: &Change| it.actor == user && it.assignee.after == Some(user);
                let knew = span[0].assignee.before == Some(user) || span[0].creator == user || span.iter().any(took_it);
                prop_assert!(knew, "{user} is told of the end of a task they never heard of");
            }
        }
    }

    #[test]
    fn a_single_change_is_told_to_exactly_those_it_concerns(story in story()) {
        for change in &story.log {
            let expected: Vec<UserId> = EVERYBODY.into_iter().filter(|user| concerned(change).any(|it| it == *user)).collect();
            let told: Vec<UserId> = EVERYBODY
                .into_iter()
                .filter(|user| net_change(std::slice::from_ref(change), reader(*user), &everything()).is_some())
                .collect();
            prop_assert_eq!(told, expected);
        }
    }

    #[test]
    fn what_is_told_is_where_the_task_stands(story in story(), known in 0_usize..12) {
        if story.log.last().is_some_and(|it| it.kind == ChangeKind::Deleted) {
            return Ok(());
        }
        let span = story.after(known);
        for user in EVERYBODY {
            for field in net_change(span, reader(user), &everything()).map(|it| it.fields).unwrap_or_default() {
                match field {
                    FieldChange::Title { from, to } => {
                        prop_assert_eq!(&to, &story.task.summary.title);
                        prop_assert_ne!(from, Some(to));
                    }
                    FieldChange::Status { from, to } => {
                        prop_assert_eq!(to, story.task.summary.status);
                        prop_assert_ne!(from, Some(to));
                    }
                    FieldChange::Assignee { from, to } => {
                        prop_assert_eq!(to, story.task.summary.assignee);
                        prop_assert_ne!(from, to);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn nobody_who_is_concerned_is_forgotten(story in story(), known in 0_usize..12) {
        // A reader who did nothing in the span and holds the task at both of its ends sees every field that ends elsewhere.
        let span = story.after(known);
        let (first, last) = (&span[0], &span[span.len() - 1]);
        for user in EVERYBODY {
            let idle = span.iter().all(|it| it.actor != user);
            let holds = first.assignee.before == Some(user) && last.assignee.after == Some(user);
            if !(idle && holds) || last.kind == ChangeKind::Deleted {
                continue;
            }
            let status_before = span.iter().flat_map(|it| &it.fields).find_map(|it| match it {
                FieldChange::Status { from, .. } => *from,
                _ => None,
            });
            let moved = status_before.is_some_and(|it| it != story.task.summary.status);
            let told = net_change(span, reader(user), &everything());
            let told_of_move = told.is_some_and(|it| it.fields.iter().any(|field| field.name() == "status"));
            prop_assert_eq!(told_of_move, moved);
        }
    }

    #[test]
    fn who_watches_and_did_nothing_is_told_exactly_of_what_ends_elsewhere(story in story(), known in 0_usize..12) {
        let span = story.after(known);
        for user in EVERYBODY.into_iter().filter(|user| span.iter().all(|it| it.actor != *user)) {
            let told = net_change(span, watcher(user), &everything());
            if span.last().is_some_and(|it| it.kind == ChangeKind::Deleted) {
                prop_assert_eq!(told.is_some(), span[0].kind != ChangeKind::Created);
                continue;
            }
            let moved = |name: &FieldName| ends(span, *name).is_some_and(|(begin, end)| !is_same(&begin, &end));
            let all = [FieldName::Assignee, FieldName::Status, FieldName::Title, FieldName::Priority, FieldName::Description];
            let expected: Vec<FieldName> = all.into_iter().filter(moved).collect();
            let fields = told.map(|it| it.fields).unwrap_or_default();
            prop_assert_eq!(fields.iter().map(FieldChange::field).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn who_watches_is_told_no_less_than_who_does_not(story in story(), known in 0_usize..12) {
        let span = story.after(known);
        for user in EVERYBODY {
            if let Some(told) = net_change(span, reader(user), &everything()) {
                let seen = net_change(span, watcher(user), &everything());
                prop_assert_eq!(seen.as_ref().map(|it| it.reason), Some(told.reason));
                let seen = seen.map(|it| it.fields).unwrap_or_default();
                prop_assert!(told.fields.iter().all(|it| seen.contains(it)), "{:?} but {seen:?}", told.fields);
            }
        }
    }

    #[test]
    fn who_held_a_task_only_between_the_ends_of_a_span_is_told_nothing(story in story(), known in 0_usize..12) {
        let span = story.after(known);
        let (first, last) = (&span[0], &span[span.len() - 1]);
        for user in EVERYBODY.into_iter().filter(|user| span.iter().all(|it| it.actor != *user)) {
            if first.creator != user && first.assignee.before != Some(user) && last.assignee.after != Some(user) {
                prop_assert_eq!(net_change(span, reader(user), &everything()), None);
            }
        }
    }

    #[test]
    fn kinds_divide_the_news(story in story(), known in 0_usize..12, some in prop::collection::btree_set(kind(), 0..4)) {
        // Whatever is told of some kinds and of the others is what is told of all, each once; a task that is new or gone is one piece.
        let span = story.after(known);
        let others: NoticeKinds = &everything() - &some;
        for reader in EVERYBODY.into_iter().flat_map(|user| [reader(user), watcher(user)]) {
            let fields = |kinds: &NoticeKinds| net_change(span, reader, kinds).map(|it| it.fields).unwrap_or_default();
            let all = net_change(span, reader, &everything());
            if all.as_ref().is_some_and(|it| it.kind == NetKind::Updated) {
                let mut divided = fields(&some);
                divided.extend(fields(&others));
                divided.sort_by_key(FieldChange::field);
                prop_assert_eq!(divided, fields(&everything()));
            } else if all.is_none() {
                prop_assert_eq!((fields(&some), fields(&others)), (Vec::new(), Vec::new()));
            }
        }
    }
}

fn kind() -> impl Strategy<Value = NoticeKind> {
    prop::sample::select(NoticeKind::ALL.to_vec())
}
