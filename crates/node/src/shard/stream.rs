//! The TCP connection of a session. The C library makes every read and write a point where a thread may be cancelled, which costs as
//! much as a tenth of what an echo costs outside of the kernel; these are the bare system calls.

use std::io::{self, Read, Write};
use std::net::Shutdown;

use mio::event::Source;
use mio::{Interest, Registry, Token};
use rustix::net::{RecvFlags, SendFlags, recv, send};

/// A connection that never blocks.
#[derive(Debug)]
pub(crate) struct Stream(mio::net::TcpStream);

impl Stream {
    /// The connection must not block already.
    pub(super) fn from_std(stream: std::net::TcpStream) -> Self {
        Self(mio::net::TcpStream::from_std(stream))
    }

    pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }
}

impl Read for Stream {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let (_, bytes) = recv(&self.0, into, RecvFlags::empty())?;
        Ok(bytes)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(send(&self.0, bytes, SendFlags::NOSIGNAL)?)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Source for Stream {
    fn register(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.register(registry, token, interests)
    }

    fn reregister(&mut self, registry: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.reregister(registry, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.0.deregister(registry)
    }
}
