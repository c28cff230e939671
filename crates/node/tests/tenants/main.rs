//! Tenants on one node: nothing of one is within the reach of another, and one at its limits is no burden to another.

mod isolation;
mod quotas;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use throng_node::{
    Ack, App, Args, Config, EventLimits, Namespace, Socket, Tenancy, TenantName, TenantSettings,
};
use throng_testkit::{Door, Node};

/// The settings of a tenant that nothing bounds.
fn unbounded() -> TenantSettings {
    TenantSettings { events: EventLimits::off(), ..TenantSettings::default() }
}

/// A node for the tenants `acme` and `globex` under `example.test`, with so many shards.
fn node(shards: usize, acme: TenantSettings, define: impl FnOnce(&mut Namespace)) -> Node {
    Node::start(config(shards, acme), app(define))
}

fn config(shards: usize, acme: TenantSettings) -> Config {
    let name = |name| TenantName::parse(name).expect("a good name");
    let tenants = BTreeMap::from([(name("acme"), Arc::new(acme)), (name("globex"), Arc::new(unbounded()))]);
    let tenancy = Tenancy { domain: Some("example.test".into()), tenants, ..Tenancy::default() };
    let shards = NonZeroUsize::new(shards).expect("a node has shards");
    Config { shards, tenancy: Arc::new(tenancy), ..throng_testkit::config() }
}

fn app(define: impl FnOnce(&mut Namespace)) -> App {
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("echo", |_: Socket, args: Args, ack: Ack| async move { ack.send(args) });
        nsp.on("join", |socket: Socket, room: String, ack: Ack| async move {
            socket.join(room);
            ack.send(());
        });
        define(nsp);
    });
    app
}

/// The node as a tenant's clients reach it.
fn door(node: &Node, tenant: &str) -> Door {
    Door::named(node.address(), &format!("{tenant}.example.test"))
}
