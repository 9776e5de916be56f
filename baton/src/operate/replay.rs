//! `baton replay`: a span of the log is published once more. Whoever listens hears it again; nobody is mailed again, since the
//! cursors know what was planned.

use std::num::NonZeroU32;
use std::time::Duration;

use clap::Args;
use domain::{Change, ProjectId};
use jiff::Timestamp;
use tokio::time::{Instant, sleep_until};

use super::{Deployment, Place, Stop, time};
use crate::stack::StartError;

/// Entries published between two reports.
const REPORT_AFTER: usize = 1_000;
/// How far apart the ends of a span may be, in hours: the log of all projects is read hour by hour.
const LONGEST_SPAN: i64 = 366 * 24;
/// What one call to the bus takes.
const AT_ONCE: usize = 10;

/// What to publish, and from where.
#[derive(Debug, Clone, Args)]
pub struct ReplayOptions {
    /// From when on: a time as in 2026-11-20T11:00:00Z, or how long ago as in 90m or 3d
    #[arg(long, value_name = "T", value_parser = time)]
    pub since: Timestamp,
    /// Until before when; now, where it is not given
    #[arg(long, value_name = "T", value_parser = time)]
    pub until: Option<Timestamp>,
    /// Only what happened in this project
    #[arg(long, value_name = "ID")]
    pub project: Option<ProjectId>,
    /// Entries published a second, at most
    #[arg(long, default_value = "50", value_name = "N")]
    pub per_second: NonZeroU32,
    #[command(flatten)]
    pub place: Place,
}

/// A span of the log: from `since`, before `until`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogSpan {
    /// Its begin; belongs to it.
    pub since: Timestamp,
    /// Its end; does not.
    pub until: Timestamp,
    /// Of all projects where none is named.
    pub project: Option<ProjectId>,
}

/// How far a replay came.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Replayed {
    /// Entries of the log that were published.
    pub entries: usize,
    /// When the last of them happened.
    pub up_to: Option<Timestamp>,
    /// Whether all of the span was published.
    pub is_whole: bool,
}

/// Runs the command and prints what came of it.
///
/// # Errors
/// What kept it from being done; from where to go on was printed.
pub async fn run(options: ReplayOptions) -> Result<bool, StartError> {
    let ReplayOptions { since, until, project, per_second, place } = options;
    let span = LogSpan { since, until: until.unwrap_or_else(Timestamp::now), project };
    if span.until <= span.since {
        return Err(format!("--until {} is not after --since {since}", span.until).into());
    }
    if project.is_none() && span.until.duration_since(span.since).as_hours() > LONGEST_SPAN {
        return Err("the log is read hour by hour, so replay a year of it at most, or name a --project".into());
    }
    let deployment = place.open(false)?;
    let (_changes, _bus) = (deployment.changes()?, deployment.bus()?);
    let mut replayed = Replayed::default();
    let outcome = replay(&deployment, span, per_second, &Stop::on_interrupt(), &mut replayed).await;
    let Replayed { entries, up_to, is_whole } = replayed;
    let reached = up_to.unwrap_or(if is_whole { span.until } else { since });
    println!("published {entries} entries of the log, from {since} to {reached}");
    if !is_whole {
        let rest = until.map(|it| format!(" --until {it}")).unwrap_or_default();
        println!("not all of it: go on with --since {}{rest}", up_to.unwrap_or(since));
    }
    outcome.map(|()| is_whole)
}

/// Publishes a span of the log, oldest first, no faster than said. `replayed` tells how far it came, whatever comes of it.
///
/// # Errors
/// The log cannot be read, or the bus does not take it.
pub async fn replay(
    deployment: &Deployment,
    span: LogSpan,
    per_second: NonZeroU32,
    stop: &Stop,
    replayed: &mut Replayed,
) -> Result<(), StartError> {
    let (changes, bus) = (deployment.changes()?, deployment.bus()?);
    let LogSpan { since, until, project } = span;
    let (began, mut reported) = (Instant::now(), replayed.entries);
    let already = replayed.entries;
    let mut pages = changes.span(since, until, project);
    while let Some(page) = pages.next_page().await? {
        for batch in page.chunks(AT_ONCE) {
            if stop.has_come() {
                return Ok(());
            }
            if let Err(refused) = bus.announce_again(batch).await {
                note(replayed, &batch[..refused.before]);
                return Err(refused.into());
            }
            note(replayed, batch);
            if replayed.entries - reported >= REPORT_AFTER {
                reported = replayed.entries;
                let up_to = replayed.up_to.unwrap_or(since);
                eprintln!("published {reported} entries, up to {up_to}");
            }
            let published = u32::try_from(replayed.entries - already).unwrap_or(u32::MAX);
            sleep_until(began + Duration::from_secs(1) * published / per_second.get()).await;
        }
    }
    replayed.is_whole = true;
    Ok(())
}

fn note(replayed: &mut Replayed, published: &[Change]) {
    replayed.entries += published.len();
    replayed.up_to = published.last().map(|it| it.at).or(replayed.up_to);
}
