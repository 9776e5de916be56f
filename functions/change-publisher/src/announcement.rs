use domain::{Change, ChangeKind};
use serde_json::{Value, json};

/// The source that rules match on.
pub const SOURCE: &str = "baton.tasks";

/// A change as the bus carries it: a published contract, see `openapi.json` for the change itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announcement {
    /// Where the change stands in the stream.
    pub(crate) sequence_number: String,
    pub(crate) detail_type: &'static str,
    /// JSON.
    pub(crate) detail: String,
}

impl Announcement {
    pub(crate) fn new(change: &Change, sequence_number: String) -> Self {
        let detail_type = match change.kind {
            ChangeKind::Created => "Task Created",
            ChangeKind::Updated => "Task Updated",
            ChangeKind::Deleted => "Task Deleted",
        };
        Self { sequence_number, detail_type, detail: detail(change).to_string() }
    }

    /// As EventBridge counts it, in octets.
    pub(crate) fn size(&self) -> usize {
        SOURCE.len() + self.detail_type.len() + self.detail.len()
    }
}

/// Creator, former assignee and priority are the mailer's business and stay inside.
fn detail(change: &Change) -> Value {
    let Change { project, task, version, kind, title, actor, creator: _, assignee: _, priority: _, at, fields } = change;
    let changed: Vec<_> = fields.iter().map(domain::FieldChange::name).collect();
    json!({
        "id": change.id(),
        "project": project,
        "task": task,
        "version": version,
        "kind": kind,
        "title": title,
        "actor": actor,
        "at": at,
        "fields": fields,
        "changed": changed,
    })
}

/// What one call takes: at most 10 entries and 1 MB, with something left for the envelopes.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    announcements: Vec<Announcement>,
    size: usize,
}

impl Batch {
    const MOST_ENTRIES: usize = 10;
    const LARGEST: usize = 1_000_000;

    /// Whether one more goes into the same call. A first one always does: EventBridge itself then says that it is too large.
    pub(crate) fn takes(&self, announcement: &Announcement) -> bool {
        let Self { announcements, size } = self;
        announcements.is_empty() || (announcements.len() < Self::MOST_ENTRIES && size + announcement.size() <= Self::LARGEST)
    }

    pub(crate) fn push(&mut self, announcement: Announcement) {
        self.size += announcement.size();
        self.announcements.push(announcement);
    }

    /// In the order of the stream.
    pub(crate) fn into_announcements(self) -> Vec<Announcement> {
        self.announcements
    }
}

#[cfg(test)]
mod tests {
    use domain::{Assignee, FieldChange, Status};

    use super::*;
    use crate::samples::{ADA, change};

    fn announcement(size: usize) -> Announcement {
        let envelope = SOURCE.len() + "Task Updated".len();
        let detail = "x".repeat(size - envelope);
        Announcement { sequence_number: "1".to_owned(), detail_type: "Task Updated", detail }
    }

    fn check(sizes: &[usize], expected: &[usize]) {
        let mut batches = vec![Batch::default()];
        for size in sizes {
            let announcement = announcement(*size);
            if !batches.last().is_some_and(|it| it.takes(&announcement)) {
                batches.push(Batch::default());
            }
            if let Some(batch) = batches.last_mut() {
                batch.push(announcement);
            }
        }
        let lengths: Vec<_> = batches.into_iter().map(|it| it.into_announcements().len()).collect();
        assert_eq!(lengths, expected);
    }

    #[test]
    fn a_call_takes_ten_entries_and_one_megabyte() {
        check(&[100; 25], &[10, 10, 5]);
        check(&[400_000, 400_000, 400_000, 100], &[2, 2]);
        check(&[500_000, 500_000, 100], &[2, 1]);
        check(&[1_200_000, 100], &[1, 1]);
    }

    #[test]
    fn the_bus_hears_what_changed_and_not_who_holds_what() {
        let fields = vec![FieldChange::Status { from: Some(Status::Waiting), to: Status::Done }, FieldChange::Description];
        let change = Change { fields, assignee: Assignee { before: Some(ADA), after: None }, ..change() };
        let announcement = Announcement::new(&change, "7".to_owned());
        let detail: Value = serde_json::from_str(&announcement.detail).expect("JSON");
        assert_eq!(announcement.detail_type, "Task Updated");
        let expected = json!({
            "id": "00000000-0000-0000-0000-00000000000b:3",
            "project": "00000000-0000-0000-0000-00000000000a",
            "task": "00000000-0000-0000-0000-00000000000b",
            "version": 3,
            "kind": "updated",
            "title": "Fix the pump",
            "actor": "00000000-0000-0000-0000-000000000002",
            "at": "2026-11-20T14:03:00Z",
            "fields": [{"name": "status", "from": "waiting", "to": "done"}, {"name": "description"}],
            "changed": ["status", "description"],
        });
        assert_eq!(detail, expected);
    }
}
