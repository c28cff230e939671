//! From bytes to packets: what connections and posted bodies bring, up to where handlers take over.

use std::io::{self, ErrorKind, Read};
use std::rc::Rc;

use bytes::Bytes;
use throng_protocol::end::End;
use throng_protocol::engine::packet::{Packet, PacketError};
use throng_protocol::engine::payload::{self, Record};
use throng_protocol::websocket::close::{Violation, close_frame};
use throng_protocol::websocket::decoder::Event;
use throng_protocol::websocket::frame::Opcode;
use tokio::time::Instant;

use super::deadlines::Kind;
use super::session::{Transport, WebSocket};
use super::{SCRATCH_BYTES, Shard};
use crate::app::{RawMessage, Service};
use crate::outgoing::{Message, Outgoing, control_frame};

/// Reads of one connection in a turn, so that a fast sender does not keep the others waiting.
const READS_MAX: usize = 8;
/// Records of one posted body.
const RECORDS_MAX: usize = 16_384;

/// What a read brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) bytes: usize,
    /// Of the session.
    pub(super) stamp: u32,
    /// The client has closed its half: behind these bytes is the end.
    pub(super) hung_up: bool,
}

impl Shard {
    /// Reads a session's WebSocket until there is no more, or its turn is over.
    pub(super) fn read(self: &Rc<Self>, slot: u32) {
        let Some(mut scratch) = self.scratch.take() else { return };
        for _ in 0..READS_MAX {
            let again = match self.receive(slot, &mut scratch) {
                Some(Ok(received)) if received.bytes > 0 => {
                    self.take_in(slot, received.stamp, &mut scratch[..received.bytes]);
                    // A short read has taken all there was, but for the end of the connection.
                    received.bytes == SCRATCH_BYTES || received.hung_up
                }
                Some(nothing) => self.brought_nothing(slot, nothing.map(drop)),
                // Nothing to come back for: the session is over, or whoever resumes it will read it.
                None => false,
            };
            if !again {
                return self.scratch.set(Some(scratch));
            }
        }
        self.scratch.set(Some(scratch));
        // The kernel reports a readable connection once; what is left is read in a later turn.
        self.read_later(slot);
    }

    /// Reads a session's WebSocket once. `None` when it has none, or is paused.
    pub(super) fn receive(&self, slot: u32, into: &mut [u8]) -> Option<io::Result<Received>> {
        let mut state = self.state.borrow_mut();
        let session = state.sessions.get_mut(slot as usize).filter(|session| !session.paused)?;
        let Transport::WebSocket(socket) = &mut session.transport else { return None };
        let read = socket.stream.read(into);
        Some(read.map(|bytes| Received { bytes, stamp: session.stamp, hung_up: socket.hung_up }))
    }

    /// A read has brought nothing: the connection is over, unless there is nothing yet. Says whether to read at once again.
    pub(super) fn brought_nothing(self: &Rc<Self>, slot: u32, read: io::Result<()>) -> bool {
        match read {
            Err(error) if error.kind() == ErrorKind::Interrupted => return true,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Ok(()) | Err(_) => self.end_session(slot, End::TransportClose),
        }
        false
    }

    /// Reads a session again in a turn of its own.
    pub(super) fn read_later(self: &Rc<Self>, slot: u32) {
        let shard = self.clone();
        tokio::task::spawn_local(async move {
            shard.read(slot);
            shard.schedule_flush();
        });
    }

    /// Decodes what a connection brought.
    pub(super) fn take_in(self: &Rc<Self>, slot: u32, stamp: u32, bytes: &mut [u8]) {
        let decoder = self.with_websocket(slot, stamp, |socket| std::mem::take(&mut socket.decoder));
        let Some(mut decoder) = decoder else { return };
        let mut frames = self.frames.borrow_mut();
        let mut input = bytes;
        let violation = loop {
            match decoder.next(&mut frames, &mut input) {
                Ok(Some(event)) => self.on_event(slot, stamp, &event),
                Ok(None) => break None,
                Err(violation) => break Some(violation),
            }
            if !self.is_alive(slot, stamp) {
                return;
            }
            if input.is_empty() && decoder.is_idle() {
                break None;
            }
        };
        drop(frames);
        match violation {
            None => drop(self.with_websocket(slot, stamp, |socket| socket.decoder = decoder)),
            Some(violation) => self.on_violation(slot, violation),
        }
    }

