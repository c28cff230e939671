//! All connections of a run and the one epoll that they wait in. Takes each through its handshake, answers pings, and
//! tells the load what else happens. It knows no load, and never waits for anything but the next event.

use crate::{
    connection::{Connection, Stage, is_later},
    failure::Fault,
    handshake,
    packet::Packet,
    plan::Plan,
    report::Tally,
    wire::{self, Frame, opcode},
};
use mio::{Events, Interest, Poll, Token};
use slab::Slab;
use std::{
    io::{self, Read},
    iter, mem,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// What one read takes at most, beside the longest event of the load.
const SCRATCH: usize = 256 * 1024;
const EVENTS: usize = 1024;

/// What the load is told about a connection.
#[derive(Debug)]
pub(crate) enum Happening<'a> {
    /// It is in the namespace.
    Ready {
        /// Nanoseconds since it was opened.
        after: u64,
        /// What the server said to it: JSON with the socket's id.
        answer: &'a [u8],
    },
    /// A Socket.IO event, from its opening bracket.
    Event(&'a [u8]),
    /// An acknowledgement of the event of this id.
    Ack(u64),
    /// It left as asked, and is forgotten.
    Left,
    /// It was ready and broke; the fault is counted, and it is forgotten.
    Lost,
}

/// The frames that a handshake and a farewell need.
#[derive(Debug)]
struct Phrases {
    request: Vec<u8>,
    join: Vec<u8>,
    pong: Vec<u8>,
    farewell: Vec<u8>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Pool {
    poll: Poll,
    connections: Slab<Connection>,
    /// Connections go to these in turn; a connection's key tells which.
    addresses: Vec<SocketAddr>,
    timeout: u64,
    phrases: Phrases,
    scratch: Box<[u8]>,
    /// The scratch buffer's length: what is kept of an unfinished frame always leaves room in it.
    frame_max: usize,
    clock: Instant,
    /// Connections in the namespace.
    pub(crate) ready: usize,
    /// Connections on their way there.
    pub(crate) opening: usize,
    /// Whether any connection was ever ready.
    pub(crate) ever_ready: bool,
    /// What the last broken connection met.
    pub(crate) last_fault: Option<Fault>,
    /// What is counted.
    pub(crate) tally: Tally,
}

impl Pool {
    pub(crate) fn new(plan: &Plan) -> io::Result<Self> {
        let prefix = plan.target.prefix();
        let frame_max = SCRATCH + 2 * plan.payload_bytes;
        let mut farewell = wire::text(&format!("41{prefix}"));
        wire::push(&mut farewell, opcode::CLOSE, &1000_u16.to_be_bytes());
        Ok(Self {
            poll: Poll::new()?,
            connections: Slab::with_capacity(plan.connections),
            addresses: iter::once(plan.target.address).chain(plan.target.others.iter().copied()).collect(),
            timeout: nanos(plan.timeout),
            phrases: Phrases {
                request: handshake::request(&plan.target),
                join: wire::text(&format!("40{prefix}")),
                pong: wire::text("3"),
                farewell,
            },
            scratch: vec![0; frame_max].into_boxed_slice(),
            frame_max,
            clock: Instant::now(),
            ready: 0,
            opening: 0,
            ever_ready: false,
            last_fault: None,
            tally: Tally::new(),
        })
    }

    /// Nanoseconds since the run began, less what it has rested.
    pub(crate) fn now(&self) -> u64 {
        nanos(self.clock.elapsed())
    }

    /// Takes off the clock how long the run has rested.
    pub(crate) fn has_rested(&mut self, rest: Duration) {
        self.clock += rest;
    }

    /// How many connections there are, in any stage.
    pub(crate) fn len(&self) -> usize {
        self.connections.len()
    }

    /// Begins one more connection. Not to be called while events are being handled: it may take over a key.
    pub(crate) fn open(&mut self) {
        let entry = self.connections.vacant_entry();
        let token = Token(entry.key());
        let since = nanos(self.clock.elapsed());
        let address = self.addresses[entry.key() % self.addresses.len()];
        let opened = Connection::open(address, entry.key(), since).and_then(|mut connection| {
            let interest = Interest::READABLE | Interest::WRITABLE;
            self.poll.registry().register(&mut connection.stream, token, interest)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => {
                entry.insert(connection);
                self.opening += 1;
            }
            Err(error) => self.blame(Fault::from(error)),
        }
    }

    /// Waits for events and handles them. `act` is told what the load must know.
    pub(crate) fn turn(
        &mut self,
        events: &mut Events,
        wait: Duration,
        act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64),
    ) -> io::Result<()> {
        match self.poll.poll(events, Some(wait)) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        for event in events.iter() {
            let key = event.token().0;
            if event.is_writable() && self.connections.contains(key) {
                self.writable(key, act);
            }
            if event.is_readable() && self.connections.contains(key) {
                self.readable(key, act);
            }
        }
        Ok(())
    }

    /// Sends to one connection; nothing when it is gone.
    pub(crate) fn send(&mut self, key: usize, bytes: &[u8]) {
        if let Some(connection) = self.connections.get_mut(key) {
            // A broken socket is readable too: the read meets the same error, and ends the connection where all end.
            connection.send(bytes).ok();
        }
    }

    /// Says goodbye as a client does: leaves the namespace, closes the WebSocket, and waits for the server to hang up.
    pub(crate) fn leave(&mut self, key: usize) {
        let farewell = mem::take(&mut self.phrases.farewell);
        self.send(key, &farewell);
        self.phrases.farewell = farewell;
        let now = self.now();
        if let Some(connection) = self.connections.get_mut(key) {
            self.ready -= usize::from(connection.stage == Stage::Ready);
            connection.stage = Stage::Leaving;
            connection.since = now;
        }
    }

    /// Ends every handshake and farewell that has taken too long.
    pub(crate) fn expire(&mut self, act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64)) {
        let now = self.now();
        let late = |connection: &Connection| {
            connection.stage != Stage::Ready && now.saturating_sub(connection.since) > self.timeout
        };
        let late: Vec<usize> =
            self.connections.iter().filter(|(_, one)| late(one)).map(|(key, _)| key).collect();
        for key in late {
            self.end(key, Fault::TimedOut, act);
        }
    }

    fn writable(&mut self, key: usize, act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64)) {
        let connection = &mut self.connections[key];
        let done = if connection.stage == Stage::Connecting {
            match connection.stream.take_error() {
                Ok(None) if connection.stream.peer_addr().is_err() => Ok(()),
                Ok(None) => {
                    connection.stage = Stage::Upgrading;
                    connection.send(&self.phrases.request)
                }
                Ok(Some(error)) | Err(error) => Err(error),
            }
        } else {
            connection.flush()
        };
        if let Err(error) = done {
            self.end(key, Fault::from(error), act);
        }
    }

    /// Reads until the socket is empty. A short read says that it is, which saves the read that would say so.
    fn readable(&mut self, key: usize, act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64)) {
        let mut scratch = mem::take(&mut self.scratch);
        while let Some(connection) = self.connections.get_mut(key) {
            let kept = connection.partial.len();
            scratch[..kept].copy_from_slice(&connection.partial);
            let result = connection.stream.read(&mut scratch[kept..]);
            match result {
                Ok(0) => self.end(key, Fault::Closed, act),
                Ok(received) => {
                    self.tally.received_bytes += received as u64;
                    let filled = kept + received;
                    match self.take(key, &scratch[..filled], act) {
                        Ok(used) => self.keep(key, &scratch[used..filled]),
                        Err(fault) => self.end(key, fault, act),
                    }
                    if filled < scratch.len() {
                        break;
                    }
                }
                Err(error) if is_later(&error) => break,
                Err(error) => self.end(key, Fault::from(error), act),
            }
        }
        self.scratch = scratch;
    }

    fn keep(&mut self, key: usize, rest: &[u8]) {
        let Some(connection) = self.connections.get_mut(key) else { return };
        if rest.is_empty() {
            connection.partial = Vec::new();
        } else {
            connection.partial.clear();
            connection.partial.extend_from_slice(rest);
        }
    }

    /// Takes whole frames, or the answer to the upgrade, off `bytes`; returns how much that was.
    fn take(
        &mut self,
        key: usize,
        bytes: &[u8],
        act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64),
    ) -> Result<usize, Fault> {
        let now = self.now();
        let mut used = 0;
        if self.connections[key].stage == Stage::Upgrading {
            let Some(head) = handshake::answer(bytes)? else { return Ok(0) };
            used = head;
            self.connections[key].stage = Stage::Opening;
        }
        while self.connections.contains(key) {
            let cut = wire::cut(&bytes[used..], self.frame_max).map_err(|_| Fault::Frame)?;
            let Some((frame, length)) = cut else { break };
            used += length;
            self.frame(key, frame, now, act)?;
        }
        Ok(used)
    }

    fn frame(
        &mut self,
        key: usize,
        frame: Frame<'_>,
        now: u64,
        act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64),
    ) -> Result<(), Fault> {
        match frame.opcode {
            opcode::TEXT => {
                // The first fragment tells what the message is; the others only end it.
                self.connections[key].fragmented = !frame.last;
                self.packet(key, Packet::of(frame.payload), now, act)
            }
            opcode::CONTINUATION if self.connections[key].fragmented => {
                self.connections[key].fragmented = !frame.last;
                Ok(())
            }
            opcode::CLOSE => {
                self.end(key, Fault::Closed, act);
                Ok(())
            }
            opcode::PING => {
                let mut pong = Vec::new();
                wire::push(&mut pong, opcode::PONG, frame.payload);
                self.send(key, &pong);
                Ok(())
            }
            opcode::CONTINUATION => Err(Fault::Frame),
            _ => Ok(()),
        }
    }

    fn packet(
        &mut self,
        key: usize,
        packet: Packet<'_>,
        now: u64,
        act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64),
    ) -> Result<(), Fault> {
        let connection = &mut self.connections[key];
        match (connection.stage, packet) {
            (Stage::Ready, Packet::Ack(id)) => act(self, key, Happening::Ack(id), now),
            (Stage::Ready, Packet::Event(data)) => act(self, key, Happening::Event(data), now),
            (_, Packet::Ping) => {
                connection.send(&self.phrases.pong)?;
                self.tally.pings += 1;
            }
            (Stage::Opening, Packet::Open) => {
                connection.stage = Stage::Joining;
                connection.send(&self.phrases.join)?;
            }
            (Stage::Joining, Packet::Connect(answer)) => {
                connection.stage = Stage::Ready;
                let after = now.saturating_sub(connection.since);
                self.opening -= 1;
                self.ready += 1;
                self.ever_ready = true;
                act(self, key, Happening::Ready { after, answer }, now);
            }
            (Stage::Joining, Packet::Refused(data)) => {
                return Err(Fault::Namespace(String::from_utf8_lossy(data).into_owned()));
            }
            (Stage::Leaving, _) => {}
            (_, Packet::Close | Packet::Disconnect) => return Err(Fault::Closed),
            _ => {}
        }
        Ok(())
    }

    /// The one place where a connection ends. One that was asked to leave has no fault, however the server hung up.
    fn end(&mut self, key: usize, fault: Fault, act: &mut impl FnMut(&mut Self, usize, Happening<'_>, u64)) {
        let Some(connection) = self.connections.try_remove(key) else { return };
        let now = self.now();
        match connection.stage {
            Stage::Leaving if fault != Fault::TimedOut => act(self, key, Happening::Left, now),
            Stage::Leaving => {
                self.blame(fault);
                act(self, key, Happening::Left, now);
            }
            Stage::Ready => {
                self.ready -= 1;
                self.blame(fault);
                act(self, key, Happening::Lost, now);
            }
            Stage::Connecting | Stage::Upgrading | Stage::Opening | Stage::Joining => {
                self.opening -= 1;
                self.blame(fault);
            }
        }
    }

    fn blame(&mut self, fault: Fault) {
        self.tally.fault(&fault);
        self.last_fault = Some(fault);
    }
}

/// Room for the events of one turn.
pub(crate) fn events() -> Events {
    Events::with_capacity(EVENTS)
}

/// A duration in nanoseconds; 584 years fit.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
