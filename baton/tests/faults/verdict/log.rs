//! Whether the log holds what people asked for, and each of it once.

use std::collections::{BTreeMap, BTreeSet};

use super::Judge;
use crate::history::Entry;
use crate::run::{Asked, CameOfIt};

impl Judge<'_> {
    /// The log has every version once, every change that was answered as made, and no other that nobody's request explains.
    pub(super) fn log(&mut self, task: usize, log: &[Entry]) {
        let asked = &self.run.tasks[task].asked;
        let mut unanswered = Vec::new();
        for (index, entry) in log.iter().enumerate() {
            if entry.version != index as u64 + 1 {
                self.wrong.push(format!("the log of task {task} has version {} at place {}", entry.version, index + 1));
            }
            let numbered = || asked.iter().enumerate();
            let answered: Vec<usize> =
                numbered().filter(|(_, it)| was_answered_with(it, entry)).map(|(number, _)| number).collect();
            let likely: Vec<usize> = numbered().filter(|(_, it)| may_have_become(it, entry)).map(|(number, _)| number).collect();
            // Who asks again for what an unanswered request of theirs has done is answered with its version.
            let first = answered.iter().chain(&likely).map(|it| asked[*it].begun).min();
            let last = if answered.is_empty() { &likely } else { &answered }.iter().map(|it| asked[*it].begun).max();
            if let (Some(first), Some(last)) = (first, last) {
                self.begun.insert((task, entry.version), (first, last));
            }
            if answered.is_empty() {
                unanswered.push((entry.version, likely));
            }
        }
        for version in unexplained(&unanswered) {
            self.wrong.push(format!("nobody asked for version {version} of task {task}"));
        }
        for it in asked {
            let CameOfIt::Version(version) = it.came_of_it else { continue };
            let entry = log.iter().find(|entry| entry.version == version);
            if entry.is_none_or(|entry| entry.actor != it.actor) {
                self.wrong
                    .push(format!("version {version} of task {task} was acknowledged to somebody, and is not theirs in the log"));
            }
        }
        self.tally.changes += log.len() as u64;
    }
}

fn was_answered_with(asked: &Asked, entry: &Entry) -> bool {
    match asked.came_of_it {
        CameOfIt::Version(version) => version == entry.version,
        CameOfIt::Deletion => entry.is_deleted && asked.actor == entry.actor,
        CameOfIt::Nothing | CameOfIt::Unknown => false,
    }
}

/// A write whose answer was lost is tried again, finds itself done, and answers with what somebody else made of it since.
fn may_have_become(asked: &Asked, entry: &Entry) -> bool {
    let is_open = matches!(asked.came_of_it, CameOfIt::Unknown | CameOfIt::Nothing);
    let is_this = match &asked.fields {
        Some(fields) => !entry.is_deleted && entry.fields.iter().all(|(name, _, _)| fields.contains(name)),
        None => entry.is_deleted,
    };
    is_open && asked.actor == entry.actor && is_this
}

/// The versions left over, where each request becomes one version at most: of each, the requests that may have become it.
fn unexplained(versions: &[(u64, Vec<usize>)]) -> Vec<u64> {
    let mut became: BTreeMap<usize, usize> = BTreeMap::new();
    let is_left = |at: &usize| !explain(*at, versions, &mut became, &mut BTreeSet::new());
    (0..versions.len()).filter(is_left).map(|at| versions[at].0).collect()
}

/// Finds a request for the version, if need be by finding another for the one that it was taken for (an augmenting path).
fn explain(at: usize, versions: &[(u64, Vec<usize>)], became: &mut BTreeMap<usize, usize>, tried: &mut BTreeSet<usize>) -> bool {
    for request in &versions[at].1 {
        if !tried.insert(*request) {
            continue;
        }
        let other = became.get(request).copied();
        if other.is_none_or(|other| explain(other, versions, became, tried)) {
            became.insert(*request, at);
            return true;
        }
    }
    false
}

#[test]
fn a_request_explains_one_version() {
    assert_eq!(unexplained(&[(2, vec![0, 1]), (3, vec![0])]), [0; 0]);
    assert_eq!(unexplained(&[(2, vec![0]), (3, vec![0, 1]), (4, vec![1])]), [4]);
    assert_eq!(unexplained(&[(2, vec![0]), (3, vec![0])]), [3], "the same change twice");
    assert_eq!(unexplained(&[(2, vec![])]), [2]);
}
