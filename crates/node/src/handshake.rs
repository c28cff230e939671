//! What a client said when its session began, kept in the fewest bytes: most sessions never ask for it again.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use throng_protocol::engine::handshake::Transport;

/// The request that opened a session.
#[derive(Debug)]
pub struct Handshake {
    /// The address of the client: the peer of its connection, or whoever trusted proxies say that they speak for.
    pub address: IpAddr,
    /// When the session was opened.
    pub opened: SystemTime,
    query: Box<str>,
    /// `name\0value\n` for each header; each byte of a value is a character, as Node reads them.
    headers: Box<str>,
    websocket: AtomicBool,
}

impl Handshake {
    pub(crate) fn new(address: IpAddr, query: &str, headers: &http::HeaderMap) -> Self {
        let mut block = String::new();
        for (name, value) in headers {
            block.extend([name.as_str(), "\0"]);
            block.extend(value.as_bytes().iter().map(|byte| char::from(*byte)));
            block.push('\n');
        }
        let websocket = AtomicBool::new(false);
        Self { address, opened: SystemTime::now(), query: query.into(), headers: block.into(), websocket }
    }

    /// The transport that the session uses now.
    pub fn transport(&self) -> Transport {
        if self.websocket.load(Ordering::Relaxed) { Transport::WebSocket } else { Transport::Polling }
    }

    pub(crate) fn moved_to_websocket(&self) {
        self.websocket.store(true, Ordering::Relaxed);
    }

    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All headers, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.split_terminator('\n').filter_map(|line| line.split_once('\0'))
    }

    /// The query parameters, decoded; of a repeated one the last.
    pub fn query(&self) -> BTreeMap<String, String> {
        form_urlencoded::parse(self.query.as_bytes()).into_owned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_query_come_back_as_sent() {
        let mut headers = http::HeaderMap::new();
        headers.insert("X-One", "a: b".parse().unwrap());
        headers.append("cookie", "k=v".parse().unwrap());
        headers.append("latin", http::HeaderValue::from_bytes(b"\xe9").unwrap());
        let handshake = Handshake::new([127, 0, 0, 1].into(), "EIO=4&name=J%C3%BCrg+K&x=1&x=2", &headers);
        assert_eq!(handshake.header("x-one"), Some("a: b"));
        assert_eq!(handshake.header("cookie"), Some("k=v"));
        assert_eq!(handshake.header("latin"), Some("é"));
        assert_eq!(handshake.header("absent"), None);
        let query = handshake.query();
        assert_eq!((query["name"].as_str(), query["x"].as_str()), ("Jürg K", "2"));
    }
}
