//! The tables as the functions reach them, for tests that look, or put something, under the API.

use aws_sdk_dynamodb::Client;
use baton::stack::Stack;
use store::{Environment, Mail};

/// The table that functions know by a setting, and a client to it.
pub(crate) fn table(stack: &Stack, setting: &str) -> (Client, String) {
    let with_table = stack.calls().values().find(|it| it.environment.contains_key(setting));
    let mut environment = Environment::from_settings(with_table.expect("a function has this table").environment.clone());
    let table = environment.required(setting);
    (store::client::dynamodb(&store::client::sdk_config(&mut environment)), table)
}

/// The table of mails.
pub(crate) fn mail_table(stack: &Stack) -> Mail {
    let (client, name) = table(stack, "MAIL_TABLE");
    Mail::new(client, name)
}
