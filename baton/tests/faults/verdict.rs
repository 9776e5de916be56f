//! Whether everybody was told what they had to be told, once, and nobody anything else.

use std::collections::{BTreeMap, BTreeSet};

use crate::evidence::{Evidence, Read, Record};
use crate::history::{Entry, Kind, Net, Planned, Reading, can_come_to, everything, kinds_of, net};
use crate::model::{Choice, Moment, Wants};
use crate::run::Run;
use crate::tally::Tally;

mod log;
mod notes;

/// More faults of one run than anybody reads.
const MOST_SAID: usize = 25;

/// Parts of one task in one mail that are looked at one by one; further ones were planned like the last of these.
const MOST_PARTS: usize = 8;

/// What a run came to.
///
/// # Errors
/// What was lost, told twice or told wrongly, in words.
pub(crate) async fn judge(run: &Run) -> Result<Tally, Vec<String>> {
    let evidence = Evidence::gather(run).await;
    let mut judge = Judge {
        run,
        evidence: &evidence,
        begun: BTreeMap::new(),
        owed: BTreeSet::new(),
        wrong: Vec::new(),
        tally: Tally::default(),
    };
    for (task, log) in &evidence.logs {
        judge.log(*task, log);
    }
    judge.mails();
    for (task, log) in &evidence.logs {
        for person in 0..run.people.len() {
            judge.person(person, *task, log);
            judge.notes(person, *task, log);
        }
    }
    judge.wrong.extend(run.world.faults().ledger.unallowed());
    for letter in evidence.dead_letters.iter().filter(|it| it.contains("\"reason\"")) {
        judge.wrong.push(format!("the mailer buried a message: {letter}"));
    }
    judge.tally.changes_owed = judge.owed.len() as u64;
    judge.wrong.truncate(MOST_SAID);
    if judge.wrong.is_empty() { Ok(judge.tally) } else { Err(judge.wrong) }
}

/// Told of in place of a field, when a task is deleted.
const GONE: &str = "gone";

/// What one claim told a person of a task.
#[derive(Debug)]
struct Told<'a> {
    #[expect(dead_code, reason = "shown where something is wrong")]
    claim: &'a str,
    records: Vec<&'a Record>,
    net: Net,
}

impl Told<'_> {
    fn covering(&self, entry: &Entry) -> impl Iterator<Item = &Record> {
        let version = entry.version;
        self.records.iter().copied().filter(move |it| (it.from..=it.to).contains(&version))
    }

    fn is_of(&self, entry: &Entry) -> bool {
        self.covering(entry).next().is_some()
    }

    fn tells(&self, news: &str) -> bool {
        match &self.net {
            Net::Updated(fields) => fields.contains(news),
            Net::Created => news != GONE,
            Net::Deleted => news == GONE,
            Net::Nothing => false,
        }
    }

    /// Whether both took the entry up for the same time.
    fn plans_as(&self, other: &Self, entry: &Entry) -> bool {
        self.covering(entry).any(|it| other.covering(entry).any(|other| it.timing == other.timing))
    }
}

struct Judge<'a> {
    run: &'a Run,
    evidence: &'a Evidence,
    /// When a version of a task was asked for, at the earliest and at the latest.
    begun: BTreeMap<(usize, u64), (Moment, Moment)>,
    /// Versions of tasks of which somebody surely had to be told.
    owed: BTreeSet<(usize, u64)>,
    wrong: Vec<String>,
    tally: Tally,
}

