//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use throng_node::Role;

use crate::config::{Said, Sources};

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
  REDIS_URL=redis://db throng serve      serve as one of all nodes with this Redis
  throng check --config throng.toml      what would be served with, where each value comes from, what is wrong
  throng check --defaults > throng.toml  a file to begin with: every key, its default, what it means
  throng health                          whether the node of this machine is ready
  throng token ada --role operator       a token for development, signed with JWT_SECRET
  throng bench http://localhost:3000     echo round trips against a server with the handlers of the example `echo`
  throng bench -s idle -c 100 --namespace /debate
                                         hold as many connections to `throng serve` as it lets an address open at once"
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
    /// Show the configuration, where each value comes from, and what is wrong or unsafe with it.
    Check(CheckFlags),
    /// Ask a node whether it is ready.
    Health(HealthFlags),
    /// Mint a token with the configured secret, for development.
    Token(TokenFlags),
    /// Put load on a Socket.IO server and measure it.
    Bench(Box<throng_bench::Args>),
}

impl Default for Command {
    fn default() -> Self {
        Self::Serve(ServeFlags::default())
    }
}

/// Flags win over the environment, which wins over the file, which wins over the defaults.
#[derive(Debug, Default, Args)]
#[command(after_help = "\
Environment: HOST, PORT, MAX_CONNECTIONS, CORS_ORIGIN, JWT_SECRET, REDIS_URL, NODE_ENV or THRONG_PROFILE, and THRONG_LOG for the
  log filter (such as `debug` or `info,throng_node=trace`). The rest is in docs/configuration.md, and `throng check`
  shows what each value came from.
Signals: SIGHUP reads the configuration again, as does a change of its files; SIGTERM and Ctrl-C drain and exit 0, a
  second one exits at once.
Exit codes: 0 after a drain, 1 when serving failed, 64 when the configuration or the command line is wrong, 69 when the
  configured Redis cannot be used in 10 attempts, 77 when it refuses the login or what a node must do with it.")]
pub(crate) struct ServeFlags {
    /// IP address to listen on, or `localhost` [default: 127.0.0.1]
    #[arg(long)]
    pub(crate) host: Option<String>,
    /// Port to listen on, 0 for any free one [default: 3000]
    #[arg(long)]
    pub(crate) port: Option<String>,
    /// A TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl ServeFlags {
    /// Where the configuration is read from.
    pub(crate) fn sources(self) -> Sources {
        let flags: Vec<Said> = vec![("host", "--host", self.host), ("port", "--port", self.port)];
        Sources::of_process(self.config, flags)
    }
}

/// What `throng check` is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Each line is a key, its value as a file would say it, and where it comes from: the default, a line of the file, or a
variable of the environment. Secrets and passwords are not shown. What is unsafe for production is a warning in
development and a refusal in production (NODE_ENV=production or THRONG_PROFILE=production).

Exit codes: 0 when a node would start with it, 64 when it would refuse.")]
pub(crate) struct CheckFlags {
    /// A TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Answer with one JSON object
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the annotated default file instead
    #[arg(long, conflicts_with_all = ["config", "json"])]
    pub(crate) defaults: bool,
}

/// What `throng health` is asked.
#[derive(Debug, Args)]
#[command(
    after_help = "Certificates are not judged, as probes of Kubernetes do not.\nExit codes: 0 ready, 1 not ready, 2 unreachable, 64 when the configuration or the URL is wrong."
)]
pub(crate) struct HealthFlags {
    /// What to ask; without a path `/ready` [default: /ready of the node that the configuration describes]
    pub(crate) url: Option<String>,
    /// A TOML file, for the host and the port
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    pub(crate) config: Option<PathBuf>,
}

/// What a token is to say.
#[derive(Debug, Args)]
#[command(after_help = "\
The secret is auth.secret (JWT_SECRET), or that of the tenant where it has its own; the token carries the configured
issuer and audience. It goes where a client looks for it: `auth: {token}` of a Socket.IO client, an `Authorization:
Bearer` header, or the cookie of auth.cookie.

Examples:
  export JWT_SECRET=$(openssl rand -hex 32)
  throng token ada
  curl -H \"Authorization: Bearer $(throng token ops --role operator)\" localhost:3000/health/performance")]
pub(crate) struct TokenFlags {
    /// The user, the token's `sub`
    pub(crate) user: String,
    /// What the user may do
    #[arg(long, value_enum, default_value = "user")]
    pub(crate) role: RoleName,
    /// The tenant that the token is for
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// How long it is good
    #[arg(long, value_name = "TIME", default_value = "1h")]
    pub(crate) expires: String,
    /// The name by which it can be revoked
    #[arg(long)]
    pub(crate) jti: Option<String>,
    /// A TOML file, for the secret
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The roles, the least first.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RoleName {
    User,
    Staff,
    Moderator,
    Operator,
    Admin,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::User => Self::User,
            RoleName::Staff => Self::Staff,
            RoleName::Moderator => Self::Moderator,
            RoleName::Operator => Self::Operator,
            RoleName::Admin => Self::Admin,
        }
    }
}
