use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Change, EmailAddress, FieldChange, Letter, MAIL_HORIZON, NetChange, NoticeKinds, Profile, Project, ProjectId, Reader, Recipient,
    TaskId, UserId, Version, net_change,
};
use futures::future::try_join_all;
use jiff::Timestamp;
use store::{Claim, Delivery, DeliveryState, PartContent, RecipientKey, StoreError, TaskSpan};
use tracing::error;

use crate::Mailer;
use crate::language::People;
use crate::letter::letter_mail;
use crate::mail::{Mail, TaskNews, task_mail};

const NOTHING_LEFT: &str = "nothing left to tell";
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

/// All that one claim owes of one task.
struct TaskDebt {
    project: ProjectId,
    task: TaskId,
    /// The last version planned before it.
    after: Version,
    to: Version,
    kinds: NoticeKinds,
}

impl Mailer {
    /// What a claim comes to: one mail, or a reason for none.
    pub(crate) async fn compose(&self, claim: &Claim) -> Result<Composed, StoreError> {
        let Some(first) = claim.parts.first() else {
            return Ok(Composed::Silence { reason: NOTHING_LEFT, deliveries: Vec::new() });
        };
        let silence = |reason| Composed::Silence { reason, deliveries: suppressed(claim, reason) };
        let (email, profile) = match &first.recipient {
            Recipient::Address(email) => (email.clone(), None),
            Recipient::User(user) => match self.work.profile(*user).await? {
                Some(profile) => (profile.email.clone(), Some(profile)),
                None => return Ok(silence(NO_PROFILE)),
            },
        };
        if self.mail.suppressed(&email).await? {
            return Ok(silence(SUPPRESSED_ADDRESS));
        }
        if let PartContent::Letter { letter, .. } = &first.content {
            return self.compose_letter(&email, profile.as_ref(), letter);
        }
        match profile {
            Some(reader) => self.compose_tasks(claim, &reader).await,
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
        let standings = async {
            let standing = async |project| Ok::<_, StoreError>((project, self.standing(project, reader.id).await?));
            let standings = try_join_all(projects.iter().copied().map(standing)).await?;
            Ok(standings.into_iter().collect::<BTreeMap<_, _>>())
        };
        let logs = try_join_all(debts.iter().map(|it| self.readable_log(it)));
        let (standings, logs) = futures::try_join!(standings, logs)?;
        let now = Timestamp::now();
        let verdicts: BTreeMap<TaskId, Verdict> = debts
            .iter()
            .zip(&logs)
            .map(|(debt, log)| (debt.task, verdict(debt, log.as_deref(), standings.get(&debt.project), reader.id, now)))
            .collect();
        let deliveries: Vec<Delivery> = spans(claim)
            .map(|span| match verdicts.get(&span.task) {
                Some(Verdict::Tell(_)) => delivery(claim, span, reader.id, DeliveryState::Sent, None),
                Some(Verdict::Silence(reason)) => delivery(claim, span, reader.id, DeliveryState::Suppressed, Some(reason)),
                None => delivery(claim, span, reader.id, DeliveryState::Suppressed, Some(NOTHING_LEFT)),
            })
            .collect();
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
        let mail =
            task_mail(&self.letterhead, reader, &news, &people).map_err(|it| StoreError::Corrupt { what: it.to_string() })?;
        Ok(Composed::Mail { mail, deliveries })
    }

    /// The log of what is owed; nothing, where it cannot be read, which must not hold back what is owed of other tasks.
    async fn readable_log(&self, debt: &TaskDebt) -> Result<Option<Vec<Change>>, StoreError> {
        match self.changes.log(debt.project, debt.task, debt.after, Some(debt.to)).await {
            Err(error @ StoreError::Corrupt { .. }) => {
                error!(task.id = %debt.task, error = &error as &dyn std::error::Error, "a task's log cannot be read, so it is not told");
                Ok(None)
            }
            log => log.map(Some),
        }
    }

    /// The project, if the reader may still see it.
    async fn standing(&self, project: ProjectId, reader: UserId) -> Result<Result<Project, &'static str>, StoreError> {
        let (project, membership) = self.work.project_and_member(project, reader).await?;
        Ok(match (project, membership) {
            (None, _) => Err(PROJECT_GONE),
            (Some(_), None) => Err(NOT_A_MEMBER),
            (Some(project), Some(_)) => Ok(project),
        })
    }
}

fn spans(claim: &Claim) -> impl Iterator<Item = &TaskSpan> {
    claim.parts.iter().filter_map(|it| match &it.content {
        PartContent::Task(span) => Some(span),
        PartContent::Letter { .. } => None,
    })
}

