//! A server for public protocol suites and foreign clients.
//!
//! `PORT=3000 cargo run --release --example conformance -- websocket|engineio|socketio|fixture`
//!
//! Also read: `PING_INTERVAL`, `PING_TIMEOUT`, `CONNECT_TIMEOUT` (milliseconds), `MAX_PAYLOAD` (bytes), `PARSER=msgpack`,
//! `DEFLATE=1` (permessage-deflate from 1 KiB; always on for `websocket`), `THRONG_SHARDS`, `REDIS_URL`, `REDIS_CLUSTER` or
//! `REDIS_SENTINELS` (several servers with the same one are one fleet; the latter two list `host:port`, and the sentinels'
//! service is `service`), `HEARTBEAT_INTERVAL` and `FAILURE_DETECTION_TIMEOUT` (milliseconds, how its nodes notice each other),
//! `RECOVERY` (milliseconds that clients may be away and recover).

mod fixture;

use std::net::TcpListener;
use std::str::FromStr;
use std::time::Duration;

use anyhow::Context as _;
use throng::backbone::{Address, Deployment, Heartbeat, MemoryStore, RedisConfig, Store};
use throng::{Ack, App, Args, Config, Fleet, FleetConfig, Parser, Recovery, Socket};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mode = std::env::args().nth(1).unwrap_or_default();
    let port = setting("PORT")?.unwrap_or(3000);
    let listener = TcpListener::bind(("127.0.0.1", port)).context("cannot bind PORT")?;
    let address = listener.local_addr()?;

    let mut config = config()?;
    let app = match mode.as_str() {
        "websocket" => {
            config.payload_bytes_max = setting("MAX_PAYLOAD")?.unwrap_or(64 << 20);
            config.queue_bytes_max = 256 << 20;
            config.compression_bytes_min = Some(0);
            App::websocket(|message| Some(message))
        }
        "engineio" => {
            config.path = "/engine.io/".into();
            App::engine(|message| Some(message))
        }
        "socketio" => socketio(),
        "fixture" => fixture::app(address.port()),
        _ => anyhow::bail!("say which server: websocket, engineio, socketio or fixture"),
    };
    eprintln!("{mode} listens on http://{address}");
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let recovers = config.recovery.is_some();
    let mut server = throng::Server::new(config, app);
    match redis()? {
        Some(redis) => server = server.fleet(fleet(Store::Redis(Box::new(redis))).await?),
        None if recovers => server = server.fleet(fleet(Store::Memory(MemoryStore::default())).await?),
        None => {}
    }
    server.run(listener, stop).await?;
    Ok(())
}

/// The Redis that is meant, of whatever kind.
fn redis() -> anyhow::Result<Option<RedisConfig>> {
    if let Some(redis) = setting("REDIS_URL")? {
        return Ok(Some(redis));
    }
    if let Some(servers) = addresses("REDIS_CLUSTER")? {
        return Ok(Some(RedisConfig::new(Deployment::Cluster(servers))));
    }
    let sentinel = |sentinels| {
        let service = "service".to_owned();
        RedisConfig::new(Deployment::Sentinel { sentinels, service, credentials: None })
    };
    Ok(addresses("REDIS_SENTINELS")?.map(sentinel))
}

fn addresses(name: &str) -> anyhow::Result<Option<Vec<Address>>> {
    let Some(list) = setting::<String>(name)? else { return Ok(None) };
    let address = |text: &str| {
        let (host, port) = text.rsplit_once(':').with_context(|| format!("{name}={list}"))?;
        Ok(Address::new(host, port.parse()?))
    };
    list.split(',').map(address).collect::<anyhow::Result<_>>().map(Some)
}

/// Nodes with the same store are one fleet.
async fn fleet(store: Store) -> anyhow::Result<Fleet> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string().into();
    Ok(Fleet::open(FleetConfig { store, heartbeat: heartbeat()?, listener, address }).await?)
}

fn heartbeat() -> anyhow::Result<Heartbeat> {
    let mut heartbeat = Heartbeat::default();
    for (name, place) in [
        ("HEARTBEAT_INTERVAL", &mut heartbeat.interval),
        ("FAILURE_DETECTION_TIMEOUT", &mut heartbeat.dead_after),
    ] {
        if let Some(millis) = setting(name)? {
            *place = Duration::from_millis(millis);
        }
    }
    Ok(heartbeat)
}

fn config() -> anyhow::Result<Config> {
    let mut config =
        Config { payload_bytes_max: setting("MAX_PAYLOAD")?.unwrap_or(1_000_000), ..Config::unlimited() };
    for (name, place) in [
        ("PING_INTERVAL", &mut config.ping_interval),
        ("PING_TIMEOUT", &mut config.ping_timeout),
        ("CONNECT_TIMEOUT", &mut config.connect_timeout),
    ] {
        if let Some(millis) = setting(name)? {
            *place = Duration::from_millis(millis);
        }
    }
    if let Some(shards) = setting("THRONG_SHARDS")? {
        config.shards = shards;
    }
    if let Some(millis) = setting("RECOVERY")? {
        config.recovery = Some(Recovery { window: Duration::from_millis(millis), ..Recovery::default() });
    }
    config.compression_bytes_min = std::env::var("DEFLATE").is_ok().then_some(1024);
    if std::env::var("PARSER").is_ok_and(|parser| parser == "msgpack") {
        config.parser = Parser::MsgPack;
    }
    Ok(config)
}

fn setting<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    name: &str,
) -> anyhow::Result<Option<T>> {
    std::env::var(name).ok().map(|text| text.parse().with_context(|| format!("{name}={text}"))).transpose()
}

/// What the public Socket.IO suite expects.
fn socketio() -> App {
    let greet = |socket: Socket| async move { socket.emit("auth", socket.auth()) };
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on_connect(greet);
        nsp.on("message", |socket: Socket, args: Args| async move { socket.emit("message-back", args) });
        nsp.on("message-with-ack", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
    });
    app.namespace("/custom", |nsp| {
        nsp.on_connect(greet);
    });
    app
}
