//! The `echo` example behind everything that guards a public node: guests with identities, limits by address and by
//! event, quotas of the tenant. Each is on and out of reach, so that a load driver measures what asking costs.
//!
//! `PORT=3000 THRONG_SHARDS=1 cargo run --release --example guarded`

use std::net::TcpListener;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use throng::identity::{
    guest::Guests, identities::Identities, keys::Keys, keys::KeysConfig, revocation::Revocations,
};
use throng::{
    Ack, App, Args, Config, EventLimits, Limits, NamedRates, Quotas, Rate, Role, Socket, Tenancy,
    TenantSettings,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// More than any driver does in a second.
const PLENTY: u32 = 100_000_000;
const SECRET: &str = "a secret for load drivers, who have no tokens";
const DAY: Duration = Duration::from_secs(24 * 3600);

fn tenancy() -> anyhow::Result<Tenancy> {
    let keys = KeysConfig { secret: Some(SECRET.into()), ..KeysConfig::default() };
    let keys = Keys::new(keys).map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let guests = Some(Guests::new(&SECRET.into(), DAY, Duration::ZERO));
    let revocations = Arc::new(Revocations::new(1_000, DAY));
    let identities = Identities { keys, guests, revocations, cookie: "token".into() };
    let plenty = Rate::per_second(PLENTY, PLENTY);
    let named: NamedRates = [("bcast".to_owned(), plenty)].into_iter().collect();
    let quotas = Quotas {
        connections_max: Some(PLENTY.into()),
        connects_per_second: Some(PLENTY),
        events_per_second: Some(PLENTY),
        rooms_max: Some(PLENTY.into()),
        bytes_per_second: Some(u32::MAX),
    };
    let events = EventLimits { each: plenty, named, ..EventLimits::default() };
    let settings = TenantSettings { quotas, events, ..TenantSettings::default() };
    Ok(Tenancy { identities: Some(Arc::new(identities)), default: Arc::new(settings), ..Tenancy::default() })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.open_to(Role::Guest);
        nsp.on_connect(|socket: Socket| async move { socket.join("all") });
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args.first()) });
        nsp.on("bcast", |socket: Socket, args: Args| async move { socket.nsp().to("all").emit("msg", args) });
    });

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    eprintln!("guarded listens on http://{}", listener.local_addr()?);
    let shards = std::env::var("THRONG_SHARDS").map_or(Ok(NonZeroUsize::MIN), |shards| shards.parse())?;
    let handshakes = Rate::per_second(PLENTY, PLENTY);
    let limits = Limits { handshakes, ..Limits::default() };
    let config = Config { shards, limits, tenancy: Arc::new(tenancy()?), ..Config::default() };
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    throng::Server::new(config, app).run(listener, stop).await?;
    Ok(())
}
