//! What each variable makes of its text.

use super::*;

fn read_all(pairs: &[(&str, &str)]) -> (Values, Vec<String>) {
    let environment = pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    let (mut values, mut problems) = (Values::defaults(), Problems::default());
    add(&mut values, &environment, &mut problems);
    (values, problems.iter().map(ToString::to_string).collect())
}

fn check(pairs: &[(&str, &str)], key: &str, expect: &str) {
    let (values, problems) = read_all(pairs);
    assert_eq!(problems, Vec::<String>::new(), "{pairs:?}");
    assert_eq!(values.get(&Key::dotted(key)).unwrap().value.to_string(), expect, "{pairs:?}");
}

fn check_refused(pairs: &[(&str, &str)], expect: &str) {
    assert_eq!(read_all(pairs).1, [expect], "{pairs:?}");
}

#[test]
fn every_variable_leads_to_a_setting() {
    for variable in &VARIABLES {
        let meaning = schema().meaning(&Key::dotted(variable.key));
        assert!(matches!(meaning, Meaning::Setting(..)), "{}", variable.name);
    }
}

#[test]
fn texts_are_read_as_node_deployments_write_them() {
    for (name, text, key, expect) in [
        ("PORT", "8080", "port", "8080"),
        ("PORT", "", "port", "3000"),
        ("HOST", " 0.0.0.0 ", "host", "\"0.0.0.0\""),
        ("HOSTNAME", "web-1", "name", "\"web-1\""),
        ("NODE_ENV", "production", "profile", "\"production\""),
        ("NODE_ENV", "staging", "profile", "\"production\""),
        ("NODE_ENV", "test", "profile", "\"development\""),
        ("THRONG_PROFILE", "production", "profile", "\"production\""),
        ("THRONG_LOG", "warn,throng=trace", "log.level", "\"warn,throng=trace\""),
        ("LOG_LEVEL", "verbose", "log.level", "\"debug\""),
        ("LOG_LEVEL", "WARN", "log.level", "\"warn\""),
        ("CLUSTER_WORKERS", "auto", "shards", "0"),
        ("CLUSTER_WORKERS", "4", "shards", "4"),
        ("MAX_CONNECTIONS_PER_SERVER", "5000", "connections_max", "5000"),
        ("CORS_ORIGIN", "*", "origins", "[\"*\"]"),
        (
            "CORS_ORIGIN",
            "https://a.example/, http://b.example:80",
            "origins",
            "[\"https://a.example\", \"http://b.example\"]",
        ),
        ("FRONTEND_URL", "https://app.example/start", "origins", "[\"https://app.example\"]"),
        ("DOMAIN_URL", "https://example.com:8443/x", "tenants.domain", "\"example.com\""),
        ("DOMAIN_URL", "example.com", "tenants.domain", "\"example.com\""),
        ("JWT_SECRET", "12345", "auth.secret", "\"12345\""),
        ("REDIS_PORT", "6380", "redis.port", "6380"),
        ("REDIS_CLUSTER_NODES", "a:1, b:2,", "redis.nodes", "[\"a:1\", \"b:2\"]"),
        ("REDIS_CLUSTER_ENABLED", "1", "redis.cluster", "true"),
        ("ENABLE_CLUSTERING", "TRUE", "cluster.enabled", "true"),
        ("HEARTBEAT_INTERVAL", "5000", "cluster.heartbeat_interval", "\"5000ms\""),
        ("FAILURE_DETECTION_TIMEOUT", "20s", "cluster.failure_timeout", "\"20s\""),
        ("METRICS_RETENTION_HOURS", "48", "monitor.retention", "\"48h\""),
        ("LB_ALGORITHM", "ROUND_ROBIN", "balancer.algorithm", "\"round-robin\""),
        ("AUTO_SCALING_ENABLED", "off", "fleet.autoscale", "false"),
        ("FEATURE_LIVE_CHAT", "yes", "features.live_chat.on", "true"),
    ] {
        check(&[(name, text)], key, expect);
    }
}

#[test]
fn throngs_own_names_win_silently() {
    check(&[("NODE_ENV", "production"), ("THRONG_PROFILE", "development")], "profile", "\"development\"");
    check(&[("LOG_LEVEL", "error"), ("THRONG_LOG", "debug")], "log.level", "\"debug\"");
}

#[test]
fn two_names_for_one_setting_may_agree_and_must_not_disagree() {
    check(&[("CLUSTER_ENABLED", "1"), ("ENABLE_CLUSTERING", "true")], "cluster.enabled", "true");
    check_refused(
        &[("MAX_CONNECTIONS", "5"), ("MAX_CONNECTIONS_PER_SERVER", "6")],
        "environment MAX_CONNECTIONS_PER_SERVER: connections_max: 6 disagrees with 5 of MAX_CONNECTIONS",
    );
}

#[test]
fn the_frontend_joins_the_listed_origins() {
    let both = [("CORS_ORIGIN", "https://a.example"), ("FRONTEND_URL", "https://b.example")];
    check(&both, "origins", "[\"https://a.example\", \"https://b.example\"]");
    check(&[("CORS_ORIGIN", "*"), ("FRONTEND_URL", "https://b.example")], "origins", "[\"*\"]");
    let (values, _) = read_all(&both);
    let origin = values.get(&Key::dotted("origins")).unwrap().origin.to_string();
    assert_eq!(origin, "environment CORS_ORIGIN and environment FRONTEND_URL");
}

#[test]
fn texts_that_mean_nothing_are_refused() {
    check_refused(&[("PORT", "lots")], "environment PORT: port: \"lots\" is not a whole number");
    check_refused(
        &[("NODE_ENV", "prodution")],
        "environment NODE_ENV: profile: \"prodution\" is neither \"production\" nor \"development\"",
    );
    check_refused(
        &[("FEATURE_X", "maybe")],
        "environment FEATURE_X: features.x.on: \"maybe\" is neither true nor false",
    );
    check_refused(
        &[("DOMAIN_URL", "https://")],
        "environment DOMAIN_URL: tenants.domain: \"https://\" names no host",
    );
}

#[test]
fn names_of_ones_own_that_are_misspelt_are_refused() {
    let refused = |name: &str| format!("environment {name}: unknown variable; did you mean THRONG_PROFILE?");
    for name in ["THRONG_PROFIL", "THRONG_PROFIEL", "THRONG_PROFILES"] {
        check_refused(&[(name, "production")], &refused(name));
    }
    check_refused(
        &[("THRONG_LOGS", "warn")],
        "environment THRONG_LOGS: unknown variable; did you mean THRONG_LOG?",
    );
    for foreign in ["THRONG_PORT", "THRONG_SERVICE_HOST", "THRONG_PORT_3000_TCP", "THRONG_", "THRONG"] {
        check(&[(foreign, "tcp://10.0.0.1:3000")], "port", "3000");
    }
}
