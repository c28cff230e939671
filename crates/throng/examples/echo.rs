//! What load drivers talk to: `echo` acknowledges its first argument, `bcast` sends its arguments to everyone as `msg`.
//!
//! `PORT=3000 THRONG_SHARDS=1 cargo run --release --example echo`

use std::net::TcpListener;

use throng::{Ack, App, Args, Config, Socket};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on_connect(|socket: Socket| async move { socket.join("all") });
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args.first()) });
        nsp.on("bcast", |socket: Socket, args: Args| async move { socket.nsp().to("all").emit("msg", args) });
    });

    let port = std::env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    eprintln!("echo listens on http://{}", listener.local_addr()?);
    let mut config = Config::unlimited();
    if let Ok(shards) = std::env::var("THRONG_SHARDS") {
        config.shards = shards.parse()?;
    }
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    throng::Server::new(config, app).run(listener, stop).await?;
    Ok(())
}
