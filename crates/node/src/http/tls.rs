//! TLS by rustls: one certificate at a time, which can be replaced while connections are open.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// What the client may choose to speak inside.
const PROTOCOLS: [&[u8]; 2] = [H2, b"http/1.1"];

/// HTTP/2, as ALPN names it.
pub(super) const H2: &[u8] = b"h2";

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The certificate file is no PEM, or holds none.
    #[error("the certificate is not PEM with at least one CERTIFICATE: {0}")]
    Certificate(String),
    /// The key file is no PEM, or holds none.
    #[error("the key is not PEM with a PRIVATE KEY: {0}")]
    Key(String),
    /// The two do not belong together, or the key is of a kind that is not supported.
    #[error("the certificate and the key cannot be used together: {0}")]
    Pair(rustls::Error),
}

/// The certificate that a node serves. Clones are one: what replaces the certificate of one replaces that of all, from
/// the next connection on.
#[derive(Clone)]
pub struct TlsHandle {
    certified: Arc<Certified>,
    server: Arc<ServerConfig>,
}

impl TlsHandle {
    /// `certificate` is the chain in PEM, the leaf first; `key` its private key in PEM (PKCS#8, PKCS#1 or SEC1).
    pub fn new(certificate: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let first = certified_key(certificate, key, &provider)?;
        let certified = Arc::new(Certified(ArcSwap::from_pointee(first)));
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Pair)?
            .with_no_client_auth()
            .with_cert_resolver(certified.clone());
        server.alpn_protocols = PROTOCOLS.map(Vec::from).to_vec();
        Ok(Self { certified, server: Arc::new(server) })
    }

    /// Serves another certificate from now on. One that cannot be served leaves the old one in place.
    pub fn replace(&self, certificate: &[u8], key: &[u8]) -> Result<(), TlsError> {
        let next = certified_key(certificate, key, self.server.crypto_provider())?;
        self.certified.0.store(Arc::new(next));
        Ok(())
    }

    pub(super) fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        self.server.clone().into()
    }
}

fn certified_key(
    certificate: &[u8],
    key: &[u8],
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain = CertificateDer::pem_slice_iter(certificate)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Certificate(error.to_string()))?;
    if chain.is_empty() {
        return Err(TlsError::Certificate("it holds none".into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| TlsError::Key(error.to_string()))?;
    CertifiedKey::from_der(chain, key, provider).map_err(TlsError::Pair)
}

/// The certificate now.
#[derive(Debug)]
struct Certified(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Certified {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl std::fmt::Debug for TlsHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsHandle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (String, String) {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    }

    #[test]
    fn what_cannot_be_served_is_refused_and_says_why() {
        let ((certificate, key), (_, other_key)) = (pair(), pair());
        let new = |certificate: &str, key: &str| TlsHandle::new(certificate.as_bytes(), key.as_bytes());
        assert!(matches!(new("", &key), Err(TlsError::Certificate(_))));
        assert!(matches!(new(&key, &key), Err(TlsError::Certificate(_))));
        assert!(matches!(new(&certificate, &certificate), Err(TlsError::Key(_))));
        assert!(matches!(new(&certificate, &other_key), Err(TlsError::Pair(_))));
    }

    #[test]
    fn a_broken_replacement_leaves_the_old_certificate_in_place() {
        let ((certificate, key), (next, next_key)) = (pair(), pair());
        let tls = TlsHandle::new(certificate.as_bytes(), key.as_bytes()).unwrap();
        let before = tls.certified.0.load_full();
        assert!(tls.replace(next.as_bytes(), key.as_bytes()).is_err());
        assert!(Arc::ptr_eq(&before, &tls.certified.0.load_full()));
        tls.replace(next.as_bytes(), next_key.as_bytes()).unwrap();
        assert_ne!(before.cert, tls.certified.0.load_full().cert);
    }
}
