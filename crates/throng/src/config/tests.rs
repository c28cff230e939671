//! All layers together.

mod dangers;
mod wrong_values;

use std::io::Write as _;
use std::sync::Arc;

use tempfile::NamedTempFile;

use throng_node::Tenancy;

use super::secret::Secret;
use super::*;
use crate::policy::Maker;
use crate::reload::Reloadable;

/// A file, an environment and flags.
fn read(file: &str, environment: &[(&str, &str)], flags: Vec<Said>) -> (Effective, NamedTempFile) {
    let mut on_disk = NamedTempFile::new().unwrap();
    on_disk.write_all(file.as_bytes()).unwrap();
    let environment =
        environment.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    (Sources { file: Some(on_disk.path().into()), environment, flags }.read(), on_disk)
}

/// The problems of a file, without the name of the file.
fn problems(file: &str) -> Vec<String> {
    let (effective, on_disk) = read(file, &[], Vec::new());
    let path = on_disk.path().display().to_string();
    effective.problems.iter().map(|problem| problem.to_string().replace(&path, "file")).collect()
}

/// What a node would be told, as if it had TLS off.
fn node(config: &Config) -> throng_node::Config {
    let snapshot = Reloadable::of(config, &Secret::from("a spare secret for want of another"));
    config.node(Maker::new(snapshot.auth.guest_lifetime).make(&snapshot).expect("a good policy"), None)
}

#[test]
fn the_default_file_fits_the_types_and_the_node() {
    let effective = Sources::default().read();
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    let (mut node, mut default) = (node(&effective.config), throng_node::Config::default());
    assert_eq!(effective.config.address(), ([127, 0, 0, 1], 3000).into());
    // The environment of the test decides these two.
    (node.connections_max, default.connections_max) = (0, 0);
    // A node that is served asks who comes, and knows which sub-domains are no tenants.
    let tenancy = Tenancy::clone(&node.tenancy);
    assert!(tenancy.identities.is_some() && !tenancy.reserved.is_empty());
    node.tenancy = Arc::new(Tenancy { identities: None, reserved: Vec::new(), ..tenancy });
    assert_eq!(format!("{node:?}"), format!("{default:?}"));
}

#[test]
fn what_a_file_says_reaches_the_node_and_the_app() {
    let text = "shards = 3\nconnections_max = 9\norigins = ['https://a.example']\n\
        [socket]\npath = '/io/'\nparser = 'msgpack'\nping_interval = '1s'\ncompression_bytes_min = 5\n\
        [http]\nheader_timeout = '2s'\n[cluster]\nregion = 'fra'\n[drain]\nspread = '3s'\n[debate]\nduration = '1h 1s'\n";
    let (effective, _file) = read(text, &[], Vec::new());
    let (config, _) = effective.accepted().unwrap_or_else(|problems| panic!("{problems}"));
    let node = node(&config);
    assert_eq!((node.shards.get(), node.connections_max, node.compression_bytes_min), (3, 9, Some(5)));
    assert_eq!((node.path.as_str(), node.parser), ("/io/", throng_node::Parser::MsgPack));
    assert_eq!(node.region, "fra");
    assert_eq!(node.origins, throng_node::Origins::Listed(vec!["https://a.example".into()]));
    let times = [node.ping_interval, node.header_timeout, node.drain.spread, config.debate.duration];
    assert_eq!(times.map(|time| time.as_secs()), [1, 2, 3, 3601]);
}

#[test]
fn settings_are_in_the_order_of_the_default_file_and_tenants_stay_together() {
    let text = "[tenants.list.b]\nsecret = 'x'\nstatus = 'active'\n[tenants.list.a]\nstatus = 'active'\n[features]\nx = true\n";
    let (effective, _file) = read(text, &[], Vec::new());
    let keys: Vec<String> = effective.values.in_order().iter().map(|(key, _)| key.to_string()).collect();
    assert_eq!(keys[..3], ["profile", "name", "host"]);
    assert_eq!(keys.last().unwrap(), "features.x.on");
    let tenants: Vec<_> = keys.iter().filter(|key| key.starts_with("tenants.list")).collect();
    assert_eq!(tenants, ["tenants.list.a.status", "tenants.list.b.status", "tenants.list.b.secret"]);
}

