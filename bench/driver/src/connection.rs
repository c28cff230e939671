//! One connection: its socket, how far it has got, and the ends of frames that are still to come or to go.

use rustix::{
    io::Errno,
    net::{self, AddressFamily, SocketType, sockopt},
};
use std::{
    io::{self, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// Local ports of one address pair that are used before the next source address: Linux gives out 28,232 by default.
const PORTS_PER_SOURCE: usize = 20_000;

/// How far a connection has got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Waiting for TCP.
    Connecting,
    /// The upgrade is asked for.
    Upgrading,
    /// Waiting for Engine.IO's open packet.
    Opening,
    /// The namespace is asked for.
    Joining,
    /// In the namespace.
    Ready,
    /// The farewell is sent; the server is to hang up.
    Leaving,
}

/// A connection of the pool.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) stream: mio::net::TcpStream,
    pub(crate) stage: Stage,
    /// When it was opened, or asked to leave; in nanoseconds of the pool's clock.
    pub(crate) since: u64,
    /// The beginning of a frame whose end has not come yet.
    pub(crate) partial: Vec<u8>,
    /// What the socket did not take yet.
    unsent: Vec<u8>,
    /// A fragmented message is coming in.
    pub(crate) fragmented: bool,
}

impl Connection {
    /// Begins to connect. `ordinal` counts the connections that are open, to spread them over source addresses.
    pub(crate) fn open(target: SocketAddr, ordinal: usize, since: u64) -> io::Result<Self> {
        let family = if target.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = net::socket(family, SocketType::STREAM, None)?;
        rustix::io::ioctl_fionbio(&socket, true)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        // Closing resets: a run leaves no port in TIME_WAIT behind, so that connecting in a loop never runs out.
        sockopt::set_socket_linger(&socket, Some(Duration::ZERO))?;
        if let Some(source) = source(target, ordinal) {
            net::bind(&socket, &SocketAddr::new(source, 0))?;
        }
        match net::connect(&socket, &target) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(Self {
            stream: mio::net::TcpStream::from_std(TcpStream::from(socket)),
            stage: Stage::Connecting,
            since,
            partial: Vec::new(),
            unsent: Vec::new(),
            fragmented: false,
        })
    }

    /// Sends now what the socket takes, and keeps the rest. What is kept is bounded by the loads, none of which sends
    /// more than its window without an answer.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        if !self.unsent.is_empty() {
            self.unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let sent = match self.stream.write(bytes) {
            Ok(sent) => sent,
            Err(error) if is_later(&error) => 0,
            Err(error) => return Err(error),
        };
        if sent < bytes.len() {
            self.unsent.extend_from_slice(&bytes[sent..]);
        }
        Ok(())
    }

    /// Sends what was kept, now that the socket takes more.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(error) if is_later(&error) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether the socket would have to wait.
pub(crate) fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// The source address for the so-manyth connection; only the loopback network has more than one to choose from.
fn source(target: SocketAddr, ordinal: usize) -> Option<IpAddr> {
    let IpAddr::V4(address) = target.ip() else { return None };
    let block = u32::try_from(ordinal / PORTS_PER_SOURCE).ok().filter(|&block| block > 0)?;
    address.is_loopback().then(|| IpAddr::V4(Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + block)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(target: &str, ordinal: usize, expected: Option<&str>) {
        let expected = expected.map(|address| address.parse().unwrap());
        assert_eq!(source(target.parse().unwrap(), ordinal), expected);
    }

    #[test]
    fn connections_beyond_one_address_pairs_ports_come_from_other_loopback_addresses() {
        check("127.0.0.1:80", 19_999, None);
        check("127.0.0.1:80", 20_000, Some("127.0.0.2"));
        check("127.0.0.1:80", 100_000, Some("127.0.0.6"));
        check("192.0.2.1:80", 100_000, None);
        check("[::1]:80", 100_000, None);
    }
}
