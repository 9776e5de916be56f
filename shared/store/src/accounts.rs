pub(crate) mod api_tokens;
pub(crate) mod attempts;
pub(crate) mod credentials;
pub(crate) mod deletion;
pub(crate) mod email_change;
pub(crate) mod events;
pub(crate) mod keys;
pub(crate) mod passwords;
pub(crate) mod second_factor;
pub(crate) mod secret;
pub(crate) mod sessions;
pub(crate) mod tokens;

use crate::table::Table;

/// The table of accounts: who may log in, with what, from where, and the keys that sign access tokens.
#[derive(Clone, Debug)]
pub struct Accounts {
    pub(crate) table: Table,
}

impl Accounts {
    /// The table of this name, behind this client.
    #[must_use]
    pub fn new(client: aws_sdk_dynamodb::Client, table: impl Into<String>) -> Self {
        Self { table: Table::new(client, table) }
    }
}
