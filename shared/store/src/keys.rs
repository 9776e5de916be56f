//! Every key of every table: spelled here and nowhere else.
//!
//! | what is asked | table, index | partition | sort |
//! |---|---|---|---|
//! | who logs in with an address | accounts | `CREDENTIAL#<address>` | `CREDENTIAL` |
//! | a session; a person's sessions | accounts | `USER#<user>` | `SESSION#<session>` |
//! | a person's security events, newest first | accounts | `USER#<user>` | `EVENT#<at>#<event>` |
//! | a person's API tokens | accounts | `USER#<user>` | `APITOKEN#<token>` |
//! | a change of address under way | accounts | `USER#<user>` | `EMAIL` |
//! | who sends an API token, and what it may do | accounts | `APITOKEN#<hash>` | `APITOKEN` |
//! | how often somebody guessed | accounts | `ATTEMPTS#<bucket>` | `ATTEMPTS` |
//! | what a one-time token is good for | accounts | `TOKEN#<hash>` | `TOKEN` |
//! | the private key of a period | accounts | `SIGNING` | `KEY#<period, 6 digits>` |
//! | the secret other keys are derived from | accounts | `SIGNING` | `SECRET` |
//! | all public keys | accounts | `KEYS` | `KEYS` |
//! | a person's profile | work | `USER#<user>` | `PROFILE` |
//! | which sessions ended just now | work | `USER#<user>` | `ENDED` |
//! | a project | work | `PROJECT#<project>` | `PROJECT` |
//! | a member; a project's members | work | `PROJECT#<project>` | `MEMBER#<user>` |
//! | a project's invitations | work | `PROJECT#<project>` | `INVITATION#<invitation>` |
//! | what an address is invited to | work | `INVITED#<address hash>` | `PROJECT#<project>` |
//! | a task | work | `PROJECT#<project>` | `TASK#<task>` |
//! | its description | work | `PROJECT#<project>` | `TASK#<task>#DESCRIPTION` |
//! | a project's tasks, newest first | work, `by_time` | `PROJECT#<project>` | `<created at>#<task>` |
//! | ... of one status | work, `by_status` | `PROJECT#<project>#STATUS#<status>` | `<created at>#<task>` |
//! | my tasks over all projects | work, `by_person` | `USER#<user>` | `TASK#<status rank>#<due on>#<created at>#<task>#<project>` |
//! | my projects | work, `by_person` | `USER#<user>` | `PROJECT#<joined at>#<project>` |
//! | a task's log | changes | `TASK#<project>#<task>` | version (a number) |
//! | a description as a change left it | changes | `DESCRIPTION#<project>#<task>` | version (a number) |
//! | a project's changes by time | changes, `by_project` | `PROJECT#<project>` | `<at>#<task>#<version, 10 digits>` |
//! | the log of an hour | changes, `by_hour` | `HOUR#<2026-11-20T11>#<shard>` | `<at>#<task>#<version, 10 digits>` |
//! | how far a task's log is planned | mail | `TASK#<project>#<task>` | `CURSOR` |
//! | who was told of a change | mail | `TASK#<project>#<task>` | `DELIVERY#<last version, 10 digits>#<user>`, of a digest with `#DIGEST` behind it |
//! | who watches or mutes a project; a task | mail | `SUBSCRIPTIONS#<project>` | `PROJECT#<user>`; `TASK#<task>#<user>` |
//! | what a recipient is owed, also of one task | mail | `RECIPIENT#<recipient>` | `PART#LETTER#<part>`, `PART#TASK#<project>#<task>#<first version, 10 digits>`, of a digest with `#DIGEST` behind it |
//! | who is at work on it, and in which rhythm the recipient is told | mail | `RECIPIENT#<recipient>` | `CLAIM` |
//! | whether a letter's claim was sent | mail | `RECIPIENT#<recipient>` | `SENT#<claim>` |
//! | what came back of a claim's mail | mail | `RECIPIENT#<recipient>` | `FEEDBACK#<claim>` |
//! | a person's notifications, unread first, newest first | mail | `RECIPIENT#USER#<user>` | `NOTE#UNREAD#<notification>`, `NOTE#READ#<notification>`, backward |
//! | how many letters of a kind were filed | mail | `RECIPIENT#<recipient>` | `LETTERS#<kind>#<start of the window>` |
//! | whether an address is suppressed | mail | `SUPPRESSED#<address hash>` | `SUPPRESSED` |
//! | what is due | mail, `due` | `DUE#<shard of the recipient>` | `<due at>#<sort key of the part>` |
//!
//! What an operator repairs or announces again by hand is found by a `Scan` of the tables of changes (the heads of all logs) and mails
//! (all cursors, parts and claims), and by the logs of hours. The claims that a killed process left open are found by a `Scan` of the table of
//! mails when `baton` starts again. Nothing else scans.
//!
//! A recipient is `USER#<user>` or `ADDRESS#<address hash>`. A bucket of guesses is `ADDRESS#<address hash>`, `DEVICE#<user>#<device>`,
//! `FACTOR#<user>`, `FACTOR#<user>#<device>` or `PROOF#<user>`. Times in keys are UTC with nine fraction digits, so that they sort as text.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{InvitationId, ProjectId, SessionId, Status, TaskId, TaskSummary, UserId, Version};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::item::Attributes;

