//! Somebody who is no member tries the true ids of others in every place of every route, and learns nothing.
//!
//! `BATON_PROBES=100000 cargo test -p baton --test stack foreign_ids -- --nocapture` makes as many, and prints what they met.

mod routes;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use baton::stack::Stack;
use futures::StreamExt;
use jiff::{SignedDuration, Timestamp};
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::bad_input::everything;
use crate::dice::Dice;
use crate::people::{Answer, PASSWORD, Person, stack};
use crate::probes::routes::{Route, parameters, routes};

/// Probes in an ordinary run.
const PROBES: usize = 5_000;
const AT_ONCE: usize = 16;
const ROUND: usize = 20_000;
/// Of the project that is probed, and of whoever has to do with it.
const CANARY: &str = "canary";
/// The key under which the first task of the probed project was made.
const KEY: &str = "one";

/// What can be named in a path, by the name of its parameter.
type Ids = BTreeMap<&'static str, String>;

/// Somebody outside, and what is theirs.
struct Prober {
    person: Person,
    /// By an API token, which lasts.
    is_script: bool,
    own: Ids,
}

/// A project, its members and their accounts, as an outsider may have come to know their ids.
struct Target {
    owner: Person,
    project: String,
    task: String,
    ids: Ids,
    /// Positions in lists, as the owner was given them.
    cursors: Vec<String>,
    /// What no answer may contain, but for what its request did.
    secrets: BTreeSet<String>,
}

/// Where there is something to probe, and what was answered to nonexistent ids there.
struct Map {
    routes: Vec<Route>,
    with_ids: Vec<usize>,
    lists: Vec<usize>,
    nonexistent: Ids,
    compared: Mutex<HashMap<Probe, Value>>,
}

/// What a path or a body is filled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Filling {
    Own,
    /// An id of the target of some kind, or, where the answer is to be compared, one that nothing has.
    Foreign {
        kind: &'static str,
        spelling: Spelling,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Spelling {
    AsGiven,
    Upper,
    WithoutHyphens,
    AfterOwn,
    Below,
}

/// One request; with nonexistent ids in place of the foreign ones it is the one to compare with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Probe {
    prober: usize,
    route: usize,
    fillings: Vec<Filling>,
    assignee: Option<Filling>,
}

const KINDS: [&str; 7] = ["project", "task", "user", "invitation", "session", "token", "notification"];
/// The methods that a body goes with.
const BODIES: [Method; 3] = [Method::POST, Method::PATCH, Method::PUT];
const SPELLINGS: [Spelling; 5] =
    [Spelling::AsGiven, Spelling::Upper, Spelling::WithoutHyphens, Spelling::AfterOwn, Spelling::Below];

#[tokio::test(flavor = "multi_thread")]
async fn foreign_ids_open_nothing_and_tell_nothing() {
    let stack = stack().await;
    let mut target = Target::set(&stack).await;
    let mut probers = probers(&stack, &target).await;
    let map = Map::drawn();
    let asked = std::env::var("BATON_PROBES").map_or(PROBES, |it| it.parse().expect("BATON_PROBES is a number"));
    stack.drain().await;
    let before = target.seen().await;

    let mut met: Vec<(String, u16)> = Vec::new();
    while met.len() < asked {
        // A hundred thousand take longer than an access token is good for.
        target.owner.refresh().await;
        for prober in probers.iter_mut().filter(|it| !it.is_script) {
            prober.person.refresh().await;
        }
        let round = met.len()..asked.min(met.len() + ROUND);
        let probes = round.map(|number| probe(number, &probers, &target, &map));
        met.extend(futures::stream::iter(probes).buffer_unordered(AT_ONCE).collect::<Vec<_>>().await);
    }

    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for (_, status) in &met {
        *statuses.entry(*status).or_default() += 1;
    }
    let probed: BTreeSet<String> = met.iter().map(|(route, _)| route.clone()).collect();
    println!("{} probes of {} routes by {} outsiders, 0 leaks; by status: {statuses:?}", met.len(), probed.len(), probers.len());
    let all = map.with_ids.iter().chain(&map.lists).map(|it| map.routes[*it].name());
    assert_eq!(probed, all.collect(), "every route is probed");
    target.owner.refresh().await;
    assert_eq!(target.seen().await, before, "nothing was changed");
}

