//! Who the client is, by address: the peer of the connection, or whoever trusted proxies say that they speak for.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, HeaderName, header};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address that limits, logs and handshakes go by; every request inside the router carries it as an extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// Finds the client behind `peer`. Proxies append to `Forwarded` (RFC 7239) or `X-Forwarded-For`, so the walk begins at
/// the right end and goes on only past addresses that are trusted; what is malformed or hidden ends it, and the last
/// good address counts. Where there is an `X-Forwarded-For`, `Forwarded` says nothing: proxies set the former unless told
/// otherwise, and let the latter pass as the client wrote it. To take the peer for a contradiction would let clients hide
/// behind their proxy.
pub(crate) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = peer.to_canonical();
    let trusts = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    if !trusts(&peer) {
        return peer;
    }
    if headers.contains_key(X_FORWARDED_FOR) {
        let hops = lines(headers, X_FORWARDED_FOR).flat_map(|line| line.rsplit(','));
        return walk(peer, hops.map(of_node), trusts);
    }
    let hops = lines(headers, header::FORWARDED).flat_map(|line| elements(line).into_iter().rev());
    walk(peer, hops.map(|element| element.and_then(of_element)), trusts)
}

/// Whether a request says that it came through a proxy, trusted or not.
pub(crate) fn is_forwarded(headers: &HeaderMap) -> bool {
    [header::FORWARDED, X_FORWARDED_FOR].iter().any(|name| headers.contains_key(name))
}

/// The values of a header, the last line first. One that is not text reads as nothing, which is malformed.
fn lines(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    headers.get_all(name).into_iter().rev().map(|value| value.to_str().unwrap_or_default())
}

/// Goes from hop to hop, from the nearest on, while they are trusted.
fn walk(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    trusts: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let mut client = peer;
    for hop in hops {
        let Some(hop) = hop else { break };
        client = hop;
        if !trusts(&client) {
            break;
        }
    }
    client
}

/// The elements of a line of `Forwarded`, split at commas outside of quotes. A quote that never ends makes one element
/// that is none.
fn elements(line: &str) -> Vec<Option<&str>> {
    let mut found = Vec::new();
    let (mut from, mut quoted, mut escaped) = (0, false, false);
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                found.push(Some(&line[from..at]));
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push((!quoted).then(|| &line[from..]));
    found
}

/// The one `for` of an element. An address needs no escapes, so quotes within are not looked for.
fn of_element(element: &str) -> Option<IpAddr> {
    let mut nodes = element.split(';').filter_map(|pair| {
        let (name, node) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(node)
    });
    let node = nodes.next()?;
    if nodes.next().is_some() { None } else { of_node(node) }
}