    /// Does something with the WebSocket of a session, as long as it is the same session.
    fn with_websocket<T>(&self, slot: u32, stamp: u32, work: impl FnOnce(&mut WebSocket) -> T) -> Option<T> {
        let mut state = self.state.borrow_mut();
        let session = state.sessions.get_mut(slot as usize).filter(|session| session.stamp == stamp)?;
        match &mut session.transport {
            Transport::WebSocket(socket) => Some(work(socket)),
            Transport::Polling(_) => None,
        }
    }

    fn on_event(self: &Rc<Self>, slot: u32, stamp: u32, event: &Event<'_>) {
        match event {
            Event::Ping(payload) => self.send_control(slot, control_frame(Opcode::Pong, payload)),
            Event::Pong(_) => {}
            Event::Close(code, _) => {
                self.send_control(slot, close_frame(*code, ""));
                self.end_session(slot, End::TransportClose);
            }
            Event::Text(_) | Event::Binary(_) => match &self.node.service {
                Service::WebSocket(reply) => {
                    let answer = RawMessage::of(event).and_then(reply);
                    self.reply_raw(slot, answer);
                }
                Service::Engine(_) | Service::Sockets(_) => match event {
                    Event::Text(text) => self.on_packet_text(slot, stamp, text),
                    Event::Binary(bytes) => self.on_message(slot, stamp, RawMessage::Binary(bytes)),
                    _ => {}
                },
            },
        }
    }

    fn on_violation(self: &Rc<Self>, slot: u32, violation: Violation) {
        self.send_control(slot, close_frame(Some(violation.close_code()), ""));
        let end = match violation {
            Violation::TooLarge => End::PayloadTooLarge,
            Violation::Protocol(_) | Violation::InvalidUtf8 => End::TransportError,
        };
        self.end_session(slot, end);
    }

    /// Queues a control frame, in order and within the bound: a client that sends pings and reads no pongs is slow too.
    fn send_control(&self, slot: u32, frame: Bytes) {
        let mut state = self.state.borrow_mut();
        let super::State { sessions, dirty, doomed, .. } = &mut *state;
        let Some(session) = sessions.get_mut(slot as usize) else { return };
        if let Transport::WebSocket(socket) = &mut session.transport {
            if socket.outbox.bytes() > self.node.config.queue_bytes_max {
                doomed.push((slot, session.stamp, End::SlowConsumer));
            }
            socket.outbox.push(frame);
            session.touch(slot, dirty);
        }
    }

    fn reply_raw(&self, slot: u32, answer: Option<RawMessage<'_>>) {
        let message = match answer {
            None => return,
            Some(RawMessage::Text(text)) => Message::Text(Bytes::copy_from_slice(text.as_bytes())),
            Some(RawMessage::Binary(bytes)) => Message::Binary(Bytes::copy_from_slice(bytes)),
        };
        self.queue_one(slot, Outgoing::raw(&message));
    }

    /// Decodes an Engine.IO packet in text form; binary is base64 there, as in a payload.
    fn on_packet_text(self: &Rc<Self>, slot: u32, stamp: u32, text: &str) {
        let record = Record::decode(text);
        self.on_record(slot, stamp, record);
    }

    /// Takes in one record; `false` when it was malformed, and the session is over.
    fn on_record(self: &Rc<Self>, slot: u32, stamp: u32, record: Result<Record<'_>, PacketError>) -> bool {
        let packet = match &record {
            Ok(Record::Text(text)) => Packet::decode(text),
            Ok(Record::Binary(bytes)) => Ok(Packet::Binary(bytes)),
            Err(error) => Err(*error),
        };
        match packet {
            Ok(packet) => self.on_packet(slot, stamp, packet),
            Err(_) => self.end_session(slot, End::ParseError),
        }
        packet.is_ok()
    }

