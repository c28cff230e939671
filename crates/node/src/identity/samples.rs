//! Keys and tokens for tests. Pairs are made anew in each run; only public parts of keys that must be refused are here.

use std::sync::LazyLock;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

/// The time at which the tests take place, in seconds since 1970.
pub(super) const NOW: u64 = 1_800_000_000;

/// What an issuer has.
pub(super) struct Pair {
    pub(super) algorithm: Algorithm,
    pub(super) public: String,
    private: EncodingKey,
}

impl Pair {
    /// Signs whatever the header says.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(header, &claims.to_string())
    }

    /// Signs whatever the claims are.
    pub(super) fn sign_text(&self, header: &Value, claims: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        let message = format!("{}.{}", part(&header.to_string()), part(claims));
        let signature = crypto::sign(message.as_bytes(), &self.private, self.algorithm).unwrap();
        format!("{message}.{signature}")
    }

    /// The token of a user named `ada`.
    pub(super) fn token(&self, kid: Option<&str>) -> String {
        let header = json!({"alg": format!("{:?}", self.algorithm), "typ": "JWT", "kid": kid});
        self.sign(&header, &json!({"sub": "ada", "exp": NOW + 60}))
    }

    /// The public key as a key set holds it.
    pub(super) fn jwk(&self, kid: &str) -> Value {
        let jwk = Jwk::from_encoding_key(&self.private, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = kid.into();
        jwk["use"] = "sig".into();
        jwk
    }
}

/// A pair for HS256.
pub(super) fn hmac(secret: &[u8]) -> Pair {
    Pair { algorithm: Algorithm::HS256, public: String::new(), private: EncodingKey::from_secret(secret) }
}

pub(super) static RSA: LazyLock<Pair> = LazyLock::new(|| {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = pem("PRIVATE KEY", AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).unwrap().as_ref());
    Pair {
        algorithm: Algorithm::RS256,
        public: pem("PUBLIC KEY", AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap().as_ref()),
        private: EncodingKey::from_rsa_pem(private.as_bytes()).unwrap(),
    }
});

pub(super) static P256: LazyLock<Pair> = LazyLock::new(p256);

/// A new pair for ES256.
pub(super) fn p256() -> Pair {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let private = pair.to_pkcs8v1().unwrap();
    Pair {
        algorithm: Algorithm::ES256,
        public: pem("PUBLIC KEY", AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap().as_ref()),
        private: EncodingKey::from_ec_der(private.as_ref()),
    }
}

pub(super) static ED25519: LazyLock<Pair> = LazyLock::new(|| {
    let private = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8(private.as_ref()).unwrap();
    Pair {
        algorithm: Algorithm::EdDSA,
        public: pem("PUBLIC KEY", AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key()).unwrap().as_ref()),
        private: EncodingKey::from_ed_der(private.as_ref()),
    }
});

/// A private key, which a server must not be given.
pub(super) fn private_pem() -> String {
    pem("PRIVATE KEY", Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).unwrap().as_ref())
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(super) const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCvy0/B/OLO0UjZb1CwR+oZpJle
5TJOAfdMNQK1sTX+mk6XtAIe4eyD/bq9mgWg0PzCHAk45czf7lWP6YdRkLMQ/xBr
V+sER2csEGdc6VrsJmJhDpDJnpAimTput+PYPICzMNzCwMcNVqA90H9tKRbHhufK
lR2uS1TTMNhFvIuTdQIDAQAB
-----END PUBLIC KEY-----
";

pub(super) const P384: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAE9Kn8y6+ScIm84EtA69jYDUCt/95xp9Oi
7OThLIoc7S0G0MpE6koA+Yk+W4MSlfvbUlQmHCnUQ+J0FRsSQFlySEPKchBtjIIp
FaSJu9Pscr4P+Rf6pY3WyGVseElRFrGu
-----END PUBLIC KEY-----
";

pub(super) const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----
MIIBLDCB36ADAgECAhRcHBi/6OwB6DARx6AeOX7DkWD+2zAFBgMrZXAwDDEKMAgG
A1UEAwwBeDAeFw0yNjExMjExMzI0MDVaFw0zNjExMTgxMzI0MDVaMAwxCjAIBgNV
BAMMAXgwKjAFBgMrZXADIQAlv/XyFXtAlIowj2Up1iF4ZOVhZcc5XkXCD7LRSKcO
1aNTMFEwHQYDVR0OBBYEFCylve5zCK6Q4ej9hyrXu0Yw//cLMB8GA1UdIwQYMBaA
FCylve5zCK6Q4ej9hyrXu0Yw//cLMA8GA1UdEwEB/wQFMAMBAf8wBQYDK2VwA0EA
zlkjWvsjvgGG4wK3PLA5QExQEv5iuEg4eiXE3lyM9MoVga/LPdaF1hkdYaYTO5Vq
3rq1Wa7xfeYYzARyvW+eBw==
-----END CERTIFICATE-----
";