/// One debt for each task: from the first version of its first part to the last of its last.
fn debts<'a>(spans: impl Iterator<Item = &'a TaskSpan>) -> Vec<TaskDebt> {
    let mut debts: BTreeMap<TaskId, TaskDebt> = BTreeMap::new();
    for TaskSpan { project, task, from, to, kinds } in spans {
        let after = Version(from.0.saturating_sub(1));
        let debt = debts.entry(*task).or_insert_with(|| TaskDebt {
            project: *project,
            task: *task,
            after,
            to: *to,
            kinds: NoticeKinds::new(),
        });
        debt.after = debt.after.min(after);
        debt.to = debt.to.max(*to);
        debt.kinds.extend(kinds);
    }
    debts.into_values().collect()
}

fn verdict(
    debt: &TaskDebt,
    log: Option<&[Change]>,
    standing: Option<&Result<Project, &'static str>>,
    reader: UserId,
    now: Timestamp,
) -> Verdict {
    let project = match standing {
        Some(Ok(project)) => project,
        Some(Err(reason)) => return Verdict::Silence(reason),
        None => return Verdict::Silence(PROJECT_GONE),
    };
    let Some(log) = log else { return Verdict::Silence(UNREADABLE_LOG) };
    match net_change(log, Reader { user: reader, watching: false }, &debt.kinds) {
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

fn delivery(claim: &Claim, span: &TaskSpan, user: UserId, state: DeliveryState, reason: Option<&str>) -> Delivery {
    let TaskSpan { project, task, from, to, kinds: _ } = *span;
    Delivery { project, task, from, to, user, state, reason: reason.map(str::to_owned), at: Timestamp::now(), claim: claim.id }
}

/// That nobody was told of anything in this claim.
pub(crate) fn suppressed(claim: &Claim, reason: &str) -> Vec<Delivery> {
    match &claim.recipient {
        RecipientKey::User(user) => {
            spans(claim).map(|span| delivery(claim, span, *user, DeliveryState::Suppressed, Some(reason))).collect()
        }
        RecipientKey::Address(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use domain::{ClaimId, NoticeKind};
    use store::Part;
    use uuid::Uuid;

    use super::*;
    use crate::samples::{ADA, PROJECT, READER, TASK, title};

    fn task_part(task: TaskId, from: u64, to: u64, kind: NoticeKind) -> Part {
        let span = TaskSpan { project: PROJECT, task, from: Version(from), to: Version(to), kinds: [kind].into() };
        Part { recipient: Recipient::User(READER), due_at: Timestamp::UNIX_EPOCH, content: PartContent::Task(span) }
    }

    #[test]
    fn a_log_that_cannot_be_read_or_is_a_week_old_is_not_told() {
        let at: Timestamp = "2026-11-20T14:03:00Z".parse().expect("a time");
        let debts = debts(std::iter::once(&TaskSpan {
            project: PROJECT,
            task: TASK,
            from: Version(2),
            to: Version(2),
            kinds: [NoticeKind::Status].into(),
        }));
        let change = Change {
            project: PROJECT,
            task: TASK,
            version: Version(2),
            kind: domain::ChangeKind::Updated,
            title: title("Fix the pump"),
            actor: ADA,
            creator: READER,
            assignee: domain::Assignee { before: None, after: None },
            priority: domain::Priority::None,
            at,
            fields: vec![FieldChange::Status { from: Some(domain::Status::Waiting), to: domain::Status::Done }],
        };
        let name = "House".parse().expect("a project name");
        let project = Project { id: PROJECT, name, created_by: ADA, created_at: at, deleted_at: None };
        let check = |log: Option<&[Change]>, now: Timestamp, expected: Option<&str>| match (
            verdict(&debts[0], log, Some(&Ok(project.clone())), READER, now),
            expected,
        ) {
            (Verdict::Tell(_), None) => {}
            (Verdict::Silence(reason), Some(expected)) => assert_eq!(reason, expected),
            (Verdict::Tell(_), Some(expected)) => panic!("told, although {expected}"),
            (Verdict::Silence(reason), None) => panic!("not told, since {reason}"),
        };
        let log = [change];
        check(Some(&log), at + MAIL_HORIZON, None);
        check(Some(&log), at + MAIL_HORIZON + jiff::SignedDuration::from_secs(1), Some(PAST_HORIZON));
        check(None, at, Some(UNREADABLE_LOG));
    }

    #[test]
    fn parts_of_one_task_are_one_debt_over_all_their_versions() {
        let other = TaskId(Uuid::from_u128(99));
        let parts = [
            task_part(TASK, 5, 7, NoticeKind::Edited),
            task_part(other, 1, 1, NoticeKind::Assigned),
            task_part(TASK, 2, 4, NoticeKind::Status),
        ];
        let claim = Claim {
            id: ClaimId(Uuid::from_u128(5)),
            recipient: RecipientKey::User(READER),
            parts: parts.to_vec(),
            attempt: 1,
            opened_at: Timestamp::UNIX_EPOCH,
            lease_until: Timestamp::UNIX_EPOCH,
        };
        let debts = debts(spans(&claim));
        let seen: Vec<_> = debts.iter().map(|it| (it.task, it.after.0, it.to.0, it.kinds.len())).collect();
        assert_eq!(seen, vec![(TASK, 1, 7, 2), (other, 0, 1, 1)]);
    }
}
