//! Checks of the fixture server with the `rust_socketio` client, which is published but not ours.
//!
//! Usage: `throng-e2e-rust polling|websocket|upgrade URL`. Prints one line per check, `ok NAME` or `not ok NAME: WHY`,
//! and exits with 1 when one failed. It covers what this client can do: it cannot acknowledge, it takes one binary value
//! in a message, alone, and over WebSocket it stops reading when one comes, from Node's server too.

use std::{
    process::ExitCode,
    sync::mpsc::{Receiver, channel},
    time::Duration,
};

use rust_socketio::{ClientBuilder, Event, Payload, RawClient, TransportType, client::Client};
use serde_json::{Value, json};

/// How long a check waits for anything.
const WAIT_MAX: Duration = Duration::from_secs(8);

const NAMESPACES: [&str; 4] = ["/", "/custom", "/dyn-1", "/admin"];

type Check = Result<(), String>;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(transport), Some(url)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: throng-e2e-rust polling|websocket|upgrade URL");
        return ExitCode::from(64);
    };
    let mut checks: Vec<(&str, fn(&Session) -> Check)> = vec![
        ("message and ack", message_and_ack),
        ("whoami", whoami),
        ("order", order),
        ("rooms", rooms),
        ("kicked", kicked),
    ];
    if transport == "polling" {
        checks.push(("binary", binary));
    }
    // Each of its polls takes this client most of a second, so every namespace is left to WebSocket.
    let namespaces = if transport == "websocket" { &NAMESPACES[..] } else { &NAMESPACES[..1] };
    let mut failed = report("refused on /admin", refused(&url, &transport));
    for &nsp in namespaces {
        for &(name, check) in &checks {
            let outcome = Session::open(&url, &transport, nsp).and_then(|session| {
                let outcome = check(&session);
                // A kicked session is gone already; there is nothing to do about an error here.
                let _ = session.client.disconnect();
                outcome
            });
            failed |= report(&format!("{name} on {nsp}"), outcome);
        }
    }
    ExitCode::from(u8::from(failed))
}

/// Prints the line of one check; true when it failed.
fn report(name: &str, outcome: Check) -> bool {
    match &outcome {
        Ok(()) => println!("ok {name}"),
        Err(why) => println!("not ok {name}: {why}"),
    }
    outcome.is_err()
}

/// A connected client and what it received: each event with its arguments, binary as a list of numbers.
struct Session {
    client: Client,
    nsp: &'static str,
    transport: String,
    events: Receiver<(String, Value)>,
}

impl Session {
    fn open(url: &str, transport: &str, nsp: &'static str) -> Result<Self, String> {
        let (sender, events) = channel();
        let auth = json!({"token": "secret"});
        let closed = sender.clone();
        let client = builder(url, transport, nsp)
            .auth(auth.clone())
            .on(Event::Close, move |_, _: RawClient| {
                let _ = closed.send(("close".to_owned(), json!([])));
            })
            .on_any(move |event: Event, payload, _: RawClient| {
                // The receiver is gone once its check is over.
                let _ = sender.send((String::from(event), values(payload)));
            })
            .connect()
            .map_err(|error| error.to_string())?;
        let session = Self { client, nsp, transport: transport.to_owned(), events };
        session.expect("auth", &json!([auth]))?;
        Ok(session)
    }

    fn emit(&self, event: &str, payload: impl Into<Payload>) -> Check {
        self.client.emit(event, payload).map_err(|error| error.to_string())
    }

    /// Waits for the next event with this name and compares its arguments.
    fn expect(&self, event: &str, arguments: &Value) -> Check {
        loop {
            let (name, got) =
                self.events.recv_timeout(WAIT_MAX).map_err(|_| format!("{event} did not come"))?;
            if name == event {
                return same(&got, arguments);
            }
        }
    }

    /// Emits and gives back the arguments of the acknowledgement.
    fn ask(&self, event: &str, payload: impl Into<Payload>) -> Result<Value, String> {
        let (sender, answer) = channel();
        self.client
            .emit_with_ack(event, payload, WAIT_MAX, move |payload, _: RawClient| {
                let _ = sender.send(values(payload));
            })
            .map_err(|error| error.to_string())?;
        answer.recv_timeout(WAIT_MAX).map_err(|_| format!("the ack of {event} did not come"))
    }
}

fn builder(url: &str, transport: &str, nsp: &str) -> ClientBuilder {
    let transport = match transport {
        "polling" => TransportType::Polling,
        "websocket" => TransportType::Websocket,
        _ => TransportType::WebsocketUpgrade,
    };
    ClientBuilder::new(url).namespace(nsp).transport_type(transport).reconnect(false)
}

fn values(payload: Payload) -> Value {
    match payload {
        Payload::Text(values) => Value::Array(values),
        Payload::Binary(bytes) => json!([bytes.to_vec()]),
        #[allow(deprecated, reason = "the variant still exists in this version")]
        Payload::String(text) => json!([text]),
    }
}

fn same(got: &Value, expected: &Value) -> Check {
    if got == expected { Ok(()) } else { Err(format!("{got} came instead of {expected}")) }
}

fn message_and_ack(session: &Session) -> Check {
    let arguments = [json!(1), json!("zwei ü 😀"), json!({"three": [null, true, -4.5]})];
    session.emit("message", Payload::Text(arguments.to_vec()))?;
    session.expect("message-back", &json!(arguments))?;
    // This client hands an acknowledgement over as one value, the list of its arguments.
    same(&session.ask("message-with-ack", Payload::Text(arguments.to_vec()))?, &json!([arguments]))
}

fn binary(session: &Session) -> Check {
    let bytes: Vec<u8> = (0..=255).collect();
    session.emit("message", bytes.clone())?;
    session.expect("message-back", &json!([bytes]))
}

fn whoami(session: &Session) -> Check {
    let answer = session.ask("whoami", Payload::Text(vec![]))?;
    let who = &answer[0][0];
    same(&who["nsp"], &json!(session.nsp))?;
    same(&who["auth"], &json!({"token": "secret"}))?;
    same(&who["rooms"], &json!([who["id"]]))?;
    same(&who["transport"], &json!(if session.transport == "polling" { "polling" } else { "websocket" }))
}

fn order(session: &Session) -> Check {
    for number in 0..20 {
        session.emit("message", json!(number))?;
    }
    (0..20).try_for_each(|number| session.expect("message-back", &json!([number])))
}

fn rooms(session: &Session) -> Check {
    same(&session.ask("join", json!("rust"))?, &json!([["joined"]]))?;
    session.emit("in-room", Payload::Text(vec![json!("rust"), json!("said"), json!("to all")]))?;
    session.expect("said", &json!(["to all"]))?;
    same(&session.ask("leave", json!("rust"))?, &json!([["left"]]))?;
    same(&session.ask("fetch-sockets", json!("rust"))?, &json!([[[]]]))
}

fn kicked(session: &Session) -> Check {
    session.emit("kick", json!(false))?;
    session.expect("close", &json!([]))
}

fn refused(url: &str, transport: &str) -> Check {
    let (sender, errors) = channel();
    let client = builder(url, transport, "/admin")
        .auth(json!({"token": "wrong"}))
        .on("error", move |payload, _: RawClient| {
            let _ = sender.send(values(payload));
        })
        .connect();
    let error = errors.recv_timeout(WAIT_MAX).map_err(|_| "no refusal came".to_owned())?;
    drop(client);
    if error.to_string().contains("not authorized") { Ok(()) } else { Err(error.to_string()) }
}
