use std::collections::BTreeSet;

use domain::{NoticeKind, NotificationContent, Subscription, UserId, Version};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use store::{Cursor, PartContent, Progress, TaskSpan, Timing};

use crate::world::{Handed, World};

fn span(part: &store::Part) -> TaskSpan {
    match &part.content {
        PartContent::Task(span) => span.clone(),
        PartContent::Letter { .. } => panic!("a letter"),
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

async fn notes(world: &World, user: UserId) -> Vec<domain::Notification> {
    world.mail.notifications(user, 100, None).await.expect("a read").items
}

#[tokio::test]
async fn a_hint_plans_what_its_task_owes_once_and_files_a_notification() {
    let Handed { world, ada, ben, project, task } = Handed::within(World::with_window(30).await, json!({})).await;
    let began = world.clock.now();
    assert_eq!(world.hint(&[&task, &task]).await, 0);
    assert_eq!(world.planned(&task).await, Version(1));
    let parts = world.owed(ben).await;
    let [part] = parts.as_slice() else { panic!("one part: {parts:?}") };
    let TaskSpan { from, to, kinds, timing, first_at, last_at, watching, urgent, .. } = span(part);
    assert_eq!((from, to, timing, watching, urgent), (Version(1), Version(1), Timing::Now, false, false));
    assert_eq!(kinds, [NoticeKind::Assigned].into());
    assert!(first_at == last_at && last_at <= began && part.due_at == last_at + SignedDuration::from_secs(30), "{part:?}");
    assert_eq!(world.mailer.counts().planned, 1);
    let found = notes(&world, ben).await;
    let [note] = found.as_slice() else { panic!("one notification: {found:?}") };
    assert!(!note.read && note.at == last_at, "{note:?}");
    let (seconds, _) = note.id.0.get_timestamp().expect("an id of version 7").to_unix();
    assert!(world.clock.now().as_second().abs_diff(i64::try_from(seconds).expect("seconds")) < 60, "by the mailer's clock");
    let NotificationContent::Task { project: of, from, to, .. } = &note.content else { panic!("of a task: {note:?}") };
    assert_eq!((*of, *from, *to), (project, Version(1), Version(1)));
    assert!(world.owed(ada).await.is_empty() && notes(&world, ada).await.is_empty(), "nobody is told of their own act");

    world.hint(&[&task]).await;
    assert_eq!((world.owed(ben).await, notes(&world, ben).await.len()), (parts, 1), "whoever comes second finds nothing left");
}

#[tokio::test]
async fn who_wants_no_mail_finds_it_in_the_product_and_who_mutes_finds_it_read() {
    let nothing = json!({"assigned": "none", "status": "none", "edited": "none", "deleted": "none"});
    let Handed { world, ada, ben, project, mut task } = Handed::within(World::new().await, nothing).await;
    world.hint(&[&task]).await;
    world.mail.subscribe(project, Some(task.summary.id), ben, Subscription::Mute).await.expect("Ben mutes");
    world.profile(ben, "Ben", &json!({}));
    world.change(&mut task, ada, json!({"status": "done"})).await;
    world.hint(&[&task]).await;
    assert!(world.owed(ben).await.is_empty() && world.office.sent().is_empty());
    let read: Vec<bool> = notes(&world, ben).await.iter().map(|it| it.read).collect();
    assert_eq!(read, [false, true]);
    assert_eq!((world.planned(&task).await, world.mailer.counts().planned), (Version(2), 0));
}

#[tokio::test]
async fn who_is_no_member_and_what_is_a_week_old_is_planned_for_nobody() {
    let Handed { world, ada, ben, project, mut task } = Handed::new().await;
    world.pass_seconds(7 * 24 * 3_600 + 1);
    world.change(&mut task, ada, json!({"priority": "high"})).await;
    world.hint(&[&task]).await;
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].text.contains("priority to high"), "{mails:?}");
    assert!(!mails[0].text.contains("new task"), "what is a week old is not told with it: {mails:?}");
    let found = notes(&world, ben).await;
    assert!(matches!(&found[0].content, NotificationContent::Task { from: Version(2), to: Version(2), .. }), "{found:?}");

    world.leave(project, ben).await;
    world.change(&mut task, ada, json!({"priority": "low"})).await;
    world.hint(&[&task]).await;
    assert_eq!((world.sent_to("Ben").len(), notes(&world, ben).await.len()), (1, 1));
    world.pass_seconds(8 * 24 * 3_600);
    let old = world.task(project, ada, json!({"title": "Old"})).await;
    world.pass_seconds(8 * 24 * 3_600);
    world.hint(&[&old]).await;
    assert_eq!(world.planned(&old).await, Version(1), "the cursor moves all the same");
}

