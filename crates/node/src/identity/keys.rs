//! The keys of an issuer: a secret, public keys given as PEM, a key set fetched from a URL, and the rules that its
//! tokens keep. How tokens are checked with them is in [`super::verify`].

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use secrecy::{ExposeSecret as _, SecretString};

use super::claims::Rules;
use super::jwks::Jwks;
use super::jwks::fetch::Source;
pub use super::jwks::fetch::SourceError;
use super::key::Key;
pub use super::key::KeyFault;

/// Fewest bytes of a secret in production: those of a SHA-256 digest (RFC 7518, 3.2).
pub const SECRET_BYTES_MIN: usize = 32;

/// Whose tokens are accepted.
#[derive(Debug, Clone)]
pub struct KeysConfig {
    /// The secret of HS256 tokens.
    pub secret: Option<SecretString>,
    /// Shortest secret that is accepted: [`SECRET_BYTES_MIN`], or less for development.
    pub secret_bytes_min: usize,
    /// The contents of PEM files, each with one or more public keys for RS256, ES256 or EdDSA.
    pub public_keys: Vec<String>,
    /// Where the issuer publishes its key set: https, or http on this machine.
    pub jwks_url: Option<Uri>,
    /// What `iss` must be; without it, anything.
    pub issuer: Option<String>,
    /// What `aud` must be or hold; without it, anything.
    pub audience: Option<String>,
    /// By how much clocks may differ.
    pub leeway: Duration,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self {
            secret: None,
            secret_bytes_min: SECRET_BYTES_MIN,
            public_keys: Vec::new(),
            jwks_url: None,
            issuer: None,
            audience: None,
            leeway: Duration::from_secs(30),
        }
    }
}

/// What is wrong with a [`KeysConfig`]. The texts hold nothing of a secret.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The secret can be guessed.
    #[error("the secret has {bytes} bytes and needs {min} at least")]
    SecretShort {
        /// Its length.
        bytes: usize,
        /// What it needs.
        min: usize,
    },
    /// The secret is a PEM file: anybody who has a public key could sign with it.
    #[error("the secret is a PEM file; a public key belongs among the public keys")]
    SecretIsPem,
    /// A public key is none, or is too weak.
    #[error("public key {index}: {fault}")]
    PublicKey {
        /// Its place in the list, from 0.
        index: usize,
        /// Why.
        fault: KeyFault,
    },
    /// The key set cannot be fetched from there.
    #[error("the URL of the key set: {0}")]
    JwksUrl(#[from] SourceError),
}

/// What tokens are checked with.
#[derive(Debug)]
pub struct Keys {
    pub(super) fixed: Vec<Key>,
    pub(super) jwks: Option<Arc<Jwks>>,
    pub(super) rules: Rules,
}

impl Keys {
    /// Reads the keys. Nothing is fetched yet: the first token does that.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn new(config: KeysConfig) -> Result<Self, Vec<KeysError>> {
        let mut errors = Vec::new();
        let mut fixed = Vec::new();
        if let Some(secret) = &config.secret {
            let secret = secret.expose_secret();
            if secret.len() < config.secret_bytes_min.max(1) {
                errors.push(KeysError::SecretShort {
                    bytes: secret.len(),
                    min: config.secret_bytes_min.max(1),
                });
            } else if secret.contains("-----BEGIN ") {
                errors.push(KeysError::SecretIsPem);
            } else {
                fixed.push(Key::hmac(secret.as_bytes()));
            }
        }
        for (index, pem) in config.public_keys.iter().enumerate() {
            match Key::from_pem(pem) {
                Ok(keys) => fixed.extend(keys),
                Err(fault) => errors.push(KeysError::PublicKey { index, fault }),
            }
        }
        let jwks = match config.jwks_url.map(Source::new).transpose() {
            Ok(source) => source.map(|source| Arc::new(Jwks::new(source))),
            Err(error) => {
                errors.push(error.into());
                None
            }
        };
        let rules = Rules {
            issuer: config.issuer.map(Into::into),
            audience: config.audience.map(Into::into),
            leeway: config.leeway,
        };
        if errors.is_empty() { Ok(Self { fixed, jwks, rules }) } else { Err(errors) }
    }

    /// Whether there is no key, nor a place to fetch one from: every token of a user is refused.
    pub fn is_empty(&self) -> bool {
        self.fixed.is_empty() && self.jwks.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    fn check(config: KeysConfig, expect: &[&str]) {
        let errors = Keys::new(config).err().unwrap_or_default();
        assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), expect);
    }

    fn public(pem: &str) -> KeysConfig {
        KeysConfig { public_keys: vec![pem.into()], ..KeysConfig::default() }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let config = KeysConfig {
            secret: Some("short".into()),
            public_keys: vec![samples::RSA_1024.into(), samples::P256.public.clone(), "x".into()],
            jwks_url: Some(Uri::from_static("http://id.example/keys")),
            ..KeysConfig::default()
        };
        check(
            config,
            &[
                "the secret has 5 bytes and needs 32 at least",
                "public key 0: its RSA modulus of 1024 bits is not between 2048 and 8192 bits long",
                "public key 2: it holds no PEM public key",
                "the URL of the key set: http is for this machine only; use https",
            ],
        );
    }

    #[test]
    fn keys_of_each_kind_are_read_and_no_others() {
        for pair in [&*samples::RSA, &*samples::P256, &*samples::ED25519] {
            check(public(&pair.public), &[]);
        }
        check(public(&format!("{}{}", samples::RSA.public, samples::ED25519.public)), &[]);
        let fault = |what: &str| format!("public key 0: {what}");
        check(public(samples::P384), &[&fault("it is not an RSA, P-256 or Ed25519 key")]);
        check(public(samples::CERTIFICATE), &[&fault("it holds a certificate; give its public key")]);
        check(public(&samples::private_pem()), &[&fault("it holds a private key; give the public one")]);
        check(public(&samples::P256.public[..60]), &[&fault("it is not an RSA, P-256 or Ed25519 key")]);
    }

    #[test]
    fn a_short_secret_is_for_development_only() {
        let config = |secret: &str, secret_bytes_min| KeysConfig {
            secret: Some(secret.into()),
            secret_bytes_min,
            ..KeysConfig::default()
        };
        check(config("dev", 1), &[]);
        check(config("", 0), &["the secret has 0 bytes and needs 1 at least"]);
        check(config(&"s".repeat(31), 32), &["the secret has 31 bytes and needs 32 at least"]);
        check(config(&"s".repeat(32), 32), &[]);
        check(
            config(&samples::RSA.public, 32),
            &["the secret is a PEM file; a public key belongs among the public keys"],
        );
    }

    #[test]
    fn no_secret_shows_in_debug() {
        let secret = "correct horse battery staple, twice";
        let config = KeysConfig { secret: Some(secret.into()), ..KeysConfig::default() };
        let shown = format!("{config:?} {:?}", Keys::new(config.clone()).unwrap());
        assert!(!shown.contains("horse"), "{shown}");
        assert!(!shown.contains(&format!("{:?}", secret.as_bytes())[1..20]), "{shown}");
    }
}
