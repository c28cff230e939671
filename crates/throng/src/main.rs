//! The `throng` binary: a command line, and an exit code for whoever started it.

mod apps;
mod banner;
mod check;
mod claim;
mod cli;
mod config;
mod fleet;
mod health;
mod log;
mod pages;
mod policy;
mod reload;
mod serve;
mod token;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{CheckFlags, Cli, Command};
use crate::config::Sources;
use crate::config::problem::Problems;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The configuration or the command line is wrong (`EX_USAGE` of sysexits.h).
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let command = match Cli::try_parse() {
        Ok(cli) => cli.command.unwrap_or_default(),
        Err(error) => {
            // Nobody is left to read it when this fails.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::SUCCESS };
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) if is_unread(&error) => ExitCode::SUCCESS,
        Err(error) => match error.downcast::<Problems>() {
            Ok(problems) => {
                eprintln!("{problems}");
                ExitCode::from(EXIT_CONFIG)
            }
            Err(error) => {
                eprintln!("throng: {error:#}");
                fleet::exit_code(&error).map_or(ExitCode::FAILURE, ExitCode::from)
            }
        },
    }
}

/// Whether it only says that whoever read the output has read enough, as `head` has.
fn is_unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(flags) => {
            let sources = flags.sources();
            let (config, values) = sources.read().accepted()?;
            serve::run(&config, values, sources)?;
        }
        Command::Check(CheckFlags { defaults: true, .. }) => check::defaults()?,
        Command::Check(flags) => {
            if !check::run(&Sources::of_process(flags.config, Vec::new()), flags.json)? {
                return Ok(ExitCode::from(EXIT_CONFIG));
            }
        }
        Command::Health(flags) => {
            let health = health::run(flags.url, &Sources::of_process(flags.config, Vec::new()))?;
            return Ok(ExitCode::from(health.code()));
        }
        Command::Token(flags) => token::run(&flags)?,
        Command::Bench(args) => throng_bench::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}
