//! A `baton` of its own process, killed while it works.

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use futures::future::join_all;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::person::Api;
use crate::run::Run;
use crate::schedule::Fault;
use crate::script::{self, Act};

/// How often the process is killed.
const KILLS: usize = 2;

/// Held while a process is made: until it runs its own program it has a copy of every open file of this one, and with that the locks of
/// all folders in use.
static HALF_MADE: Mutex<()> = Mutex::new(());

/// Waits until no process holds a copy of a lock that its owner has given up.
pub(crate) fn none_is_half_made() {
    drop(HALF_MADE.lock().unwrap_or_else(PoisonError::into_inner));
}

fn spawn(command: &mut Command) -> Child {
    let _until_it_runs = HALF_MADE.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().expect("baton starts")
}

/// Lets a process work on the run's folder, without a window, so that mails are under way when it is killed.
pub(crate) async fn work_and_die(run: &mut Run) {
    run.world.end().await;
    for _ in 0..KILLS {
        let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
        command.args(["--port", "0", "--window", "0", "--data"]).arg(run.world.folder()).env("RUST_LOG", "error");
        let mut child = spawn(command.stdout(Stdio::piped()).kill_on_drop(true));
        let mut lines = BufReader::new(child.stdout.take().expect("an output")).lines();
        let mut origin = String::new();
        while let Some(line) = lines.next_line().await.expect("a readable output") {
            if let Some(page) = line.strip_prefix("page") {
                page.trim().trim_end_matches('/').clone_into(&mut origin);
            }
            if line.trim() == "ready" {
                break;
            }
        }
        let has_moved = run.world.api.origin != origin;
        run.world.api = Api::new(&origin);
        if has_moved {
            run.log_in_again().await;
        }
        for _ in 0..4 + run.dice.below(8) {
            let acts: Vec<_> = (0..3).map(|_| script::task_act(run)).collect();
            let seen = &*run;
            let done = join_all(acts.into_iter().map(|act| script::perform(seen, act))).await;
            done.into_iter().for_each(|it| script::note(run, it));
        }
        // A last round, most of which is never answered. A task nobody has heard of could not be asked for again.
        let acts = (0..3).map(|_| script::task_act(run)).collect::<Vec<_>>();
        let acts: Vec<_> = acts.into_iter().filter(|it| !matches!(it, Act::Create { .. })).collect();
        let seen = &*run;
        let last = join_all(acts.into_iter().map(|act| script::perform(seen, act)));
        let (done, killed) = tokio::join!(last, child.kill());
        killed.expect("baton can be killed");
        done.into_iter().for_each(|it| script::note(run, it));
        run.world.faults().count(Fault::ProcessKilled);
    }
    if run.world.begin().await {
        run.log_in_again().await;
    }
    // Nobody saw which claims the process held when it was killed.
    for mail in run.world.stack().inbox().mails(None, None).expect("the inbox answers") {
        if let Some(claim) = mail.tags.get("claim") {
            run.world.faults().ledger.strike(claim);
        }
    }
}
