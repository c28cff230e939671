//! How any connection to Redis is opened: address, encryption, login. For the client library, and for connections of our own.

use std::sync::Arc;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, RedisResult};
use redis::{TlsCertificates, TlsMode};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use secrecy::ExposeSecret;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::config::{Address, Credentials, RedisConfig, Tls};

/// A stream to a server, encrypted or not.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// What opens connections of our own.
#[derive(Clone)]
pub(crate) struct Access {
    tls: Option<TlsConnector>,
}

/// What is wrong with the certificates that a configuration names.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// They are not PEM, or none are in it.
    #[error("the certificates of the authority cannot be read")]
    Unreadable,
    /// The system has none.
    #[error("the system trusts no authority for certificates")]
    NoneTrusted,
}

impl Access {
    pub(crate) fn new(tls: &Tls) -> Result<Self, TlsError> {
        let roots = match tls {
            Tls::Off => return Ok(Self { tls: None }),
            Tls::System => system_roots()?,
            Tls::Authority(pem) => authority_roots(pem)?,
        };
        let config =
            ClientConfig::builder_with_provider(rustls::crypto::aws_lc_rs::default_provider().into())
                .with_safe_default_protocol_versions()
                .expect("the provider speaks the versions that are safe")
                .with_root_certificates(roots)
                .with_no_client_auth();
        Ok(Self { tls: Some(TlsConnector::from(Arc::new(config))) })
    }

    /// Connects, without logging in.
    pub(crate) async fn connect(&self, address: &Address) -> std::io::Result<Box<dyn Stream>> {
        let stream = TcpStream::connect((&*address.host, address.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let name = ServerName::try_from(address.host.to_string()).map_err(std::io::Error::other)?;
        Ok(Box::new(tls.connect(name, stream).await?))
    }
}

impl std::fmt::Debug for Access {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Access").field("tls", &self.tls.is_some()).finish()
    }
}

fn system_roots() -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() { Err(TlsError::NoneTrusted) } else { Ok(roots) }
}

fn authority_roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|_| TlsError::Unreadable)?;
        roots.add(certificate).map_err(|_| TlsError::Unreadable)?;
    }
    if roots.is_empty() { Err(TlsError::Unreadable) } else { Ok(roots) }
}

/// What the client library needs to know of a server.
pub(crate) fn connection_info(config: &RedisConfig, address: &Address) -> RedisResult<ConnectionInfo> {
    let (host, port) = (address.host.to_string(), address.port);
    let address = match config.tls {
        Tls::Off => ConnectionAddr::Tcp(host, port),
        Tls::System | Tls::Authority(_) => {
            ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
        }
    };
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
    if let Some(Credentials { user, password }) = &config.credentials {
        login = login.set_password(password.expose_secret());
        if let Some(user) = user {
            login = login.set_username(user);
        }
    }
    Ok(address.into_connection_info()?.set_redis_settings(login))
}

/// The client library's client for one server.
pub(crate) fn client(config: &RedisConfig, address: &Address) -> RedisResult<Client> {
    let info = connection_info(config, address)?;
    match certificates(&config.tls) {
        Some((_, certificates)) => Client::build_with_tls(info, certificates),
        None => Client::open(info),
    }
}

/// How the client library encrypts.
pub(crate) fn certificates(tls: &Tls) -> Option<(TlsMode, TlsCertificates)> {
    let root_cert = match tls {
        Tls::Off => return None,
        Tls::System => None,
        Tls::Authority(pem) => Some(pem.clone()),
    };
    Some((TlsMode::Secure, TlsCertificates { client_tls: None, root_cert }))
}
