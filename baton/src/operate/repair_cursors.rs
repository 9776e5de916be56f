//! `baton repair-cursors`: after a restore to an earlier point, what the table of mails says of the log is made true again. A cursor
//! beyond its log would swallow what comes next; one behind it would mail again what was mailed; a part or claim beyond it would
//! tell of what never was.

mod judgement;

use std::collections::BTreeMap;

use clap::Args;
use domain::{ProjectId, TaskId, Version};
use jiff::Timestamp;
use store::{Claim, Cursor, MailEntry, Part, StoreError};

use self::judgement::{Heads, Owed};
use super::{Deployment, Place, time};
use crate::stack::StartError;

/// Where, and what counts as mailed.
#[derive(Debug, Clone, Args)]
pub struct RepairOptions {
    /// The table of mails itself was put back: what happened or was due before T counts as mailed. T is when the mailer last worked
    /// on the table that was lost. Where it is not given, what is not planned yet will be, and what is due stays due
    #[arg(long, value_name = "T", value_parser = time)]
    pub mailed_until: Option<Timestamp>,
    /// Say what would be changed, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub place: Place,
}

/// What is taken for granted, and whether to act on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repair {
    /// Until when everything was mailed, where the table of mails was put back.
    pub mailed_until: Option<Timestamp>,
    /// Change nothing.
    pub dry_run: bool,
}

/// What was changed, or would be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Tasks with a log or a cursor.
    pub tasks: usize,
    /// Cursors that were behind their log.
    pub up: usize,
    /// Cursors that were beyond their log.
    pub down: usize,
    /// Cursors whose log is gone.
    pub away: usize,
    /// Parts that were taken away.
    pub parts_away: usize,
    /// Parts that now end with the log.
    pub parts_cut: usize,
    /// Claims that were let go of.
    pub claims: usize,
    /// Deliveries of entries that are not in the log.
    pub deliveries: usize,
    /// What somebody else had in hand or changed meanwhile: to be done again.
    pub left: usize,
    /// Tasks whose log cannot be read, left as they are.
    pub unreadable: usize,
}

/// Runs the command and prints what it did; false where it has to be run again.
///
/// # Errors
/// The tables cannot be read or written.
pub async fn run(options: RepairOptions) -> Result<bool, StartError> {
    let RepairOptions { mailed_until, dry_run, place } = options;
    let deployment = place.open(false)?;
    let repair = Repair { mailed_until, dry_run };
    let repaired = repair_cursors(&deployment, repair, &mut |line| println!("{line}")).await?;
    let Repaired { tasks, up, down, away, parts_away, parts_cut, claims, deliveries, left, unreadable } = repaired;
    println!("{tasks} tasks{}", if dry_run { "; nothing is changed, this is what would be" } else { "" });
    println!("cursors: {up} up, {down} down, {away} away");
    println!("parts: {parts_away} away, {parts_cut} cut; claims: {claims} let go of; deliveries: {deliveries} away");
    if unreadable > 0 {
        println!(
            "{unreadable} logs cannot be read, and their cursors are as they were: deploy the release that can, and run this again"
        );
    }
    if left > 0 {
        println!("{left} left, since a mailer is at work on them: stop it, wait three minutes and run this again");
    }
    Ok(left == 0 && unreadable == 0)
}

/// Makes cursors, parts, claims and deliveries fit the log. `say` hears of each change.
///
/// # Errors
/// [`StoreError`], where the tables cannot be read or written.
pub async fn repair_cursors(
    deployment: &Deployment,
    repair: Repair,
    say: &mut (dyn FnMut(String) + Send),
) -> Result<Repaired, StartError> {
    // In this order: whatever a mailer at work plans meanwhile is then in the log as read, or not among the entries.
    let entries = Entries::read(deployment).await?;
    let heads = heads(deployment).await?;
    let mut work = Work { deployment, repair, heads, say, repaired: Repaired::default() };
    let Entries { mut cursors, parts, claims } = entries;
    for task in work.heads.tasks() {
        cursors.entry(task).or_insert(Cursor::START);
    }
    work.repaired.tasks = cursors.len();
    for ((project, task), cursor) in cursors {
        work.repair_cursor(project, task, &cursor).await?;
    }
    for part in &parts {
        work.repair_part(part, &claims).await?;
    }
    for claim in claims.values() {
        work.repair_claim(claim).await?;
    }
    Ok(work.repaired)
}

/// What the table of mails says of the log.
struct Entries {
    cursors: BTreeMap<(ProjectId, TaskId), Cursor>,
    parts: Vec<Part>,
    claims: BTreeMap<store::RecipientKey, Claim>,
}

impl Entries {
    async fn read(deployment: &Deployment) -> Result<Self, StartError> {
        let mut read = Self { cursors: BTreeMap::new(), parts: Vec::new(), claims: BTreeMap::new() };
        let mut pages = deployment.mail()?.entries();
        while let Some(page) = pages.next_page().await? {
            for entry in page {
                match entry {
                    MailEntry::Cursor { project, task, cursor } => {
                        read.cursors.insert((project, task), cursor);
                    }
                    MailEntry::Part(part) => read.parts.push(part),
                    MailEntry::Claim(claim) => {
                        read.claims.insert(claim.recipient.clone(), claim);
                    }
                }
            }
        }
        Ok(read)
    }
}

