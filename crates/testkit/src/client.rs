//! A Socket.IO client over either transport: it joins, emits, acknowledges, and answers pings while it waits.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use throng_protocol::engine::payload;
use throng_protocol::id::Id;
use throng_protocol::socket::args::{Args, IntoArgs};
use throng_protocol::socket::codec::{Assembler, Codec, Parser};
use throng_protocol::socket::packet::{Body, Packet};

use crate::http::Door;
use crate::polling::{Message, Polling};
use crate::wait::WAIT;
use crate::websocket::{Outcome, WebSocket};

const PATH: &str = "/socket.io/?EIO=4&transport=websocket";

/// A client.
#[derive(Debug)]
pub struct Client {
    wire: Wire,
    codec: Codec,
    assembler: Assembler,
    arrived: VecDeque<(String, Received)>,
    next_ack: u64,
    /// The namespace of whatever does not name one.
    home: String,
    /// What it would recover with, on a node that lets it.
    memory: Memory,
}

/// What a client remembers of a session, to go on with it.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    /// The secret name of the session.
    pub pid: Option<String>,
    /// The last text that an event ended with, as official clients keep it.
    pub offset: Option<String>,
}

impl Memory {
    /// What to connect with.
    pub fn auth(&self) -> Value {
        match &self.offset {
            Some(offset) => serde_json::json!({"pid": self.pid, "offset": offset}),
            None => serde_json::json!({"pid": self.pid}),
        }
    }

    /// A client is told the secret name when it joins.
    fn joined(&mut self, packet: &Packet<'_>) {
        if let Body::Connect(Some(answer)) = &packet.body
            && let Some(pid) = answer["pid"].as_str()
        {
            self.pid = Some(pid.to_owned());
        }
    }

    /// An event is where the client is only once it has been looked at.
    fn looked_at(&mut self, packet: &Received) {
        if let Received::Event { args: Args::Json(text), .. } = packet
            && self.pid.is_some()
        {
            let all: Vec<Value> = serde_json::from_str(&format!("[{text}]")).expect("arguments are JSON");
            if let Some(Value::String(offset)) = all.last() {
                self.offset = Some(offset.clone());
            }
        }
    }
}

#[derive(Debug)]
enum Wire {
    WebSocket(Box<WebSocket>),
    Polling(Box<Polling>),
}

/// A packet that came.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Joined, with the socket's identifier.
    Connected(Id),
    /// Refused.
    Refused(Value),
    /// Removed.
    Disconnected,
    /// An event.
    Event {
        /// Its name.
        name: String,
        /// Its arguments.
        args: Args,
        /// The number that the server waits for.
        ack: Option<u64>,
    },
    /// The answer to an event of ours.
    Answer {
        /// Its number.
        ack: u64,
        /// What came.
        args: Args,
    },
    /// The session is over.
    Closed,
}

impl Client {
    /// Opens a session over a WebSocket.
    ///
    /// # Panics
    /// When it is refused.
    pub fn websocket(door: impl Into<Door>) -> Self {
        Self::websocket_with(door, Parser::Default)
    }

    /// Opens a session over a WebSocket, in an encoding.
    ///
    /// # Panics
    /// When it is refused.
    pub fn websocket_with(door: impl Into<Door>, parser: Parser) -> Self {
        Self::open(WebSocket::connect(door, PATH), parser)
    }

    /// Opens a session over a WebSocket whose request has more headers, as whole lines.
    ///
    /// # Panics
    /// When it is refused.
    pub fn websocket_as(door: impl Into<Door>, headers: &str) -> Self {
        Self::open(WebSocket::connect_with(door, PATH, headers).0, Parser::Default)
    }

    fn open(mut websocket: WebSocket, parser: Parser) -> Self {
        let open = websocket.next_frame().text();
        assert!(open.starts_with("0{"), "an open packet: {open}");
        Self::over(Wire::WebSocket(Box::new(websocket)), parser)
    }

    /// Opens a session that polls.
    ///
    /// # Panics
    /// When it is refused.
    pub fn polling(door: impl Into<Door>) -> Self {
        Self::over(Wire::Polling(Box::new(Polling::open(door))), Parser::Default)
    }

    fn over(wire: Wire, parser: Parser) -> Self {
        let codec = Codec { parser, ..Codec::default() };
        Self {
            wire,
            codec,
            assembler: Assembler::default(),
            arrived: VecDeque::new(),
            next_ack: 0,
            home: "/".into(),
            memory: Memory::default(),
        }
    }

    /// Opens a session over a WebSocket and joins `/`.
    ///
    /// # Panics
    /// When either is refused.
    pub fn connect(door: impl Into<Door>) -> (Self, Id) {
        let mut client = Self::websocket(door);
        let id = client.join("/", None);
        (client, id)
    }

    /// Opens a session over a WebSocket and goes on in `/` with what an earlier client remembers.
    ///
    /// # Panics
    /// When either is refused.
    pub fn resume(door: impl Into<Door>, memory: &Memory) -> (Self, Id) {
        let mut client = Self::websocket(door);
        client.memory = memory.clone();
        let id = client.join("/", Some(memory.auth()));
        (client, id)
    }

