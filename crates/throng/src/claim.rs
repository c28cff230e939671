//! An address that is taken before anybody may connect to it: a node that waits for its fleet refuses connections, so that a
//! balancer goes elsewhere, and yet learns at once that its port is in use.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, listen, socket_with, sockopt};

/// Connections that may wait to be accepted; the system bounds it further.
const BACKLOG: i32 = i32::MAX;

/// An address that is ours, and refuses connections.
#[derive(Debug)]
pub(crate) struct Claim(OwnedFd);

impl Claim {
    /// Takes an address, as [`TcpListener::bind`] does.
    pub(crate) fn of(address: SocketAddr) -> io::Result<Self> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let socket = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        sockopt::set_socket_reuseaddr(&socket, true)?;
        bind(&socket, &address)?;
        Ok(Self(socket))
    }

    /// Takes connections from now on.
    pub(crate) fn listen(self) -> io::Result<TcpListener> {
        listen(&self.0, BACKLOG)?;
        Ok(self.0.into())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn connections_are_refused_until_it_listens() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let claim = Claim::of(any.parse().unwrap()).unwrap();
            let address = rustix::net::getsockname(&claim.0).unwrap();
            let address = SocketAddr::try_from(address).unwrap();
            let refused = TcpStream::connect(address).unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            let listener = claim.listen().unwrap();
            TcpStream::connect(address).unwrap();
            assert_eq!(Claim::of(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
            drop(listener);
        }
    }
}