async fn heads(deployment: &Deployment) -> Result<Heads, StartError> {
    let mut heads = Heads::default();
    let mut pages = deployment.changes()?.heads();
    while let Some(page) = pages.next_page().await? {
        heads.extend(page);
    }
    Ok(heads)
}

struct Work<'a> {
    deployment: &'a Deployment,
    repair: Repair,
    heads: Heads,
    say: &'a mut (dyn FnMut(String) + Send),
    repaired: Repaired,
}

impl Work<'_> {
    async fn repair_cursor(&mut self, project: ProjectId, task: TaskId, before: &Cursor) -> Result<(), StartError> {
        let head = self.heads.of(project, task);
        let after = match self.repair.mailed_until {
            Some(until) if before.version < head => {
                // What happened since then is still to be planned.
                let log = match self.deployment.changes()?.log(project, task, before.version, Some(head)).await {
                    // Nothing of it is mailed for as long as that is so, and nothing else is to wait for it.
                    Err(StoreError::Corrupt { what }) => {
                        self.repaired.unreadable += 1;
                        (self.say)(format!("the log of task {task} in project {project} cannot be read: {what}"));
                        return Ok(());
                    }
                    log => log?,
                };
                log.iter().take_while(|it| it.at < until).last().map_or(before.version, |it| it.version)
            }
            // Whatever keeps what is behind from being planned, it is still owed.
            _ => head.min(before.version),
        };
        let goes_on = before.progress.is_some_and(|it| it.to <= head) && after == before.version;
        if after == before.version && (before.progress.is_none() || goes_on) {
            return Ok(());
        }
        if !self.repair.dry_run {
            let set = self.deployment.mail()?.set_cursor(project, task, before, Some(after)).await;
            if !self.has_done(set)? {
                return Ok(());
            }
        }
        let count = match (after, before.version) {
            (Version::NONE, _) => &mut self.repaired.away,
            (after, before) if after > before => &mut self.repaired.up,
            _ => &mut self.repaired.down,
        };
        *count += 1;
        (self.say)(format!("cursor of task {task} in project {project}: {} -> {after}", before.version));
        if before.version > head {
            self.forget_deliveries(project, task, head).await?;
        }
        Ok(())
    }

    /// The versions they tell of will be taken by other changes.
    async fn forget_deliveries(&mut self, project: ProjectId, task: TaskId, head: Version) -> Result<(), StartError> {
        let mail = self.deployment.mail()?;
        let count = if self.repair.dry_run {
            mail.deliveries_after(project, task, head).await?.len()
        } else {
            mail.forget_deliveries(project, task, head).await?
        };
        self.repaired.deliveries += count;
        Ok(())
    }

    async fn repair_part(&mut self, part: &Part, claims: &BTreeMap<store::RecipientKey, Claim>) -> Result<(), StartError> {
        let owed = self.heads.judge(part, self.repair.mailed_until);
        if owed == Owed::AsIs {
            return Ok(());
        }
        let claim = claims.get(&part.recipient_key());
        if claim.is_some_and(|it| !it.is_expired(Timestamp::now())) {
            self.repaired.left += 1;
            (self.say)(format!("{}: a mailer is about to send it", name(part)));
            return Ok(());
        }
        let after = match &owed {
            Owed::AsIs | Owed::Nothing => None,
            Owed::Less(part) => Some(part),
        };
        if !self.repair.dry_run {
            let replaced = self.deployment.mail()?.replace_part(part, after).await;
            if !self.has_done(replaced)? {
                return Ok(());
            }
        }
        match after {
            None => {
                self.repaired.parts_away += 1;
                (self.say)(format!("{}: away", name(part)));
            }
            Some(after) => {
                self.repaired.parts_cut += 1;
                (self.say)(format!("{}: cut to {}", name(part), name(after)));
            }
        }
        Ok(())
    }

    /// A claim is sent as it was frozen, so one that holds what is not owed as it was must not be.
    async fn repair_claim(&mut self, claim: &Claim) -> Result<(), StartError> {
        let is_right = claim.parts.iter().all(|it| self.heads.judge(it, self.repair.mailed_until) == Owed::AsIs);
        if is_right {
            return Ok(());
        }
        if !claim.is_expired(Timestamp::now()) {
            self.repaired.left += 1;
            return Ok(());
        }
        if !self.repair.dry_run {
            let mail = self.deployment.mail()?;
            // What was told is not told again, whatever else is wrong with it.
            let released = if claim.accepted || mail.is_recorded(claim).await? {
                mail.close(claim, None).await
            } else {
                mail.release(claim).await
            };
            if !self.has_done(released)? {
                return Ok(());
            }
        }
        self.repaired.claims += 1;
        (self.say)(format!("claim {} of {}: let go of", claim.id, claim.recipient));
        Ok(())
    }

    /// False where somebody else was faster.
    fn has_done(&mut self, outcome: Result<(), StoreError>) -> Result<bool, StoreError> {
        match outcome {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict { .. }) => {
                self.repaired.left += 1;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }
}

/// A part without what it says or whose address it goes to.
fn name(part: &Part) -> String {
    let recipient = part.recipient_key();
    match &part.content {
        store::PartContent::Task(span) => {
            format!("part for {recipient} of task {} in project {}, {} to {}", span.task, span.project, span.from, span.to)
        }
        store::PartContent::Letter { id, .. } => format!("letter {id} for {recipient}"),
    }
}
