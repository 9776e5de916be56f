//! People at work while everything around the functions goes wrong: nobody is told twice, or wrongly, or not at all.
//!
//! Every run is made from a seed. The same seed injects the same faults into the same calls. By default a few seeds are run; other
//! numbers come by environment variables:
//!
//! * `BATON_SEED=17`: this one alone,
//! * `BATON_SEEDS=1000`: so many,
//! * `BATON_FIRST_SEED=501`: from this on,
//! * `BATON_CHANGES=500`: changes a run,
//! * `BATON_PARALLEL=4`: runs at a time.

mod bus;
mod evidence;
mod faults;
mod handlers;
mod history;
mod ledger;
mod mail_service;
mod mails;
mod model;
mod person;
mod process;
mod run;
mod schedule;
mod script;
mod services;
mod tables;
mod tally;
mod verdict;
mod world;

use std::time::Instant;

use futures::StreamExt;

use crate::tally::Tally;

/// A setting of this test, or what holds without it.
fn setting(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text}")),
        Err(_) => otherwise,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_nobody_is_told_twice_and_nothing_is_lost() {
    let (changes, parallel) = (setting("BATON_CHANGES", 500), setting("BATON_PARALLEL", 6));
    let seeds = match setting("BATON_SEED", 0) {
        0 => {
            let first = setting("BATON_FIRST_SEED", 1);
            first..first + setting("BATON_SEEDS", 20)
        }
        seed => seed..seed + 1,
    };
    let (all, began) = (seeds.end - seeds.start, Instant::now());
    let runs = futures::stream::iter(seeds).map(|seed| async move {
        let ran = tokio::spawn(run::run(seed, changes as usize)).await;
        (seed, ran.unwrap_or_else(|error| Err(vec![error.to_string()])))
    });
    let mut runs = std::pin::pin!(runs.buffer_unordered(parallel as usize));
    let (mut tally, mut failed) = (Tally::default(), Vec::new());
    while let Some((seed, ran)) = runs.next().await {
        match ran {
            Ok(it) => tally.add(&it),
            Err(wrong) => {
                println!("seed {seed} failed:\n  {}", wrong.join("\n  "));
                println!(
                    "again, alone: BATON_SEED={seed} BATON_CHANGES={changes} cargo test -p baton --test faults -- --nocapture"
                );
                tally.add_failure(&wrong);
                failed.push(seed);
            }
        }
        let (seconds, done) = (began.elapsed().as_secs_f64(), tally.runs + failed.len() as u64);
        if done.is_multiple_of(10) || done == all {
            println!("{done} of {all} seeds, {:.0} changes a second, failed: {failed:?}", tally.changes as f64 / seconds);
        }
    }
    println!("{tally}");
    assert!(failed.is_empty(), "failed seeds: {failed:?}");
    assert!(tally.owed > 0 && tally.doubled_inside < tally.mails, "a run owes somebody something");
    assert!(tally.injected() >= tally.changes, "as many faults are injected as changes are made");
}
