//! What is kept in the tables of mails and changes, against an embedded DynamoDB: what conditions let through and what they refuse,
//! also where an answer is lost or a batch is done in part.

mod claims;
mod cursors;
mod deliveries;
mod lapsed;
mod log;
mod notifications;
mod samples;
mod subscriptions;
mod tables;
mod tasks;