    /// What it would recover with.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Joins a namespace and waits until it has.
    ///
    /// # Panics
    /// When it is refused.
    pub fn join(&mut self, nsp: &str, auth: Option<Value>) -> Id {
        self.ask_to_join(nsp, auth);
        match self.wait_in(nsp, "the answer to joining", |packet| !matches!(packet, Received::Event { .. })) {
            Received::Connected(id) => id,
            other => panic!("joining {nsp}: {other:?}"),
        }
    }

    /// Asks to join a namespace.
    pub fn ask_to_join(&mut self, nsp: &str, auth: Option<Value>) {
        let mut packet = Vec::new();
        self.codec.connect(nsp, auth.as_ref(), &mut packet);
        self.send(packet, &[]);
    }

    /// Leaves a namespace.
    pub fn leave(&mut self, nsp: &str) {
        let mut packet = Vec::new();
        self.codec.disconnect(nsp, &mut packet);
        self.send(packet, &[]);
    }

    /// Makes a namespace the one that is meant where none is named; `/` at first.
    pub fn at_home_in(mut self, nsp: &str) -> Self {
        nsp.clone_into(&mut self.home);
        self
    }

    /// Emits an event at home.
    pub fn emit(&mut self, name: &str, payload: impl IntoArgs) {
        let home = self.home.clone();
        self.emit_in(&home, name, payload);
    }

    /// Emits an event.
    ///
    /// # Panics
    /// When the payload cannot be encoded.
    pub fn emit_in(&mut self, nsp: &str, name: &str, payload: impl IntoArgs) {
        let args = payload.into_args().expect("a payload that can be encoded");
        let mut packet = Vec::new();
        let attachments = self.codec.event(nsp, None, name, &args, &mut packet);
        self.send(packet, &attachments);
    }

    /// Emits an event at home and waits for its acknowledgement.
    ///
    /// # Panics
    /// When none comes.
    pub fn call(&mut self, name: &str, payload: impl IntoArgs) -> Args {
        let number = self.emit_asking(name, payload);
        self.answer_to(number)
    }

    /// Emits an event at home that asks for an acknowledgement; gives its number.
    ///
    /// # Panics
    /// When the payload cannot be encoded.
    pub fn emit_asking(&mut self, name: &str, payload: impl IntoArgs) -> u64 {
        let args = payload.into_args().expect("a payload that can be encoded");
        let (number, mut packet) = (self.next_ack, Vec::new());
        self.next_ack += 1;
        let attachments = self.codec.event(&self.home, Some(number), name, &args, &mut packet);
        self.send(packet, &attachments);
        number
    }

    /// Waits for an acknowledgement.
    ///
    /// # Panics
    /// When it does not come.
    pub fn answer_to(&mut self, number: u64) -> Args {
        let answers = |packet: &Received| matches!(packet, Received::Answer { ack, .. } if *ack == number);
        let home = self.home.clone();
        match self.wait_in(&home, "an acknowledgement", answers) {
            Received::Answer { args, .. } => args,
            other => panic!("{other:?}"),
        }
    }

    /// Answers an event of the server.
    ///
    /// # Panics
    /// When the answer cannot be encoded.
    pub fn acknowledge(&mut self, number: u64, answer: impl IntoArgs) {
        let args = answer.into_args().expect("an answer that can be encoded");
        let mut packet = Vec::new();
        let attachments = self.codec.ack(&self.home, number, &args, &mut packet);
        self.send(packet, &attachments);
    }

    /// Waits for an event at home.
    ///
    /// # Panics
    /// When it does not come.
    pub fn event(&mut self, name: &str) -> Args {
        self.asked(name).0
    }

    /// Waits for an event at home that wants an answer.
    ///
    /// # Panics
    /// When it does not come.
    pub fn asked(&mut self, name: &str) -> (Args, Option<u64>) {
        let wanted =
            |packet: &Received| matches!(packet, Received::Event { name: known, .. } if known == name);
        let home = self.home.clone();
        match self.wait_in(&home, name, wanted) {
            Received::Event { args, ack, .. } => (args, ack),
            other => panic!("{other:?}"),
        }
    }

