//! The whole system in one process: the functions as they run on AWS, on embedded emulators of what is around them.
//!
//! template.yaml says what there is; nothing here repeats it.

mod database;
mod intrinsics;

pub mod bench;
pub mod bus;
pub mod calls;
pub mod cli;
pub mod demo;
pub mod dynamodb;
pub mod endpoint;
pub mod flush;
pub mod folder;
pub mod function;
pub mod functions;
pub mod inbox;
pub mod interpose;
pub mod log;
pub mod mapping;
pub mod meter;
pub mod metrics;
pub mod operate;
pub mod options;
pub mod page;
pub mod progress;
pub mod queue;
pub mod runtime;
pub mod server;
pub mod ses;
pub mod stack;
pub mod stream;
pub mod template;
pub mod unread;
