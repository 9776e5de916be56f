//! What holds for every task and every log, whatever people do to it.

mod burst;
mod cuts;
mod fold;
mod hours;
mod log;
mod news;
mod plan;
mod story;
