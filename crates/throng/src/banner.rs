//! What a start says: a few lines for a person, one log line for everyone else.

use std::io::{IsTerminal as _, Write as _};
use std::net::{IpAddr, SocketAddr};

use crate::fleet::Joined;

/// Says that the node listens.
pub(crate) fn show(address: SocketAddr, name: &str, (node, joined): (&throng_node::Config, Option<&Joined>)) {
    let (shards, connections_max) = (node.shards.get(), node.connections_max);
    let backbone = joined.map_or("memory", |joined| &joined.place);
    let members = joined.map_or(1, |joined| joined.fleet.member_count());
    let tag = joined.map(|joined| joined.fleet.node().to_string());
    tracing::info!(%address, name, shards, backbone, members, node = tag, connections_max, "listening");
    let mut out = std::io::stdout();
    if out.is_terminal() {
        let url = url(address);
        let pages = if crate::pages::are_built() {
            "open it twice and debate yourself"
        } else {
            "pages not built yet"
        };
        let fleet = match (joined, members) {
            (None, _) => String::new(),
            (Some(_), 1) => " (1 member)".to_owned(),
            (Some(_), members) => format!(" ({members} members)"),
        };
        // Nobody is left to read it when this fails.
        let _ = writeln!(
            out,
            "\n  Throng {version}\n\n  {url}   {pages}\n\n  address   {address}\n  socket    {path}\n  \
             shards    {shards}\n  backbone  {backbone}{fleet}\n  metrics   {url}/metrics\n\n  Ctrl-C drains and stops.\n",
            version = env!("CARGO_PKG_VERSION"),
            path = node.path,
        );
    }
}

/// The address as a person would open it.
fn url(address: SocketAddr) -> String {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_loopback() || ip.is_unspecified() => {
            format!("http://localhost:{}", address.port())
        }
        _ => format!("http://{address}"),
    }
}