    /// The names of the events that came at home before a given one, which is waited for: what is sent last tells that
    /// nothing else is on its way.
    ///
    /// # Panics
    /// When it does not come.
    pub fn events_before(&mut self, last: &str) -> Vec<String> {
        let (mut names, home) = (Vec::new(), self.home.clone());
        loop {
            match self.wait_in(&home, last, |packet| matches!(packet, Received::Event { .. })) {
                Received::Event { name, .. } if name == last => return names,
                Received::Event { name, .. } => names.push(name),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Waits for a packet of a namespace; others stay for later waits.
    ///
    /// # Panics
    /// When none comes in time, or the session ends and that was not asked for.
    pub fn wait_in(&mut self, nsp: &str, what: &str, wanted: impl Fn(&Received) -> bool) -> Received {
        loop {
            let found = self.arrived.iter().position(|(of, packet)| of == nsp && wanted(packet));
            if let Some((_, packet)) = found.and_then(|at| self.arrived.remove(at)) {
                self.memory.looked_at(&packet);
                return packet;
            }
            let over = self.arrived.iter().any(|(_, packet)| *packet == Received::Closed);
            if over && wanted(&Received::Closed) {
                return Received::Closed;
            }
            assert!(!over, "the session ended before {what}; there was {:?}", self.arrived);
            assert!(self.receive(WAIT), "{what} on {nsp}: not within {WAIT:?}; there was {:?}", self.arrived);
        }
    }

    /// Waits for the end of the session.
    ///
    /// # Panics
    /// When it does not end.
    pub fn wait_closed(&mut self) {
        self.wait_in("", "the end of the session", |packet| *packet == Received::Closed);
    }

    /// Whether an echo comes back, which is to say that the node serves this client as ever. Asks for `echo` at home.
    ///
    /// # Panics
    /// When it does not.
    pub fn check(&mut self) {
        assert_eq!(self.call("echo", 7).decode::<u32>().expect("a number"), 7);
    }

    /// The WebSocket below, for what a well-behaved client would not do.
    ///
    /// # Panics
    /// When the session polls.
    pub fn raw(&mut self) -> &mut WebSocket {
        match &mut self.wire {
            Wire::WebSocket(websocket) => websocket,
            Wire::Polling(_) => panic!("the session polls"),
        }
    }

    /// Takes in what comes within a time; `false` when nothing did.
    pub fn receive(&mut self, time: Duration) -> bool {
        match &mut self.wire {
            Wire::WebSocket(websocket) => match websocket.next_within(time) {
                None => return false,
                Some(Outcome::Closed) => self.arrived.push_back((String::new(), Received::Closed)),
                Some(Outcome::Frame(frame)) => match frame.opcode {
                    1 => self.take_text(&String::from_utf8(frame.payload).expect("text is UTF-8")),
                    2 => self.take_binary(&frame.payload),
                    8 => self.arrived.push_back((String::new(), Received::Closed)),
                    _ => {}
                },
            },
            Wire::Polling(polling) => {
                for message in polling.messages() {
                    match message {
                        Message::Text(text) => self.take_text(&text),
                        Message::Binary(bytes) => self.take_binary(&bytes),
                    }
                }
            }
        }
        true
    }

    fn take_text(&mut self, packet: &str) {
        match packet.split_at_checked(1) {
            Some(("2", _)) => self.send_engine("3"),
            Some(("1", _)) => self.arrived.push_back((String::new(), Received::Closed)),
            Some(("4", text)) => {
                let packet = self.assembler.text(&self.codec, text).expect("a valid packet");
                packet.iter().for_each(|packet| self.memory.joined(packet));
                self.arrived.extend(packet.map(owned));
            }
            _ => {}
        }
    }

    fn take_binary(&mut self, bytes: &[u8]) {
        let packet = self.assembler.binary(&self.codec, bytes).expect("a valid packet");
        packet.iter().for_each(|packet| self.memory.joined(packet));
        self.arrived.extend(packet.map(owned));
    }

    fn send_engine(&mut self, packet: &str) {
        match &mut self.wire {
            Wire::WebSocket(websocket) => drop(websocket.send_text(packet)),
            Wire::Polling(polling) => drop(polling.post(packet)),
        }
    }

    fn send(&mut self, packet: Vec<u8>, attachments: &[Bytes]) {
        let text = self.codec.is_text();
        match &mut self.wire {
            Wire::WebSocket(websocket) if text => {
                websocket.send_text(&format!("4{}", String::from_utf8(packet).expect("text is UTF-8")));
                for attachment in attachments {
                    websocket.send_binary(attachment);
                }
            }
            Wire::WebSocket(websocket) => drop(websocket.send_binary(&packet)),
            Wire::Polling(polling) => {
                let mut body = Vec::new();
                payload::push_text(&mut body, &[b"4", packet.as_slice()].concat());
                for attachment in attachments {
                    payload::push_binary(&mut body, attachment);
                }
                let answer = polling.post(&String::from_utf8(body).expect("text is UTF-8"));
                assert_eq!(answer.status, 200, "{answer:?}");
            }
        }
    }
}

fn owned(packet: Packet<'_>) -> (String, Received) {
    let received = match packet.body {
        Body::Connect(answer) => {
            let id = answer.as_ref().and_then(|answer| answer["sid"].as_str()).and_then(Id::parse);
            Received::Connected(id.expect("an identifier"))
        }
        Body::ConnectError(error) => Received::Refused(error),
        Body::Disconnect => Received::Disconnected,
        Body::Event { ack, name, args } => {
            Received::Event { name: name.into_owned(), args: args.to_owned(), ack }
        }
        Body::Ack { ack, args } => Received::Answer { ack, args: args.to_owned() },
    };
    (packet.nsp.into_owned(), received)
}
