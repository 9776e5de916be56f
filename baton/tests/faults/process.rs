//! A `baton` of its own process, killed while it works.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;

use baton::dynamodb::DynamoDb;
use futures::future::join_all;
use store::MailEntry;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

use crate::person::Api;
use crate::run::Run;
use crate::schedule::Fault;
use crate::script::{self, Act};
use crate::world::mail_table;

/// How often the process is killed.
const KILLS: usize = 2;

/// Held until a new process says its first word: before that it may have a copy of every open file of this one, and with that the locks
/// of all folders in use. It has them for a moment even after `spawn` has returned.
static HALF_MADE: Mutex<()> = Mutex::const_new(());

/// Waits until no process holds a copy of a lock that its owner has given up.
pub(crate) async fn none_is_half_made() {
    drop(HALF_MADE.lock().await);
}

/// Starts a `baton` on a folder, without a window, so that mails are under way when it is killed. With the origin it answers at.
async fn start(folder: &Path) -> (Child, String) {
    let _until_it_speaks = HALF_MADE.lock().await;
    let mut command = Command::new(env!("CARGO_BIN_EXE_baton"));
    command.args(["--port", "0", "--window", "0", "--data"]).arg(folder).env("RUST_LOG", "error");
    let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("baton starts");
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
    // Whatever it says later has somewhere to go.
    child.stdout = Some(lines.into_inner().into_inner());
    (child, origin)
}

/// Lets a process work on the run's folder, and kills it.
pub(crate) async fn work_and_die(run: &mut Run) {
    let settings = run.world.mailer_settings();
    run.world.end().await;
    for _ in 0..KILLS {
        let (mut child, origin) = start(run.world.folder()).await;
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
        for claim in left_open(run.world.folder(), settings.clone()).await {
            run.world.faults().ledger.strike(&claim);
        }
    }
    if run.world.begin().await {
        run.log_in_again().await;
    }
}

/// The claims that nobody closed, on a folder where nobody is at work.
async fn left_open(folder: &Path, mut settings: BTreeMap<String, String>) -> Vec<String> {
    let mut database = DynamoDb::start(Some(&folder.join("dynamodb.sqlite")), &[]).expect("the database opens");
    settings.insert("AWS_ENDPOINT_URL_DYNAMODB".to_owned(), database.endpoint());
    let mail = mail_table(settings);
    let mut entries = mail.entries();
    let mut open = Vec::new();
    while let Some(page) = entries.next_page().await.expect("the table answers") {
        open.extend(page.into_iter().filter_map(|it| match it {
            MailEntry::Claim(claim) => Some(claim.id.to_string()),
            MailEntry::Cursor { .. } | MailEntry::Part(_) => None,
        }));
    }
    tokio::task::spawn_blocking(move || database.stop()).await.expect("the database stops");
    open
}
