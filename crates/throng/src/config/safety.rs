//! What must not meet the internet. Development warns of it, production refuses to start with it.

use serde::Serialize;

use super::key::Key;
use super::typed::{Config, Guests, is_any};

/// A setting that is unsafe for production.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Danger {
    #[serde(serialize_with = "as_text")]
    pub(crate) key: Key,
    /// Why, and what to do.
    pub(crate) message: String,
}

/// The shortest secret that cannot be guessed, in bytes.
const SECRET_BYTES_MIN: usize = 32;

/// The fewest bits of the prefix of a network that may be one's own: `fc00::/7` is the largest there is.
const OWN_NETWORK_BITS_MIN: u8 = 7;

/// Everything that is unsafe for production.
pub(crate) fn dangers(config: &Config) -> Vec<Danger> {
    let mut dangers = Vec::new();
    let mut add = |key: Key, message: String| dangers.push(Danger { key, message });
    let auth = &config.auth;
    let has_keys = !auth.public_keys.is_empty() || auth.jwks_url.is_some();
    if auth.secret.is_empty() && !has_keys {
        add(
            Key::dotted("auth.secret"),
            "nobody can prove who they are; set it (JWT_SECRET), auth.public_keys or auth.jwks_url".into(),
        );
    }
    if let Some(message) = short(auth.secret.len()) {
        add(Key::dotted("auth.secret"), message);
    }
    let server_keys = config.publish.keys.iter().map(|key| ("publish.keys", key));
    for (key, secret) in [
        ("metrics.token", &config.metrics.token),
        ("roulette.turn_secret", &config.roulette.turn_secret),
        ("analytics.secret", &config.analytics.secret),
    ]
    .into_iter()
    .chain(server_keys)
    {
        if let Some(message) = short(secret.len()) {
            add(Key::dotted(key), message);
        }
    }
    if is_any(&config.origins) {
        add(
            Key::dotted("origins"),
            "every web page may connect in its visitors' names; list your origins (CORS_ORIGIN)".into(),
        );
    }
    if auth.guests == Guests::Everywhere {
        add(
            Key::dotted("auth.guests"),
            "guests come in where no app asks for them; \"where_allowed\" or \"never\"".into(),
        );
    }
    if config.http.trusted_proxies.iter().any(|network| network.prefix_len() < OWN_NETWORK_BITS_MIN) {
        add(
            Key::dotted("http.trusted_proxies"),
            "everybody is a proxy, so every client says itself what its address is; list your proxies".into(),
        );
    }
    let limits = &config.limits;
    for (key, limit) in [
        ("limits.api_per_second", limits.api_per_second),
        ("limits.auth_per_minute", limits.auth_per_minute),
        ("limits.handshakes_per_second", limits.handshakes_per_second),
        ("limits.events_per_second", limits.events_per_second),
    ] {
        if limit == 0 {
            add(
                Key::dotted(key),
                "one client may take all that the node can do; set a limit, be it a high one".into(),
            );
        }
    }
    for (name, tenant) in &config.tenants.list {
        let key = |last| Key::dotted("tenants.list").child(name).child(last);
        if let Some(message) = short(tenant.secret.len()) {
            add(key("secret"), message);
        }
        if is_any(&tenant.origins) {
            add(
                key("origins"),
                "every web page may connect in its visitors' names; list the tenant's origins".into(),
            );
        }
    }
    dangers
}

fn short(bytes: usize) -> Option<String> {
    (1..SECRET_BYTES_MIN)
        .contains(&bytes)
        .then(|| format!("a secret of {bytes} bytes can be guessed; at least {SECRET_BYTES_MIN} random ones"))
}

fn as_text<S: serde::Serializer>(key: &Key, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(key)
}