mod account;
mod list;
mod mail;
mod recipient;

pub(crate) use account::{
    API_TOKENS_PREFIX, EVENTS_PREFIX, SESSIONS_PREFIX, api_token, attempts, credential, email_change, event, kid_of_attribute,
    listed_api_token, public_key_attribute, public_keys, secret, session, signing_key, token,
};
pub(crate) use list::List;
pub(crate) use mail::{
    AFTER_DELIVERIES, CLAIM, CURSOR, NOTIFICATIONS_PREFIX, PARTS_PREFIX, UNREAD_PREFIX, claim, cursor, delivery, delivery_prefix,
    due_by, due_partition, due_shard, feedback, is_paced_part, letter_part, letters, notification, notification_of_key,
    part_by_due, parts_of_task_prefix, recipient_of_partition, recipient_partition, sent, subscription, subscription_of_key,
    subscriptions_partition, subscriptions_prefix, suppressed, task_part,
};
pub use recipient::{AddressHash, RecipientKey};

pub(crate) const BY_TIME: &str = "by_time";
pub(crate) const BY_STATUS: &str = "by_status";
pub(crate) const BY_PERSON: &str = "by_person";
pub(crate) const BY_PROJECT: &str = "by_project";
pub(crate) const BY_HOUR: &str = "by_hour";
pub(crate) const DUE: &str = "due";

/// Over how many partitions what would be one hot partition is spread: the log of an hour and what is due.
pub const SHARDS: u8 = 8;

