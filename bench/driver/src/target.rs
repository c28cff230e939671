//! Where the server is: a URL's host, port and the path and namespace beside it. Resolves the name; connects nothing.

use crate::failure::Failure;
use std::net::{SocketAddr, ToSocketAddrs};

/// A Socket.IO endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address that connections go to.
    pub address: SocketAddr,
    /// Where its other nodes are, if the service has several: connections go to all of them in turn.
    pub others: Vec<SocketAddr>,
    /// `host:port` as the `Host` header has it.
    pub host: String,
    /// The path of the Socket.IO endpoint, with both slashes: `/socket.io/`.
    pub path: String,
    /// The namespace to join, with its slash: `/` or `/chat`.
    pub namespace: String,
}

impl Target {
    /// Reads `ws://host:port` or `http://host:port` and resolves the host.
    ///
    /// # Errors
    /// [`Failure::Url`] when it is no such URL, asks for TLS, or its host has no address.
    pub fn resolve(url: &str, path: &str, namespace: &str) -> Result<Self, Failure> {
        let wrong = |reason: &str| Failure::Url { url: url.to_owned(), reason: reason.to_owned() };
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| wrong("it does not begin with ws:// or http://"))?;
        match scheme {
            "ws" | "http" => {}
            "wss" | "https" => return Err(wrong("TLS is not spoken here: measure behind the TLS end")),
            _ => return Err(wrong("it does not begin with ws:// or http://")),
        }
        let (host, trailing) = rest.split_once('/').unwrap_or((rest, ""));
        if !trailing.is_empty() {
            return Err(wrong(
                "it has a path: name the endpoint with --path, the namespace with --namespace",
            ));
        }
        let bracketed = host.starts_with('[');
        let has_port = if bracketed { host.contains("]:") } else { host.contains(':') };
        let host = if has_port { host.to_owned() } else { format!("{host}:80") };
        let address = host
            .to_socket_addrs()
            .map_err(|error| wrong(&error.to_string()))?
            .next()
            .ok_or_else(|| wrong("its host has no address"))?;
        let path = format!("/{}/", path.trim_matches('/')).replace("//", "/");
        let namespace = format!("/{}", namespace.trim_start_matches('/'));
        Ok(Self { address, others: Vec::new(), host, path, namespace })
    }

    /// What stands before the data of a packet of this namespace: nothing for `/`, `/chat,` for `/chat`.
    #[must_use]
    pub fn prefix(&self) -> String {
        if self.namespace == "/" { String::new() } else { format!("{},", self.namespace) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, expected: Result<(&str, &str), &str>) {
        match (Target::resolve(url, "socket.io", "chat"), expected) {
            (Ok(target), Ok((address, host))) => {
                assert_eq!((target.address.to_string().as_str(), target.host.as_str()), (address, host));
                assert_eq!((target.path.as_str(), target.prefix().as_str()), ("/socket.io/", "/chat,"));
            }
            (Err(failure), Err(part)) => assert!(failure.to_string().contains(part), "{failure}"),
            (result, _) => panic!("{result:?}"),
        }
    }

    #[test]
    fn plain_urls_are_resolved() {
        check("http://127.0.0.1:3000", Ok(("127.0.0.1:3000", "127.0.0.1:3000")));
        check("ws://127.0.0.1/", Ok(("127.0.0.1:80", "127.0.0.1:80")));
        check("ws://[::1]:81", Ok(("[::1]:81", "[::1]:81")));
    }

    #[test]
    fn other_urls_are_refused_with_the_reason() {
        check("127.0.0.1:3000", Err("does not begin with"));
        check("https://127.0.0.1", Err("TLS"));
        check("http://127.0.0.1:3000/chat", Err("--namespace"));
        check("http://127.0.0.1:port", Err("http://127.0.0.1:port"));
    }

    #[test]
    fn the_root_namespace_has_no_prefix() {
        assert_eq!(Target::resolve("ws://127.0.0.1:1", "/", "/").unwrap().prefix(), "");
    }
}
