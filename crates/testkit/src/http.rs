//! HTTP/1.1 by hand: requests as bytes, one answer at a time.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::wait::WAIT;

/// Where a node listens, and the host that requests to it name. An address alone names the host `test`.
#[derive(Debug, Clone)]
pub struct Door {
    address: SocketAddr,
    host: String,
}

impl Door {
    /// A node, under a name that it is to be asked for by.
    pub fn named(address: SocketAddr, host: &str) -> Self {
        Self { address, host: host.to_owned() }
    }
}

impl From<SocketAddr> for Door {
    fn from(address: SocketAddr) -> Self {
        Self::named(address, "test")
    }
}

/// A connection that speaks HTTP, or less.
#[derive(Debug)]
pub struct Http {
    stream: TcpStream,
    pub(crate) host: String,
    read: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, as text.
    pub body: String,
}

impl Response {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl Http {
    /// Connects, and sends nothing yet.
    ///
    /// # Panics
    /// When nobody listens.
    pub fn connect(door: impl Into<Door>) -> Self {
        let Door { address, host } = door.into();
        let stream = TcpStream::connect(address).expect("the node accepts");
        stream.set_nodelay(true).expect("a connected stream");
        stream.set_read_timeout(Some(WAIT)).expect("a timeout above zero");
        stream.set_write_timeout(Some(WAIT)).expect("a timeout above zero");
        Self { stream, host, read: Vec::new() }
    }

    /// One request on a connection of its own.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn get(door: impl Into<Door>, path: &str) -> Response {
        let mut http = Self::connect(door);
        http.request("GET", path, "connection: close\r\n", b"");
        http.response()
    }

    /// Sends bytes as they are; whether the other side still takes them is not checked.
    pub fn send(&mut self, bytes: &[u8]) {
        // A node that has closed says so in what it answers; that is what tests look at.
        let _ = self.stream.write_all(bytes);
    }

    /// Sends a request; `headers` are whole lines.
    pub fn request(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) {
        let length =
            if method == "POST" { format!("content-length: {}\r\n", body.len()) } else { String::new() };
        let host = &self.host;
        self.send(format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n{headers}{length}\r\n").as_bytes());
        self.send(body);
    }

    /// Waits for an answer.
    ///
    /// # Panics
    /// When none comes, or half of one.
    pub fn response(&mut self) -> Response {
        self.try_response().expect("an answer before the end of the connection")
    }

    /// Waits for an answer, or for the end of the connection.
    ///
    /// # Panics
    /// When neither comes in time.
    pub fn try_response(&mut self) -> Option<Response> {
        let head_end = loop {
            if let Some(at) = find(&self.read, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill()?;
        };
        let head = String::from_utf8(self.read.drain(..head_end).collect()).expect("a head is text");
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok());
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let mut response = Response { status: status.expect("a status line"), headers, body: String::new() };
        let body = match response.header("content-length").map(str::parse) {
            _ if response.status == 101 => Vec::new(),
            Some(length) => self.take(length.expect("a length is a number"))?,
            None if response.header("transfer-encoding") == Some("chunked") => self.chunks()?,
            None => Vec::new(),
        };
        response.body = String::from_utf8_lossy(&body).into_owned();
        Some(response)
    }

    /// Waits until the node closes the connection; gives what it said before.
    ///
    /// # Panics
    /// When it does not within [`WAIT`].
    pub fn closed(mut self) -> String {
        let deadline = Instant::now() + WAIT;
        while self.fill().is_some() {
            assert!(Instant::now() < deadline, "the node keeps the connection open");
        }
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Whether the node has neither said anything nor closed within a time.
    pub fn is_silent_for(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a timeout above zero");
        let read = self.stream.peek(&mut [0]);
        self.stream.set_read_timeout(Some(WAIT)).expect("a timeout above zero");
        read.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    }

    /// Whether something that was not read yet has come by now.
    pub fn has_answer(&mut self) -> bool {
        self.stream.set_nonblocking(true).expect("a connected stream");
        let read = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).expect("a connected stream");
        read.is_ok_and(|count| count > 0)
    }

    /// The connection, and what was read of it behind the last answer.
    pub(crate) fn into_parts(self) -> (TcpStream, Vec<u8>) {
        (self.stream, self.read)
    }

    fn chunks(&mut self) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(at) = find(&self.read, b"\r\n") {
                    break at;
                }
                self.fill()?;
            };
            let line = self.take(line_end + 2)?;
            let text = String::from_utf8_lossy(&line[..line_end]).into_owned();
            let length = usize::from_str_radix(&text, 16).expect("a chunk begins with its length");
            body.extend(self.take(length)?);
            self.take(2)?;
            if length == 0 {
                return Some(body);
            }
        }
    }

    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        while self.read.len() < count {
            self.fill()?;
        }
        Some(self.read.drain(..count).collect())
    }

    /// Reads once more; `None` at the end.
    fn fill(&mut self) -> Option<()> {
        let mut buffer = [0; 16 << 10];
        match self.stream.read(&mut buffer) {
            Ok(0) => None,
            Ok(count) => {
                self.read.extend_from_slice(&buffer[..count]);
                Some(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the node says nothing within {WAIT:?}")
            }
            Err(_) => None,
        }
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}
