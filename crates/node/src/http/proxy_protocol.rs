//! The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt): where a connection that a balancer passes on
//! came from. It only takes the header off the connection; the deadline is the caller's.

use std::net::SocketAddr;

use ppp::{v1, v2};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

/// The longest line of version 1, its end included.
const LINE_BYTES_MAX: usize = 107;

/// What follows the fixed part of version 2: addresses take up to 216 bytes, the rest is for extensions.
const BODY_BYTES_MAX: usize = 2048;

/// The part of a version 2 header that says how long the rest is.
const FIXED_BYTES: usize = 16;

/// Why a connection's header was not understood.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HeaderError {
    #[error("the connection ended within the header")]
    Ended(#[from] std::io::Error),
    #[error("there is no PROXY header")]
    Missing,
    #[error("the PROXY header is malformed or too long")]
    Malformed,
}

/// Reads the header of a connection, and not a byte more. `None` when the balancer speaks for itself, as it does to
/// check whether we live.
pub(crate) async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, HeaderError> {
    let mut start = [0; v2::PROTOCOL_PREFIX.len()];
    stream.read_exact(&mut start).await?;
    if start == v2::PROTOCOL_PREFIX {
        let mut header = start.to_vec();
        header.resize(FIXED_BYTES, 0);
        stream.read_exact(&mut header[start.len()..]).await?;
        let body = usize::from(u16::from_be_bytes([header[14], header[15]]));
        if body > BODY_BYTES_MAX {
            return Err(HeaderError::Malformed);
        }
        header.resize(FIXED_BYTES + body, 0);
        stream.read_exact(&mut header[FIXED_BYTES..]).await?;
        binary(&header)
    } else if start.starts_with(b"PROXY ") {
        let mut line = start.to_vec();
        while !line.ends_with(b"\n") {
            let mut ahead = [0; LINE_BYTES_MAX];
            let ahead = &mut ahead[..LINE_BYTES_MAX - line.len()];
            let seen = stream.peek(ahead).await?;
            if seen == 0 {
                return Err(HeaderError::Malformed);
            }
            let taken = ahead[..seen].iter().position(|byte| *byte == b'\n').map_or(seen, |at| at + 1);
            stream.read_exact(&mut ahead[..taken]).await?;
            line.extend_from_slice(&ahead[..taken]);
        }
        text(&line)
    } else {
        Err(HeaderError::Missing)
    }
}

fn text(line: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    let header = v1::Header::try_from(line).map_err(|_| HeaderError::Malformed)?;
    Ok(match header.addresses {
        v1::Addresses::Tcp4(way) => Some((way.source_address, way.source_port).into()),
        v1::Addresses::Tcp6(way) => Some((way.source_address, way.source_port).into()),
        v1::Addresses::Unknown => None,
    })
}

fn binary(header: &[u8]) -> Result<Option<SocketAddr>, HeaderError> {
    let header = v2::Header::try_from(header).map_err(|_| HeaderError::Malformed)?;
    if header.command == v2::Command::Local {
        return Ok(None);
    }
    match header.addresses {
        v2::Addresses::IPv4(way) => Ok(Some((way.source_address, way.source_port).into())),
        v2::Addresses::IPv6(way) => Ok(Some((way.source_address, way.source_port).into())),
        v2::Addresses::Unspecified => Ok(None),
        // A client on a UNIX socket has no address that a limit could go by.
        v2::Addresses::Unix(_) => Err(HeaderError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::*;

    #[test]
    fn both_versions_name_the_source() {
        let line = b"PROXY TCP4 198.51.100.22 203.0.113.7 35646 80\r\n";
        assert_eq!(text(line).unwrap(), Some("198.51.100.22:35646".parse().unwrap()));
        let line = b"PROXY TCP6 2001:db8::1 2001:db8::2 35646 80\r\n";
        assert_eq!(text(line).unwrap(), Some("[2001:db8::1]:35646".parse().unwrap()));
        let mut header = v2::PROTOCOL_PREFIX.to_vec();
        header.extend([0x21, 0x11, 0, 12, 198, 51, 100, 22, 203, 0, 113, 7, 0x8b, 0x3e, 0, 80]);
        assert_eq!(binary(&header).unwrap(), Some("198.51.100.22:35646".parse().unwrap()));
    }

    #[test]
    fn a_balancer_that_speaks_for_itself_names_none() {
        assert_eq!(text(b"PROXY UNKNOWN\r\n").unwrap(), None);
        let mut header = v2::PROTOCOL_PREFIX.to_vec();
        header.extend([0x20, 0x00, 0, 0]);
        assert_eq!(binary(&header).unwrap(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in any::<[u8; 4]>()) {
            let _ = text(&bytes);
            let _ = text(&[b"PROXY ", bytes.as_slice(), b"\r\n"].concat());
            let _ = binary(&bytes);
            let _ = binary(&[v2::PROTOCOL_PREFIX, &kind, bytes.as_slice()].concat());
            let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
            let _ = binary(&[v2::PROTOCOL_PREFIX, &kind[..2], &length, bytes.as_slice()].concat());
        }
    }
}
