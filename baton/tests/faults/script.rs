//! What people do: at random, and the same for the same seed as far as the answers they get are the same.

use std::num::NonZeroU32;

use baton::operate::replay::{LogSpan, Replayed, replay};
use baton::operate::{Deployment, Stop};
use domain::ProjectId;
use jiff::{SignedDuration, Timestamp};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::history::KINDS;
use crate::model::{Choice, Moment, Standing, Subscription};
use crate::person::{Answered, Api, Person, expect};
use crate::run::{Asked, CameOfIt, Project, Run, Task};

/// More than one mail shows, so that some are only counted, and few enough that several changes meet on one.
const MOST_TASKS: usize = 22;
const FEWEST_TASKS: usize = 6;

/// Something done to a task.
pub(crate) enum Act {
    Create { person: usize, project: usize, number: usize, body: Value },
    Patch { person: usize, task: usize, body: Value },
    Delete { person: usize, task: usize },
}

/// An act, and what came back.
pub(crate) struct Done {
    act: Act,
    begun: Moment,
    answer: Answered,
}

/// What happens next to a task.
pub(crate) fn task_act(run: &mut Run) -> Act {
    let alive: Vec<usize> = (0..run.tasks.len()).filter(|it| !run.tasks[*it].is_deleted).collect();
    let roll = run.dice.below(1000);
    if alive.len() < FEWEST_TASKS || (roll < 60 && alive.len() < MOST_TASKS) {
        let project = run.dice.below(run.projects.len());
        let members = members(run, project);
        let person = *run.dice.pick(&members);
        let number = run.tasks.len();
        let mut body = json!({"title": format!("Task {number}")});
        if run.dice.in_thousand(600) {
            let assignee = *run.dice.pick(&members);
            body["assignee"] = json!(run.people[assignee].id);
        }
        if run.dice.in_thousand(200) {
            body["priority"] = json!(["low", "urgent"][run.dice.below(2)]);
        }
        // Taken at once: several may be made in one round.
        run.tasks.push(Task { project, id: String::new(), is_deleted: true, asked: Vec::new() });
        return Act::Create { person, project, number, body };
    }
    let task = *run.dice.pick(&alive);
    let members = members(run, run.tasks[task].project);
    let person = *run.dice.pick(&members);
    if roll > 985 {
        return Act::Delete { person, task };
    }
    let mut body = json!({});
    for _ in 0..1 + run.dice.below(5) / 4 {
        let (field, value) = edit(run, task, &members);
        body[field] = value;
    }
    Act::Patch { person, task, body }
}

fn edit(run: &mut Run, task: usize, members: &[usize]) -> (&'static str, Value) {
    let dice = &mut run.dice;
    match dice.below(20) {
        0..7 => ("status", json!(dice.pick(&["waiting", "in_progress", "done"]))),
        7..13 => {
            let assignee = *dice.pick(members);
            ("assignee", if dice.in_thousand(150) { Value::Null } else { json!(run.people[assignee].id) })
        }
        13..15 => ("title", json!(format!("Task {task} take {}", dice.below(4)))),
        15 => ("description", json!(format!("Text {}", dice.below(1000)))),
        16..18 => ("priority", json!(dice.pick(&["none", "low", "high", "urgent"]))),
        18 => ("due_on", if dice.in_thousand(300) { Value::Null } else { json!(format!("2027-01-{:02}", 1 + dice.below(28))) }),
        _ => ("labels", json!([format!("label{}", dice.below(3))])),
    }
}

fn members(run: &Run, project: usize) -> Vec<usize> {
    (0..run.people.len()).filter(|it| run.lives[*it].now().projects.contains(&project)).collect()
}

