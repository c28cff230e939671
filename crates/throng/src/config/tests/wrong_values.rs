//! What no configuration may say, and in which words it is told.

use super::super::{file, schema};
use super::{problems, read};

fn check_refused(file: &str, expect: &[&str]) {
    assert_eq!(problems(file), expect, "{file}");
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
