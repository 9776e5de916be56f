//! What people wanted and where they were members, and when: from when on at the earliest, and until when at the latest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::history::Kind;

/// The number of an event in the order in which the test saw them begin and end.
pub(crate) type Moment = u64;

/// When a kind of news is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Choice {
    Now,
    Digest,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subscription {
    Watch,
    Mute,
}

/// What holds for one person.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) choices: BTreeMap<Kind, Choice>,
    /// Numbers of the projects they are a member of.
    pub(crate) projects: BTreeSet<usize>,
    pub(crate) of_projects: BTreeMap<usize, Subscription>,
    pub(crate) of_tasks: BTreeMap<usize, Subscription>,
}

impl Standing {
    pub(crate) fn new() -> Self {
        let choices = crate::history::KINDS.map(|kind| (kind, Choice::Now)).into();
        Self { choices, projects: BTreeSet::new(), of_projects: BTreeMap::new(), of_tasks: BTreeMap::new() }
    }

    /// A task's subscription beats its project's.
    pub(crate) fn subscription(&self, project: usize, task: usize) -> Option<Subscription> {
        self.of_tasks.get(&task).or_else(|| self.of_projects.get(&project)).copied()
    }

    pub(crate) fn watches(&self, project: usize, task: usize) -> bool {
        self.subscription(project, task) == Some(Subscription::Watch)
    }

    /// Takes the choices over as `/v1/me` answers them.
    pub(crate) fn choose(&mut self, notify: &Value) {
        for (kind, choice) in &mut self.choices {
            *choice = match notify[kind.name()].as_str() {
                Some("now") => Choice::Now,
                Some("digest") => Choice::Digest,
                _ => Choice::None,
            };
        }
    }
}

/// A standing, and when it came to be.
#[derive(Clone, Debug)]
struct Since {
    begun: Moment,
    settled: Moment,
    standing: Standing,
}

/// One person's standings over time.
#[derive(Clone, Debug)]
pub(crate) struct Life(Vec<Since>);

impl Life {
    pub(crate) fn new(standing: Standing) -> Self {
        Self(vec![Since { begun: 0, settled: 0, standing }])
    }

    pub(crate) fn now(&self) -> &Standing {
        &self.0.last().expect("a life has a beginning").standing
    }

    /// From some moment between these two on another standing holds.
    pub(crate) fn turn(&mut self, begun: Moment, settled: Moment, standing: Standing) {
        self.0.push(Since { begun, settled, standing });
    }

    /// Every standing that may have held at some moment from `first` to `last`.
    pub(crate) fn between(&self, first: Moment, last: Moment) -> Vec<&Standing> {
        let until = |index: usize| self.0.get(index + 1).map_or(Moment::MAX, |next| next.settled);
        let overlaps = |(index, since): &(usize, &Since)| since.begun <= last && until(*index) >= first;
        self.0.iter().enumerate().filter(overlaps).map(|(_, since)| &since.standing).collect()
    }
}

/// What surely holds of a person over a time, and what may.
#[derive(Clone, Debug)]
pub(crate) struct Wants {
    pub(crate) surely_member: bool,
    pub(crate) maybe_member: bool,
    pub(crate) surely_muted: bool,
    pub(crate) maybe_muted: bool,
    /// Whether they watch: one answer, or both.
    pub(crate) watching: BTreeSet<bool>,
    pub(crate) choices: BTreeMap<Kind, BTreeSet<Choice>>,
}

impl Wants {
    pub(crate) fn of(life: &Life, project: usize, task: usize, first: Moment, last: Moment) -> Self {
        let standings = life.between(first, last);
        let is_member = |it: &&Standing| it.projects.contains(&project);
        let is_muted = |it: &&Standing| it.subscription(project, task) == Some(Subscription::Mute);
        let mut choices: BTreeMap<Kind, BTreeSet<Choice>> = BTreeMap::new();
        for (kind, choice) in standings.iter().flat_map(|it| &it.choices) {
            choices.entry(*kind).or_default().insert(*choice);
        }
        Self {
            surely_member: standings.iter().all(is_member),
            maybe_member: standings.iter().any(is_member),
            surely_muted: standings.iter().all(is_muted),
            maybe_muted: standings.iter().any(is_muted),
            watching: standings.iter().map(|it| it.watches(project, task)).collect(),
            choices,
        }
    }

    pub(crate) fn surely_watching(&self) -> bool {
        !self.watching.contains(&false)
    }

    /// A member who surely was not muted.
    pub(crate) fn surely_reachable(&self) -> bool {
        self.surely_member && !self.maybe_muted
    }

    pub(crate) fn maybe_reachable(&self) -> bool {
        self.maybe_member && !self.surely_muted
    }

    pub(crate) fn surely_chosen(&self, kind: Kind, choice: Choice) -> bool {
        self.choices[&kind].iter().all(|it| *it == choice)
    }

    pub(crate) fn maybe_chosen(&self, kind: Kind, choice: Choice) -> bool {
        self.choices[&kind].contains(&choice)
    }

    pub(crate) fn surely_told(&self, kind: Kind) -> bool {
        !self.maybe_chosen(kind, Choice::None)
    }

    /// Whether news of this kind may go out at this time. Of the beginning of a task all goes at once if any of it does.
    pub(crate) fn maybe_goes(&self, kind: Kind, timing: Choice, is_beginning: bool) -> bool {
        let is_with_the_rest = is_beginning && timing == Choice::Now && self.maybe_chosen(kind, Choice::Digest);
        self.maybe_chosen(kind, timing) || is_with_the_rest
    }

    /// Kinds of news that surely go out at this time, if any does, and kinds that may.
    pub(crate) fn kinds(&self, timing: Choice, is_beginning: bool) -> (BTreeSet<Kind>, BTreeSet<Kind>) {
        let all = || self.choices.keys().copied();
        let surely = |kind: &Kind| match (is_beginning, timing) {
            (true, Choice::Now) => self.surely_told(*kind),
            _ => self.surely_chosen(*kind, timing),
        };
        (all().filter(surely).collect(), all().filter(|it| self.maybe_goes(*it, timing, is_beginning)).collect())
    }
}
