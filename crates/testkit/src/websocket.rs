//! A WebSocket with its frames laid open: any bytes can be sent, every frame that comes back is shown.
//!
//! Frames are read by a few lines of their own, not by the codec that the node uses: two wrongs would agree.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use throng_protocol::websocket::frame::{HEADER_BYTES_MAX, Header, apply_mask};

pub use throng_protocol::websocket::frame::Opcode;

use crate::http::{Door, Http, Response};
use crate::wait::WAIT;

/// An open WebSocket.
#[derive(Debug)]
pub struct WebSocket {
    stream: TcpStream,
    read: Vec<u8>,
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The four bits: 1 text, 2 binary, 8 close, 9 ping, 10 pong.
    pub opcode: u8,
    /// RSV1 is set.
    pub compressed: bool,
    /// The payload as it travelled.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The payload of a text frame.
    ///
    /// # Panics
    /// When it is none.
    pub fn text(self) -> String {
        assert_eq!(self.opcode, 1, "a text frame: {self:?}");
        String::from_utf8(self.payload).expect("text is UTF-8")
    }
}

/// What a wait for a frame brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A frame.
    Frame(Frame),
    /// The node has closed the connection.
    Closed,
}

/// A request to become a WebSocket, for the host `test`; `headers` are whole lines.
pub fn upgrade_request(path: &str, headers: &str) -> String {
    upgrade_request_to("test", path, headers)
}

fn upgrade_request_to(host: &str, path: &str, headers: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    )
}

impl WebSocket {
    /// Connects and waits for the 101.
    ///
    /// # Panics
    /// When the node answers anything else.
    pub fn connect(door: impl Into<Door>, path: &str) -> Self {
        Self::connect_with(door, path, "").0
    }

    /// The same with more headers, and with the answer.
    ///
    /// # Panics
    /// When the node answers anything but 101.
    pub fn connect_with(door: impl Into<Door>, path: &str, headers: &str) -> (Self, Response) {
        let mut http = Http::connect(door);
        http.send(upgrade_request_to(&http.host.clone(), path, headers).as_bytes());
        let response = http.response();
        assert_eq!(response.status, 101, "{response:?}");
        (Self::from_http(http), response)
    }

    /// Takes over a connection that was answered with 101.
    pub fn from_http(http: Http) -> Self {
        let (stream, read) = http.into_parts();
        Self { stream, read }
    }

    /// A masked frame.
    pub fn frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let mut head = [0; HEADER_BYTES_MAX];
        let header = Header { mask: Some(mask), ..Header::server(opcode, payload.len()) };
        let head_bytes = header.write(&mut head);
        let mut frame = [&head[..head_bytes], payload].concat();
        apply_mask(&mut frame[head_bytes..], mask, 0);
        frame
    }

    /// Sends bytes as they are; `false` when the node does not take them any more.
    pub fn send_raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).is_ok()
    }

    /// Sends a text message.
    pub fn send_text(&mut self, text: &str) -> bool {
        self.send_raw(&Self::frame(Opcode::Text, text.as_bytes()))
    }

    /// Sends a binary message.
    pub fn send_binary(&mut self, bytes: &[u8]) -> bool {
        self.send_raw(&Self::frame(Opcode::Binary, bytes))
    }

    /// Waits for a frame or the end.
    ///
    /// # Panics
    /// When neither comes within [`WAIT`].
    pub fn outcome(&mut self) -> Outcome {
        self.next_within(WAIT).unwrap_or_else(|| panic!("no frame within {WAIT:?}"))
    }

    /// Waits for a frame.
    ///
    /// # Panics
    /// When the connection ends, or nothing comes.
    pub fn next_frame(&mut self) -> Frame {
        match self.outcome() {
            Outcome::Frame(frame) => frame,
            Outcome::Closed => panic!("the node closed the connection"),
        }
    }

    /// Waits for a frame or the end; `None` when the time passes.
    pub fn next_within(&mut self, time: Duration) -> Option<Outcome> {
        let deadline = Instant::now() + time;
        loop {
            if let Some((frame, bytes)) = parse(&self.read) {
                self.read.drain(..bytes);
                return Some(Outcome::Frame(frame));
            }
            let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
            self.stream.set_read_timeout(Some(left)).expect("a timeout above zero");
            let mut buffer = [0; 64 << 10];
            match self.stream.read(&mut buffer) {
                Ok(0) => return Some(Outcome::Closed),
                Ok(count) => self.read.extend_from_slice(&buffer[..count]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(_) => return Some(Outcome::Closed),
            }
        }
    }

    /// Waits for the close frame, whatever comes before it; `None` when the connection ends without one.
    ///
    /// # Panics
    /// When neither comes in time.
    pub fn close_code(&mut self) -> Option<u16> {
        loop {
            match self.outcome() {
                Outcome::Closed => return None,
                Outcome::Frame(Frame { opcode: 8, payload, .. }) => {
                    return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                }
                Outcome::Frame(_) => {}
            }
        }
    }

    /// Ends the sending half, as a client does that has gone.
    pub fn hang_up(&self) {
        // A connection that is down already is what the caller wants.
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }

    /// The connection itself.
    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }
}

fn parse(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert_eq!(second & 0x80, 0, "a server does not mask");
    assert_ne!(first & 0x80, 0, "the node does not fragment");
    let (length, head) = match second {
        126 => (usize::from(u16::from_be_bytes(*bytes[2..].first_chunk()?)), 4),
        127 => (u64::from_be_bytes(*bytes[2..].first_chunk()?) as usize, 10),
        short => (usize::from(short), 2),
    };
    let payload = bytes.get(head..head + length)?.to_vec();
    Some((Frame { opcode: first & 0x0f, compressed: first & 0x40 != 0, payload }, head + length))
}
