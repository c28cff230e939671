//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// The real-time half of a product in one binary: a Socket.IO server that pairs people and carries their rooms.
#[derive(Debug, Parser)]
#[command(
    version,
    arg_required_else_help = false,
    after_help = "\
Examples:
  throng                                 serve http://localhost:3000, no configuration, no other service
  throng serve --port 8080               serve on another port
  throng serve --config throng.toml      serve what a file says
  throng bench http://localhost:3000      echo round trips against any Socket.IO server"
)]
pub(crate) struct Cli {
    /// What to do; `serve` when left out.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What the binary can do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node: Socket.IO, the apps and their pages.
    Serve(ServeFlags),
    /// Put load on a Socket.IO server and measure it.
    Bench(Box<throng_bench::Args>),
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(ServeFlags::default())
    }
}

/// Flags win over the environment, which wins over the file.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Environment: HOST, PORT, MAX_CONNECTIONS, and THRONG_LOG for the log filter (such as `debug` or `throng_node=trace`).
Signals: SIGTERM and Ctrl-C drain and exit 0; a second one exits at once.
Exit codes: 0 after a drain, 1 when serving failed, 64 when the configuration is wrong.")]
pub(crate) struct ServeFlags {
    /// Address to listen on [default: 127.0.0.1]
    #[arg(long)]
    pub(crate) host: Option<IpAddr>,
    /// Port to listen on, 0 for any free one [default: 3000]
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// A TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}