#[tokio::test]
async fn kinds_chosen_differently_are_two_parts_each_at_its_time() {
    let digest = json!({"status": "digest", "edited": "none", "digest_hour": 18});
    let Handed { world, ada, ben, mut task, .. } = Handed::within(World::with_window(30).await, digest).await;
    world.hint(&[&task]).await;
    world.change(&mut task, ada, json!({"status": "done", "assignee": null, "priority": "low"})).await;
    world.hint(&[&task]).await;
    let parts = world.owed(ben).await;
    let seen: BTreeSet<_> =
        parts.iter().map(span).map(|it| (it.from, it.timing, it.kinds.into_iter().collect::<Vec<_>>())).collect();
    let expected = [
        (Version(1), Timing::Now, vec![NoticeKind::Assigned]),
        (Version(2), Timing::Now, vec![NoticeKind::Assigned]),
        (Version(2), Timing::Digest, vec![NoticeKind::Status]),
    ];
    assert_eq!(seen, expected.into());
    let due: Vec<Timestamp> = parts.iter().filter(|it| span(it).timing == Timing::Digest).map(|it| it.due_at).collect();
    assert_eq!(due, [at("2027-03-10T18:00:00Z")]);
}

async fn due_with(quiet: Value, priority: &str) -> Timestamp {
    let world = World::with_window(30).await;
    let (ada, ben) = (world.person("Ada", &json!({})), world.person("Ben", &json!({"quiet_hours": quiet})));
    let project = world.project("Boiler room", ada).await;
    world.join(project, ben);
    let task = world.task(project, ada, json!({"title": "Fix the pump", "assignee": ben, "priority": priority})).await;
    world.hint(&[&task]).await;
    world.owed(ben).await[0].due_at
}

#[tokio::test]
async fn what_would_be_due_in_quiet_hours_is_due_at_their_end_unless_it_is_urgent_and_let_through() {
    let noon = at("2027-03-10T12:00:00Z");
    let soon = noon + SignedDuration::from_secs(30)..noon + SignedDuration::from_secs(50);
    let quiet = |from: &str, urgent: bool| json!({"from": from, "to": "13:00", "urgent": urgent});
    let one = at("2027-03-10T13:00:00Z");
    assert_eq!(due_with(quiet("11:00", false), "low").await, one);
    assert_eq!(due_with(quiet("11:00", true), "high").await, one);
    assert_eq!(due_with(quiet("11:00", false), "urgent").await, one);
    assert!(soon.contains(&due_with(quiet("11:00", true), "urgent").await));
    assert!(soon.contains(&due_with(quiet("12:30", false), "low").await));
    assert!(soon.contains(&due_with(json!(null), "low").await));
}

#[tokio::test]
async fn a_plan_made_late_looks_at_the_quiet_hours_of_now() {
    let quiet = json!({"quiet_hours": {"from": "13:00", "to": "15:00"}});
    let Handed { world, ben, task, .. } = Handed::within(World::with_window(30).await, quiet).await;
    world.pass_seconds(2 * 3_600);
    world.hint(&[&task]).await;
    assert_eq!(world.owed(ben).await[0].due_at, at("2027-03-10T15:00:00Z"));
    assert!(world.office.sent().is_empty());
}

/// A task that so many people watch, and they.
async fn watched(world: &World, watchers: usize) -> (domain::Task, Vec<UserId>) {
    let ada = world.person("Ada", &json!({}));
    let project = world.project("Boiler room", ada).await;
    let task = world.task(project, ada, json!({"title": "Fix the pump"})).await;
    let mut people: Vec<UserId> = Vec::new();
    for number in 0..watchers {
        let person = world.person(&format!("Watcher{number}"), &json!({}));
        world.join(project, person);
        // Some watch the project, some the task, and some what they were muted for by the project.
        let task = (number % 2 == 0).then_some(task.summary.id);
        world.mail.subscribe(project, task, person, Subscription::Watch).await.expect("they watch");
        people.push(person);
    }
    people.sort();
    (task, people)
}

