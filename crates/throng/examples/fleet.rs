//! A node of a fleet, for load drivers to talk to: `join` makes the sender a member of a room, `in-room` emits to a room's
//! members or to one socket by its id, `bcast` sends its arguments to everyone as `msg`.
//!
//! `REDIS_URL=redis://localhost PORT=3000 THRONG_SHARDS=1 cargo run --release --example fleet`

use std::net::TcpListener;

use anyhow::Context as _;
use throng::backbone::{Heartbeat, Store};
use throng::{Ack, App, Args, Config, Fleet, FleetConfig, Socket};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on_connect(|socket: Socket| async move { socket.join("all") });
        nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
            socket.join(room);
            ack.send("joined");
        });
        nsp.on("in-room", |socket: Socket, args: Args| async move {
            let Ok((room, event)) = args.decode::<(String, String)>() else { return };
            socket.nsp().to(room).emit(&event, args.skip(2));
        });
        nsp.on("bcast", |socket: Socket, args: Args| async move { socket.nsp().to("all").emit("msg", args) });
    });

    let redis = std::env::var("REDIS_URL").context("REDIS_URL says where the fleet meets")?.parse()?;
    let for_nodes = TcpListener::bind("127.0.0.1:0")?;
    let address = for_nodes.local_addr()?.to_string().into();
    let store = Store::Redis(Box::new(redis));
    let heartbeat = Heartbeat::default();
    let fleet = Fleet::open(FleetConfig { store, heartbeat, listener: for_nodes, address }).await?;

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    eprintln!("node {} listens on http://{}", fleet.node(), listener.local_addr()?);
    let mut config = Config::unlimited();
    if let Ok(shards) = std::env::var("THRONG_SHARDS") {
        config.shards = shards.parse()?;
    }
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    throng::Server::new(config, app).fleet(fleet).run(listener, stop).await?;
    Ok(())
}
