//! A chat with rooms in a screenful: join one, talk, see who comes and goes.
//!
//! `cargo run --release --example chat`, then from Node: `io("http://localhost:3000").emit("join", {room: "tea", name: "Ada"})`

use std::net::TcpListener;

use serde::{Deserialize, Serialize};
use throng::{Ack, App, Config, Socket};

#[derive(Clone, Serialize, Deserialize)]
struct Guest {
    room: String,
    name: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("join", |socket: Socket, guest: Guest, ack: Ack| async move {
            let here = socket.nsp().to(guest.room.as_str()).fetch_sockets().await;
            let names: Vec<String> =
                here.answers.iter().filter_map(|other| Some(other.data::<Guest>()?.name)).collect();
            socket.set_data(&guest);
            socket.join(guest.room.as_str());
            socket.to(guest.room.as_str()).emit("joined", &guest.name);
            ack.send(names);
        });
        nsp.on("say", |socket: Socket, text: String| async move {
            if let Some(guest) = socket.data::<Guest>() {
                socket.nsp().to(guest.room).emit("said", (guest.name, text));
            }
        });
        nsp.on_disconnect(|socket, reason| async move {
            if let Some(guest) = socket.data::<Guest>() {
                socket.nsp().to(guest.room).emit("left", (guest.name, reason.reason()));
            }
        });
    });

    let listener = TcpListener::bind("127.0.0.1:3000")?;
    eprintln!("chat listens on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    throng::Server::new(Config::default(), app).run(listener, stop).await?;
    Ok(())
}
