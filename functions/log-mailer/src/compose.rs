use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Change, Choice, EmailAddress, FieldChange, Letter, MAIL_HORIZON, NetChange, NoticeKind, NoticeKinds, Profile, Project,
    ProjectId, Reader, Recipient, Subscription, TaskId, UserId, Version,
};
use futures::future::try_join_all;
use futures::try_join;
use jiff::Timestamp;
use store::{Claim, Delivery, DeliveryState, PartContent, RecipientKey, StoreError, TaskSpan, Timing};
use tracing::error;

use crate::Mailer;
use crate::agenda::span;
use crate::debt::{Debt, debts};
use crate::language::People;
use crate::letter::letter_mail;
use crate::mail::{Mail, Occasion, TaskNews, task_mail};

const NOTHING_LEFT: &str = "nothing left to tell";
const TURNED_OFF: &str = "the person has turned mails about this off";
const MUTED: &str = "the person has muted the task or its project";
const NOT_A_MEMBER: &str = "not a member of the project any more";
const PROJECT_GONE: &str = "the project is gone";
const NO_PROFILE: &str = "the account is gone";
const UNREADABLE_LOG: &str = "the task's log cannot be read";
const SUPPRESSED_ADDRESS: &str = "the address is suppressed";
const PAST_HORIZON: &str = "it could not be told within a week";

/// What is to be done about a claim.
pub(crate) enum Composed {
    Mail {
        mail: Mail,
        deliveries: Vec<Delivery>,
    },
    /// No mail at all, and why.
    Silence {
        reason: &'static str,
        deliveries: Vec<Delivery>,
    },
}

/// What is to be told of one task.
enum Verdict {
    Tell(Box<TaskNews>),
    Silence(&'static str),
}

/// What one task's verdict depends on, as it is now.
struct Facts {
    log: Option<Vec<Change>>,
    subscription: Option<Subscription>,
}

impl Mailer {
    /// What a claim comes to: one mail, or a reason for none. `profile` is the recipient's, as it is now.
    pub(crate) async fn compose(&self, claim: &Claim, profile: Option<&Profile>) -> Result<Composed, StoreError> {
        let Some(first) = claim.parts.first() else {
            return Ok(Composed::Silence { reason: NOTHING_LEFT, deliveries: Vec::new() });
        };
        let silence = |reason| Composed::Silence { reason, deliveries: self.silent(claim, reason) };
        let email = match (&first.recipient, profile) {
            (Recipient::Address(email), _) => email,
            (Recipient::User(_), Some(profile)) => &profile.email,
            (Recipient::User(_), None) => return Ok(silence(NO_PROFILE)),
        };
        if self.mail.suppressed(email).await? {
            return Ok(silence(SUPPRESSED_ADDRESS));
        }
        if let PartContent::Letter { letter, .. } = &first.content {
            return self.compose_letter(email, profile, letter);
        }
        match profile {
            Some(reader) => self.compose_tasks(claim, reader).await,
            None => Ok(silence(NO_PROFILE)),
        }
    }

    fn compose_letter(&self, email: &EmailAddress, reader: Option<&Profile>, letter: &Letter) -> Result<Composed, StoreError> {
        let mail =
            letter_mail(&self.letterhead, email, reader, letter).map_err(|it| StoreError::Corrupt { what: it.to_string() })?;
        Ok(Composed::Mail { mail, deliveries: Vec::new() })
    }

