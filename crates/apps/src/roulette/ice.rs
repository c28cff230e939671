//! How two browsers find a way to each other: STUN and TURN servers, and credentials for the latter that last for a
//! while (draft-uberti-behave-turn-rest-00).

use std::fmt;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use throng_lobby::{Time, User};
use utoipa::ToSchema;

/// The servers that the pages are told of.
#[derive(Clone)]
pub struct Ice {
    /// Addresses of STUN servers, such as `stun:stun.example.org:3478`. Default none.
    pub stun: Vec<String>,
    /// Addresses of TURN servers, such as `turn:turn.example.org:3478?transport=udp`. Default none.
    pub turn: Vec<String>,
    /// What the node and the TURN servers share (`static-auth-secret` of coturn); without one the pages get no
    /// credentials. Default none.
    pub turn_secret: Option<SecretString>,
    /// How long credentials are good for. Default 1 hour.
    pub turn_lifetime: Duration,
}

impl Default for Ice {
    fn default() -> Self {
        let turn_lifetime = Duration::from_secs(3600);
        Self { stun: Vec::new(), turn: Vec::new(), turn_secret: None, turn_lifetime }
    }
}

impl fmt::Debug for Ice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ice").field("stun", &self.stun).field("turn", &self.turn).finish_non_exhaustive()
    }
}

/// An `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct IceServer {
    urls: Vec<String>,
    /// With TURN: until when, in seconds since the epoch, a colon, and who.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credential: Option<String>,
}

impl Ice {
    /// The servers for a user, with credentials from now on.
    pub(crate) fn servers(&self, user: &User, now: Time) -> Vec<IceServer> {
        let stun = IceServer { urls: self.stun.clone(), username: None, credential: None };
        let (username, credential) = self.credentials(user, now).unzip();
        let turn = IceServer { urls: self.turn.clone(), username, credential };
        [stun, turn].into_iter().filter(|server| !server.urls.is_empty()).collect()
    }

    fn credentials(&self, user: &User, now: Time) -> Option<(String, String)> {
        let secret = self.turn_secret.as_ref()?;
        let expires = (now + self.turn_lifetime).0.as_secs();
        let username = format!("{expires}:{user}");
        // SHA-1 is what TURN servers expect here; as a MAC it is sound.
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.expose_secret().as_bytes());
        let credential = STANDARD.encode(hmac::sign(&key, username.as_bytes()));
        Some((username, credential))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn servers(ice: &Ice) -> serde_json::Value {
        let now = Time(Duration::from_secs(1_000_000));
        serde_json::to_value(ice.servers(&User::from("ada"), now)).unwrap()
    }

    #[test]
    fn only_turn_servers_have_credentials() {
        let ice = Ice {
            stun: vec!["stun:a".into()],
            turn: vec!["turn:b".into(), "turns:c".into()],
            turn_secret: Some("north".into()),
            ..Ice::default()
        };
        // printf 1003600:ada | openssl dgst -sha1 -hmac north -binary | base64
        let credential = "uBp9zd3SgA3XBDMtCRVC7T4C7vg=";
        assert_eq!(
            servers(&ice),
            json!([
                {"urls": ["stun:a"]},
                {"urls": ["turn:b", "turns:c"], "username": "1003600:ada", "credential": credential},
            ])
        );
        assert!(!format!("{ice:?}").contains("north"));
    }

    #[test]
    fn without_servers_there_is_nothing_to_tell() {
        assert_eq!(servers(&Ice { turn_secret: Some("north".into()), ..Ice::default() }), json!([]));
        let open = Ice { turn: vec!["turn:b".into()], ..Ice::default() };
        assert_eq!(servers(&open), json!([{"urls": ["turn:b"]}]));
    }
}
