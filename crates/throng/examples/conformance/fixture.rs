//! The handlers that foreign clients are tested against, the same on every namespace.

use std::time::Duration;

use serde_json::{Value, json};
use throng::{Ack, App, ArgValue, Args, Broadcast, Closing, Namespace, Refusal, Room, Socket};

/// The app; `port` is what a node answers to `sse-ack` with.
pub(crate) fn app(port: u16) -> App {
    let mut app = App::new();
    for name in ["/", "/custom"] {
        app.namespace(name, |nsp| handlers(nsp, port));
    }
    app.namespace("/admin", |nsp| {
        nsp.middleware(|socket: Socket| async move {
            if socket.auth().get("token") == Some(&json!("secret")) {
                return Ok(());
            }
            Err(Refusal::new("not authorized").with_data(json!({"code": "E_AUTH"})))
        });
        handlers(nsp, port);
    });
    let dynamic = regex::Regex::new(r"^/dyn-\d+$").expect("a valid pattern");
    app.dynamic_namespace(move |name| dynamic.is_match(name), |nsp| handlers(nsp, port));
    app
}

fn handlers(nsp: &mut Namespace, port: u16) {
    nsp.on_connect(|socket: Socket| async move { socket.emit("auth", socket.auth()) });
    nsp.on("message", |socket: Socket, args: Args| async move { socket.emit("message-back", args) });
    nsp.on("message-with-ack", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
    nsp.on("whoami", |socket: Socket, (): (), ack: Ack| async move { ack.send(describe(&socket)) });
    nsp.on("remember", |socket: Socket, data: Value, ack: Ack| async move {
        socket.set_data(data);
        ack.send("remembered");
    });
    nsp.on("recall", |socket: Socket, (): (), ack: Ack| async move { ack.send(socket.data::<Value>()) });
    rooms(nsp);
    acknowledgements(nsp);
    ends(nsp);
    server_side(nsp, port);
}

fn describe(socket: &Socket) -> Value {
    json!({
        "id": socket.id(),
        "nsp": socket.namespace(),
        "rooms": sorted(socket.rooms()),
        "recovered": socket.recovered(),
        "auth": socket.auth(),
        "query": socket.handshake().query(),
        "transport": socket.transport().name(),
        "header": socket.handshake().header("x-heldout"),
    })
}

fn sorted(rooms: Vec<Room>) -> Vec<String> {
    let mut rooms: Vec<String> = rooms.iter().map(|room| room.to_string()).collect();
    rooms.sort();
    rooms
}

fn rooms(nsp: &mut Namespace) {
    nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
        socket.join(room);
        ack.send("joined");
    });
    nsp.on("leave", |socket: Socket, room: String, ack: Ack| async move {
        socket.leave(room);
        ack.send("left");
    });
    nsp.on("to-room", |socket: Socket, args: Args| async move {
        let Ok((room, event)) = args.decode::<(String, String)>() else { return };
        socket.to(room).emit(&event, args.skip(2));
    });
    nsp.on("in-room", |socket: Socket, args: Args| async move {
        let Ok((room, event)) = args.decode::<(String, String)>() else { return };
        socket.nsp().to(room).emit(&event, args.skip(2));
    });
    nsp.on("except-room", |socket: Socket, args: Args| async move {
        let Ok((room, event)) = args.decode::<(String, String)>() else { return };
        socket.nsp().except(room).emit(&event, args.skip(2));
    });
    nsp.on("broadcast", |socket: Socket, args: Args| async move {
        let Ok(event) = args.decode::<String>() else { return };
        socket.broadcast().emit(&event, args.skip(1));
    });
    nsp.on("fetch-sockets", |socket: Socket, room: String, ack: Ack| async move {
        let found = socket.nsp().to(room).fetch_sockets().await;
        let mut ids: Vec<String> = found.answers.iter().map(|other| other.id.to_string()).collect();
        ids.sort();
        ack.send(ids);
    });
    nsp.on("sockets-join", |socket: Socket, (room, target): (String, String)| async move {
        socket.nsp().to(room).sockets_join(target);
    });
    nsp.on("sockets-leave", |socket: Socket, (room, target): (String, String)| async move {
        socket.nsp().to(room).sockets_leave(target);
    });
    nsp.on("disconnect-sockets", |socket: Socket, (room, close): (String, Option<bool>)| async move {
        socket.nsp().to(room).disconnect_sockets(closing(close));
    });
}

/// What an argument that may be left out asks for.
fn closing(close: Option<bool>) -> Closing {
    if close.unwrap_or(false) { Closing::Session } else { Closing::Socket }
}

// Handlers of a socket run one after the other; what waits for clients must not hold up what they send meanwhile.
fn acknowledgements(nsp: &mut Namespace) {
    nsp.on("broadcast-ack", |socket: Socket, args: Args, ack: Ack| async move {
        let Ok((room, millis, event)) = args.decode::<(String, u64, String)>() else { return };
        let asked = socket.nsp().to(room).timeout(Duration::from_millis(millis));
        let answers = asked.emit_with_ack::<ArgValue>(&event, args.skip(3));
        tokio::spawn(async move {
            let Ok(got) = answers.await else { return };
            ack.send((!got.is_whole(), got.answers));
        });
    });
    nsp.on("ask-me", |socket: Socket, args: Args| async move {
        let answer = socket.emit_with_ack::<Args>("question", args);
        tokio::spawn(async move {
            if let Ok(answer) = answer.await {
                socket.emit("answer", answer);
            }
        });
    });
    nsp.on("ask-me-timeout", |socket: Socket, args: Args| async move {
        let Ok(millis) = args.decode::<u64>() else { return };
        let asked = socket.timeout(Duration::from_millis(millis));
        let answer = asked.emit_with_ack::<ArgValue>("question", args.skip(1));
        tokio::spawn(async move {
            let answer = answer.await.ok();
            socket.emit("answer", (answer.is_none(), answer));
        });
    });
}

fn ends(nsp: &mut Namespace) {
    nsp.on("kick", |socket: Socket, close: Option<bool>| async move {
        socket.disconnect(closing(close));
    });
    nsp.on("drop", |socket: Socket| async move { socket.drop_transport() });
    nsp.on_disconnecting(|socket: Socket, _| async move {
        socket.to("watchers").emit("peer-disconnecting", (socket.id(), sorted(socket.rooms())));
    });
    nsp.on_disconnect(|socket: Socket, end| async move {
        socket.to("watchers").emit("peer-disconnect", (socket.id(), end.reason()));
    });
}

fn server_side(nsp: &mut Namespace, port: u16) {
    nsp.on("server-side-emit", |socket: Socket, args: Args| async move {
        let Ok(event) = args.decode::<String>() else { return };
        socket.nsp().server_side_emit(&event, args.skip(1));
    });
    nsp.on("server-side-emit-ack", |socket: Socket, args: Args, ack: Ack| async move {
        let Ok(event) = args.decode::<String>() else { return };
        let answers = socket.nsp().server_side_emit_with_ack::<Value>(&event, args.skip(1));
        tokio::spawn(async move {
            match answers.await {
                Ok(got) => {
                    let error = (got.missing > 0).then(|| format!("{} servers did not answer", got.missing));
                    ack.send((error, got.answers));
                }
                Err(error) => ack.send((error.to_string(), Vec::<Value>::new())),
            }
        });
    });
    nsp.on_server_side("sse", |all: Broadcast, args: Args| {
        all.local().emit("sse-received", args);
        std::future::ready(())
    });
    nsp.on_server_side("sse-ack", move |_, arg: Value| std::future::ready(json!({"port": port, "arg": arg})));
}