    fn on_packet(self: &Rc<Self>, slot: u32, stamp: u32, packet: Packet<'_>) {
        match packet {
            Packet::Text(text) => self.on_message(slot, stamp, RawMessage::Text(text)),
            Packet::Binary(bytes) => self.on_message(slot, stamp, RawMessage::Binary(bytes)),
            Packet::Pong(_) => self.pong(slot, Instant::now()),
            Packet::Close => self.end_session(slot, End::TransportClose),
            // Pings are the server's to send.
            Packet::Ping(_) => self.end_session(slot, End::TransportError),
            Packet::Open(_) | Packet::Upgrade | Packet::Noop => {}
        }
    }

    /// Hands a message to the layer above.
    fn on_message(self: &Rc<Self>, slot: u32, stamp: u32, message: RawMessage<'_>) {
        let metrics = self.metrics();
        metrics.packets_received.add(1);
        let bytes = match message {
            RawMessage::Text(text) => text.len(),
            RawMessage::Binary(bytes) => bytes.len(),
        };
        metrics.bytes_received.add(bytes as u64);
        let Service::Engine(reply) = &self.node.service else {
            return self.on_socket_message(slot, stamp, message);
        };
        let answer = match reply(message) {
            None => return,
            Some(RawMessage::Text(text)) => Outgoing::engine(&format!("4{text}")),
            Some(RawMessage::Binary(bytes)) => Outgoing::raw(&Message::Binary(Bytes::copy_from_slice(bytes))),
        };
        self.queue_one(slot, answer);
    }

    /// Takes in a posted body; `false` when it was malformed, and the session is over.
    pub(super) fn on_body(self: &Rc<Self>, slot: u32, stamp: u32, body: &[u8]) -> bool {
        let Ok(text) = std::str::from_utf8(body) else {
            self.end_session(slot, End::ParseError);
            return false;
        };
        for record in payload::decode(text, RECORDS_MAX) {
            if !self.is_alive(slot, stamp) {
                // Closed by what came before; the rest has nobody to go to.
                return true;
            }
            if !self.on_record(slot, stamp, record) {
                return false;
            }
        }
        true
    }

    // --- heartbeats ---

    /// Time for a ping.
    pub(super) fn ping(self: &Rc<Self>, slot: u32, stamp: u32, due: Instant) {
        self.renew_records(slot);
        let mut state = self.state.borrow_mut();
        let next = state.stamp();
        let super::State { sessions, dirty, deadlines, hub, expiries, .. } = &mut *state;
        let Some(session) = sessions.get_mut(slot as usize).filter(|session| session.beat == stamp) else {
            return;
        };
        session.beat = next;
        session.pinged = true;
        let sockets = session.sockets.iter().filter_map(|(_, socket)| hub.sockets.get(*socket as usize));
        sockets.for_each(|entry| expiries.arm(&entry.socket));
        match &mut session.transport {
            Transport::WebSocket(socket) => socket.outbox.push_urgent(Bytes::from_static(b"\x81\x012")),
            Transport::Polling(polling) => polling.queue.push(Message::Text(Bytes::from_static(b"2"))),
        }
        session.touch(slot, dirty);
        deadlines.arm(Kind::Pong, due, slot, next);
    }

    fn pong(&self, slot: u32, now: Instant) {
        let mut state = self.state.borrow_mut();
        let next = state.stamp();
        let Some(session) = state.sessions.get_mut(slot as usize) else { return };
        // A pong that nobody asked for neither puts the next ping off nor leaves a deadline behind.
        if !std::mem::take(&mut session.pinged) {
            return;
        }
        session.beat = next;
        state.deadlines.arm(Kind::Ping, now, slot, next);
    }

    /// A pong did not come in time. A session that is not being read could not have shown one; it is pinged once more,
    /// so that a peer that is gone refuses it.
    pub(super) fn pong_missing(self: &Rc<Self>, slot: u32, stamp: u32, now: Instant) {
        let paused = {
            let state = self.state.borrow();
            let session = state.sessions.get(slot as usize).filter(|session| session.beat == stamp);
            let Some(session) = session else { return };
            session.paused
        };
        if paused {
            return self.ping(slot, stamp, now);
        }
        self.end_session(slot, End::PingTimeout);
    }
}