    async fn compose_tasks(&self, claim: &Claim, reader: &Profile) -> Result<Composed, StoreError> {
        let debts = debts(spans(claim));
        let projects: BTreeSet<ProjectId> = debts.iter().map(|it| it.project).collect();
        let standings = try_join_all(projects.iter().map(|it| self.standing(*it, reader.id)));
        let facts = try_join_all(debts.iter().map(|it| self.facts(it, reader.id)));
        let (standings, facts) = try_join!(standings, facts)?;
        let standings: BTreeMap<ProjectId, Standing> = projects.into_iter().zip(standings).collect();
        let now = self.clock.now();
        let verdicts: BTreeMap<TaskId, Verdict> = debts
            .iter()
            .zip(&facts)
            .map(|(debt, facts)| (debt.task, verdict(debt, facts, standings.get(&debt.project), reader, now)))
            .collect();
        let deliveries = self.deliveries(claim, |task| match verdicts.get(&task) {
            Some(Verdict::Tell(_)) => None,
            Some(Verdict::Silence(reason)) => Some(reason),
            None => Some(NOTHING_LEFT),
        });
        let silence = verdicts.values().find_map(|it| if let Verdict::Silence(reason) = it { Some(*reason) } else { None });
        let mut news: Vec<TaskNews> =
            verdicts.into_values().filter_map(|it| if let Verdict::Tell(news) = it { Some(*news) } else { None }).collect();
        if news.is_empty() {
            return Ok(Composed::Silence { reason: silence.unwrap_or(NOTHING_LEFT), deliveries });
        }
        news.sort_by_key(|it| (it.net.project, it.net.at, it.net.task));
        let mentioned: Vec<UserId> = news.iter().flat_map(|it| mentioned(&it.net)).collect::<BTreeSet<_>>().into_iter().collect();
        let names = self.work.profiles(&mentioned).await?.into_values().map(|it| (it.id, it.name)).collect();
        let people = People { reader: reader.id, names };
        let is_digest = spans(claim).all(|it| it.timing == Timing::Digest);
        let occasion = if is_digest { Occasion::Digest } else { Occasion::Changes };
        let mail = task_mail(&self.letterhead, reader, occasion, &news, &people)
            .map_err(|it| StoreError::Corrupt { what: it.to_string() })?;
        Ok(Composed::Mail { mail, deliveries })
    }

    /// The log of what is owed, and what the reader wants of the task now.
    async fn facts(&self, debt: &Debt, reader: UserId) -> Result<Facts, StoreError> {
        let log = self.log_of(debt, reader);
        let of_task = self.mail.subscription(debt.project, Some(debt.task), reader);
        let of_project = self.mail.subscription(debt.project, None, reader);
        let (log, of_task, of_project) = try_join!(log, of_task, of_project)?;
        Ok(Facts { log, subscription: of_task.or(of_project) })
    }

    /// The log of a debt, and what came right after it. None, where it cannot be read, which must not hold back what is owed of other
    /// tasks.
    async fn log_of(&self, debt: &Debt, reader: UserId) -> Result<Option<Vec<Change>>, StoreError> {
        // What came after it may be of a newer release, and is no reason to tell nothing.
        for to in [debt.read_to(), Some(debt.to())] {
            match self.changes.log(debt.project, debt.task, debt.after(), to).await {
                Err(error @ StoreError::Corrupt { .. }) => {
                    error!(task.id = %debt.task, to = to.map(|it| it.0), error = &error as &dyn std::error::Error, "a task's log cannot be read");
                }
                Err(error) => return Err(error),
                Ok(mut log) => {
                    let deletion = debt.later_deletion(&log, reader).map(|it| it.version);
                    if let Some(deletion) = deletion
                        && !self.is_settled(debt, deletion, reader).await?
                    {
                        log.pop();
                    }
                    return Ok(Some(log));
                }
            }
        }
        Ok(None)
    }

    /// Whether a reader, whose claim this mailer holds, has been told of this version of a task or is not to be: it is planned, and
    /// nothing of it waits. Otherwise they hear of it yet, and would hear of that alone if what comes before it were left out.
    async fn is_settled(&self, debt: &Debt, version: Version, reader: UserId) -> Result<bool, StoreError> {
        // In this order: what a plan owes is there before its cursor is.
        let cursor = match self.mail.cursor(debt.project, debt.task).await {
            Err(error @ StoreError::Corrupt { .. }) => {
                error!(task.id = %debt.task, error = &error as &dyn std::error::Error, "a cursor cannot be read");
                return Ok(false);
            }
            cursor => cursor?,
        };
        if cursor.version < version {
            return Ok(false);
        }
        let owed = self.mail.owed_of(&RecipientKey::User(reader), debt.project, debt.task).await?;
        Ok(!owed.iter().filter_map(span).any(|it| it.to >= version))
    }

