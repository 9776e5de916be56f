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
            eprintln!("baton: {error}");
            ExitCode::FAILURE
        }
    }
}