impl Judge<'_> {
    /// Every mail has one recipient, shows or counts the tasks its claim is recorded to have told of, and a second of one claim is
    /// explained.
    fn mails(&mut self) {
        let recorded: BTreeSet<&str> = self.evidence.records.values().flatten().map(|it| it.claim.as_str()).collect();
        let mut sent: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
        for ((_, task), records) in &self.evidence.records {
            for record in records.iter().filter(|it| it.is_sent) {
                sent.entry(&record.claim).or_default().insert(*task);
            }
        }
        for (claim, mails) in &self.evidence.mails {
            self.tally.mails += mails.len() as u64;
            if claim.is_empty() {
                self.wrong.push("a mail without a claim".to_owned());
            }
            if mails.iter().any(|it| it.to != mails[0].to) {
                self.wrong.push(format!("claim {claim} went to several people"));
            }
            // Told once more by another claim, it would be a second mail that nobody counts.
            let tells = |it: &Read| !it.blocks.is_empty();
            if mails.iter().any(tells) && !recorded.contains(claim.as_str()) {
                self.wrong.push(format!("claim {claim} was mailed to {}, and no delivery is recorded of it", mails[0].to));
            }
            // What an attempt said that somebody else had to end is composed anew for the record, and may have changed meanwhile.
            let is_plain = !self.run.world.faults().ledger.is_struck(claim);
            if let ([mail], true) = (mails.as_slice(), is_plain)
                && tells(mail)
            {
                let (shown, tasks) = (mail.blocks.len(), sent.get(claim.as_str()).map_or(0, BTreeSet::len));
                if shown + mail.counted != tasks {
                    let counted = mail.counted;
                    self.wrong.push(format!(
                        "claim {claim} showed {shown} tasks, counted {counted}, and is recorded to tell of {tasks}"
                    ));
                }
            }
            let more = mails.len() as u64 - 1;
            if more > 0 && !self.run.world.faults().ledger.is_struck(claim) {
                self.wrong.push(format!("claim {claim} was mailed {} times, though nothing went wrong with it", mails.len()));
            }
            self.tally.doubled_inside += more;
        }
    }

    fn wants(&self, person: usize, task: usize, versions: impl Iterator<Item = u64>) -> Wants {
        let begun: Vec<(Moment, Moment)> = versions.filter_map(|it| self.begun.get(&(task, it)).copied()).collect();
        let first = begun.iter().map(|(first, _)| *first).min().unwrap_or_default();
        let last = begun.iter().map(|(_, last)| *last).max().unwrap_or_default();
        let settled = self.run.settled.iter().find(|it| **it > last).copied().unwrap_or(Moment::MAX);
        Wants::of(&self.run.lives[person], self.run.tasks[task].project, task, first, settled)
    }

    /// What one person was told of one task.
    fn person(&mut self, person: usize, task: usize, log: &[Entry]) {
        let none = Vec::new();
        let records = self.evidence.records.get(&(person, task)).unwrap_or(&none);
        self.owed(person, task, log, records);
        let mut by_claim: BTreeMap<&str, Vec<&Record>> = BTreeMap::new();
        for record in records {
            by_claim.entry(&record.claim).or_default().push(record);
        }
        let mut told: Vec<Told<'_>> = Vec::new();
        for (claim, records) in by_claim {
            let versions: BTreeSet<u64> = records.iter().flat_map(|it| it.from..=it.to).collect();
            let name = format!("{} about task {task}, versions {versions:?}, claim {claim}", self.run.people[person].name);
            let mails = self.evidence.mails.get(claim).map_or(&[][..], Vec::as_slice);
            let nets = self.told(person, task, mails, &name);
            let is_sent = records.iter().any(|it| it.is_sent);
            if is_sent && mails.is_empty() {
                self.wrong.push(format!("LOST: {name}: recorded as sent, and no mail came"));
            }
            if is_sent {
                self.tally.told += versions.len() as u64;
            }
            // A mail shows some tasks and counts the rest.
            let is_counted = is_sent && mails.iter().any(|it| it.counted > 0);
            if nets.is_empty() && !is_counted && !self.may_be_told(person, task, log, &records, &versions, &Net::Nothing) {
                let reasons: BTreeSet<&str> = records.iter().map(|it| it.reason.as_str()).collect();
                self.wrong.push(format!("LOST: {name}: not told, because of {reasons:?}"));
            }
            for net in &nets {
                if !self.may_be_told(person, task, log, &records, &versions, net) {
                    let texts: Vec<&str> =
                        mails.iter().flat_map(|it| &it.blocks).filter(|it| it.task == task).map(|it| it.text.as_str()).collect();
                    let log = story(self.run, log);
                    self.wrong.push(format!(
                        "WRONG: {name}: told {net:?}, by {texts:?}; {records:?}; {reader}; log {log}",
                        reader = self.run.people[person].id
                    ));
                }
            }
            if let Some(net) = nets.last() {
                // Of a new task, what was planned later goes by its own kind: a digest may tell of it, and this mail does not.
                let is_told = |it: &&Record| *net != Net::Created || it.from == 1;
                told.push(Told { claim, records: records.iter().copied().filter(is_told).collect(), net: net.clone() });
            }
        }
        self.doubled(person, task, log, &told);
    }

    /// What the mails of a claim tell somebody of a task.
    fn told(&mut self, person: usize, task: usize, mails: &[Read], name: &str) -> Vec<Net> {
        let mut nets = Vec::new();
        for mail in mails {
            if mail.to != self.run.people[person].email {
                self.wrong.push(format!("WRONG: {name}: the mail went to {}", mail.to));
            }
            nets.extend(mail.blocks.iter().filter(|it| it.task == task).map(|it| it.net.clone()));
        }
        nets
    }

    /// Whether some standing that this person may have had meanwhile leads to being told just this.
    fn may_be_told(
        &self,
        person: usize,
        task: usize,
        log: &[Entry],
        records: &[&Record],
        versions: &BTreeSet<u64>,
        told: &Net,
    ) -> bool {
        let wants = self.wants(person, task, versions.iter().copied());
        if *told != Net::Nothing && !wants.maybe_reachable() {
            return false;
        }
        let reader = self.run.people[person].id.as_str();
        // Each part was planned while they watched or while they did not, and may have been dropped on the way.
        let ways = 3_usize.pow(records.len().min(MOST_PARTS) as u32);
        (0..ways).any(|way| {
            let planned = |index: usize| way / 3_usize.pow(index.min(MOST_PARTS - 1) as u32) % 3;
            let mut parts = Vec::new();
            let mut watching = false;
            for (index, record) in records.iter().enumerate() {
                let is_watched = planned(index) == 1;
                let kinds = kinds_of(&log[record.from as usize - 1..record.to as usize], reader, is_watched);
                let (surely, maybe) = wants.kinds(record.timing, is_beginning(record.from, log, reader));
                let surely: BTreeSet<Kind> = kinds.intersection(&surely).copied().filter(|_| wants.surely_reachable()).collect();
                match planned(index) {
                    2 if surely.is_empty() => continue,
                    2 => return false,
                    _ if !wants.watching.contains(&is_watched) => return false,
                    _ => {}
                }
                watching |= is_watched;
                let maybe = kinds.intersection(&maybe).copied().collect();
                parts.push(Planned { from: record.from, to: record.to, surely, maybe });
            }
            can_come_to(log, reader, watching, &parts, told)
        })
    }

    /// Everything that surely had to be told was taken up, by a plan for the time that was surely chosen.
    fn owed(&mut self, person: usize, task: usize, log: &[Entry], records: &[Record]) {
        let reader = self.run.people[person].id.as_str();
        for entry in log {
            let wants = self.wants(person, task, std::iter::once(entry.version));
            let is_theirs = entry.concerns(reader) || (wants.surely_watching() && entry.actor != reader);
            let kinds: Vec<Kind> = entry.kinds().into_iter().filter(|it| wants.surely_told(*it)).collect();
            if !is_theirs || !wants.surely_reachable() || kinds.is_empty() {
                continue;
            }
            self.tally.owed += 1;
            self.owed.insert((task, entry.version));
            let covering: Vec<&Record> = records.iter().filter(|it| (it.from..=it.to).contains(&entry.version)).collect();
            for kind in kinds {
                let is_chosen = |it: &&&Record| wants.maybe_goes(kind, it.timing, is_beginning(it.from, log, reader));
                if !covering.iter().any(|it| is_chosen(&it)) && !self.is_part_of_a_new_task(person, task, log, entry, &covering) {
                    let (name, version) = (&self.run.people[person].name, entry.version);
                    self.wrong.push(format!(
                        "LOST: {name} was never told of version {version} of task {task} ({kind:?}, {:?}): {covering:?}; planned {:?}; \
                         {wants:?}; asked {:?} {:?}; log {}",
                        wants.choices[&kind],
                        self.planned(task, version),
                        self.begun.get(&(task, version)),
                        self.run.tasks[task].asked.iter().filter(|it| it.actor == entry.actor).collect::<Vec<_>>(),
                        story(self.run, log)
                    ));
                }
            }
        }
    }

    /// A new task is one piece of news, and goes by the choice about assignments.
    fn is_part_of_a_new_task(&self, person: usize, task: usize, log: &[Entry], entry: &Entry, covering: &[&Record]) -> bool {
        let reader = self.run.people[person].id.as_str();
        let ends = entry.version as usize..=log.len();
        let mut ends = ends.filter(|end| {
            let wants = self.wants(person, task, 1..=*end as u64);
            let is_chosen = wants.maybe_chosen(Kind::Assigned, Choice::None)
                || covering.iter().any(|it| wants.maybe_chosen(Kind::Assigned, it.timing));
            let told_of = everything(&log[..*end]);
            let is_new = |watching: &bool| {
                let reading = Reading { reader, watching: *watching, told_of: &told_of, strictly: false, whole: true };
                net(&log[..*end], reading) == Net::Created
            };
            is_chosen && wants.watching.iter().any(is_new)
        });
        ends.next().is_some()
    }

    /// No kind of news of one version is told in two claims.
    fn doubled(&mut self, person: usize, task: usize, log: &[Entry], told: &[Told<'_>]) {
        let reader = self.run.people[person].id.as_str();
        for (index, first) in told.iter().enumerate() {
            for second in &told[index + 1..] {
                for entry in log.iter().filter(|it| it.actor != reader && first.is_of(it) && second.is_of(it)) {
                    let mut news: Vec<&str> = entry.fields.iter().map(|(name, ..)| name.as_str()).collect();
                    news.extend(entry.is_deleted.then_some(GONE));
                    // What was planned for now and for the digest is of other kinds: then each has to have another source.
                    let is_apart = !first.plans_as(second, entry);
                    let has_source = |told: &Told<'_>, other: &Told<'_>, news: &str| {
                        let mut sources = log.iter().filter(|it| it.actor != reader && told.is_of(it) && !other.is_of(it));
                        is_apart && sources.any(|it| it.fields.iter().any(|(name, ..)| name == news))
                    };
                    news.retain(|it| first.tells(it) && second.tells(it));
                    news.retain(|it| !has_source(first, second, it) && !has_source(second, first, it));
                    if !news.is_empty() {
                        let name = &self.run.people[person].name;
                        self.wrong.push(format!(
                            "DOUBLED: {name}, task {task}, version {}: {news:?} by {first:?} and {second:?}; log {}",
                            entry.version,
                            story(self.run, log)
                        ));
                    }
                }
            }
        }
    }

    /// The plan that took a version up, if anybody was owed anything by it.
    fn planned(&self, task: usize, version: u64) -> Option<(u64, u64)> {
        let of_task = self.evidence.records.iter().filter(|((_, it), _)| *it == task);
        of_task.flat_map(|(_, records)| records).find(|it| (it.from..=it.to).contains(&version)).map(|it| (it.from, it.to))
    }
}

/// Whether a part from this version on is the beginning of a task that somebody else made.
fn is_beginning(from: u64, log: &[Entry], reader: &str) -> bool {
    from == 1 && log.first().is_some_and(|it| it.actor != reader)
}

/// A log, for whoever reads what went wrong.
fn story(run: &Run, log: &[Entry]) -> String {
    let entry = |it: &Entry| {
        let deleted = if it.is_deleted { " deleted" } else { "" };
        let fields: Vec<String> = it.fields.iter().map(|(name, from, to)| format!("{name} {from} -> {to}")).collect();
        format!("{}{deleted} by {}: {}", it.version, it.actor, fields.join(", "))
    };
    let story = log.iter().map(entry).collect::<Vec<_>>().join("; ");
    run.people.iter().fold(story, |story, person| story.replace(&person.id, &person.name))
}