/// Makes the probe of this number, which is the same in every run.
async fn probe(number: usize, probers: &[Prober], target: &Target, map: &Map) -> (String, u16) {
    let mut dice = Dice::new(number as u64);
    if dice.below(10) == 0 {
        let prober = &probers[dice.below(probers.len())];
        return probe_with_cursor(prober, &map.routes[*dice.pick(&map.lists)], target, &mut dice).await;
    }
    let probe = Probe::thrown(&mut dice, map, probers.len());
    let (route, prober) = (&map.routes[probe.route], &probers[probe.prober]);
    let (path, body) = probe.request(route, prober, &target.ids);
    let answer = send(prober, route, &path, body.clone()).await;
    let says = format!("{} {path} {body:?} by {}: {answer:#?}", route.method, probe.prober);
    assert!(!answer.status.is_success(), "{says}");
    target.look_for_leaks(&answer, &[&path, body.as_deref().unwrap_or_default()], &says);
    let known = map.compared.lock().unwrap_or_else(PoisonError::into_inner).get(&probe).cloned();
    let expected = match known {
        Some(known) => known,
        None => {
            let (path, body) = probe.request(route, prober, &map.nonexistent);
            let expected = without_request_id(&send(prober, route, &path, body).await);
            map.compared.lock().unwrap_or_else(PoisonError::into_inner).insert(probe, expected.clone());
            expected
        }
    };
    assert_eq!(without_request_id(&answer), expected, "a foreign id is as good as one that nothing has: {says}");
    (route.name(), answer.status.as_u16())
}

impl Map {
    fn drawn() -> Self {
        let routes = routes();
        let with_ids = (0..routes.len()).filter(|it| routes[*it].path.contains('{')).collect();
        let lists = (0..routes.len()).filter(|it| routes[*it].is_list).collect();
        let nonexistent = KINDS.iter().map(|kind| (*kind, Uuid::now_v7().to_string())).collect();
        Self { routes, with_ids, lists, nonexistent, compared: Mutex::default() }
    }
}

impl Target {
    async fn set(stack: &Stack) -> Self {
        let owner = Person::sign_up(stack, "CanaryAda", json!({})).await;
        let member = Person::sign_up(stack, "CanaryBen", json!({})).await;
        let project = owner.create_project("canary project").await;
        owner.bring_in(&project, &member, "editor").await;
        let body = json!({
            "title": "canary title", "description": "canary description", "labels": ["canary label"], "assignee": member.id,
        });
        let made = owner.post_once(&format!("{project}/tasks"), KEY, body).await.expect(201);
        let task = format!("{project}/tasks/{}", made.text("id"));
        owner.patch(&task, "*", json!({"title": "canary title, changed"})).await.expect(200);
        owner.create_task(&project, json!({"title": "canary title, another"})).await;
        // Each drained by itself, so that the owner is notified twice.
        for status in ["in_progress", "done"] {
            member.patch(&task, "*", json!({"status": status})).await.expect(200);
            stack.drain().await;
        }
        for path in [&project, &task] {
            owner.put(&format!("{path}/subscription"), json!({"mode": "mute"})).await.expect(200);
        }
        let invitation = json!({"email": "canarygus@example.com", "role": "viewer"});
        owner.post(&format!("{project}/invitations"), invitation).await.expect(202);
        let mut ids = ids_of(&owner, &project, &task).await;
        ids.insert("user", member.id.clone());
        let mut cursors = Vec::new();
        for list in ["/v1/projects".to_owned(), format!("{project}/tasks"), format!("{project}/members")] {
            cursors
                .extend(owner.get(&format!("{list}?limit=1")).await.expect(200).body["next_cursor"].as_str().map(str::to_owned));
        }
        for list in [format!("{project}/changes"), format!("{task}/changes"), "/v1/notifications".to_owned()] {
            cursors.push(owner.get(&format!("{list}?limit=1")).await.expect(200).text("next_cursor"));
        }
        let mut secrets: BTreeSet<String> = ids.values().filter(|it| it.len() > 1).cloned().collect();
        secrets.extend([CANARY.to_owned(), owner.id.clone()]);
        Self { owner, project, task, ids, cursors, secrets }
    }