pub(crate) async fn perform(run: &Run, act: Act) -> Done {
    let begun = run.tick();
    let api = &run.world.api;
    let path = |task: usize| format!("{}/tasks/{}", run.projects[run.tasks[task].project].path(), run.tasks[task].id);
    let answer = match &act {
        Act::Create { person, project, number, body } => {
            let path = format!("{}/tasks", run.projects[*project].path());
            let key = format!("task-{number}");
            run.people[*person].insist_with(api, Method::POST, &path, &[("idempotency-key", &key)], body).await
        }
        Act::Patch { person, task, body } => run.people[*person].call(api, Method::PATCH, &path(*task), body).await,
        Act::Delete { person, task } => run.people[*person].call(api, Method::DELETE, &path(*task), &Value::Null).await,
    };
    Done { act, begun, answer }
}

/// Keeps in mind what was asked and answered. What was not answered may have happened all the same: the log will tell.
pub(crate) fn note(run: &mut Run, done: Done) {
    let Done { act, begun, answer: (status, body) } = done;
    let is_done = StatusCode::from_u16(status).is_ok_and(|it| it.is_success());
    let names = |body: Value| body.as_object().map(|it| it.keys().cloned().collect());
    let (task, person, fields) = match act {
        Act::Create { person, number, body: asked, .. } => {
            let Some(id) = body["id"].as_str().filter(|_| is_done) else { return };
            (run.tasks[number].id, run.tasks[number].is_deleted) = (id.to_owned(), false);
            (number, person, names(asked))
        }
        Act::Patch { person, task, body: asked } => (task, person, names(asked)),
        Act::Delete { person, task } => {
            run.tasks[task].is_deleted |= is_done || status == 404;
            (task, person, None)
        }
    };
    let actor = run.people[person].id.clone();
    let asked = &mut run.tasks[task].asked;
    // Whoever asked for nothing new is answered with the task as somebody left it.
    let is_new =
        |version: u64| body["updated_by"] == *actor && asked.iter().all(|it| it.came_of_it != CameOfIt::Version(version));
    let came_of_it = match body["version"].as_u64() {
        _ if !is_done => CameOfIt::Unknown,
        None => CameOfIt::Deletion,
        Some(version) if is_new(version) => CameOfIt::Version(version),
        Some(_) => CameOfIt::Nothing,
    };
    run.changes += usize::from(matches!(came_of_it, CameOfIt::Version(_) | CameOfIt::Deletion));
    asked.push(Asked { begun, actor, fields, came_of_it });
}

/// Somebody wants something else from now on, or comes, or goes.
pub(crate) async fn change_of_mind(run: &mut Run) {
    let person = run.dice.below(run.people.len());
    match run.dice.below(100) {
        0..45 => choose(run, person).await,
        45..80 => subscribe(run, person).await,
        80..92 => come_or_go(run, person).await,
        _ => unsubscribe(run, person).await,
    }
}

async fn choose(run: &mut Run, person: usize) {
    let mut notify = json!({});
    for kind in KINDS {
        if run.dice.in_thousand(500) {
            notify[kind.name()] = json!(run.dice.pick(&["now", "now", "now", "digest", "digest", "none"]));
        }
    }
    if run.dice.in_thousand(300) {
        notify["digest_hour"] = json!(run.dice.below(24));
    }
    if run.dice.in_thousand(400) {
        let hours = json!({"from": "22:00", "to": "07:00", "urgent": run.dice.in_thousand(500)});
        notify["quiet_hours"] = if run.dice.in_thousand(300) { Value::Null } else { hours };
    }
    let begun = run.tick();
    let answer = run.people[person].insist(&run.world.api, Method::PATCH, "/v1/me", &json!({"notify": notify})).await;
    let me = expect(answer, 200);
    let mut standing = run.lives[person].now().clone();
    standing.choose(&me["notify"]);
    turn(run, person, begun, standing);
}

