//! Values for people to read: as TOML, without their secrets.

use toml::Value;

use super::key::Key;
use super::secret::Secret;

/// The value as TOML writes it; of a secret its length alone, of a URL everything but the password, and of that of a key
/// set everything but the query too, in which some issuers want a key.
pub(crate) fn shown(key: &Key, value: &Value) -> String {
    match value {
        Value::String(text) if is_secret(key) => Secret::from(text.as_str()).to_string(),
        Value::Array(list) if is_secret(key) => {
            let shown = list.iter().map(|one| Secret::from(one.as_str().unwrap_or_default()).to_string());
            format!("[{}]", shown.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) if key.names().last().is_some_and(|last| **last == *"jwks_url") => {
            Value::from(without_password(&without_query(text))).to_string()
        }
        value => without_passwords(value).to_string(),
    }
}

/// Whether a key holds a secret.
pub(crate) fn is_secret(key: &Key) -> bool {
    match key.names() {
        [table, last] => {
            // Whoever knows the address of a webhook may often call it.
            let analytics = matches!((&**table, &**last), ("analytics", "secret" | "url"));
            let others = [
                ("auth", "secret"),
                ("metrics", "token"),
                ("publish", "keys"),
                ("redis", "password"),
                ("redis", "sentinel_password"),
                ("roulette", "turn_secret"),
            ];
            analytics || others.contains(&(&**table, &**last))
        }
        [tenants, _, _, last] => **tenants == *"tenants" && **last == *"secret",
        _ => false,
    }
}

/// The address of a relay begins with one of these, and has no `//` behind it.
const RELAYS: [&str; 2] = ["turn:", "turns:"];

/// The URL without the password in it.
pub(crate) fn without_password(text: &str) -> String {
    let relay = || RELAYS.iter().find(|scheme| text.starts_with(**scheme)).map(|scheme| scheme.len());
    // One that lacks its scheme is refused, and shown with the reason.
    let start = text.find("://").map(|at| at + 3).or_else(relay).unwrap_or_default();
    let (scheme, rest) = text.split_at(start);
    // A password may hold anything when nobody encoded it: rather too much is hidden than too little.
    let Some(at) = rest.rfind('@') else { return text.to_owned() };
    let user = rest[..at].split(':').next().unwrap_or_default();
    let hidden = if rest[..at].contains(':') { ":<hidden>" } else { "" };
    format!("{scheme}{user}{hidden}{}", &rest[at..])
}

fn without_query(text: &str) -> String {
    match text.split_once('?') {
        Some((address, _)) => format!("{address}?<hidden>"),
        None => text.to_owned(),
    }
}

fn without_passwords(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(without_password(text)),
        Value::Array(list) => Value::Array(list.iter().map(without_passwords).collect()),
        value => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: impl Into<Value>, expect: &str) {
        assert_eq!(shown(&Key::dotted(key), &value.into()), expect, "{key}");
    }

    #[test]
    fn secrets_and_passwords_are_hidden() {
        check("port", 3000, "3000");
        check("host", "::1", "\"::1\"");
        check("auth.secret", "0123456789", "<set, 10 bytes>");
        check("auth.secret", "", "<not set>");
        check("redis.password", "x", "<set, 1 bytes>");
        check("redis.sentinel_password", "x", "<set, 1 bytes>");
        check("analytics.secret", "x", "<set, 1 bytes>");
        check("analytics.url", "https://in.example/hook/token", "<set, 29 bytes>");
        check("roulette.turn_secret", "x", "<set, 1 bytes>");
        check("tenants.list.acme.secret", "x", "<set, 1 bytes>");
        check("publish.keys", vec!["x", "yz"], "[<set, 1 bytes>, <set, 2 bytes>]");
        check("publish.keys", Vec::<String>::new(), "[]");
        check("tls.key", "/run/key.pem", "\"/run/key.pem\"");
        check("redis.url", "redis://u:p@h:1/0", "\"redis://u:<hidden>@h:1/0\"");
        check("redis.url", "redis://:p/@/x@h:1/0", "\"redis://:<hidden>@h:1/0\"");
        check("redis.url", "redis://h:1/0", "\"redis://h:1/0\"");
        for key in ["auth.jwks_url", "tenants.list.acme.jwks_url"] {
            check(key, "https://id.example/jwks.json", "\"https://id.example/jwks.json\"");
            check(
                key,
                "https://u:p@id.example/jwks?key=x@y",
                "\"https://u:<hidden>@id.example/jwks?<hidden>\"",
            );
        }
        check(
            "roulette.turn",
            vec!["turn:u:p@h:3478?transport=udp", "turns:u:p:@h", "turn:u@h", "turn:h:3478", "u:p@h"],
            "[\"turn:u:<hidden>@h:3478?transport=udp\", \"turns:u:<hidden>@h\", \"turn:u@h\", \"turn:h:3478\", \
             \"u:<hidden>@h\"]",
        );
        check("redis.nodes", vec!["redis://:p@h"], "[\"redis://:<hidden>@h\"]");
    }
}
