//! Tokens and tenants: a token is good at one tenant, and a tenant's own keys at no other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use throng_node::identity::mint::NewToken;
use throng_node::{Origins, Role, Status, Tenancy, TenantName, TenantSettings};
use throng_testkit::tokens::{SECRET, identities, new_token, signed};
use throng_testkit::{Client, Door, Node, Received};

use crate::{node, refused, refused_on, tenancy, whoami};

const ACME_SECRET: &str = "a secret that acme chose by itself";

/// Tenants `acme`, with keys of its own, and `globex`; named by tokens, or by hosts under a domain.
fn listed(domain: Option<&str>, acme: TenantSettings) -> Tenancy {
    let name = |name| TenantName::parse(name).expect("a good name");
    let acme = TenantSettings { identities: Some(identities(ACME_SECRET)), ..acme };
    let globex = TenantSettings::default();
    let tenants = BTreeMap::from([(name("acme"), Arc::new(acme)), (name("globex"), Arc::new(globex))]);
    Tenancy { domain: domain.map(Into::into), tenants, ..tenancy() }
}

fn for_tenant(secret: &str, tenant: &str) -> Option<Value> {
    Some(signed(secret, NewToken { tenant: Some(tenant.into()), ..new_token("ada", Role::Admin) }))
}

fn at(node: &Node, tenant: &str, auth: Option<Value>) -> Value {
    let mut client = Client::websocket(Door::named(node.address(), &format!("{tenant}.example.test")));
    refused_on(&mut client, "/", auth)
}

#[test]
fn without_a_domain_the_token_names_the_tenant() {
    let node = node(listed(None, TenantSettings::default()));
    let mut acme = Client::websocket(node.address());
    acme.join("/", for_tenant(ACME_SECRET, "acme"));
    let mut globex = Client::websocket(node.address());
    globex.join("/", for_tenant(SECRET, "globex"));
    assert_eq!(refused(&node, "/", None), "tenant_unknown");
    assert_eq!(refused(&node, "/lobby", None), "tenant_unknown");
    assert_eq!(refused(&node, "/", Some(signed(SECRET, new_token("ada", Role::Admin)))), "tenant_unknown");
    assert_eq!(refused(&node, "/", for_tenant(SECRET, "initech")), "tenant_unknown");
    // One session is of one tenant.
    assert_eq!(refused_on(&mut acme, "/lobby", for_tenant(SECRET, "globex")), "token_signature");
    assert_eq!(refused_on(&mut globex, "/lobby", for_tenant(ACME_SECRET, "acme")), "token_signature");
}

#[test]
fn the_keys_of_a_tenant_open_no_other() {
    for domain in [None, Some("example.test")] {
        let node = node(listed(domain, TenantSettings::default()));
        let forged = for_tenant(ACME_SECRET, "globex");
        let common = for_tenant(SECRET, "acme");
        match domain {
            None => {
                assert_eq!(refused(&node, "/", forged), "token_signature");
                assert_eq!(refused(&node, "/", common), "token_signature");
            }
            Some(_) => {
                assert_eq!(at(&node, "globex", forged), "token_signature");
                assert_eq!(at(&node, "acme", common), "token_signature");
            }
        }
    }
}

#[test]
fn host_and_token_must_agree() {
    let node = node(listed(Some("example.test"), TenantSettings::default()));
    assert_eq!(at(&node, "acme", for_tenant(ACME_SECRET, "globex")), "tenant_mismatch");
    let mut right = Client::websocket(Door::named(node.address(), "acme.example.test"));
    right.join("/", for_tenant(ACME_SECRET, "acme"));
}

#[test]
fn a_guest_of_one_tenant_is_none_of_another() {
    let node = node(listed(Some("example.test"), TenantSettings::default()));
    let mut guest =
        Client::websocket(Door::named(node.address(), "globex.example.test")).at_home_in("/lobby");
    guest.join("/lobby", None);
    let given: Value = guest.call("token:guest", ()).decode().unwrap();
    let auth = Some(json!({"token": given["token"]}));
    let mut elsewhere = Client::websocket(Door::named(node.address(), "acme.example.test"));
    assert_eq!(refused_on(&mut elsewhere, "/lobby", auth), "token_guest_unknown");
}

#[test]
fn namespaces_and_origins_of_a_tenant_are_its_own() {
    let settings = TenantSettings {
        namespaces: Some(vec!["/lobby".into()]),
        origins: Some(Arc::new(Origins::Listed(vec!["https://acme.example".into()]))),
        ..TenantSettings::default()
    };
    let node = node(listed(None, settings));
    assert_eq!(refused(&node, "/", for_tenant(ACME_SECRET, "acme")), "tenant_not_included");
    for (origin, code) in [("https://acme.example", None), ("https://evil.example", Some("origin"))] {
        let headers = format!("origin: {origin}\r\n");
        let mut client = Client::websocket_as(node.address(), &headers);
        client.ask_to_join("/lobby", for_tenant(ACME_SECRET, "acme"));
        match (client.wait_in("/lobby", "an answer", |_| true), code) {
            (Received::Connected(_), None) => {}
            (Received::Refused(error), Some(code)) => assert_eq!(error["data"]["code"], code),
            (other, _) => panic!("{origin}: {other:?}"),
        }
    }
}

#[test]
fn a_tenant_that_closes_takes_its_sockets_along() {
    let node = node(listed(None, TenantSettings::default()));
    let mut acme = Client::websocket(node.address());
    acme.join("/", for_tenant(ACME_SECRET, "acme"));
    let mut globex = Client::websocket(node.address());
    globex.join("/", for_tenant(SECRET, "globex"));
    let suspended = TenantSettings { status: Status::Suspended, ..TenantSettings::default() };
    node.io().set_tenancy(Arc::new(listed(None, suspended)));
    let told: Value = acme.event("socket:ended").decode().unwrap();
    assert_eq!((&told["code"], &told["retry"]), (&json!("tenant_closed"), &json!(false)));
    assert_eq!(refused(&node, "/", for_tenant(ACME_SECRET, "acme")), "tenant_suspended");
    assert_eq!(whoami(&mut globex)["user"], "ada");
}
