//! What one core can do at all: one thread, one epoll, one `recv` per event, one `send` per message, nothing allocated
//! per message and nothing checked. It answers the driver's frames (see [`frames`]) and is the upper bound that the
//! other servers are measured against. It is no server: any other client gets nonsense. Listens on 127.0.0.1:$PORT.

mod frames;

use frames::Answer;
use rustix::{
    event::epoll::{self, EventData, EventFlags},
    fd::{AsRawFd, OwnedFd},
    io::Errno,
    net::{self, RecvFlags, SendFlags, SocketFlags, sockopt},
    time::Timespec,
};
use std::{
    collections::VecDeque,
    net::TcpListener,
    time::{Duration, Instant},
};

const PING_INTERVAL: Duration = Duration::from_secs(25);
/// What one `recv` takes at most, and so the largest frame.
const SCRATCH: usize = 256 * 1024;

/// One connection, found by its file descriptor.
struct Connection {
    fd: OwnedFd,
    upgraded: bool,
    /// Its place in the room.
    seat: Option<usize>,
    /// The beginning of a frame or request whose end has not come yet.
    partial: Vec<u8>,
    /// Tells a ping that was planned for an earlier owner of the same file descriptor.
    born: Instant,
}

struct Floor {
    epoll: OwnedFd,
    listener: TcpListener,
    connections: Vec<Option<Connection>>,
    room: Vec<usize>,
    /// When each connection's next ping is due; in order, as the interval is constant.
    pings: VecDeque<(Instant, usize, Instant)>,
    scratch: Box<[u8]>,
    output: Vec<u8>,
}

fn main() -> std::io::Result<()> {
    let port: u16 =
        std::env::var("PORT").ok().and_then(|port| port.parse().ok()).expect("PORT is a port number");
    let listener = TcpListener::bind(("127.0.0.1", port))?;
    listener.set_nonblocking(true)?;
    net::listen(&listener, 4096)?;
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, EventData::new_u64(listener.as_raw_fd() as u64), EventFlags::IN)?;
    let scratch = vec![0; SCRATCH].into_boxed_slice();
    let mut floor = Floor {
        epoll,
        listener,
        connections: Vec::new(),
        room: Vec::new(),
        pings: VecDeque::new(),
        scratch,
        output: Vec::new(),
    };
    let mut events = Vec::with_capacity(1024);
    loop {
        let wait = floor.pings.front().map(|(due, ..)| due.saturating_duration_since(Instant::now()));
        let wait = wait.map(|wait| Timespec::try_from(wait).expect("at most one ping interval"));
        events.clear();
        match epoll::wait(&floor.epoll, rustix::buffer::spare_capacity(&mut events), wait.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &events {
            let fd = event.data.u64() as usize;
            if fd == floor.listener.as_raw_fd() as usize { floor.accept() } else { floor.read(fd) }
        }
        floor.ping();
    }
}

