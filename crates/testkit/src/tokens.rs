//! Identities of a node under test, and the tokens that they accept.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use throng_node::Role;
use throng_node::identity::guest::Guests;
use throng_node::identity::identities::Identities;
use throng_node::identity::keys::{Keys, KeysConfig};
use throng_node::identity::mint::{NewToken, mint};
use throng_node::identity::revocation::Revocations;

/// The secret of nodes whose test does not bring its own.
pub const SECRET: &str = "a secret that only the tests know";

/// What checks tokens of a secret, with guests, without leeway.
///
/// # Panics
/// When the secret is too short.
pub fn identities(secret: &str) -> Arc<Identities> {
    let config = KeysConfig { secret: Some(secret.into()), leeway: Duration::ZERO, ..KeysConfig::default() };
    let lifetime = Duration::from_secs(3600);
    Arc::new(Identities {
        keys: Keys::new(config).expect("a good secret"),
        guests: Some(Guests::new(&secret.into(), lifetime, Duration::ZERO)),
        revocations: Arc::new(Revocations::new(100, lifetime)),
        cookie: "token".into(),
    })
}

/// A token for ten minutes, of no tenant, without a name.
pub fn new_token(user: &str, role: Role) -> NewToken {
    NewToken {
        sub: user.into(),
        role,
        tenant: None,
        ttl: Duration::from_secs(600),
        jti: None,
        issuer: None,
        audience: None,
    }
}

/// The `auth` of a client with a token.
///
/// # Panics
/// When the token says what none may.
pub fn signed(secret: &str, token: NewToken) -> Value {
    json!({"token": mint(&secret.into(), token, SystemTime::now()).expect("a good token")})
}

/// The `auth` of a user, signed with [`SECRET`].
pub fn auth(user: &str, role: Role) -> Value {
    signed(SECRET, new_token(user, role))
}
