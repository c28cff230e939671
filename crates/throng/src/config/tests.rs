//! All layers together.

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

fn check_refused(file: &str, expect: &[&str]) {
    assert_eq!(problems(file), expect, "{file}");
}

fn dangers(file: &str) -> Vec<String> {
    let (effective, _) = read(file, &[], Vec::new());
    assert!(effective.problems.is_empty(), "{}", effective.problems);
    effective.dangers.iter().map(|danger| danger.key.to_string()).collect()
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
fn wrong_values_are_named_with_what_was_expected() {
    for (file, expect) in [
        ("port = 70000", "file:1: port: 70000 is not a whole number from 0 to 65535"),
        ("shards = -1", "file:1: shards: -1 is not a whole number from 0"),
        ("shards = 257", "file:1: shards: more than 256"),
        ("host = 'x'", "file:1: host: \"x\" is not an IP address"),
        ("host.a = 1", "file:1: host: expected a string, such as \"127.0.0.1\", found a table"),
        ("socket = 1", "file:1: socket: expected a table, found a whole number"),
        ("profile = 'prod'", "file:1: profile: \"prod\" is not \"development\" or \"production\""),
        (
            "origins = 'https://a.example'",
            "file:1: origins: expected a list, such as [\"*\"], found a string",
        ),
        ("origins = []", "file:1: origins: no web page could connect; list its origin, or \"*\" for any"),
        (
            "origins = ['a.example']",
            "file:1: origins: \"a.example\" is no origin such as \"https://app.example\"",
        ),
        (
            "origins = ['https://*.example']",
            "file:1: origins: \"https://*.example\" is no origin such as \"https://app.example\"",
        ),
        ("http.keep_alive = '0s'", "file:1: http.keep_alive: no time at all"),
        ("drain.deadline = '101y'", "file:1: drain.deadline: \"101y\" is more than a hundred years"),
        (
            "origins = ['https://a.example/x']",
            "file:1: origins: \"https://a.example/x\" never matches; browsers send \"https://a.example\"",
        ),
        (
            "[socket]\nping_interval_ms = 1",
            "file:2: socket.ping_interval_ms: is called socket.ping_interval now, and has a unit: such as \"25s\"",
        ),
        (
            "[socket]\nping_interval = '25'",
            "file:2: socket.ping_interval: \"25\" is not a time such as \"25s\", \"1h 30m\" or \"500ms\"",
        ),
        (
            "socket.ping_timeout = '1ms'",
            "file:1: socket.ping_timeout: less than 10 ms leaves no time for anything else",
        ),
        ("socket.path = 'x'", "file:1: socket.path: \"x\" is no path such as \"/socket.io/\""),
        ("socket.path = '/'", "file:1: socket.path: \"/\" is no path such as \"/socket.io/\""),
        ("socket.path = '/a//b'", "file:1: socket.path: \"/a//b\" is no path such as \"/socket.io/\""),
        ("socket.path = '/io/:x'", "file:1: socket.path: \"/io/:x\" is no path such as \"/socket.io/\""),
        ("socket.path = '/{*x}'", "file:1: socket.path: \"/{*x}\" is no path such as \"/socket.io/\""),
        ("socket.queue_bytes_max = 0", "file:1: socket.queue_bytes_max: 0 is not a whole number from 1"),
        (
            "drain.deadline = '1s'",
            "file:1: drain.deadline: drain.deadline below drain.spread would cut off sessions on schedule",
        ),
        ("http.head_bytes_max = 1", "file:1: http.head_bytes_max: less than 8192"),
        (
            "http.trusted_proxies = ['10.0.0.0/8', 'lan']",
            "file:1: http.trusted_proxies: \"lan\" is neither an IP address nor a CIDR such as \"10.0.0.0/8\"",
        ),
        ("tls.key = 'k'", "file:1: tls.key: set without tls.certificate"),
        ("auth.cookie = 'a b'", "file:1: auth.cookie: \"a b\" cannot be the name of a cookie"),
        (
            "auth.jwks_url = 'ftp://x'",
            "file:1: auth.jwks_url: not a URL such as \"https://id.example/jwks.json\"",
        ),
        ("limits.api_burst = 0", "file:1: limits.api_burst: 0 at once lets nothing through; at least 1"),
        (
            "limits.events.'room:message'.burst = 0",
            "file:1: limits.events.\"room:message\".burst: 0 at once lets nothing through; at least 1",
        ),
        (
            "tenants.domain = 'Example'",
            "file:1: tenants.domain: \"Example\" is no domain such as \"example.com\"",
        ),
        ("[tenants.list.www]", "file:1: tenants.list.www: reserved by tenants.reserved"),
        (
            "[tenants.list.A_B]",
            "file:1: tenants.list.A_B: a tenant's name is a DNS label: a to z, 0 to 9 and inner hyphens, at most 63",
        ),
        (
            "tenants.list.acme.expires = '2027-02-30'",
            "file:1: tenants.list.acme.expires: \"2027-02-30\" is not a day such as \"2027-12-31\"",
        ),
        (
            "tenants.list.acme.orign = []",
            "file:1: tenants.list.acme.orign: unknown key; did you mean tenants.list.acme.origins?",
        ),
        (
            "log.level = 'inof'",
            "file:1: log.level: \"inof\" is no level (error, warn, info, debug, trace, off), alone or of a module (throng_node=debug)",
        ),
        (
            "cluster.failure_timeout = '5s'",
            "file:1: cluster.failure_timeout: cluster.failure_timeout must be at least twice cluster.heartbeat_interval",
        ),
        (
            "cluster.heartbeat_interval = '0s'",
            "file:1: cluster.heartbeat_interval: less than 100 ms keeps Redis busy with nothing else",
        ),
        ("cluster.enabled = true", "file:1: cluster.enabled: there is no Redis to meet at: set redis.url"),
        (
            "cluster.address = 'http://a'",
            "file:1: cluster.address: \"http://a\" is neither \"host\" nor \"host:port\"",
        ),
        ("cluster.host = 'a'", "file:1: cluster.host: \"a\" is not an IP address"),
        (
            "redis.cluster = true",
            "file:1: redis.cluster: no node to begin with: set redis.nodes, redis.url or redis.host",
        ),
        ("publish.keys = ['']", "file:1: publish.keys: an empty key is none"),
        ("redis.nodes = ['a:1']", "file:1: redis.nodes: are those of a cluster: set redis.cluster"),
        (
            "redis = { sentinels = ['a:1'], host = 'b' }",
            "file:1: redis.host: redis.sentinels know where Redis is; one of the two has to go",
        ),
        (
            "redis = { sentinels = ['a:1'], sentinel_service = '' }",
            "file:1: redis.sentinel_service: sentinels are asked for a primary by its name",
        ),
        (
            "fleet.instances_min = 11",
            "file:1: fleet.instances_min: fleet.instances_min exceeds fleet.instances_max",
        ),
        ("fleet.instances_max = 0", "file:1: fleet.instances_max: 0 is not a whole number from 1"),
        (
            "drain.spread = '1m'",
            "file:1: drain.spread: drain.deadline below drain.spread would cut off sessions on schedule",
        ),
        ("redis.host = 'a b'", "file:1: redis.host: \"a b\" is no host"),
        ("redis = { cluster = true, nodes = ['a'] }", "file:1: redis.nodes: \"a\" is not \"host:port\""),
        (
            "redis.url = 'http://u:hunter2@x'",
            "file:1: redis.url: not a URL such as \"redis://user:password@host:6379/0\"",
        ),
        (
            "[features]\n\"Live Chat\" = true",
            "file:2: features.\"Live Chat\": a name is lower-case letters, digits and underscores",
        ),
    ] {
        check_refused(file, &[expect]);
    }
}

#[test]
fn wrong_values_of_the_apps_are_named_too() {
    for (file, expect) in [
        ("debate.duration = '0s'", "file:1: debate.duration: no time at all"),
        ("roulette.confirm_timeout = '0s'", "file:1: roulette.confirm_timeout: no time at all"),
        ("debate.waiting_max = 0", "file:1: debate.waiting_max: 0 is not a whole number from 1"),
        ("debate.topics = ['Tea', ' ']", "file:1: debate.topics: \" \" has not 1 to 120 characters"),
        (
            "[debate]\ntopics = []\nown_topics = false",
            "file:3: debate.own_topics: there is nothing to debate; list debate.topics, or allow own ones",
        ),
        (
            "debate.policy = 'quick'",
            "file:1: debate.policy: there is no policy \"quick\"; [pairing.policies.quick] would be one",
        ),
        (
            "debate.queues.ranked.policy = 'quick'",
            "file:1: debate.queues.ranked.policy: there is no policy \"quick\"; [pairing.policies.quick] would be one",
        ),
        ("roulette.queues.late.duration = '0s'", "file:1: roulette.queues.late.duration: no time at all"),
        (
            "debate.topics = ['Tea', 'Art', ' tea']",
            "file:1: debate.topics: \" tea\" is there twice, in whatever case",
        ),
        (
            "[debate]\nconfirm_timeout = '20s'\nqueues.fast.duration = '20s'",
            "file:2: debate.confirm_timeout: a room would end before it counts as begun; it is less than every duration",
        ),
        (
            "[roulette]\nturn = ['turn:a']\nturn_secret = 'x'\nturn_lifetime = '20m'\nqueues.late.duration = '30m'",
            "file:4: roulette.turn_lifetime: less than the longest call, whose relay would end before it",
        ),
        (
            "[debate.queues.\"Late Night\"]",
            "file:1: debate.queues.\"Late Night\": a name is 1 to 40 lower-case letters, digits, underscores and hyphens",
        ),
        (
            "[debate.queues.default]",
            "file:1: debate.queues.default: the queue \"default\" is what [debate] itself says",
        ),
        (
            "[pairing.policies.default]",
            "file:1: pairing.policies.default: the policy \"default\" is what [pairing] itself says",
        ),
        ("pairing.steps = []", "file:1: pairing.steps: a policy has at least one step"),
        (
            "pairing.steps = [{ after = '1s', topics = 'same' }]",
            "file:1: pairing.steps: the first step begins after 0 s",
        ),
        (
            "pairing.steps = [{ after = 'soon', topics = 'same' }]",
            "file:1: pairing.steps: \"soon\" is not a time such as \"25s\", \"1h 30m\" or \"500ms\"",
        ),
        (
            "pairing.steps = [{ after = '0s', topics = 'any' }]",
            "file:1: pairing.steps: \"any\" is not \"same\" or \"allowed\"",
        ),
        (
            "pairing.policies.quick.steps = []",
            "file:1: pairing.policies.quick.steps: a policy has at least one step",
        ),
        (
            "roulette.stun = ['stun.example']",
            "file:1: roulette.stun: \"stun.example\" is not an address such as \"stun:example.org:3478\"",
        ),
        (
            "roulette.turn = ['turn:t.example']",
            "file:1: roulette.turn: browsers use no relay without credentials; set roulette.turn_secret",
        ),
        ("features.x.percent = 101", "file:1: features.x.percent: 101 is more than 100"),
        ("features.x.percent = 256", "file:1: features.x.percent: 256 is not a whole number from 0 to 255"),
        ("features.x.tenants = ['A']", "file:1: features.x.tenants: \"A\" is no name of a tenant"),
        (
            "features.x.policy = 'quick'",
            "file:1: features.x.policy: there is no policy \"quick\"; [pairing.policies.quick] would be one",
        ),
        (
            "features.x.queue = 'debate.ranked'",
            "file:1: features.x.queue: there is no queue \"debate.ranked\"; it is \"\", an app such as \"debate\", or \"debate.default\"",
        ),
        (
            "analytics.batch_max = 10001",
            "file:1: analytics.batch_max: analytics.batch_max exceeds analytics.queue_max",
        ),
        (
            "analytics.sink = 'mail'",
            "file:1: analytics.sink: \"mail\" is not one of \"none\", \"log\", \"webhook\"",
        ),
        (
            "analytics.url = 'ftp://x'",
            "file:1: analytics.url: not a URL such as \"https://id.example/jwks.json\"",
        ),
    ] {
        check_refused(file, &[expect]);
    }
    check_refused(
        "[analytics]\nsink = 'webhook'\n",
        &[
            "file:2: analytics.sink: a webhook needs analytics.url",
            "file:2: analytics.sink: a webhook needs analytics.secret, with which its owner checks who calls",
        ],
    );
    check_refused(
        "[analytics]\nsink = 'webhook'\nurl = 'http://u:p@c.example'\nsecret = 's'",
        &["file:3: analytics.url: a user in it would not be sent; the signature says who calls"],
    );
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
fn no_value_of_any_key_is_too_strange() {
    let text = schema::with_free_tables(schema::DEFAULTS).replace("NAME", "x").replace("EVENT", "y");
    let known = file::read(&text).unwrap();
    let strange = [
        "1",
        "-1",
        "70000",
        "9223372036854775807",
        "1.5",
        "nan",
        "true",
        "''",
        "'x'",
        "'*'",
        "'9999999999y'",
        "\"\\u0000\"",
        "[]",
        "[1]",
        "['']",
        "[{ a = 1 }]",
        "[[]]",
        "{}",
        "{ a = 1 }",
        "2027-12-31",
        "07:32:00",
    ];
    for text in strange {
        let value = toml::from_str::<toml::Table>(&format!("x = {text}")).unwrap()["x"].clone();
        // What has not even the type is refused before anything looks at it: for that all at once is enough.
        let alone = known
            .iter()
            .filter(|known| known.value.same_type(&value))
            .map(|known| format!("{} = {text}\n", known.key));
        let together: String = known.iter().map(|known| format!("{} = {text}\n", known.key)).collect();
        for file in alone.chain([together]) {
            let (effective, _file) = read(&file, &[], Vec::new());
            let _ = effective.refusals().to_string();
        }
    }
}

#[test]
fn parts_of_redis_must_not_disagree_with_its_url() {
    let (agree, disagree) = ("redis://u:p%40ss@db.example:6380/2", "redis://w:hunter2@other.example");
    let parts = "redis.host = 'db.example'\nredis.port = 6380\nredis.db = 2\nredis.password = 'p@ss'\n\
        redis.username = 'u'\n";
    check_refused(&format!("redis.url = '{agree}'\n{parts}"), &[]);
    let keys: Vec<_> = problems(&format!("redis.url = '{disagree}'\n{parts}"));
    let expect = [
        "file:2: redis.host",
        "file:3: redis.port",
        "file:4: redis.db",
        "file:6: redis.username",
        "file:5: redis.password",
    ];
    assert_eq!(keys, expect.map(|key| format!("{key}: disagrees with redis.url")));
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

#[test]
fn what_is_unsafe_is_told() {
    const SECRET: &str = "0123456789abcdef0123456789abcdef";
    let safe = format!("origins = ['https://a.example']\nauth.secret = '{SECRET}'\n");
    for (file, expect) in [
        (String::new(), vec!["auth.secret", "origins"]),
        (safe.clone(), vec![]),
        (format!("{safe}auth.guests = 'everywhere'\n"), vec!["auth.guests"]),
        (safe.replace(SECRET, &SECRET[1..]), vec!["auth.secret"]),
        (safe.replace("https://a.example", "*"), vec!["origins"]),
        ("origins = ['https://a.example']\nauth.jwks_url = 'https://id.example/'\n".into(), vec![]),
        (
            format!("{safe}roulette.turn_secret = 'x'\nanalytics.secret = 'y'\npublish.keys = ['z']\n"),
            vec!["roulette.turn_secret", "analytics.secret", "publish.keys"],
        ),
        (format!("{safe}metrics.token = 'a'\n"), vec!["metrics.token"]),
        (format!("{safe}metrics.token = '{SECRET}'\n"), vec![]),
        (format!("{safe}http.trusted_proxies = ['10.0.0.0/8', '0.0.0.0/0']\n"), vec!["http.trusted_proxies"]),
        (format!("{safe}http.trusted_proxies = ['::/0']\n"), vec!["http.trusted_proxies"]),
        (
            format!("{safe}http.trusted_proxies = ['0.0.0.0/1', '128.0.0.0/1']\n"),
            vec!["http.trusted_proxies"],
        ),
        (format!("{safe}http.trusted_proxies = ['fc00::/7']\n"), vec![]),
        (format!("{safe}http.trusted_proxies = ['10.0.0.0/8', '127.0.0.1']\n"), vec![]),
        (
            format!(
                "{safe}[limits]\napi_per_second = 0\nauth_per_minute = 0\nhandshakes_per_second = 0\n\
                 events_per_second = 0\n"
            ),
            vec![
                "limits.api_per_second",
                "limits.auth_per_minute",
                "limits.handshakes_per_second",
                "limits.events_per_second",
            ],
        ),
        (
            format!("{safe}[tenants.list.acme]\nsecret = 'x'\norigins = ['*']\n"),
            vec!["tenants.list.acme.secret", "tenants.list.acme.origins"],
        ),
    ] {
        assert_eq!(dangers(&file), expect, "{file}");
    }
}

#[test]
fn production_refuses_what_development_warns_of() {
    assert!(read("", &[], Vec::new()).0.accepted().is_ok());
    for environment in [&[("NODE_ENV", "production")], &[("THRONG_PROFILE", "production")]] {
        let refusals = read("", environment, Vec::new()).0.accepted().err().unwrap().to_string();
        for part in ["default: auth.secret: production refuses it", "default: origins: production refuses it"]
        {
            assert!(refusals.contains(part), "{refusals}");
        }
    }
    let both = [("NODE_ENV", "production"), ("THRONG_PROFILE", "development")];
    assert!(read("", &both, Vec::new()).0.accepted().is_ok());
}