impl Floor {
    fn accept(&mut self) {
        while let Ok(fd) = net::accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
            let index = fd.as_raw_fd() as usize;
            let added = sockopt::set_tcp_nodelay(&fd, true).and_then(|()| {
                epoll::add(&self.epoll, &fd, EventData::new_u64(index as u64), EventFlags::IN)
            });
            if added.is_err() {
                continue;
            }
            if self.connections.len() <= index {
                self.connections.resize_with(index + 1, || None);
            }
            let connection =
                Connection { fd, upgraded: false, seat: None, partial: Vec::new(), born: Instant::now() };
            self.connections[index] = Some(connection);
        }
    }

    fn read(&mut self, index: usize) {
        let Some(connection) = self.connections[index].as_mut() else { return };
        let kept = connection.partial.len();
        self.scratch[..kept].copy_from_slice(&connection.partial);
        connection.partial.clear();
        let filled = match net::recv(&connection.fd, &mut self.scratch[kept..], RecvFlags::empty()) {
            Ok((_, 0)) => return self.close(index),
            Ok((_, received)) => kept + received,
            Err(Errno::AGAIN | Errno::INTR) => kept,
            Err(_) => return self.close(index),
        };
        if !connection.upgraded {
            return self.upgrade(index, filled);
        }
        let mut used = 0;
        while let Some((answer, length)) = frames::answer(&mut self.scratch[used..filled], &mut self.output) {
            used += length;
            if !self.act(index, answer) {
                return self.close(index);
            }
        }
        self.keep(index, used, filled);
    }

    /// Keeps the unfinished end of what was read. A frame that fills the whole scratch buffer will never fit.
    fn keep(&mut self, index: usize, used: usize, filled: usize) {
        if filled == SCRATCH && used == 0 {
            return self.close(index);
        }
        let Some(connection) = self.connections[index].as_mut() else { return };
        connection.partial.extend_from_slice(&self.scratch[used..filled]);
        if connection.partial.is_empty() {
            connection.partial = Vec::new();
        }
    }

    /// Answers a whole request with the 101 and the Engine.IO open packet in one `send`.
    fn upgrade(&mut self, index: usize, filled: usize) {
        if !self.scratch[..filled].ends_with(b"\r\n\r\n") {
            return self.keep(index, 0, filled);
        }
        let Some(mut answer) = frames::upgrade(&self.scratch[..filled]) else { return self.close(index) };
        frames::write_frame(&mut self.output, &[frames::OPEN]);
        answer.extend_from_slice(&self.output);
        let Some(connection) = self.connections[index].as_mut() else { return };
        connection.upgraded = true;
        self.pings.push_back((Instant::now() + PING_INTERVAL, index, connection.born));
        if !self.send(index, &answer) {
            self.close(index);
        }
    }

    /// Does what a frame asks for; false when the connection is over.
    fn act(&mut self, index: usize, answer: Answer) -> bool {
        let output = std::mem::take(&mut self.output);
        let alive = match answer {
            Answer::Reply => self.send(index, &output),
            Answer::Everyone => {
                self.everyone(&output);
                true
            }
            Answer::Join => {
                self.join(index);
                let mut connect = Vec::new();
                frames::write_frame(&mut connect, &[frames::CONNECT]);
                self.send(index, &connect)
            }
            Answer::HangUp => {
                self.send(index, frames::CLOSE);
                false
            }
            Answer::Nothing => true,
        };
        self.output = output;
        alive
    }

    /// Sends to every member; whoever's socket buffer is full is thrown out, as nothing is queued here.
    fn everyone(&mut self, frame: &[u8]) {
        let mut seat = 0;
        while let Some(&member) = self.room.get(seat) {
            if self.send(member, frame) { seat += 1 } else { self.leave(member) }
        }
    }

    fn send(&self, index: usize, bytes: &[u8]) -> bool {
        let Some(connection) = &self.connections[index] else { return false };
        net::send(&connection.fd, bytes, SendFlags::NOSIGNAL) == Ok(bytes.len())
    }

    fn join(&mut self, index: usize) {
        let Some(connection) = self.connections[index].as_mut() else { return };
        if connection.seat.is_none() {
            connection.seat = Some(self.room.len());
            self.room.push(index);
        }
    }

    fn leave(&mut self, index: usize) {
        let Some(seat) = self.connections[index].as_mut().and_then(|connection| connection.seat.take())
        else {
            return;
        };
        self.room.swap_remove(seat);
        if let Some(&moved) = self.room.get(seat)
            && let Some(connection) = self.connections[moved].as_mut()
        {
            connection.seat = Some(seat);
        }
    }

    /// Dropping the descriptor closes it and takes it off the epoll.
    fn close(&mut self, index: usize) {
        self.leave(index);
        self.connections[index] = None;
    }

    fn ping(&mut self) {
        let now = Instant::now();
        while let Some(&(due, index, born)) = self.pings.front() {
            if due > now {
                break;
            }
            self.pings.pop_front();
            if self.connections[index].as_ref().is_none_or(|connection| connection.born != born) {
                continue;
            }
            self.pings.push_back((due + PING_INTERVAL, index, born));
            let mut ping = std::mem::take(&mut self.output);
            frames::write_frame(&mut ping, &[frames::PING]);
            if !self.send(index, &ping) {
                self.close(index);
            }
            self.output = ping;
        }
    }
}
