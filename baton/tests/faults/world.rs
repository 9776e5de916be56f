//! A stack whose services and handlers go wrong, and whose time is moved.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton::stack::{Clocks, Options, Stack};
use jiff::{SignedDuration, Timestamp};
use store::{Environment, Mail, SHARDS, client};
use tempfile::TempDir;

use crate::faults::Faults;
use crate::person::Api;
use crate::process::none_is_half_made;
use crate::schedule::{Fault, Injection, Site};
use crate::services::Services;

/// Seconds of quiet before a mail.
const WINDOW_SECONDS: u32 = 30;

/// As far as time moves while functions are at work: less than any of them may take, so that no lease ends under its holder.
const LONGEST_DRIFT: SignedDuration = SignedDuration::from_secs(20);

/// How far the clocks of two functions may be apart.
const LARGEST_SKEW_SECONDS: u64 = 20;

/// How long a stuck drain waits before the clock moves on to the next attempt of whatever failed.
const LOOK: Duration = Duration::from_millis(20);

/// Steps, in minutes, by which time moves on once faults have stopped: past a hint's way, windows and spacing, leases, quiet hours and
/// the next digest hour. Together less than the week after which nothing is mailed.
const MINUTES_TO_THE_END: [i64; 10] = [2, 25, 30, 120, 360, 360, 720, 1440, 1440, 1440];

/// By this step every hint has had its time, so that the log is compared with what was planned.
const RECONCILING_STEP: usize = 1;

pub(crate) struct World {
    stack: Option<Stack>,
    pub(crate) api: Api,
    services: Services,
    clocks: Clocks,
    folder: TempDir,
    /// How far its time is ahead of the system's.
    ahead: SignedDuration,
    drift: SignedDuration,
}

impl World {
    /// A stack on a folder of its own, where nothing goes wrong yet.
    pub(crate) async fn start(seed: u64) -> Self {
        // What is written there need not outlive the run.
        let place = PathBuf::from("/dev/shm");
        let place = if place.is_dir() { place } else { std::env::temp_dir() };
        let folder = tempfile::Builder::new().prefix("baton-faults-").tempdir_in(place).expect("a folder");
        let services = Services::start(seed).await;
        let clocks = Clocks::default();
        let mut world = Self {
            stack: None,
            api: Api::new(""),
            services,
            clocks,
            folder,
            ahead: SignedDuration::ZERO,
            drift: SignedDuration::ZERO,
        };
        world.begin().await;
        world
    }

    pub(crate) fn stack(&self) -> &Stack {
        self.stack.as_ref().expect("a stack runs whenever it is asked for")
    }

