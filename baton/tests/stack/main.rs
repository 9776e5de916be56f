//! The whole of Baton over HTTP: real functions, the embedded DynamoDB, the bus, the queues and the inbox.

mod authenticator;
mod dice;
mod meter;
mod people;
mod tables;
mod tokens;

mod access;
mod api_tokens;
mod asvs;
mod bad_input;
mod budgets;
mod canaries;
mod concurrency;
mod conditions;
mod contract;
mod credentials;
mod devices;
mod guessing;
mod hostile_bodies;
mod journal;
mod lifetimes;
mod lost_answers;
mod matrix;
mod members;
mod origins;
mod probes;
mod process;
mod races;
mod recovery;
mod replay;
mod rights;
mod second_factor;
mod sessions;
mod story;
mod sweeps;