    /// The project, if the reader may still see it.
    async fn standing(&self, project: ProjectId, reader: UserId) -> Result<Standing, StoreError> {
        let (project, membership) = self.work.project_and_member(project, reader).await?;
        Ok(match (project, membership) {
            (None, _) => Err(PROJECT_GONE),
            (Some(_), None) => Err(NOT_A_MEMBER),
            (Some(project), Some(_)) => Ok(project),
        })
    }

    /// That nobody was told of anything in this claim.
    pub(crate) fn silent(&self, claim: &Claim, reason: &str) -> Vec<Delivery> {
        self.deliveries(claim, |_| Some(reason))
    }

    /// That a claim's mail was sent, whatever it said.
    pub(crate) fn sent(&self, claim: &Claim) -> Vec<Delivery> {
        self.deliveries(claim, |_| None)
    }

    /// What became of each part of a claim; `silence` says of a task why it was not told.
    fn deliveries<'a>(&self, claim: &Claim, silence: impl Fn(TaskId) -> Option<&'a str>) -> Vec<Delivery> {
        let RecipientKey::User(user) = claim.recipient else { return Vec::new() };
        let at = self.clock.now();
        let delivery = |span: &TaskSpan| {
            let TaskSpan { project, task, from, to, timing, .. } = *span;
            let reason = silence(task).map(str::to_owned);
            let state = if reason.is_some() { DeliveryState::Suppressed } else { DeliveryState::Sent };
            Delivery { project, task, from, to, user, state, reason, at, claim: claim.id, timing }
        };
        spans(claim).map(delivery).collect()
    }
}

/// A project, or why the reader may not see it.
type Standing = Result<Project, &'static str>;

pub(crate) fn spans(claim: &Claim) -> impl Iterator<Item = &TaskSpan> {
    claim.parts.iter().filter_map(|it| match &it.content {
        PartContent::Task(span) => Some(span),
        PartContent::Letter { .. } => None,
    })
}

fn verdict(debt: &Debt, facts: &Facts, standing: Option<&Standing>, reader: &Profile, now: Timestamp) -> Verdict {
    let project = match standing {
        Some(Ok(project)) => project,
        Some(Err(reason)) => return Verdict::Silence(reason),
        None => return Verdict::Silence(PROJECT_GONE),
    };
    let Facts { log, subscription } = facts;
    if *subscription == Some(Subscription::Mute) {
        return Verdict::Silence(MUTED);
    }
    // Who moved a kind to the digest since is told now all the same: it was promised when it was planned.
    let is_wanted = |kind: &NoticeKind| reader.notify.choice(*kind) != Choice::None;
    let wanted: NoticeKinds = NoticeKind::ALL.into_iter().filter(is_wanted).collect();
    let Some(debt) = debt.wanted(&wanted) else { return Verdict::Silence(TURNED_OFF) };
    let Some(log) = log else { return Verdict::Silence(UNREADABLE_LOG) };
    let watching = debt.watching && *subscription == Some(Subscription::Watch);
    match debt.net(log, Reader { user: reader.id, watching }) {
        // Planned in time, and postponed ever since.
        Some(net) if now.duration_since(net.at) > MAIL_HORIZON => Verdict::Silence(PAST_HORIZON),
        Some(net) => Verdict::Tell(Box::new(TaskNews { project_name: project.name.clone(), net })),
        None => Verdict::Silence(NOTHING_LEFT),
    }
}

/// Everybody a mail names.
fn mentioned(net: &NetChange) -> Vec<UserId> {
    let mut users = net.actors.clone();
    for field in &net.fields {
        if let FieldChange::Assignee { from, to } = field {
            users.extend(from.iter().chain(to));
        }
    }
    users
}

#[cfg(test)]
mod tests;
