//! `throng serve`: bind, join the fleet if there is one, say so, run the node until a signal, drain. Meanwhile the configuration may change.

use std::sync::Arc;

use anyhow::Context as _;
use throng_node::{App, Io, Server, TlsHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{oneshot, watch};

use crate::apps::Apps;
use crate::claim::Claim;
use crate::config::Sources;
use crate::config::reloading::has_effect;
use crate::config::secret::Secret;
use crate::config::typed::Config;
use crate::config::values::{Origin, Values};
use crate::fleet::{self, Joined};
use crate::policy::{self, Maker};
use crate::reload::{Reloadable, Reloader, Target, Watch, files};
use crate::{banner, log, pages};

/// The length of a secret that is made because none is set, in bytes.
const SPARE_SECRET_BYTES: usize = 32;

pub(crate) fn run(config: &Config, values: Values, sources: Sources) -> anyhow::Result<()> {
    let log = log::start(&config.log).map_err(anyhow::Error::msg)?;
    let cannot_listen = || format!("cannot listen on {}", config.address());
    let claim = Claim::of(config.address()).with_context(cannot_listen)?;
    let mut app = App::new();
    let (read, change) = (log.clone(), log.clone());
    app.log_levels(move || read.now(), move |filter| change.set(filter));
    let io = app.io();
    let spare = Secret::random(SPARE_SECRET_BYTES).context("no randomness for a secret")?;
    let start = Reloadable::of(config, &spare);
    let (mut maker, tls) =
        (Maker::new(start.auth.guest_lifetime), policy::certificate(&config.tls).map_err(in_words)?);
    let made = maker.make(&start).map_err(|faults| in_words(faults.into_iter().next().expect("a fault")))?;
    let mut node = config.node(made, tls.clone());
    let (apps, delivery) = Apps::new(config, &start.auth.secret).map_err(in_words)?;
    let routes = pages::router(&config.socket).merge(apps.install(&mut app, config));

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut stop = std::pin::pin!(stop_signal()?);
        let joined = tokio::select! {
            joined = fleet::join(config) => joined?,
            () = &mut stop => return Ok(()),
        };
        let listener = claim.listen().with_context(cannot_listen)?;
        let watch = Watch::start(files(&sources, &start))?;
        node.bound_connections();
        notices(config, &values, joined.as_ref());
        banner::show(listener.local_addr()?, &config.node_name(), (&node, joined.as_ref()));
        let target = Target { log, policy: watch::Sender::new(Arc::new(start)) };
        let (flush, leaving) = oneshot::channel::<()>();
        let delivering = delivery.map(|delivery| tokio::spawn(delivery.run(async { drop(leaving.await) })));
        tokio::spawn(follow(target.policy.subscribe(), Followers { maker, tls, io, apps }));
        tokio::spawn(Reloader::new(sources, values, spare, target).run(watch));
        let mut server = Server::new(node, app).routes(routes);
        if let Some(Joined { fleet, .. }) = joined {
            server = server.fleet(fleet);
        }
        let drained = server.run(listener, stop).await?;
        tracing::info!(sessions_cut = drained.cut, "drained");
        drop(flush);
        if let Some(delivering) = delivering {
            match delivering.await? {
                0 => tracing::info!("analytics flushed"),
                events_lost => tracing::warn!(events_lost, "analytics not flushed in time"),
            }
        }
        Ok(())
    })
}

/// Who keeps to the configuration.
struct Followers {
    maker: Maker,
    tls: Option<TlsHandle>,
    io: Io,
    apps: Apps,
}

/// Makes the node keep to every new snapshot. What cannot be made of one leaves the old in force.
async fn follow(mut snapshots: watch::Receiver<Arc<Reloadable>>, followers: Followers) {
    let Followers { mut maker, tls, io, apps } = followers;
    while snapshots.changed().await.is_ok() {
        let snapshot = snapshots.borrow_and_update().clone();
        let renewed = tls.as_ref().map_or(Ok(()), |tls| policy::renew(tls, &snapshot.tls));
        apps.try_out(&snapshot.features);
        let faults = match maker.make(&snapshot) {
            Ok(policy) => {
                policy.apply(&io);
                Vec::new()
            }
            Err(faults) => faults,
        };
        for (key, error) in renewed.err().into_iter().chain(faults) {
            tracing::error!(%key, error, "setting not applied, the old one stays");
        }
    }
}

fn in_words((key, message): policy::Fault) -> anyhow::Error {
    anyhow::anyhow!("{key}: {message}")
}

/// What an operator should know of a configuration that is allowed.
fn notices(config: &Config, values: &Values, joined: Option<&Joined>) {
    if config.auth.secret.is_empty() && joined.is_some() {
        tracing::warn!(
            key = "auth.secret",
            "no secret is set, each node makes its own: users and guests of one are strangers to the others"
        );
    } else if config.auth.secret.is_empty() {
        tracing::info!(
            key = "auth.secret",
            "no secret is set, a random one is used: tokens do not survive a restart"
        );
    }
    for key in pages::cut_off_by(&config.socket) {
        tracing::warn!(key, "the pages of this binary cannot connect: they speak JSON at /socket.io/");
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
