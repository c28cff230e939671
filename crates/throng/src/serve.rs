//! `throng serve`: bind, say so, run the node until a signal, drain.

use std::net::TcpListener;

use anyhow::Context as _;
use throng_apps::debate;
use throng_node::App;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::{banner, log, pages};

pub(crate) fn run(config: Config) -> anyhow::Result<()> {
    log::start();
    let listener =
        TcpListener::bind(config.address).with_context(|| format!("cannot listen on {}", config.address))?;
    let address = listener.local_addr()?;
    let mut app = App::new();
    debate::install(&mut app, config.debate);

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let stop = stop_signal()?;
        banner::show(address, &config.node);
        let drained = throng_node::run(config.node, app, pages::router(), listener, stop).await?;
        tracing::info!(sessions_cut = drained.cut, "drained");
        Ok(())
    })
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
