//! `baton`: the whole system on one machine.

use std::process::ExitCode;

use baton::cli::Cli;
use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    baton::log::start();
    match cli.run().await {
        Ok(code) => code,
        Err(error) => {
            eprint!("baton: {error}");
            for cause in std::iter::successors(error.source(), |error| error.source()) {
                eprint!(": {cause}");
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
