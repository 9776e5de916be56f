//! One run: people at work for a while, with faults; then the faults stop, time passes, and what came of it is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::join_all;
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use crate::model::{Life, Moment, Standing};
use crate::person::{Person, expect};
use crate::process;
use crate::schedule::{Dice, Site, mix};
use crate::script::{self, Act};
use crate::tally::Tally;
use crate::verdict;
use crate::world::World;

const PEOPLE: [(&str, &str); 6] = [
    ("Ada", "UTC"),
    ("Ben", "Asia/Seoul"),
    ("Cam", "America/New_York"),
    ("Dee", "Europe/Berlin"),
    ("Eve", "Australia/Lord_Howe"),
    ("Fay", "America/Los_Angeles"),
];
const PROJECTS: [&str; 3] = ["House", "Garden", "Boat"];

/// How often a run lets everything settle.
const EPOCHS: usize = 3;

/// One run in so many begins with a process that is killed.
const KILLED_PROCESS_EVERY: u64 = 5;

pub(crate) struct Project {
    pub(crate) id: String,
    /// Number of the person who made it, who never leaves it.
    pub(crate) owner: usize,
}

impl Project {
    pub(crate) fn path(&self) -> String {
        format!("/v1/projects/{}", self.id)
    }
}

pub(crate) struct Task {
    pub(crate) project: usize,
    pub(crate) id: String,
    pub(crate) is_deleted: bool,
    /// What was asked of it.
    pub(crate) asked: Vec<Asked>,
}

/// A change that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) begun: Moment,
    /// The id of who asked.
    pub(crate) actor: String,
    /// Names of the fields that were to be changed; none, where the task was to be deleted.
    pub(crate) fields: Option<BTreeSet<String>>,
    pub(crate) came_of_it: CameOfIt,
}

/// What whoever asked was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CameOfIt {
    /// It became this version.
    Version(u64),
    /// The task is gone.
    Deletion,
    /// Nothing was to be done, or not any more.
    Nothing,
    /// It was refused, or nobody answered: the log will tell.
    Unknown,
}

/// A run so far.
pub(crate) struct Run {
    pub(crate) dice: Dice,
    pub(crate) world: World,
    pub(crate) people: Vec<Person>,
    pub(crate) lives: Vec<Life>,
    pub(crate) projects: Vec<Project>,
    pub(crate) tasks: Vec<Task>,
    /// When everything had settled, each time.
    pub(crate) settled: Vec<Moment>,
    /// Changes that were answered as made.
    pub(crate) changes: usize,
    moment: AtomicU64,
}

impl Run {
    pub(crate) fn tick(&self) -> Moment {
        self.moment.fetch_add(1, Ordering::SeqCst)
    }

    /// People, projects and who is in them, before anything goes wrong.
    async fn prepare(seed: u64) -> Self {
        let world = World::start(seed).await;
        let stack = world.stack();
        let people: Vec<Person> = join_all(PEOPLE.map(|(name, zone)| Person::sign_up(stack, name, zone))).await;
        let mut lives: Vec<Standing> = people.iter().map(|_| Standing::new()).collect();
        let mut projects = Vec::new();
        let api = &world.api;
        for (number, name) in PROJECTS.into_iter().enumerate() {
            let created = people[number].call(api, Method::POST, "/v1/projects", &json!({"name": name})).await;
            let id = expect(created, 201)["id"].as_str().expect("an id").to_owned();
            let project = Project { id, owner: number };
            for (guest, person) in people.iter().enumerate() {
                // Everybody is in most projects, and nobody but the first in all three.
                if guest != number && (guest == 0 || guest % PROJECTS.len() != (number + 1) % PROJECTS.len()) {
                    script::bring_in(api, &project, &people[number], person).await;
                    lives[guest].projects.insert(number);
                }
            }
            lives[number].projects.insert(number);
            projects.push(project);
        }
        stack.drain().await;
        Self {
            dice: Dice::new(mix(seed) ^ 1),
            people,
            lives: lives.into_iter().map(Life::new).collect(),
            projects,
            tasks: Vec::new(),
            settled: Vec::new(),
            changes: 0,
            moment: AtomicU64::new(1),
            world,
        }
    }

    /// Some things happen at once, then time passes.
    async fn round(&mut self) {
        let number = 1 + self.dice.below(4);
        let acts: Vec<Act> = (0..number).map(|_| script::task_act(self)).collect();
        let (run, acts) = (&*self, acts);
        let done = join_all(acts.into_iter().map(|act| script::perform(run, act))).await;
        done.into_iter().for_each(|it| script::note(self, it));
        if self.dice.in_thousand(120) {
            script::change_of_mind(self).await;
        }
        self.pass_time().await;
    }

    async fn pass_time(&mut self) {
        let seconds = match self.dice.below(1000) {
            0..550 => self.dice.below(3),
            550..860 => self.dice.below(25),
            860..960 => 30 + self.dice.below(270),
            960..992 => 300 + self.dice.below(1800),
            _ => 3600 + self.dice.below(10_000),
        };
        self.world.advance(SignedDuration::from_secs(seconds as i64)).await;
        if seconds >= 60 {
            self.world.sweep().await;
        }
        if seconds >= 3600 {
            self.world.reconcile().await;
        }
        if self.world.faults().next(Site::Round).is_some() && self.world.restart().await {
            self.log_in_again().await;
        }
    }

    pub(crate) async fn log_in_again(&mut self) {
        let api = self.world.api.clone();
        join_all(self.people.iter_mut().map(|person| person.log_in(&api))).await;
    }

    async fn settle(&mut self) -> Result<(), String> {
        self.world.settle().await?;
        let now = self.tick();
        self.settled.push(now);
        Ok(())
    }
}

/// One whole run of this many changes.
///
/// # Errors
/// What was lost, told twice or told wrongly, in words.
pub(crate) async fn run(seed: u64, changes: usize) -> Result<Tally, Vec<String>> {
    let mut run = Run::prepare(seed).await;
    if seed.is_multiple_of(KILLED_PROCESS_EVERY) {
        process::work_and_die(&mut run).await;
    }
    for epoch in 1..=EPOCHS {
        // A log-in is good for ten minutes, and a busy machine takes longer.
        run.log_in_again().await;
        run.world.faults().turn(true);
        while run.changes < changes * epoch / EPOCHS {
            run.round().await;
        }
        run.settle().await.map_err(|it| vec![it])?;
    }
    run.log_in_again().await;
    let judged = verdict::judge(&run).await;
    let mails = run.world.stack().inbox().len().expect("the inbox answers");
    let published = script::replay_log(&mut run).await.map_err(|it| vec![it])?;
    let after = run.world.stack().inbox().len().expect("the inbox answers");
    let mut tally = judged?;
    if (published, after) != (tally.changes, mails) {
        let (changes, more) = (tally.changes, after - mails);
        return Err(vec![format!("REPLAYED: a replay published {published} of {changes} changes and brought {more} mails")]);
    }
    let faults: BTreeMap<_, _> = run.world.faults().injected.counts();
    tally.faults = faults;
    tally.runs = 1;
    run.world.end().await;
    Ok(tally)
}
