pub(crate) mod claims;
pub(crate) mod cursors;
pub(crate) mod deliveries;
pub(crate) mod entries;
pub(crate) mod feedback;
pub(crate) mod letters;
pub(crate) mod notifications;
pub(crate) mod parts;
pub(crate) mod subscriptions;
pub(crate) mod suppressed;

use crate::table::Table;

/// The table of mails owed and told: cursors, parts, claims, deliveries, suppressed addresses; and of what people find in the product
/// itself: notifications, and what they watch or mute.
#[derive(Clone, Debug)]
pub struct Mail {
    pub(crate) table: Table,
}

impl Mail {
    /// The table of this name, behind this client.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { table: Table::new(client, table) }
    }
}
