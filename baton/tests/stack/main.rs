//! The whole of Baton over HTTP: real functions, the embedded DynamoDB, the bus, the queues and the inbox.

mod meter;
mod people;
mod tables;
mod tokens;

mod access;
mod bad_input;
mod budgets;
mod concurrency;
mod contract;
mod journal;
mod members;
mod process;
mod recovery;
mod replay;
mod sessions;
mod story;
mod sweeps;
