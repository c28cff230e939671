//! `throng serve`: bind, say so, run the node until a signal, drain. Meanwhile the configuration may change.

use std::net::TcpListener;
use std::sync::Arc;

use anyhow::Context as _;
use throng_apps::debate;
use throng_node::App;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::Sources;
use crate::config::reloading::has_effect;
use crate::config::secret::Secret;
use crate::config::typed::Config;
use crate::config::values::{Origin, Values};
use crate::reload::{Reloadable, Reloader, Target, Watch, files};
use crate::{banner, log, pages};

/// The length of a secret that is made because none is set, in bytes.
const SPARE_SECRET_BYTES: usize = 32;

pub(crate) fn run(config: &Config, values: Values, sources: Sources) -> anyhow::Result<()> {
    let log = log::start(&config.log).map_err(anyhow::Error::msg)?;
    let listener = TcpListener::bind(config.address())
        .with_context(|| format!("cannot listen on {}", config.address()))?;
    let address = listener.local_addr()?;
    let mut app = App::new();
    debate::install(&mut app, config.debate());
    let spare = Secret::random(SPARE_SECRET_BYTES).context("no randomness for a secret")?;
    let policy = Reloadable::of(config, &spare);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        let watch = Watch::start(files(&sources, &policy))?;
        let node = config.node();
        banner::show(address, &config.node_name(), &node);
        notices(config, &values);
        let target = Target { log, policy: watch::Sender::new(Arc::new(policy)) };
        tokio::spawn(Reloader::new(sources, values, spare, target).run(watch));
        let drained = throng_node::run(node, app, pages::router(), listener, stop).await?;
        tracing::info!(sessions_cut = drained.cut, "drained");
        Ok(())
    })
}

/// What an operator should know of a configuration that is allowed.
fn notices(config: &Config, values: &Values) {
    if config.auth.secret.is_empty() {
        tracing::info!(
            key = "auth.secret",
            "no secret is set, a random one is used: tokens do not survive a restart"
        );
    }
    for (key, setting) in values.in_order() {
        if setting.origin != Origin::Default && !has_effect(key) {
            tracing::warn!(%key, origin = %setting.origin, "setting has no effect in this version");
        }
    }
}

/// Completes at the first SIGTERM or SIGINT; the second one ends the process where it stands.
fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    let (mut term, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = term.recv() => tracing::info!(signal = "SIGTERM", "draining"),
            _ = interrupt.recv() => tracing::info!(signal = "SIGINT", "draining"),
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("second signal, stopping at once");
            std::process::exit(130);
        });
    })
}