#[tokio::test]
async fn a_change_that_120_people_watch_is_told_to_each_of_them_once() {
    let world = World::new().await;
    let (task, people) = watched(&world, 120).await;
    assert_eq!(world.hint(&[&task]).await, 0);
    assert_eq!(world.mail.cursor(task.summary.project, task.summary.id).await.expect("a cursor"), Cursor::at(Version(1)));
    world.hint(&[&task]).await;
    assert_eq!(world.office.sent().len(), 120);
    let told: BTreeSet<String> = world.office.sent().into_iter().map(|it| it.to).collect();
    assert_eq!((told.len(), world.mailer.counts().planned), (120, 120));
    for person in people {
        assert_eq!(notes(&world, person).await.len(), 1);
    }
    assert!(world.office.sent().iter().all(|it| it.text.contains("because you watch")));
}

#[tokio::test]
async fn whoever_goes_on_with_a_plan_files_nobody_twice_and_tells_the_same_span() {
    let world = World::with_window(30).await;
    let (mut task, people) = watched(&world, 65).await;
    let (project, id) = (task.summary.project, task.summary.id);
    // Somebody else has filed the first thirty-one, and ended there.
    let progress = Progress { to: Version(1), after: people[30] };
    let under_way = Cursor { version: Version::NONE, progress: Some(progress) };
    world.mail.file_plan(project, id, &Cursor::START, &under_way, &[], &[]).await.expect("the plan is begun");
    world.change(&mut task, world.person("Cam", &json!({})), json!({"status": "done"})).await;
    world.hint(&[&task]).await;
    assert_eq!(world.planned(&task).await, Version(2));
    for (index, person) in people.iter().enumerate() {
        let spans: Vec<(u64, u64)> = world.owed(*person).await.iter().map(span).map(|it| (it.from.0, it.to.0)).collect();
        let expected = if index <= 30 { vec![(2, 2)] } else { vec![(1, 1), (2, 2)] };
        assert_eq!(spans, expected, "person {index}");
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_a_dead_end_for_its_hint_and_holds_nobody_else_back() {
    let Handed { world, ada, ben, project, task } = Handed::new().await;
    let other = world.task(project, ada, json!({"title": "Paint the door", "assignee": ben})).await;
    let broken = json!({"pk": format!("TASK#{project}#{}", task.summary.id), "version": 1, "kind": "painted"});
    crate::tables::put(&world.database, "changes", &broken);
    assert_eq!(world.hint(&[&task, &other]).await, 0);
    let dead = world.queue.receive("dead");
    let [letter] = dead.as_slice() else { panic!("one dead letter: {dead:?}") };
    assert!(letter["reason"].as_str().is_some_and(|it| it.starts_with("the task's log cannot be read")), "{letter}");
    let mails = world.sent_to("Ben");
    assert!(mails.len() == 1 && mails[0].subject.contains("Paint the door"), "{mails:?}");
}

#[tokio::test]
async fn two_mailers_that_plan_at_once_file_everything_once() {
    let Handed { world, ada, ben, mut task, .. } = Handed::new().await;
    for number in 0..5 {
        world.change(&mut task, ada, json!({"title": format!("Fix pump {number}")})).await;
    }
    let other = world.another_mailer(&[]);
    let hints = |mailer| log_mailer::handle(mailer, World::queue([World::moved(&task)]), log_mailer::Deadline::from_now());
    let (one, two, three) = tokio::join!(hints(&world.mailer), hints(&other), hints(&other));
    for answer in [one, two, three] {
        assert!(answer.expect("a queue is never refused").batch_item_failures.is_empty());
    }
    assert_eq!((world.sent_to("Ben").len(), notes(&world, ben).await.len()), (1, 1));
    assert_eq!(world.mailer.counts().planned + other.counts().planned, 1);
}

#[tokio::test]
async fn the_reconciliation_plans_what_no_hint_reached_but_leaves_alone_what_moves() {
    let Handed { world, ada, mut task, .. } = Handed::new().await;
    let reconcile = async |settled| {
        world.mailer.reconcile(settled, log_mailer::Deadline::from_now()).await.expect("the log is compared with the cursors")
    };
    assert_eq!(reconcile(world.clock.now() - SignedDuration::from_mins(1)).await, 1);
    assert_eq!((world.office.asked(), world.planned(&task).await), (0, Version::NONE), "its hint is on its way");
    world.pass_seconds(120);
    assert_eq!(reconcile(world.clock.now() - SignedDuration::from_mins(1)).await, 1);
    assert_eq!((world.sent_to("Ben").len(), world.planned(&task).await), (1, Version(1)));
    assert_eq!(reconcile(world.clock.now()).await, 0);
    world.change(&mut task, ada, json!({"status": "done"})).await;
    assert_eq!(reconcile(world.clock.now() + SignedDuration::from_secs(1)).await, 1);
    assert_eq!(world.sent_to("Ben").len(), 2);
}