    pub(crate) fn faults(&self) -> &Arc<Faults> {
        &self.services.faults
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Starts a stack on the folder. Answers whether it is at another origin than the last, so that everybody has to log in again.
    pub(crate) async fn begin(&mut self) -> bool {
        let options = Options {
            port: 0,
            data: self.folder.path().to_owned(),
            window_seconds: WINDOW_SECONDS,
            clocks: self.clocks.clone(),
            interpose: self.faults().interpose(),
            ..Options::default()
        };
        none_is_half_made().await;
        let stack = Stack::start(options).await.expect("the stack starts");
        let has_moved = self.api.origin != stack.origin();
        // Also where it has not: the old connections lead to the old stack.
        self.api = Api::new(stack.origin());
        self.stack = Some(stack);
        has_moved
    }

    /// Ends the stack in good order, so that a process can work on its folder.
    pub(crate) async fn end(&mut self) {
        if let Some(stack) = self.stack.take() {
            stack.stop().await;
        }
    }

    /// Ends the stack wherever it is and starts another. Answers as [`Self::begin`] does.
    pub(crate) async fn restart(&mut self) -> bool {
        self.faults().count(Fault::Restart);
        self.faults().turn(false);
        if let Some(stack) = self.stack.take() {
            stack.kill().await;
        }
        self.faults().ledger.crash();
        let has_moved = self.begin().await;
        self.faults().turn(true);
        has_moved
    }

    /// Moves time on.
    pub(crate) async fn advance(&mut self, by: SignedDuration) {
        let faults = Arc::clone(self.faults());
        self.drift += by;
        let standing_still = if self.drift > LONGEST_DRIFT {
            self.drift = SignedDuration::ZERO;
            Some(faults.standstill.write().await)
        } else {
            None
        };
        self.ahead += by;
        let (mut tasks, mut mailer) = (self.ahead, self.ahead);
        if standing_still.is_some()
            && let Some(Injection { fault, chance }) = faults.next(Site::Clock)
        {
            faults.count(fault);
            let skew = |chance: u64| {
                SignedDuration::from_secs((chance % (2 * LARGEST_SKEW_SECONDS)) as i64 - LARGEST_SKEW_SECONDS as i64)
            };
            (tasks, mailer) = (tasks + skew(chance), mailer + skew(chance >> 16));
        }
        self.clocks.tasks.set_offset(tasks);
        self.clocks.mailer.set_offset(mailer);
        self.clocks.queues.set_offset(self.ahead);
        drop(standing_still);
        self.services.release().await;
        self.stack().queues().wake();
    }

    /// What the clock calls once a minute.
    pub(crate) async fn sweep(&self) {
        let _whatever = self.stack().sweep().await;
    }

    /// What the clock calls once an hour, too.
    pub(crate) async fn reconcile(&self) {
        let _whatever = self.stack().run_schedules().await;
    }

    /// Drains, moving the clock on wherever only the next attempt of something is waited for.
    async fn drain(&mut self) {
        let Some(stack) = &self.stack else { return };
        let mut drained = std::pin::pin!(stack.drain());
        while tokio::time::timeout(LOOK, drained.as_mut()).await.is_err() {
            // No lease ends under its holder.
            let _standing_still = self.services.faults.standstill.write().await;
            self.ahead += SignedDuration::from_secs(1);
            self.clocks.advance(SignedDuration::from_secs(1));
        }
    }

    /// Stops the faults and lets time pass until nobody is owed anything. Answers what is owed even then.
    pub(crate) async fn settle(&mut self) -> Result<(), String> {
        self.faults().turn(false);
        let mut owed = 0;
        for (step, minutes) in MINUTES_TO_THE_END.into_iter().enumerate() {
            self.drift = LONGEST_DRIFT;
            self.advance(SignedDuration::from_mins(minutes)).await;
            if step == RECONCILING_STEP {
                self.stack().run_schedules().await.map_err(|error| format!("the schedules fail: {error}"))?;
            }
            self.drain().await;
            if step >= RECONCILING_STEP {
                owed = self.owed().await;
                if owed == 0 {
                    return Ok(());
                }
            }
        }
        Err(format!("{owed} shards hold parts that are still owed after days without a fault"))
    }

    async fn owed(&self) -> usize {
        let mail = self.mail();
        let mut owed = 0;
        for shard in 0..SHARDS {
            owed += mail.due(shard, Timestamp::MAX, None, 1).await.expect("the table answers").len();
        }
        owed
    }

    /// The mail table, past all faults.
    pub(crate) fn mail(&self) -> Mail {
        mail_table(self.mailer_settings())
    }

    /// The environment of the mailer, without the ways around.
    pub(crate) fn mailer_settings(&self) -> BTreeMap<String, String> {
        self.stack().calls()["log-mailer"].environment.clone()
    }
}

/// The mail table that these settings lead to.
pub(crate) fn mail_table(settings: BTreeMap<String, String>) -> Mail {
    let mut environment = Environment::from_settings(settings);
    let dynamodb = client::dynamodb(&client::sdk_config(&mut environment));
    Mail::new(dynamodb, environment.required("MAIL_TABLE"))
}