async fn subscribe(run: &mut Run, person: usize) {
    let mut standing = run.lives[person].now().clone();
    let projects: Vec<usize> = standing.projects.iter().copied().collect();
    let alive: Vec<usize> =
        (0..run.tasks.len()).filter(|it| !run.tasks[*it].is_deleted && projects.contains(&run.tasks[*it].project)).collect();
    if projects.is_empty() || alive.is_empty() {
        return;
    }
    let mode = [None, Some(Subscription::Watch), Some(Subscription::Watch), Some(Subscription::Mute)][run.dice.below(4)];
    let path = if run.dice.in_thousand(400) {
        let project = *run.dice.pick(&projects);
        keep(&mut standing.of_projects, project, mode);
        format!("{}/subscription", run.projects[project].path())
    } else {
        let task = *run.dice.pick(&alive);
        keep(&mut standing.of_tasks, task, mode);
        format!("{}/tasks/{}/subscription", run.projects[run.tasks[task].project].path(), run.tasks[task].id)
    };
    let begun = run.tick();
    let (person_, api) = (&run.people[person], &run.world.api);
    let (status, _) = match mode {
        Some(mode) => {
            let mode = if mode == Subscription::Watch { "watch" } else { "mute" };
            person_.insist(api, Method::PUT, &path, &json!({"mode": mode})).await
        }
        None => person_.insist(api, Method::DELETE, &path, &Value::Null).await,
    };
    // A task that somebody deleted in the meantime has no subscriptions; what was asked holds or does not, and nobody will know.
    assert!(matches!(status, 200 | 204 | 404), "{status} of {path}");
    if status != 404 {
        turn(run, person, begun, standing);
    }
}

fn keep(subscriptions: &mut std::collections::BTreeMap<usize, Subscription>, key: usize, mode: Option<Subscription>) {
    match mode {
        Some(mode) => drop(subscriptions.insert(key, mode)),
        None => drop(subscriptions.remove(&key)),
    }
}

/// Leaves a project, or joins it again.
async fn come_or_go(run: &mut Run, person: usize) {
    let not_theirs: Vec<usize> = (0..run.projects.len()).filter(|it| run.projects[*it].owner != person).collect();
    let project = *run.dice.pick(&not_theirs);
    let mut standing = run.lives[person].now().clone();
    let of_this = |run: &Run, task: &usize| run.tasks[*task].project == project;
    let api = run.world.api.clone();
    let begun = run.tick();
    let (guest, owner) = (&run.people[person], &run.people[run.projects[project].owner]);
    let path = run.projects[project].path();
    if standing.projects.remove(&project) {
        guest.insist(&api, Method::DELETE, &format!("{path}/members/{}", guest.id), &Value::Null).await;
        let (status, _) = guest.insist(&api, Method::GET, &path, &Value::Null).await;
        assert_eq!(status, 404, "who left a project does not see it");
        turn(run, person, begun, standing);
        return;
    }
    bring_in(&api, &run.projects[project], owner, guest).await;
    standing.projects.insert(project);
    // What they had subscribed to may have ended with their leaving. It surely has once they say so.
    turn(run, person, begun, standing.clone());
    let tasks: Vec<usize> = standing.of_tasks.keys().copied().filter(|it| of_this(run, it)).collect();
    let mut paths: Vec<String> = tasks.iter().map(|it| format!("{path}/tasks/{}/subscription", run.tasks[*it].id)).collect();
    paths.push(format!("{path}/subscription"));
    for path in paths {
        let (status, answer) = run.people[person].insist(&api, Method::DELETE, &path, &Value::Null).await;
        assert!(matches!(status, 204 | 404), "{status} of {path}: {answer}");
    }
    standing.of_projects.remove(&project);
    standing.of_tasks.retain(|it, _| !tasks.contains(it));
    turn(run, person, begun, standing);
}

/// Invites somebody, who accepts.
pub(crate) async fn bring_in(api: &Api, project: &Project, owner: &Person, guest: &Person) {
    let invitation = json!({"email": guest.email, "role": "editor"});
    let (status, answer) = owner.insist(api, Method::POST, &format!("{}/invitations", project.path()), &invitation).await;
    assert_eq!(status, 202, "{answer}");
    guest.insist(api, Method::POST, &format!("/v1/me/invitations/{}/accept", project.id), &Value::Null).await;
    let (status, answer) = guest.insist(api, Method::GET, &project.path(), &Value::Null).await;
    assert_eq!(status, 200, "who accepted an invitation sees the project: {answer}");
}

