//! Pseudonyms: the same user has the same one for as long as the key is the same, and without the key nobody can tell
//! whose it is, not even by trying all users.

use std::fmt;
use std::fmt::Write as _;

use aws_lc_rs::hmac;
use secrecy::{ExposeSecret as _, SecretString};

/// Bytes of the code that are told: enough that two users do not share one.
const BYTES: usize = 16;

/// Makes pseudonyms with a key.
pub(super) struct Pseudonyms(hmac::Key);

impl Pseudonyms {
    pub(super) fn new(key: &SecretString) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.expose_secret().as_bytes()))
    }

    /// 32 hexadecimal digits for a user of a tenant.
    pub(super) fn of(&self, tenant: &str, user: &str) -> String {
        let mut context = hmac::Context::with_key(&self.0);
        // The key may be one that signs other things; nothing else begins like this. No tenant has a line break.
        for part in ["throng analytics\n", tenant, "\n", user] {
            context.update(part.as_bytes());
        }
        hex(&context.sign().as_ref()[..BYTES])
    }
}

/// Nothing of the key.
impl fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pseudonyms")
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pseudonym_depends_on_key_tenant_and_user_alone() {
        let of = |key: &str, tenant, user| Pseudonyms::new(&key.to_owned().into()).of(tenant, user);
        assert_eq!(of("k", "acme", "ada"), of("k", "acme", "ada"));
        let others = [
            of("l", "acme", "ada"),
            of("k", "other", "ada"),
            of("k", "acme", "bob"),
            of("k", "acm", "e\nada"),
        ];
        assert!(others.iter().all(|other| *other != of("k", "acme", "ada") && other.len() == 32));
    }
}
