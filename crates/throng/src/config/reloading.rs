//! Which settings may change while a node serves.

use super::key::Key;

/// Tables and keys that a running node takes over.
const RELOADED: [&str; 12] = [
    "origins",
    "log.level",
    "tls",
    "auth.secret",
    "auth.public_keys",
    "auth.jwks_url",
    "auth.issuer",
    "auth.audience",
    "auth.leeway",
    "limits",
    "tenants",
    "features",
];

/// Whether a running node takes a change of this key over; otherwise it needs a restart.
pub(crate) fn takes(key: &Key) -> bool {
    RELOADED.iter().any(|path| key.is_in(path))
}

/// Tables and keys of roles that this version does not have: their settings are judged and have no effect.
const WITHOUT_EFFECT: [&str; 4] = ["cluster.matches_max", "fleet", "balancer", "monitor"];

/// Whether this version does something with this key.
pub(crate) fn has_effect(key: &Key) -> bool {
    !WITHOUT_EFFECT.iter().any(|path| key.is_in(path))
}