#[test]
fn the_commented_tables_of_the_default_file_fit_the_types() {
    let text = schema::with_free_tables(schema::DEFAULTS).replace(".NAME", ".acme");
    let (effective, _file) = read(&text, &[], Vec::new());
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    let mut tenant = effective.config.tenants.list["acme"].clone();
    tenant.limits = typed::TenantLimits::default();
    assert_eq!(tenant, typed::Tenant::default());
    assert_eq!(effective.config.features["acme"], typed::Feature::default());
}

#[test]
fn a_later_layer_wins_and_every_value_knows_its_origin() {
    let flags = vec![("port", "--port", Some("3".into())), ("host", "--host", None)];
    let (effective, file) =
        read("\nport = 1\nname = 'a'\nshards = 1\n", &[("PORT", "2"), ("HOSTNAME", "b")], flags);
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    let origin = |key| effective.values.origin(&Key::dotted(key)).to_string();
    assert_eq!((effective.config.port, origin("port")), (3, "flag --port".into()));
    assert_eq!((effective.config.node_name(), origin("name")), ("b".into(), "environment HOSTNAME".into()));
    assert_eq!((effective.config.shards, origin("shards")), (1, format!("{}:4", file.path().display())));
    assert_eq!(origin("host"), "default");
}

#[test]
fn every_problem_is_reported_at_once() {
    let flags = vec![("port", "--port", Some("x".into()))];
    let (effective, file) = read("prot = 1\n[socket]\npath = 3\n", &[("PORT", "lots")], flags);
    let path = file.path().display();
    let expect = format!(
        "throng: the configuration is wrong
  {path}:1: prot: unknown key; did you mean port?
  {path}:3: socket.path: expected a string, such as \"/socket.io/\", found a whole number
  environment PORT: port: \"lots\" is not a whole number
  flag --port: port: \"x\" is not a whole number"
    );
    assert_eq!(effective.accepted().err().unwrap().to_string(), expect);
}

#[test]
fn a_file_that_is_not_there_or_not_toml_is_named() {
    let sources = Sources { file: Some("/nonexistent/throng.toml".into()), ..Sources::default() };
    let text = sources.read().problems.to_string();
    assert!(text.contains("/nonexistent/throng.toml: No such file"), "{text}");
    let found = problems("a = \nport = 1\nb = \"hunter2\n");
    assert!(found[0].starts_with("file:1: ") && found[1].starts_with("file:3: "), "{found:?}");
}

#[test]
fn a_feature_is_a_switch_or_an_experiment_in_any_layer() {
    let text = "[pairing.policies.quick]\nrecent_after = '0s'\n[debate.queues.ranked]\n\
        [features]\nchat = true\n[features.quick]\npercent = 20\nqueue = 'debate.ranked'\npolicy = 'quick'\n";
    let environment = [("FEATURE_CHAT", "off"), ("FEATURE_QUICK", "true"), ("FEATURE_NEW_LOOK", "1")];
    let (effective, _file) = read(text, &environment, Vec::new());
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    let features = &effective.config.features;
    assert_eq!(["chat", "quick", "new_look"].map(|name| features[name].on), [false, true, true]);
    assert_eq!((features["quick"].percent, features["quick"].policy.as_str()), (20, "quick"));
    let origin = effective.values.origin(&Key::dotted("features.new_look.on"));
    assert_eq!(origin.to_string(), "environment FEATURE_NEW_LOOK");
}

#[test]
fn a_date_may_stand_without_quotes_and_a_tenant_without_settings() {
    let (effective, _file) =
        read("[tenants.list.acme]\nexpires = 2027-12-31\n[tenants.list.beta]\n", &[], Vec::new());
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    let list = &effective.config.tenants.list;
    let end = humantime::format_rfc3339_seconds(list["acme"].expires.unwrap()).to_string();
    assert_eq!((end.as_str(), &list["beta"]), ("2028-01-01T00:00:00Z", &typed::Tenant::default()));
}
