//! Of the table of mails.

use domain::{ClaimId, NotificationId, PartId, ProjectId, TaskId, UserId, Version};
use jiff::Timestamp;

use super::{AddressHash, Key, RecipientKey, Sort, key, log_partition, shard, timestamp};
use crate::{LetterKind, Timing};

pub(crate) const CURSOR: &str = "CURSOR";

pub(crate) fn cursor(project: ProjectId, task: TaskId) -> Key {
    key(log_partition(project, task), CURSOR)
}

pub(crate) fn delivery(project: ProjectId, task: TaskId, to: Version, user: UserId, timing: Timing) -> Key {
    key(log_partition(project, task), format!("{}{user}{}", delivery_prefix(to), timing_suffix(timing)))
}

const DIGEST: &str = "#DIGEST";

fn timing_suffix(timing: Timing) -> &'static str {
    match timing {
        Timing::Now => "",
        Timing::Digest => DIGEST,
    }
}

pub(crate) fn delivery_prefix(to: Version) -> String {
    format!("DELIVERY#{:010}#", to.0)
}

pub(crate) const AFTER_DELIVERIES: &str = "DELIVERY$";

pub(crate) fn recipient_partition(recipient: &RecipientKey) -> String {
    format!("RECIPIENT#{recipient}")
}

pub(crate) fn recipient_of_partition(partition: &str) -> Option<RecipientKey> {
    partition.strip_prefix("RECIPIENT#")?.parse().ok()
}

pub(crate) const PARTS_PREFIX: &str = "PART#";

const TASK_PARTS_PREFIX: &str = "PART#TASK#";

/// With what the parts of one task begin.
pub(crate) fn parts_of_task_prefix(project: ProjectId, task: TaskId) -> String {
    format!("{TASK_PARTS_PREFIX}{project}#{task}#")
}

pub(crate) fn task_part(recipient: &RecipientKey, project: ProjectId, task: TaskId, from: Version, timing: Timing) -> Key {
    let sort = format!("{}{:010}{}", parts_of_task_prefix(project, task), from.0, timing_suffix(timing));
    key(recipient_partition(recipient), sort)
}

/// Whether the sort key of a part is of a task that is told as soon as its recipient's rhythm allows: no letter, no digest.
pub(crate) fn is_paced_part(sort: &str) -> bool {
    sort.starts_with(TASK_PARTS_PREFIX) && !sort.ends_with(DIGEST)
}

pub(crate) fn letter_part(recipient: &RecipientKey, part: PartId) -> Key {
    key(recipient_partition(recipient), format!("{PARTS_PREFIX}LETTER#{part}"))
}

pub(crate) const CLAIM: &str = "CLAIM";

pub(crate) fn claim(recipient: &RecipientKey) -> Key {
    key(recipient_partition(recipient), CLAIM)
}

pub(crate) fn sent(recipient: &RecipientKey, claim: ClaimId) -> Key {
    key(recipient_partition(recipient), format!("SENT#{claim}"))
}

pub(crate) fn feedback(recipient: &RecipientKey, claim: ClaimId) -> Key {
    key(recipient_partition(recipient), format!("FEEDBACK#{claim}"))
}

pub(crate) const NOTIFICATIONS_PREFIX: &str = "NOTE#";
pub(crate) const UNREAD_PREFIX: &str = "NOTE#UNREAD#";
const READ_PREFIX: &str = "NOTE#READ#";

pub(crate) fn notification(user: UserId, id: NotificationId, read: bool) -> Key {
    let prefix = if read { READ_PREFIX } else { UNREAD_PREFIX };
    key(recipient_partition(&RecipientKey::User(user)), format!("{prefix}{id}"))
}

/// The reverse of [`notification`], of the sort key.
pub(crate) fn notification_of_key(sort: &str) -> Option<(NotificationId, bool)> {
    match (sort.strip_prefix(READ_PREFIX), sort.strip_prefix(UNREAD_PREFIX)) {
        (Some(id), _) => Some((id.parse().ok()?, true)),
        (None, Some(id)) => Some((id.parse().ok()?, false)),
        (None, None) => None,
    }
}

pub(crate) fn subscriptions_partition(project: ProjectId) -> String {
    format!("SUBSCRIPTIONS#{project}")
}

/// With what the subscriptions to a task begin, or those to the project.
pub(crate) fn subscriptions_prefix(task: Option<TaskId>) -> String {
    task.map_or_else(|| "PROJECT#".to_owned(), |task| format!("TASK#{task}#"))
}

pub(crate) fn subscription(project: ProjectId, task: Option<TaskId>, user: UserId) -> Key {
    key(subscriptions_partition(project), format!("{}{user}", subscriptions_prefix(task)))
}

/// The reverse of [`subscription`], of the sort key.
pub(crate) fn subscription_of_key(sort: &str) -> Option<(Option<TaskId>, UserId)> {
    if let Some(user) = sort.strip_prefix("PROJECT#") {
        return Some((None, user.parse().ok()?));
    }
    let (task, user) = sort.strip_prefix("TASK#")?.split_once('#')?;
    Some((Some(task.parse().ok()?), user.parse().ok()?))
}