    /// All that an outsider could have changed.
    async fn seen(&self) -> Vec<Value> {
        let mut seen = everything(&self.owner, &self.project, &self.task).await;
        for path in [&self.project, &self.task].map(|it| format!("{it}/subscription")) {
            seen.push(self.owner.get(&path).await.expect(200).body);
        }
        for path in ["/v1/me/sessions", "/v1/me/tokens", "/v1/me/events", "/v1/notifications"] {
            let mut list = self.owner.get(path).await.expect(200).body;
            for item in list["items"].as_array_mut().expect("a list") {
                item.as_object_mut()
                    .expect("an entry")
                    .retain(|name, _| !["last_used_at", "expires_at"].contains(&name.as_str()));
            }
            seen.push(list);
        }
        seen
    }

    #[track_caller]
    fn look_for_leaks(&self, answer: &Answer, sent: &[&str], says: &str) {
        let answered = format!("{:?} {}", answer.headers, answer.body).to_lowercase();
        let sent = sent.concat().to_lowercase();
        for secret in &self.secrets {
            assert!(!answered.contains(secret) || sent.contains(secret), "{secret} was told by {says}");
        }
    }
}

impl Probe {
    /// A route with at least one foreign id in it.
    fn thrown(dice: &mut Dice, map: &Map, probers: usize) -> Self {
        let (prober, route) = (dice.below(probers), *dice.pick(&map.with_ids));
        let path = &map.routes[route].path;
        let places: Vec<&str> = parameters(path).collect();
        let takes_assignee = path.ends_with("/tasks") || path.ends_with("/tasks/{task}");
        let assignee = (takes_assignee && dice.below(3) == 0).then(|| foreign(dice, "user"));
        let certain = dice.below(places.len());
        let fillings = places.iter().enumerate().map(|(place, name)| {
            let is_foreign = *name != "version" && ((place == certain && assignee.is_none()) || dice.below(2) == 0);
            if is_foreign { foreign(dice, name) } else { Filling::Own }
        });
        let mut fillings: Vec<Filling> = fillings.collect();
        if assignee.is_none() && fillings.iter().all(|it| *it == Filling::Own) {
            fillings[0] = foreign(dice, places[0]);
        }
        // A body does not go with every method, so that another method's probe has its foreign id in the path.
        let has_body = BODIES.contains(&map.routes[route].method);
        if !has_body && fillings.iter().all(|it| *it == Filling::Own) {
            fillings[0] = foreign(dice, places[0]);
        }
        Self { prober, route, fillings, assignee: assignee.filter(|_| has_body) }
    }

    /// Path and body, with these ids for the foreign ones.
    fn request(&self, route: &Route, prober: &Prober, foreign: &Ids) -> (String, Option<String>) {
        let fill = |filling: &Filling, name: &str| match filling {
            Filling::Own => prober.own[name].clone(),
            Filling::Foreign { kind, spelling } => {
                let (id, own) = (&foreign[kind], prober.own.get(name).map_or("x", String::as_str));
                match spelling {
                    Spelling::AsGiven => id.clone(),
                    Spelling::Upper => id.to_uppercase(),
                    Spelling::WithoutHyphens => id.replace('-', ""),
                    Spelling::AfterOwn => format!("{own}%2F..%2F{id}"),
                    Spelling::Below => format!("{own}%23{id}"),
                }
            }
        };
        let mut path = route.path.clone();
        for (name, filling) in parameters(&route.path).zip(&self.fillings) {
            path = path.replace(&format!("{{{name}}}"), &fill(filling, name));
        }
        let mut body = match route.path.rsplit('/').next() {
            Some("invitations") => json!({"email": "eve@example.com", "role": "owner"}),
            Some("tasks" | "{task}") => json!({"title": "Mine"}),
            Some("{user}") => json!({"role": "owner"}),
            Some("{project}") => json!({"name": "Mine"}),
            Some("subscription") => json!({"mode": "watch"}),
            _ => json!({}),
        };
        if let Some(filling) = &self.assignee {
            body["assignee"] = json!(fill(filling, "user"));
        }
        let has_body = BODIES.contains(&route.method);
        (path, has_body.then(|| body.to_string()))
    }
}

fn foreign(dice: &mut Dice, name: &str) -> Filling {
    let of_its_kind = KINDS.iter().copied().find(|it| *it == name).filter(|_| dice.below(4) > 0);
    let spelling = if dice.below(3) > 0 { Spelling::AsGiven } else { *dice.pick(&SPELLINGS) };
    Filling::Foreign { kind: of_its_kind.unwrap_or_else(|| *dice.pick::<&str>(&KINDS)), spelling }
}

