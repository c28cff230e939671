//! A connection of our own to a Redis server: RESP3, logged in. For the subscriber and for asking who serves what; all
//! other commands go through the client library.

use std::io;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use secrecy::ExposeSecret;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::access::{Access, Stream};
use super::config::{Address, Credentials};
use super::resp::{self, Frame, Malformed};

/// Room for what arrives at once.
const READ_BYTES: usize = 64 * 1024;
/// A buffer that grew beyond this is let go when it is empty.
const LARGE_BYTES: usize = 1024 * 1024;

/// What happened to a connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WireError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error("no answer within {0:?}")]
    Late(Duration),
    /// An error in place of the answer.
    #[error("{0}")]
    Refused(String),
    #[error("an answer of another shape: {0}")]
    Shape(&'static str),
}

/// The receiving half.
pub(crate) struct Reader {
    stream: ReadHalf<Box<dyn Stream>>,
    /// What was read and not yet taken off.
    pub(crate) buffer: BytesMut,
}

/// Both halves.
pub(crate) struct Wire {
    pub(crate) reader: Reader,
    pub(crate) writer: WriteHalf<Box<dyn Stream>>,
    patience: Duration,
}

/// How a connection is opened.
#[derive(Debug, Clone)]
pub(crate) struct Dial {
    pub(crate) access: Access,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) patience: Duration,
}

impl Dial {
    /// Connects and logs in.
    pub(crate) async fn dial(&self, address: &Address) -> Result<Wire, WireError> {
        let opening = async {
            let stream = self.access.connect(address).await?;
            let (read, write) = tokio::io::split(stream);
            let reader = Reader { stream: read, buffer: BytesMut::new() };
            let mut wire = Wire { reader, writer: write, patience: self.patience };
            let mut hello = vec!["HELLO", "3"];
            if let Some(Credentials { user, password }) = &self.credentials {
                hello.extend(["AUTH", user.as_deref().unwrap_or("default"), password.expose_secret()]);
            }
            wire.call(&hello).await?;
            Ok(wire)
        };
        timeout(self.patience, opening).await.unwrap_or(Err(WireError::Late(self.patience)))
    }
}

impl Wire {
    /// Sends a command and waits for its answer. Not for commands that subscribe.
    pub(crate) async fn call(&mut self, command: &[&str]) -> Result<Frame, WireError> {
        let mut bytes = Vec::new();
        resp::command(command, &mut bytes);
        self.answer_to(&bytes).await
    }

    /// Subscribes to a channel. The answer to a subscription is a push, so that of a ping says that there was no error.
    pub(crate) async fn subscribe(&mut self, channel: &str) -> Result<(), WireError> {
        let mut bytes = Vec::new();
        resp::command(&["SSUBSCRIBE", channel], &mut bytes);
        resp::command(&["PING"], &mut bytes);
        self.answer_to(&bytes).await.map(drop)
    }

    /// The first answer to what is sent.
    async fn answer_to(&mut self, bytes: &[u8]) -> Result<Frame, WireError> {
        let calling = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await?;
            loop {
                match self.reader.next().await? {
                    Frame::Push(_) => {}
                    Frame::Error(error) => {
                        return Err(WireError::Refused(String::from_utf8_lossy(&error).into_owned()));
                    }
                    answer => return Ok(answer),
                }
            }
        };
        timeout(self.patience, calling).await.unwrap_or(Err(WireError::Late(self.patience)))
    }
}

impl Reader {
    /// The next value. May be dropped and called again without losing any.
    async fn next(&mut self) -> Result<Frame, WireError> {
        loop {
            if let Some((frame, length)) = resp::first(&self.buffer)? {
                self.buffer.advance(length);
                return Ok(frame);
            }
            self.fill().await?;
        }
    }

    /// Reads what has arrived into the buffer. May be dropped and called again without losing any.
    pub(crate) async fn fill(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() && self.buffer.capacity() > LARGE_BYTES {
            self.buffer = BytesMut::new();
        }
        self.buffer.reserve(READ_BYTES);
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
