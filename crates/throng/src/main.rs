//! The `throng` binary: a command line, and an exit code for whoever started it.

mod banner;
mod cli;
mod config;
mod log;
mod pages;
mod serve;

use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The configuration is wrong (`EX_USAGE` of sysexits.h).
const EXIT_CONFIG: u8 = 64;

fn main() -> ExitCode {
    let command = Cli::parse().command.unwrap_or_default();
    let outcome = match command {
        Command::Serve(flags) => match config::load(&flags) {
            Ok(config) => serve::run(config),
            Err(problems) => {
                eprintln!("{problems}");
                return ExitCode::from(EXIT_CONFIG);
            }
        },
        Command::Bench(args) => throng_bench::run(&args).map_err(anyhow::Error::from),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("throng: {error:#}");
            ExitCode::FAILURE
        }
    }
}
