//! `throng health`: asks a node whether it is ready, and answers with an exit code, as container probes want it.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{TlsConfig, TlsProvider};
use url::Url;

use crate::config::Sources;
use crate::config::problem::{Problem, Problems};
use crate::config::typed::Config;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a node answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Health {
    Ready,
    NotReady,
    Unreachable,
}

impl Health {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Ready => 0,
            Self::NotReady => 1,
            Self::Unreachable => 2,
        }
    }
}

/// Asks and says in a line what came of it.
pub(crate) fn run(url: Option<String>, sources: &Sources) -> Result<Health, Problems> {
    let url = match url {
        Some(text) => asked(&text)?,
        None => default(&sources.read().accepted()?.0),
    };
    let (health, line) = match agent().get(url.as_str()).call() {
        Ok(answer) if answer.status().is_success() => (Health::Ready, format!("ready: {url}")),
        Ok(answer) => (Health::NotReady, format!("not ready: {url} answers {}", answer.status())),
        Err(error) => (Health::Unreachable, format!("unreachable: {url}: {error}")),
    };
    // Whoever asks by exit code alone may have closed the output.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(health)
}

/// Whose certificate the node has is not the question: a node is asked by an address that its certificate does not hold.
fn agent() -> ureq::Agent {
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(provider))
        .disable_verification(true)
        .build();
    // A proxy of the environment stands before the internet, not before this node.
    let config = ureq::Agent::config_builder().tls_config(tls).proxy(None).timeout_global(Some(PATIENCE));
    config.http_status_as_error(false).build().into()
}

fn asked(text: &str) -> Result<Url, Problems> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let mut url = url.ok_or_else(|| {
        let mut problems = Problems::default();
        problems.add(Problem::elsewhere(
            "URL",
            format!("{text:?} is not a URL such as \"http://localhost:3000\""),
        ));
        problems
    })?;
    if url.path() == "/" {
        url.set_path("/ready");
    }
    Ok(url)
}

/// The node that a configuration describes, seen from its own machine.
fn default(config: &Config) -> Url {
    let scheme = if config.tls.is_on() { "https" } else { "http" };
    let address = config.address();
    let text = if address.ip().is_unspecified() || address.ip().is_loopback() {
        format!("{scheme}://localhost:{}/ready", address.port())
    } else {
        format!("{scheme}://{address}/ready")
    };
    Url::parse(&text).expect("an address makes a URL")
}
