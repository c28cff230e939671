//! The life of an HTTP connection: the balancer's header where there is one, TLS where it is on, then HTTP/1.1 or
//! HTTP/2 until the client is done, too slow, or has become a WebSocket.

use std::convert::Infallible;
use std::error::Error as _;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::server::TlsStream;

use super::guard::{self, Via};
use super::pace::{Pace, Paced};
use super::proxy_protocol;
use super::security::Scheme;
use super::{Edge, tls};
use crate::metrics::Overdue;
use crate::node::ConnectionPermit;

/// The first byte of TLS: a record of type handshake.
const TLS_HANDSHAKE: u8 = 0x16;

/// Streams that a client may have open at once over HTTP/2.
const STREAMS_MAX: u32 = 100;

/// Bytes of request bodies over HTTP/2 that may be on their way, for one stream and for a connection.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// Bytes of an answer over HTTP/2 that may wait for a client to take them.
const SEND_BUFFER_BYTES_MAX: usize = 64 << 10;

/// How often an HTTP/2 client whose requests are waiting is asked whether it is still there.
const ALIVE_INTERVAL: Duration = Duration::from_secs(25);

/// How long a connection may take to end by itself once it was told to.
const FAREWELL: Duration = Duration::from_secs(1);

/// The smallest head that hyper lets itself be bounded to.
const HEAD_BYTES_MIN: usize = 8 << 10;

const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: text/plain\r\ncontent-length: 33\r\n\r\nThe connection limit is reached.\r\n";

const NOT_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain\r\n\
    content-length: 45\r\n\r\nThis port speaks TLS: ask again with https.\r\n";

/// Serves a connection to its end.
pub(super) async fn serve(edge: Edge, mut stream: TcpStream, mut peer: SocketAddr, permit: ConnectionPermit) {
    let config = &edge.node.config;
    if config.edge.proxy_protocol {
        match tokio::time::timeout(config.header_timeout, proxy_protocol::read(&mut stream)).await {
            Ok(Ok(Some(source))) => peer = source,
            Ok(Ok(None)) => {}
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "connection refused"),
            Err(_) => {
                edge.metrics().overdue(Overdue::Head);
                return tracing::debug!(%peer, "no PROXY header in time");
            }
        }
    }
    match config.edge.tls.clone() {
        None => {
            let pace = Pace::new(config.header_timeout, config.edge.keep_alive);
            http1(stream, Via { edge, peer, scheme: Scheme::Http, pace }).await;
        }
        // TLS is large, and most of a connection without it would be the room for it.
        Some(tls) => Box::pin(encrypted(edge, stream, peer, tls)).await,
    }
    drop(permit);
}

/// Tells a client beyond the connection limit when to come back. Those beyond the farewells may not hear it: their
/// connections are closed at once.
pub(super) async fn refuse(mut stream: TcpStream, farewells: &Semaphore) {
    match farewells.try_acquire() {
        Ok(_farewell) => turn_away(stream, FULL).await,
        Err(_) => drop(stream.write_all(FULL).await),
    }
}

async fn encrypted(edge: Edge, stream: TcpStream, peer: SocketAddr, tls: tls::TlsHandle) {
    let config = &edge.node.config;
    let mut first = [0];
    let shaken = tokio::time::timeout(config.header_timeout, async {
        if stream.peek(&mut first).await? == 1 && first[0] != TLS_HANDSHAKE {
            return Ok(Err(stream));
        }
        tls.acceptor().accept(stream).await.map(Ok)
    });
    let stream = match shaken.await {
        Ok(Ok(Ok(stream))) => stream,
        Ok(Ok(Err(stream))) if first[0].is_ascii_uppercase() => return turn_away(stream, NOT_TLS).await,
        Ok(Ok(Err(_))) => return tracing::debug!(%peer, "not TLS"),
        Ok(Err(error)) => return tracing::debug!(%peer, %error, "TLS handshake failed"),
        Err(_) => {
            edge.metrics().overdue(Overdue::Head);
            return tracing::debug!(%peer, "no TLS handshake in time");
        }
    };
    let pace = Pace::new(config.header_timeout, config.edge.keep_alive);
    let speaks_h2 = stream.get_ref().1.alpn_protocol() == Some(tls::H2);
    let via = Via { edge, peer, scheme: Scheme::Https, pace };
    if speaks_h2 { http2(stream, via).await } else { http1(stream, via).await }
}

