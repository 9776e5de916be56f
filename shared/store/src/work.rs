pub(crate) mod ended;
pub(crate) mod invitations;
pub(crate) mod members;
pub(crate) mod profiles;
pub(crate) mod projects;
pub(crate) mod tasks;

use crate::table::Table;

/// The table of profiles, projects, memberships, invitations and tasks.
#[derive(Clone, Debug)]
pub struct Work {
    pub(crate) table: Table,
}

impl Work {
    /// The table of this name, behind this client.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { table: Table::new(client, table) }
    }
}
