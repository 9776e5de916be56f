//! What an operator does by hand, on a running `baton` and on AWS alike: publish a span of the log once more, put dead letters
//! back, set the cursors right after a restore.
//!
//! None of it decides who is told what. Events are hints and the cursors know what was planned, so a replay too much is
//! harmless; what has to be said with care is what counts as mailed after a restore, and that the operator says.

pub mod redrive;
pub mod repair_cursors;
pub mod replay;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use change_publisher::Bus;
use clap::Args;
use jiff::{Span, SpanRelativeTo, Timestamp};
use store::{Changes, Environment, Mail};
use tokio::sync::watch;

use crate::folder::{Folder, FolderError};
use crate::stack::{Call, StartError, read_calls};

/// Where the tables, the bus and the queues are: in a running `baton`, unless something on AWS is named.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// The data folder of the running `baton`
    #[arg(long, default_value = ".baton", value_name = "DIR", conflicts_with_all = ["changes_table", "mail_table", "bus", "endpoint_url"])]
    pub data: PathBuf,
    /// On AWS: the name of the table of changes
    #[arg(long, value_name = "NAME")]
    pub changes_table: Option<String>,
    /// On AWS: the name of the table of mails
    #[arg(long, value_name = "NAME")]
    pub mail_table: Option<String>,
    /// On AWS: the name of the bus
    #[arg(long, value_name = "NAME")]
    pub bus: Option<String>,
    /// On AWS: where its services are reached, if not at their own endpoints
    #[arg(long, value_name = "URL")]
    pub endpoint_url: Option<String>,
}

/// The tables, the bus and the queues of one deployment, as far as they were named.
#[derive(Debug, Clone)]
pub struct Deployment {
    changes: Option<Changes>,
    mail: Option<Mail>,
    bus: Option<Bus>,
    queues: aws_sdk_sqs::Client,
}

impl Place {
    /// Whether something on AWS is named.
    fn is_on_aws(&self) -> bool {
        let Self { data: _, changes_table, mail_table, bus, endpoint_url } = self;
        [changes_table, mail_table, bus, endpoint_url].into_iter().any(Option::is_some)
    }

    /// Opens what is named. `on_aws` where the command names something on AWS besides. Region and credentials for AWS come from
    /// the environment (`AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`), other endpoints too.
    ///
    /// # Errors
    /// No `baton` runs on the folder, or the environment lacks something; it is named.
    pub fn open(&self, on_aws: bool) -> Result<Deployment, StartError> {
        if !on_aws && !self.is_on_aws() {
            return Deployment::running(&self.data);
        }
        let Self { data: _, changes_table, mail_table, bus, endpoint_url } = self;
        let given = [
            ("CHANGES_TABLE", changes_table),
            ("MAIL_TABLE", mail_table),
            ("EVENT_BUS", bus),
            ("AWS_ENDPOINT_URL", endpoint_url),
        ];
        // Settings of functions mean nothing here: only what is named on the command line.
        let own = std::env::vars().filter(|(name, _)| name.starts_with("AWS_"));
        let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?)));
        Deployment::read(Environment::from_settings(own.chain(given)))
    }
}

impl Deployment {
    /// What a running `baton` has, by its data folder.
    ///
    /// # Errors
    /// None runs there.
    pub fn running(data: &Path) -> Result<Self, StartError> {
        let is_running = data.is_dir() && matches!(Folder::open(data), Err(FolderError::Taken { .. }));
        if !is_running {
            let folder = data.display();
            return Err(format!("no baton runs on {folder}: start one, or name what is on AWS (see --help)").into());
        }
        Self::of(&read_calls(data)?)
    }

    /// What the functions of a running stack are given.
    ///
    /// # Errors
    /// A setting is missing; it is named.
    pub fn of(calls: &BTreeMap<String, Call>) -> Result<Self, StartError> {
        let settings = calls.values().flat_map(|it| it.environment.clone());
        Self::read(Environment::from_settings(settings))
    }

    fn read(mut environment: Environment) -> Result<Self, StartError> {
        let aws = store::client::sdk_config(&mut environment);
        let dynamodb = store::client::dynamodb(&aws);
        let deployment = Self {
            changes: environment.optional("CHANGES_TABLE").map(|it| Changes::new(dynamodb.clone(), it)),
            mail: environment.optional("MAIL_TABLE").map(|it| Mail::new(dynamodb, it)),
            bus: environment.optional("EVENT_BUS").map(|it| Bus::connect(&aws, it)),
            queues: aws_sdk_sqs::Client::new(&aws),
        };
        environment.finish()?;
        Ok(deployment)
    }

    fn changes(&self) -> Result<&Changes, StartError> {
        self.changes.as_ref().ok_or_else(|| "name the table of changes with --changes-table".into())
    }

    fn mail(&self) -> Result<&Mail, StartError> {
        self.mail.as_ref().ok_or_else(|| "name the table of mails with --mail-table".into())
    }

    fn bus(&self) -> Result<&Bus, StartError> {
        self.bus.as_ref().ok_or_else(|| "name the bus with --bus".into())
    }
}

/// Tells a command that is under way to stop where it can be gone on with.
#[derive(Debug, Clone)]
pub struct Stop(watch::Receiver<bool>);

impl Stop {
    /// One that never comes.
    #[must_use]
    pub fn never() -> Self {
        Self(watch::channel(false).1)
    }

    /// One that comes with Ctrl-C, once; a second one ends the process.
    #[must_use]
    pub fn on_interrupt() -> Self {
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                let _nobody_waits = stop.send(true);
            }
            if tokio::signal::ctrl_c().await.is_ok() {
                std::process::exit(130);
            }
        });
        Self(stopped)
    }

    fn has_come(&self) -> bool {
        *self.0.borrow()
    }
}

/// A time, or how long ago it was: `2026-11-20T11:00:00Z`, `90m`, `3d`. A day has 24 hours.
///
/// # Errors
/// Neither, or a time to come.
pub fn time(text: &str) -> Result<Timestamp, String> {
    let now = Timestamp::now();
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => {
            let ago = text.parse::<Span>().and_then(|it| it.to_duration(SpanRelativeTo::days_are_24_hours()));
            let ago = ago.map_err(|_| "is no time as in 2026-11-20T11:00:00Z, and no span as in 90m or 3d".to_owned())?;
            now.checked_sub(ago).map_err(|_| "is too long ago".to_owned())?
        }
    };
    if at > now {
        return Err("is still to come".to_owned());
    }
    Ok(at)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_time_is_an_instant_or_so_long_ago() {
        assert_eq!(time("2026-11-20T11:00:00Z").map(|it| it.to_string()), Ok("2026-11-20T11:00:00Z".to_owned()));
        assert_eq!(time("2026-11-20T11:00:00+01:00").map(|it| it.to_string()), Ok("2026-11-20T10:00:00Z".to_owned()));
        for (text, minutes) in [("90m", 90), ("3d", 3 * 24 * 60), ("1h 30m", 90)] {
            let ago = time(text).map(|it| Timestamp::now().duration_since(it)).expect("a time");
            let expected = SignedDuration::from_mins(minutes);
            assert!(ago >= expected && ago < expected + SignedDuration::from_mins(1), "{text}: {ago}");
        }
    }

    #[test]
    fn what_is_no_time_or_still_to_come_is_refused() {
        for text in ["", "yesterday", "2026-11-20", "2026-11-20T11:00:00", "9999-01-01T00:00:00Z", "-2h", "3", "9999999999h"] {
            assert!(time(text).is_err(), "{text}");
        }
    }
}
