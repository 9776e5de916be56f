//! The notifications of one person about one task.

use crate::evidence::Note;
use crate::history::{Entry, Net, Reading, everything, net};
use crate::verdict::{Judge, story};

impl Judge<'_> {
    /// What one person finds in the product about one task: all that is news, once.
    pub(super) fn notes(&mut self, person: usize, task: usize, log: &[Entry]) {
        if !self.run.lives[person].now().projects.contains(&self.run.tasks[task].project) {
            return;
        }
        let none = Vec::new();
        let notes: &Vec<Note> = self.evidence.notes.get(&(person, task)).unwrap_or(&none);
        self.tally.notifications += notes.len() as u64;
        let (reader, name) = (self.run.people[person].id.as_str(), &self.run.people[person].name);
        let told_of = everything(log);
        let comes_to = |from: u64, to: u64, watching: bool| {
            let reading = Reading { reader, watching, told_of: &told_of, strictly: false, whole: true };
            net(&log[from as usize - 1..to as usize], reading)
        };
        for (index, note) in notes.iter().enumerate() {
            let Note { from, to, net } = note;
            if notes[index + 1..].iter().any(|other| other.from <= *to && *from <= other.to) {
                self.wrong.push(format!("DOUBLED: {name} has two notifications of versions {from}..{to} of task {task}"));
            }
            let wants = self.wants(person, task, *from..=*to);
            if !wants.maybe_member || !wants.watching.iter().any(|watching| comes_to(*from, *to, *watching) == *net) {
                self.wrong.push(format!("WRONG: {name} has a notification of task {task}, {from}..{to}, that says {net:?}"));
            }
        }
        for entry in log {
            let (version, wants) = (entry.version, self.wants(person, task, std::iter::once(entry.version)));
            let is_theirs = entry.concerns(reader) || (wants.surely_watching() && entry.actor != reader);
            if !is_theirs || !wants.surely_member || notes.iter().any(|it| (it.from..=it.to).contains(&version)) {
                continue;
            }
            let first = notes.iter().map(|it| it.to + 1).filter(|it| *it <= version).max().unwrap_or(1);
            let last = notes.iter().map(|it| it.from - 1).filter(|it| *it >= version).min().unwrap_or(log.len() as u64);
            let planned = self.planned(task, version);
            let is_nothing =
                |from: u64, to: u64| wants.watching.iter().any(|watching| comes_to(from, to, *watching) == Net::Nothing);
            let is_explained = match planned {
                Some((from, to)) => is_nothing(from, to),
                None => (first..=version).any(|from| (version..=last).any(|to| is_nothing(from, to))),
            };
            if !is_explained {
                let log = story(self.run, log);
                self.wrong
                    .push(format!("LOST: {name} has no notification of version {version} of task {task}: {notes:?}; log {log}"));
            }
        }
    }
}