/// A cursor is a position, not a key: in another's list it finds that list's own entries only.
async fn probe_with_cursor(prober: &Prober, route: &Route, target: &Target, dice: &mut Dice) -> (String, u16) {
    let mut path = route.path.clone();
    for name in parameters(&route.path) {
        path = path.replace(&format!("{{{name}}}"), &prober.own[name]);
    }
    let by = if path.ends_with("/changes") && dice.below(2) == 0 { "after" } else { "cursor" };
    let assignee = if path == "/v1/tasks" { "assignee=me&" } else { "" };
    let path = format!("{path}?{assignee}{by}={}", dice.pick(&target.cursors));
    let answer = send(prober, route, &path, None).await;
    let says = format!("{path}: {answer:#?}");
    assert!(matches!(answer.status.as_u16(), 200 | 400 | 403 | 404), "{says}");
    target.look_for_leaks(&answer, &[&path], &says);
    (route.name(), answer.status.as_u16())
}

async fn send(prober: &Prober, route: &Route, path: &str, body: Option<String>) -> Answer {
    let headers = [("if-match", "*"), ("idempotency-key", KEY), ("content-type", "application/json")];
    prober.person.send(route.method.clone(), path, &headers, body.map(String::into_bytes)).await
}

/// The answer as it is told, but for what differs between any two.
fn without_request_id(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    body.as_object_mut().and_then(|it| it.remove("request_id"));
    let headers = answer.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
    let headers: BTreeMap<&str, &str> =
        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())).collect();
    json!({"status": answer.status.as_u16(), "headers": headers, "body": body})
}

/// A stranger, somebody who was an owner, and the stranger's tokens.
async fn probers(stack: &Stack, target: &Target) -> Vec<Prober> {
    let mut probers = Vec::new();
    for name in ["Eve", "Rex"] {
        let person = Person::sign_up(stack, name, json!({})).await;
        let project = person.create_project("Mine").await;
        person.create_project("Mine too").await;
        let task = person.create_task(&project, json!({"title": "Mine"})).await;
        person.create_task(&project, json!({"title": "Mine too"})).await;
        person.post(&format!("{project}/invitations"), json!({"email": "hal@example.com", "role": "viewer"})).await.expect(202);
        let own = ids_of(&person, &project, &task).await;
        probers.push(Prober { person, is_script: false, own });
    }
    let rex = &probers[1].person;
    target.owner.bring_in(&target.project, rex, "owner").await;
    rex.delete_plain(&format!("{}/members/{}", target.project, rex.id)).await.expect(204);
    // Anybody may limit a token to any project, which makes it no member.
    let mut limited = new_token("script", "write");
    limited["projects"] = json!([target.ids["project"]]);
    for body in [new_token("script", "read"), new_token("script", "write"), limited] {
        let eve = &probers[0];
        let made = eve.person.post("/v1/me/tokens", body).await.expect(201);
        let person = Person { access_token: Some(made.text("token")), ..eve.person.clone() };
        probers.push(Prober { person, is_script: true, own: eve.own.clone() });
    }
    probers
}

fn new_token(name: &str, access: &str) -> Value {
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    json!({"name": name, "access": access, "expires_at": tomorrow, "password": PASSWORD})
}

/// One id of each kind, all of this person's.
async fn ids_of(person: &Person, project: &str, task: &str) -> Ids {
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let invitations = person.get(&format!("{project}/invitations")).await.expect(200).body;
    let sessions = person.get("/v1/me/sessions").await.expect(200).body;
    let token = person.post("/v1/me/tokens", new_token("a script", "read")).await.expect(201);
    let notifications = person.get("/v1/notifications").await.expect(200).body;
    // Of nobody's doing but their own, nobody is notified.
    let notification = notifications["items"][0]["id"].as_str().map_or_else(|| Uuid::now_v7().to_string(), str::to_owned);
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    BTreeMap::from([
        ("notification", notification),
        ("project", last(project)),
        ("task", last(task)),
        ("user", person.id.clone()),
        ("invitation", text(&invitations["items"][0]["id"])),
        ("session", text(&sessions["items"][0]["id"])),
        ("token", token.text("id")),
        ("version", "1".to_owned()),
    ])
}
