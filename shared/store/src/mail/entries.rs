use domain::{ProjectId, TaskId};
use tracing::error;

use super::claims::claim_of;
use super::cursors::{cursor, task_of};
use super::parts::part;
use crate::item::{Item, text};
use crate::table::scan::Scan;
use crate::{Claim, Cursor, Mail, Part, StoreError, keys};

/// What the table of mails holds that points into the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailEntry {
    Cursor { project: ProjectId, task: TaskId, cursor: Cursor },
    Part(Part),
    Claim(Claim),
}

/// All of them, page by page.
#[derive(Debug)]
pub struct MailEntries<'m> {
    scan: Scan<'m>,
}

impl Mail {
    /// Everything that points into the log: for operators only, since the whole table is read.
    #[must_use]
    pub fn entries(&self) -> MailEntries<'_> {
        let is_wanted = "#sk = :cursor OR (#sk = :claim AND attribute_exists(#claim)) OR begins_with(#sk, :parts)";
        let scan = Scan::new(&self.table).only(is_wanted).value(":cursor", text(keys::CURSOR));
        MailEntries { scan: scan.value(":claim", text(keys::CLAIM)).value(":parts", text(keys::PARTS_PREFIX)) }
    }
}

impl MailEntries<'_> {
    /// Some more of them, perhaps none; nothing, when there are no more. One that cannot be read is logged and left out.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn next_page(&mut self) -> Result<Option<Vec<MailEntry>>, StoreError> {
        let Some(items) = self.scan.next_page("read what points into the log").await? else { return Ok(None) };
        let entries = items.iter().map(entry).inspect(|it| {
            if let Err(error) = it {
                error!(error = error as &dyn std::error::Error, "what points into the log cannot be read");
            }
        });
        Ok(Some(entries.flatten().collect()))
    }
}

fn entry(item: &Item) -> Result<MailEntry, StoreError> {
    match item.text("sk")? {
        keys::CURSOR => {
            let (project, task) = task_of(item)?;
            Ok(MailEntry::Cursor { project, task, cursor: cursor(item)? })
        }
        keys::CLAIM => claim_of(item).map(MailEntry::Claim),
        _ => part(item).map(MailEntry::Part),
    }
}
