//! A stack whose clocks are moved by hand: a test travels in time instead of waiting.

use baton::stack::{Clocks, Options, Stack};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::people::{self, Person, mails_to};

/// As template.yaml has it.
pub(crate) const WINDOW: u32 = 30;

pub(crate) struct Timed {
    pub(crate) stack: Stack,
    clocks: Clocks,
}

impl Timed {
    /// With a quiet window of so many seconds.
    pub(crate) async fn start(window_seconds: u32) -> Self {
        Self::start_with(Options { window_seconds, ..Options::default() }).await
    }

    /// In memory, whatever else was chosen.
    pub(crate) async fn start_with(options: Options) -> Self {
        let clocks = Clocks::default();
        let options = Options { in_memory: true, port: 0, clocks: clocks.clone(), ..options };
        Self { stack: Stack::start(options).await.expect("the stack starts"), clocks }
    }

    /// See [`people::team`].
    pub(crate) async fn team<const N: usize>(&self, names: [&str; N]) -> ([Person; N], String) {
        people::team(&self.stack, names).await
    }

    /// By the clock of those who send mails.
    pub(crate) fn now(&self) -> Timestamp {
        self.clocks.mailer.now()
    }

    /// Lets time pass. Nothing is done yet of what became due.
    pub(crate) fn skip(&self, seconds: i64) {
        self.clocks.advance(SignedDuration::from_secs(seconds));
    }

    /// Lets time pass, and all be done that became due.
    pub(crate) async fn pass(&self, seconds: i64) {
        // What is on its way arrives by the time at which it was sent.
        self.stack.drain().await;
        self.skip(seconds);
        self.stack.drain().await;
    }

    /// Lets time pass until `at`, and all be done that became due on the way.
    pub(crate) async fn pass_until(&self, at: Timestamp) {
        self.stack.drain().await;
        self.clocks.advance(at.duration_since(self.now()));
        self.stack.drain().await;
    }

    /// The mails to somebody, oldest first.
    pub(crate) async fn mails(&self, person: &Person) -> Vec<Value> {
        let mut mails = mails_to(&self.stack, &person.email).await;
        mails.reverse();
        mails
    }

    /// The texts of the mails to somebody, oldest first.
    pub(crate) async fn texts(&self, person: &Person) -> Vec<String> {
        self.mails(person).await.iter().map(text).collect()
    }
}

/// The plain text of a mail.
pub(crate) fn text(mail: &Value) -> String {
    mail["text"].as_str().expect("a text").to_owned()
}

/// The last part of a task's, or a project's, path: its id, which is in every link to it.
pub(crate) fn id_of(path: &str) -> &str {
    path.rsplit('/').next().expect("a path ends in an id")
}