pub(crate) fn sha256_hex(octets: impl AsRef<[u8]>) -> String {
    Sha256::digest(octets).iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The primary key of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    partition: String,
    sort: Sort,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Sort {
    Text(String),
    Version(Version),
}

impl From<Key> for Attributes {
    fn from(key: Key) -> Self {
        let Key { partition, sort } = key;
        let sort = match sort {
            Sort::Text(text) => ("sk".to_owned(), AttributeValue::S(text)),
            Sort::Version(version) => ("version".to_owned(), AttributeValue::N(version.to_string())),
        };
        Self::from([("pk".to_owned(), AttributeValue::S(partition)), sort])
    }
}

fn key(partition: String, sort: impl Into<String>) -> Key {
    Key { partition, sort: Sort::Text(sort.into()) }
}

pub(crate) fn profile(user: UserId) -> Key {
    key(person_partition(user), "PROFILE")
}

/// The sessions of a person that ended just now.
pub(crate) fn ended(user: UserId) -> Key {
    key(person_partition(user), "ENDED")
}

/// The attribute of the item of ended sessions that tells of this one: an attribute each, so that two can end at once.
pub(crate) fn ended_attribute(session: SessionId) -> String {
    format!("SESSION#{session}")
}

/// The session of such an attribute.
pub(crate) fn session_of_attribute(name: &str) -> Option<SessionId> {
    name.strip_prefix("SESSION#")?.parse().ok()
}

pub(crate) fn project(project: ProjectId) -> Key {
    key(project_partition(project), "PROJECT")
}

pub(crate) fn member(project: ProjectId, user: UserId) -> Key {
    key(project_partition(project), format!("MEMBER#{user}"))
}

pub(crate) fn invitation(project: ProjectId, invitation: InvitationId) -> Key {
    key(project_partition(project), format!("INVITATION#{invitation}"))
}

pub(crate) fn invited(address: &AddressHash, project: ProjectId) -> Key {
    key(format!("INVITED#{address}"), format!("PROJECT#{project}"))
}

pub(crate) fn task(project: ProjectId, task: TaskId) -> Key {
    key(project_partition(project), format!("TASK#{task}"))
}

/// The reverse of [`task`].
pub(crate) fn task_of_key(partition: &str, sort: &str) -> Option<(ProjectId, TaskId)> {
    Some((partition.strip_prefix("PROJECT#")?.parse().ok()?, sort.strip_prefix("TASK#")?.parse().ok()?))
}

pub(crate) fn task_description(project: ProjectId, task: TaskId) -> Key {
    key(project_partition(project), format!("TASK#{task}#DESCRIPTION"))
}

pub(crate) fn project_partition(project: ProjectId) -> String {
    format!("PROJECT#{project}")
}

pub(crate) fn status_partition(project: ProjectId, status: Status) -> String {
    format!("PROJECT#{project}#STATUS#{}", status.as_str())
}

pub(crate) fn person_partition(user: UserId) -> String {
    format!("USER#{user}")
}

/// The place of a task in `by_time` and `by_status`.
pub(crate) fn task_by_time(task: &TaskSummary) -> String {
    format!("{}#{}", timestamp(task.created_at), task.id)
}

/// The place of a task in `by_person`: open ones first, then by due date, those without one last.
pub(crate) fn task_by_person(task: &TaskSummary) -> String {
    let due_on = task.due_on.map_or_else(|| "9999-12-31".to_owned(), |it| it.to_string());
    let prefix = person_tasks_prefix(Some(task.status));
    format!("{prefix}{due_on}#{}#{}#{}", timestamp(task.created_at), task.id, task.project)
}

pub(crate) fn person_tasks_prefix(status: Option<Status>) -> String {
    status.map_or_else(|| "TASK#".to_owned(), |it| format!("TASK#{}#", status_rank(it)))
}

fn status_rank(status: Status) -> u8 {
    match status {
        Status::Waiting => 0,
        Status::InProgress => 1,
        Status::Done => 2,
    }
}

/// The place of a membership in `by_person`.
pub(crate) fn membership_by_person(joined_at: Timestamp, project: ProjectId) -> String {
    format!("PROJECT#{}#{project}", timestamp(joined_at))
}

pub(crate) fn change(project: ProjectId, task: TaskId, version: Version) -> Key {
    Key { partition: log_partition(project, task), sort: Sort::Version(version) }
}

pub(crate) fn change_description(project: ProjectId, task: TaskId, version: Version) -> Key {
    Key { partition: format!("{DESCRIPTION}{project}#{task}"), sort: Sort::Version(version) }
}

const DESCRIPTION: &str = "DESCRIPTION#";

pub(crate) fn is_change_description(partition: &str) -> bool {
    partition.starts_with(DESCRIPTION)
}

/// With what the partition of every task's log begins.
pub(crate) const LOGS: &str = "TASK#";

pub(crate) fn log_partition(project: ProjectId, task: TaskId) -> String {
    format!("TASK#{project}#{task}")
}

/// The reverse of [`log_partition`].
pub(crate) fn log_of_partition(partition: &str) -> Option<(ProjectId, TaskId)> {
    let (project, task) = partition.strip_prefix("TASK#")?.split_once('#')?;
    Some((project.parse().ok()?, task.parse().ok()?))
}

/// The place of a change in `by_project` and `by_hour`.
pub(crate) fn change_by_time(at: Timestamp, task: TaskId, version: Version) -> String {
    format!("{}#{task}#{:010}", timestamp(at), version.0)
}

/// The shard of an hour a task's changes are in.
pub(crate) fn hour_shard(task: TaskId) -> u8 {
    shard(task.0.as_bytes())
}

pub(crate) fn hour_partition(at: Timestamp, shard: u8) -> String {
    format!("HOUR#{}#{shard}", &timestamp(at)[.."2026-11-20T11".len()])
}

/// From which place on `by_project` and `by_hour` hold what happened at this time or later.
pub(crate) fn changes_from(at: Timestamp) -> String {
    timestamp(at)
}

/// Fixed width, so that times sort as text: UTC, nine fraction digits.
pub(crate) fn timestamp(at: Timestamp) -> String {
    format!("{at:.9}")
}

fn shard(octets: &[u8]) -> u8 {
    octets.iter().fold(0_u8, |sum, octet| sum.wrapping_add(*octet)) % SHARDS
}

#[cfg(test)]
pub(crate) mod tests {
    use domain::{EmailAddress, Labels, Priority};
    use jiff::civil::date;
    use uuid::Uuid;

    use super::*;

    pub(crate) const PROJECT: ProjectId = ProjectId(Uuid::from_u128(1));
    pub(crate) const TASK: TaskId = TaskId(Uuid::from_u128(2));
    pub(crate) const USER: UserId = UserId(Uuid::from_u128(3));
    pub(crate) const P: &str = "00000000-0000-0000-0000-000000000001";
    pub(crate) const T: &str = "00000000-0000-0000-0000-000000000002";
    pub(crate) const U: &str = "00000000-0000-0000-0000-000000000003";

    pub(crate) fn at(text: &str) -> Timestamp {
        text.parse().expect("a timestamp")
    }

    pub(crate) fn summary() -> TaskSummary {
        TaskSummary {
            id: TASK,
            project: PROJECT,
            title: "Fix the pump".parse().expect("a title"),
            status: Status::InProgress,
            assignee: Some(USER),
            priority: Priority::High,
            due_on: Some(date(2026, 12, 1)),
            labels: Labels::default(),
            created_by: USER,
            created_at: at("2026-11-20T11:00:00.5Z"),
            updated_by: USER,
            updated_at: at("2026-11-20T12:00:00Z"),
            version: Version(2),
        }
    }

    pub(crate) fn check(key: &Key, partition: &str, sort: &str) {
        let sort_is = match &key.sort {
            Sort::Text(text) => text.clone(),
            Sort::Version(version) => version.to_string(),
        };
        assert_eq!((key.partition.as_str(), sort_is.as_str()), (partition, sort));
    }

    #[test]
    fn keys_are_spelled_as_the_table_says() {
        let email: EmailAddress = "ada@example.com".parse().expect("an address");
        let hash = AddressHash::from(&email);
        check(&ended(USER), &format!("USER#{U}"), "ENDED");
        assert_eq!(session_of_attribute(&ended_attribute(SessionId(TASK.0))), Some(SessionId(TASK.0)));
        check(&profile(USER), &format!("USER#{U}"), "PROFILE");
        check(&member(PROJECT, USER), &format!("PROJECT#{P}"), &format!("MEMBER#{U}"));
        check(&invited(&hash, PROJECT), &format!("INVITED#{hash}"), &format!("PROJECT#{P}"));
        check(&task_description(PROJECT, TASK), &format!("PROJECT#{P}"), &format!("TASK#{T}#DESCRIPTION"));
        check(&change(PROJECT, TASK, Version(7)), &format!("TASK#{P}#{T}"), "7");
        assert_eq!(log_of_partition(&log_partition(PROJECT, TASK)), Some((PROJECT, TASK)));
        assert_eq!(task_of_key(&format!("PROJECT#{P}"), &format!("TASK#{T}")), Some((PROJECT, TASK)));
        assert_eq!(task_of_key(&format!("PROJECT#{P}"), &format!("TASK#{T}#DESCRIPTION")), None);
        assert_eq!(hour_partition(at("2026-11-20T11:59:59.9Z"), 3), "HOUR#2026-11-20T11#3");
        let person = format!("TASK#1#2026-12-01#2026-11-20T11:00:00.500000000Z#{T}#{P}");
        assert_eq!(task_by_person(&summary()), person);
    }

    #[test]
    fn times_in_keys_sort_as_text() {
        let times = ["2026-11-20T11:00:00Z", "2026-11-20T11:00:00.000000001Z", "2026-11-20T11:00:00.1Z", "2026-11-20T11:00:01Z"];
        let keys = times.map(|it| timestamp(at(it)));
        assert!(keys.is_sorted());
        assert!(keys.iter().all(|it| it.len() == 30));
        assert!(change_by_time(at(times[0]), TASK, Version(9)) < changes_from(at(times[1])));
        assert!(changes_from(at(times[1])) < change_by_time(at(times[1]), TASK, Version(1)));
    }
}