/// The letters of a kind to a recipient within the window that starts then.
pub(crate) fn letters(recipient: &RecipientKey, kind: LetterKind, window_start: Timestamp) -> Key {
    key(recipient_partition(recipient), format!("LETTERS#{}#{}", kind.as_str(), timestamp(window_start)))
}

pub(crate) fn suppressed(address: &AddressHash) -> Key {
    key(format!("SUPPRESSED#{address}"), "SUPPRESSED")
}

/// The shard of `due` a recipient's parts are in.
pub(crate) fn due_shard(recipient: &RecipientKey) -> u8 {
    shard(recipient.to_string().as_bytes())
}

pub(crate) fn due_partition(shard: u8) -> String {
    format!("DUE#{shard}")
}

/// The place of a part in `due`.
pub(crate) fn part_by_due(due_at: Timestamp, part: &Key) -> String {
    match &part.sort {
        Sort::Text(sort) => format!("{}#{sort}", timestamp(due_at)),
        Sort::Version(version) => format!("{}#{version}", timestamp(due_at)),
    }
}

/// Sorts after everything that is due by then, and before everything that is due later.
pub(crate) fn due_by(at: Timestamp) -> String {
    format!("{}$", timestamp(at))
}

#[cfg(test)]
mod tests {
    use domain::EmailAddress;
    use uuid::Uuid;

    use super::super::tests::{P, PROJECT, T, TASK, U, USER, at, check};
    use super::*;

    #[test]
    fn keys_are_spelled_as_the_table_says() {
        let recipient = RecipientKey::User(USER);
        let (log, recipients) = (format!("TASK#{P}#{T}"), format!("RECIPIENT#USER#{U}"));
        check(&cursor(PROJECT, TASK), &log, "CURSOR");
        for (timing, suffix) in [(Timing::Now, ""), (Timing::Digest, "#DIGEST")] {
            let delivery = delivery(PROJECT, TASK, Version(7), USER, timing);
            check(&delivery, &log, &format!("DELIVERY#0000000007#{U}{suffix}"));
            let sort = format!("PART#TASK#{P}#{T}#0000000004{suffix}");
            check(&task_part(&recipient, PROJECT, TASK, Version(4), timing), &recipients, &sort);
            assert_eq!(is_paced_part(&sort), timing == Timing::Now);
        }
        check(&letter_part(&recipient, PartId(TASK.0)), &recipients, &format!("PART#LETTER#{T}"));
        assert!(!is_paced_part(&format!("PART#LETTER#{P}")));
        check(&claim(&recipient), &recipients, "CLAIM");
        check(&sent(&recipient, ClaimId(TASK.0)), &recipients, &format!("SENT#{T}"));
        check(&feedback(&recipient, ClaimId(TASK.0)), &recipients, &format!("FEEDBACK#{T}"));
        let sort = "LETTERS#RESET#2026-11-20T11:00:00.500000000Z";
        check(&letters(&recipient, LetterKind::Reset, at("2026-11-20T11:00:00.5Z")), &recipients, sort);
        let email: EmailAddress = "ada@example.com".parse().expect("an address");
        let hash = AddressHash::from(&email);
        check(&suppressed(&hash), &format!("SUPPRESSED#{hash}"), "SUPPRESSED");
    }

    #[test]
    fn notifications_and_subscriptions_are_known_by_their_keys() {
        let note = NotificationId(TASK.0);
        for (read, sort) in [(false, format!("NOTE#UNREAD#{T}")), (true, format!("NOTE#READ#{T}"))] {
            check(&notification(USER, note, read), &format!("RECIPIENT#USER#{U}"), &sort);
            assert_eq!(notification_of_key(&sort), Some((note, read)));
        }
        assert_eq!(notification_of_key(&format!("PART#LETTER#{T}")), None);
        for (task, sort) in [(None, format!("PROJECT#{U}")), (Some(TASK), format!("TASK#{T}#{U}"))] {
            check(&subscription(PROJECT, task, USER), &format!("SUBSCRIPTIONS#{P}"), &sort);
            assert_eq!(subscription_of_key(&sort), Some((task, USER)));
        }
        assert_eq!(subscription_of_key(&format!("MEMBER#{U}")), None);
    }

    #[test]
    fn what_is_due_by_a_moment_sorts_before_it_and_all_else_behind() {
        let part = letter_part(&RecipientKey::User(USER), PartId(Uuid::from_u128(9)));
        let (now, later) = (at("2026-11-20T11:00:00.000000001Z"), at("2026-11-20T11:00:00.1Z"));
        assert!(part_by_due(now, &part) < due_by(now));
        assert!(due_by(now) < part_by_due(later, &part));
        assert!(delivery_prefix(Version(u64::from(u32::MAX))).as_str() < AFTER_DELIVERIES);
    }
}
