//! Whom a client is taken for.

use throng_node::Config;

use crate::{address_of_socket, get_with, net, node};

fn trusting(config: &mut Config) {
    config.edge.trusted_proxies = vec![net("127.0.0.0/8"), net("10.0.0.0/8")];
}

#[test]
fn a_forged_header_of_an_untrusted_peer_says_nothing() {
    let node = node(|_| {});
    for header in ["x-forwarded-for: 203.0.113.66\r\n", "forwarded: for=203.0.113.66\r\n"] {
        assert_eq!(get_with(node.address(), "/api/address", header).body, "127.0.0.1");
        assert_eq!(address_of_socket(node.address(), header), "127.0.0.1");
    }
}

#[test]
fn routes_and_sockets_learn_the_right_most_untrusted_hop() {
    let node = node(trusting);
    let header = "x-forwarded-for: 203.0.113.66, 198.51.100.1, 10.0.0.7\r\n";
    assert_eq!(get_with(node.address(), "/api/address", header).body, "198.51.100.1");
    assert_eq!(address_of_socket(node.address(), header), "198.51.100.1");
    let header = "forwarded: for=203.0.113.66, for=\"[2001:db8::1]:4711\";proto=https\r\n";
    assert_eq!(get_with(node.address(), "/api/address", header).body, "2001:db8::1");
}

#[test]
fn a_client_cannot_pass_for_the_proxy() {
    let node = node(trusting);
    for forged in ["for=203.0.113.66", "for=127.0.0.1", "for=unknown"] {
        let headers = format!("x-forwarded-for: 198.51.100.1\r\nforwarded: {forged}\r\n");
        assert_eq!(get_with(node.address(), "/api/address", &headers).body, "198.51.100.1", "{forged}");
    }
}
