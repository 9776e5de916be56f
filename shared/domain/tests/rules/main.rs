//! What holds for every task and every log, whatever people do to it.

mod burst;
mod fold;
mod hours;
mod log;
mod plan;
mod story;