/// An address as proxies write it: with a port or without, in quotes or brackets or neither. `unknown` and `_hidden`
/// are none.
fn of_node(node: &str) -> Option<IpAddr> {
    let node = node.trim();
    let node = node.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(node);
    let bare = node.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(node);
    let address = bare.parse::<IpAddr>().ok().or_else(|| Some(node.parse::<SocketAddr>().ok()?.ip()))?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;

    /// Trusted: 10.0.0.0/8 and fd00::/8. `headers` are lines of `name: value`.
    fn check(peer: &str, headers: &[&str], expect: &str) {
        let trusted = ["10.0.0.0/8", "fd00::/8"].map(|net| net.parse().unwrap());
        let mut map = HeaderMap::new();
        for line in headers {
            let (name, value) = line.split_once(": ").unwrap();
            map.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let found = client_address(peer.parse().unwrap(), &map, &trusted);
        assert_eq!(found, expect.parse::<IpAddr>().unwrap(), "{headers:?}");
    }

    #[test]
    fn headers_of_an_untrusted_peer_say_nothing() {
        check("192.0.2.9", &["x-forwarded-for: 198.51.100.1"], "192.0.2.9");
        check("192.0.2.9", &["forwarded: for=198.51.100.1"], "192.0.2.9");
    }

    #[test]
    fn the_right_most_untrusted_hop_wins() {
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &["x-forwarded-for: 198.51.100.1"], "198.51.100.1");
        check("10.0.0.1", &["x-forwarded-for: 203.0.113.66, 198.51.100.1, 10.2.2.2"], "198.51.100.1");
        check("10.0.0.1", &["forwarded: for=203.0.113.66, for=198.51.100.1;proto=https"], "198.51.100.1");
        check("10.0.0.1", &["x-forwarded-for: 10.3.3.3, 10.2.2.2"], "10.3.3.3");
        check("::ffff:10.0.0.1", &["x-forwarded-for: 198.51.100.1"], "198.51.100.1");
    }

    #[test]
    fn several_lines_are_one_list() {
        let lines = ["x-forwarded-for: 203.0.113.66", "x-forwarded-for: 198.51.100.1, 10.2.2.2"];
        check("10.0.0.1", &lines, "198.51.100.1");
        check("10.0.0.1", &["x-forwarded-for: 198.51.100.1", "x-forwarded-for: 10.2.2.2"], "198.51.100.1");
    }

    #[test]
    fn ports_brackets_and_quotes_are_no_part_of_an_address() {
        for node in ["198.51.100.1:4711", "\"198.51.100.1\"", "\"198.51.100.1:4711\"", "::ffff:198.51.100.1"]
        {
            check("10.0.0.1", &[&format!("x-forwarded-for: {node}")], "198.51.100.1");
        }
        for node in ["2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:4711"] {
            check("fd00::1", &[&format!("x-forwarded-for: {node}")], "2001:db8::1");
            check("fd00::1", &[&format!("forwarded: proto=https;FOR=\"{node}\";by=10.0.0.1")], "2001:db8::1");
        }
    }

    #[test]
    fn what_is_malformed_or_hidden_ends_the_walk() {
        for bad in ["unknown", "_hidden", "", "198.51.100.1.5", "[198.51.100.1", "198.51.100.1:99999", "a b"]
        {
            check("10.0.0.1", &[&format!("x-forwarded-for: 203.0.113.66, {bad}, 10.2.2.2")], "10.2.2.2");
        }
        for bad in ["for=_hidden", "for=unknown", "by=198.51.100.1", "for=1.1.1.1;for=2.2.2.2", "for"] {
            check("10.0.0.1", &[&format!("forwarded: for=203.0.113.66, {bad}, for=10.2.2.2")], "10.2.2.2");
        }
        check(
            "10.0.0.1",
            &["forwarded: for=203.0.113.66", "forwarded: for=\"198.51.100.1, for=10.2.2.2"],
            "10.0.0.1",
        );
    }

    #[test]
    fn a_comma_within_quotes_separates_nothing() {
        check(
            "10.0.0.1",
            &["forwarded: for=203.0.113.66, by=\"a,b\\\",c\";for=198.51.100.1"],
            "198.51.100.1",
        );
    }

    #[test]
    fn forwarded_says_nothing_beside_x_forwarded_for() {
        for forged in ["for=203.0.113.66", "for=10.0.0.1", "for=_hidden", "for=198.51.100.1", ""] {
            let both = [&format!("forwarded: {forged}"), "x-forwarded-for: 203.0.113.66, 198.51.100.1"];
            check("10.0.0.1", &both, "198.51.100.1");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_walk(text in "[ -~]{0,60}", more in r#"(for=|"|,|;|\\|\[|\]|1\.1\.1\.1|::|:){0,20}"#) {
            let trusted = ["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
            for name in [header::FORWARDED, X_FORWARDED_FOR] {
                for value in [&text, &more] {
                    let mut headers = HeaderMap::new();
                    headers.append(name.clone(), value.parse().unwrap());
                    client_address([10, 0, 0, 1].into(), &headers, &trusted);
                }
            }
        }

        #[test]
        fn nothing_that_a_client_writes_gets_past_the_address_that_a_proxy_saw(text in "[ -~]{0,60}") {
            let trusted = ["10.0.0.0/8".parse().unwrap()];
            let mut headers = HeaderMap::new();
            headers.append(header::FORWARDED, text.parse().unwrap());
            headers.append(X_FORWARDED_FOR, text.parse().unwrap());
            headers.append(X_FORWARDED_FOR, "198.51.100.1".parse().unwrap());
            let found = client_address([10, 0, 0, 1].into(), &headers, &trusted);
            prop_assert_eq!(found, IpAddr::from([198, 51, 100, 1]));
        }
    }
}
