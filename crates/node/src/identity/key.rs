//! One key by which tokens are checked. It knows its own algorithm: a token that names another is not its token,
//! whatever the bytes, so that a public key can never serve as an HMAC secret.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};

use super::token::Token;

/// Fewest bits of an RSA modulus.
const RSA_BITS_MIN: usize = 2048;
/// Most bits of an RSA modulus: what the check of a signature may cost is bounded.
const RSA_BITS_MAX: usize = 8192;

/// A key, its algorithm and, in a key set, its name.
#[derive(Debug)]
pub(super) struct Key {
    algorithm: Algorithm,
    kid: Option<Box<str>>,
    key: DecodingKey,
}

/// What is wrong with a public key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// No `-----BEGIN PUBLIC KEY-----`.
    #[error("it holds no PEM public key")]
    NotPem,
    /// The file holds what must never lie on a node that only checks tokens.
    #[error("it holds a private key; give the public one")]
    Private,
    /// Certificates are not read.
    #[error("it holds a certificate; give its public key")]
    Certificate,
    /// Neither RSA nor P-256 nor Ed25519, or broken.
    #[error("it is not an RSA, P-256 or Ed25519 key")]
    Kind,
    /// An RSA key that can be factored, or that takes too long to use.
    #[error("its RSA modulus of {0} bits is not between 2048 and 8192 bits long")]
    RsaBits(usize),
}

impl Key {
    /// A secret for HS256.
    pub(super) fn hmac(secret: &[u8]) -> Self {
        Self { algorithm: Algorithm::HS256, kid: None, key: DecodingKey::from_secret(secret) }
    }

    /// The public keys of a PEM file: RSA (`PUBLIC KEY` or `RSA PUBLIC KEY`) for RS256, P-256 for ES256, Ed25519 for
    /// EdDSA.
    pub(super) fn from_pem(text: &str) -> Result<Vec<Self>, KeyFault> {
        const BEGIN: &str = "-----BEGIN ";
        let mut keys = Vec::new();
        for block in text.split(BEGIN).skip(1) {
            match block.split_once("-----").map(|(label, _)| label) {
                Some("PUBLIC KEY" | "RSA PUBLIC KEY") => {}
                Some("CERTIFICATE") => return Err(KeyFault::Certificate),
                Some(label) if label.ends_with("PRIVATE KEY") => return Err(KeyFault::Private),
                _ => return Err(KeyFault::NotPem),
            }
            let block = format!("{BEGIN}{block}");
            let key = DecodingKey::from_rsa_pem(block.as_bytes())
                .or_else(|_| DecodingKey::from_ec_pem(block.as_bytes()))
                .or_else(|_| DecodingKey::from_ed_pem(block.as_bytes()))
                .map_err(|_| KeyFault::Kind)?;
            let jwk = Jwk::from_decoding_key(&key, None).map_err(|_| KeyFault::Kind)?;
            keys.push(Self::from_jwk(&jwk)?);
        }
        if keys.is_empty() { Err(KeyFault::NotPem) } else { Ok(keys) }
    }

    /// A key of a published set (RFC 7517). Symmetric keys have no place in one; keys for other ends than signing with
    /// the algorithm of their kind are not ours.
    pub(super) fn from_jwk(jwk: &Jwk) -> Result<Self, KeyFault> {
        let key = DecodingKey::from_jwk(jwk).map_err(|_| KeyFault::Kind)?;
        let is = |algorithm, bytes| ParsedPublicKey::new(algorithm, bytes).is_ok();
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(parameters) => {
                let bits = bits(&URL_SAFE_NO_PAD.decode(&parameters.n).map_err(|_| KeyFault::Kind)?);
                if !(RSA_BITS_MIN..=RSA_BITS_MAX).contains(&bits) {
                    return Err(KeyFault::RsaBits(bits));
                }
                Algorithm::RS256
            }
            AlgorithmParameters::EllipticCurve(parameters)
                if parameters.curve == EllipticCurve::P256
                    && key.try_get_as_bytes().is_ok_and(|key| is(&ECDSA_P256_SHA256_FIXED, key)) =>
            {
                Algorithm::ES256
            }
            AlgorithmParameters::OctetKeyPair(parameters)
                if parameters.curve == EllipticCurve::Ed25519
                    && key.try_get_as_bytes().is_ok_and(|key| is(&ED25519, key)) =>
            {
                Algorithm::EdDSA
            }
            _ => return Err(KeyFault::Kind),
        };
        let common = &jwk.common;
        let elsewhere = common.key_algorithm.is_some_and(|of| of != algorithm.into())
            || !matches!(common.public_key_use, None | Some(PublicKeyUse::Signature))
            || common.key_operations.as_ref().is_some_and(|of| !of.contains(&KeyOperations::Verify));
        if elsewhere {
            return Err(KeyFault::Kind);
        }
        Ok(Self { algorithm, kid: common.key_id.as_deref().map(Into::into), key })
    }

    /// Whether the token names this key.
    pub(super) fn is_named(&self, token: &Token<'_>) -> bool {
        self.kid.is_some() && self.kid == token.kid
    }

    /// Whether the token may be signed with this key: the algorithm is the key's own, and neither has a name that the
    /// other contradicts.
    pub(super) fn may_serve(&self, token: &Token<'_>) -> bool {
        self.algorithm == token.algorithm
            && (self.kid.is_none() || token.kid.is_none() || self.is_named(token))
    }

    /// Whether the token is signed with this key.
    pub(super) fn has_signed(&self, token: &Token<'_>) -> bool {
        self.algorithm == token.algorithm
            && crypto::verify(token.signature, token.signed.as_bytes(), &self.key, self.algorithm)
                .unwrap_or(false)
    }
}

/// The length of a big-endian number in bits.
fn bits(number: &[u8]) -> usize {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[start..];
    number.first().map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}