async fn http1<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(stream: S, via: Via) {
    let pace = via.pace.clone();
    let head_bytes_max = via.edge.node.config.edge.head_bytes_max.max(HEAD_BYTES_MIN);
    let stream = TokioIo::new(Paced::new(stream, pace.clone()));
    let (edge, via) = (via.edge.clone(), Rc::new(via));
    let service = service_fn(move |request| {
        let via = via.clone();
        async move { Ok::<_, Infallible>(guard::answer(&via, request).await) }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(None)
            .max_buf_size(head_bytes_max)
            .serve_connection(stream, service)
            .with_upgrades()
    );
    tokio::select! {
        biased;
        served = connection.as_mut() => ended(&edge, served),
        overdue = pace.overdue() => edge.metrics().overdue(overdue),
    }
}

async fn http2(stream: TlsStream<TcpStream>, via: Via) {
    let pace = via.pace.clone();
    let head_bytes_max = via.edge.node.config.edge.head_bytes_max.max(HEAD_BYTES_MIN);
    let (edge, via) = (via.edge.clone(), Rc::new(via));
    let service = service_fn(move |request| {
        let via = via.clone();
        async move { Ok::<_, Infallible>(guard::answer(&via, request).await) }
    });
    let mut connection = pin!(
        http2::Builder::new(OnShard)
            .timer(TokioTimer::new())
            .max_concurrent_streams(STREAMS_MAX)
            .initial_stream_window_size(STREAM_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_send_buf_size(SEND_BUFFER_BYTES_MAX)
            .max_header_list_size(u32::try_from(head_bytes_max).unwrap_or(u32::MAX))
            .keep_alive_interval(ALIVE_INTERVAL)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        biased;
        served = connection.as_mut() => return ended(&edge, served),
        overdue = pace.overdue() => {
            edge.metrics().overdue(overdue);
            connection.as_mut().graceful_shutdown();
        }
    }
    if let Ok(served) = tokio::time::timeout(FAREWELL, connection).await {
        ended(&edge, served);
    }
}

/// Runs what HTTP/2 needs beside a connection on the shard that serves it.
#[derive(Debug, Clone, Copy)]
struct OnShard;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for OnShard {
    fn execute(&self, work: F) {
        tokio::task::spawn_local(work);
    }
}

/// Tells of a connection that has failed.
fn ended(edge: &Edge, served: hyper::Result<()>) {
    let Err(error) = served else { return };
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    // The kernel's bound on writes; see `bound_writes`.
    if cause.is_some_and(|cause| cause.kind() == io::ErrorKind::TimedOut) {
        edge.metrics().overdue(Overdue::Answer);
    }
    tracing::debug!(%error, "connection failed");
}

/// Answers a connection that is not served, whatever it asks.
async fn turn_away(mut stream: TcpStream, answer: &[u8]) {
    let answered = async {
        stream.write_all(answer).await?;
        stream.shutdown().await?;
        // Closing before the request was read would make the kernel take the answer back.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(FAREWELL, answered).await;
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    /// How long a refused client that says nothing keeps its connection.
    fn check(farewells: usize, expect: Duration) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (stream, _) = listener.accept().await.unwrap();
            let begun = tokio::time::Instant::now();
            refuse(stream, &Semaphore::new(farewells)).await;
            assert_eq!(begun.elapsed().as_secs(), expect.as_secs());
            let mut answer = Vec::new();
            client.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, FULL);
        });
    }

    #[test]
    fn a_refused_client_is_waited_for_while_few_are() {
        check(1, FAREWELL);
    }

    #[test]
    fn a_refused_client_is_not_waited_for_while_many_are() {
        check(0, Duration::ZERO);
    }
}