/// Follows one of the links at the end of a mail.
async fn unsubscribe(run: &mut Run, person: usize) {
    let mails = run.world.stack().inbox().mails(Some(&run.people[person].email), Some(5)).expect("the inbox answers");
    let links: Vec<&str> = mails
        .iter()
        .flat_map(|mail| mail.text.split_whitespace())
        .filter_map(|word| word.find("/v1/unsubscribe/").map(|at| &word[at..]))
        .collect();
    if links.is_empty() {
        return;
    }
    let link = (*run.dice.pick(&links)).to_owned();
    let api = run.world.api.clone();
    let begun = run.tick();
    // RFC 8058, section 3.2: a form of this one field.
    let (status, answer) = api.post_form(&link, "List-Unsubscribe=One-Click").await;
    assert_eq!(status, 200, "{link}: {answer}");
    // Whatever the link stands for, from here on what the person finds in their settings holds.
    let mut standing = run.lives[person].now().clone();
    let me = expect(run.people[person].insist(&api, Method::GET, "/v1/me", &Value::Null).await, 200);
    standing.choose(&me["notify"]);
    let projects: Vec<usize> = standing.projects.iter().copied().collect();
    for project in projects {
        let path = format!("{}/subscription", run.projects[project].path());
        let (_, answer) = run.people[person].insist(&api, Method::GET, &path, &Value::Null).await;
        keep(&mut standing.of_projects, project, mode(&answer));
    }
    for task in standing.of_tasks.clone().into_keys() {
        let Task { project, id, .. } = &run.tasks[task];
        let path = format!("{}/tasks/{id}/subscription", run.projects[*project].path());
        // Of a task that is gone, or of a project that they left, nothing is to be seen.
        let (status, answer) = run.people[person].insist(&api, Method::GET, &path, &Value::Null).await;
        if status == 200 {
            keep(&mut standing.of_tasks, task, mode(&answer));
        }
    }
    turn(run, person, begun, standing);
}

fn mode(subscription: &Value) -> Option<Subscription> {
    match subscription["mode"].as_str() {
        Some("watch") => Some(Subscription::Watch),
        Some("mute") => Some(Subscription::Mute),
        _ => None,
    }
}

fn turn(run: &mut Run, person: usize, begun: Moment, standing: Standing) {
    let settled = run.tick();
    run.lives[person].turn(begun, settled, standing);
}

/// Publishes every change of the log once more, as `baton replay` does, and answers how many.
///
/// # Errors
/// The log cannot be replayed, or something is still owed days after that.
pub(crate) async fn replay_log(run: &mut Run) -> Result<u64, String> {
    const FAST: NonZeroU32 = NonZeroU32::new(10_000).expect("is not zero");
    let deployment = Deployment::of(run.world.stack().calls()).map_err(|error| error.to_string())?;
    let (now, ages) = (Timestamp::now(), SignedDuration::from_hours(24 * 365));
    let mut published = 0;
    let projects: Vec<ProjectId> = run.projects.iter().map(|it| it.id.parse().expect("an id")).collect();
    for project in projects.into_iter().map(Some) {
        let (span, mut replayed) = (LogSpan { since: now - ages, until: now + ages, project }, Replayed::default());
        let done = replay(&deployment, span, FAST, &Stop::never(), &mut replayed).await;
        done.map_err(|error| format!("the log cannot be replayed: {error}"))?;
        published += replayed.entries as u64;
    }
    run.world.settle().await?;
    Ok(published)
}

#[test]
fn choices_are_spelled_as_in_the_contract() {
    let mut standing = Standing::new();
    standing.choose(&json!({"assigned": "now", "status": "digest", "edited": "none", "deleted": "now"}));
    let choices: Vec<Choice> = standing.choices.values().copied().collect();
    assert_eq!(choices, [Choice::Now, Choice::Digest, Choice::None, Choice::Now]);
}
