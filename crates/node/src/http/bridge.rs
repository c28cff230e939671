//! Between a TLS connection and the shard: the shard reads and writes descriptors, so it is given one end of a socket
//! pair, and a task carries bytes between the other end and TLS. An idle bridge owns no buffers.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream as StdUnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::Instant;
use tokio_rustls::server::TlsStream;

use super::bound_writes;

/// Bytes carried at a time, and held at most in each direction: one TLS record.
const CARRIED_BYTES_MAX: usize = 16 << 10;

/// How long a client may take to close after the shard has let go of its end. The shard itself lingers before that.
const LINGER: Duration = Duration::from_secs(5);

thread_local! {
    /// What all bridges of a shard read through.
    static SCRATCH: Cell<Option<Box<[u8; CARRIED_BYTES_MAX]>>> = const { Cell::new(None) };
}

/// Gives the end for the shard. The kernel drops a client that takes nothing for as long as `patience`: the shard, which
/// waits for pongs, sees only that its own end takes no more.
pub(super) fn couple(tls: TlsStream<TcpStream>, patience: Duration) -> io::Result<std::net::TcpStream> {
    bound_writes(tls.get_ref().0, patience);
    let (theirs, ours) = StdUnixStream::pair()?;
    theirs.set_nonblocking(true)?;
    ours.set_nonblocking(true)?;
    let ours = UnixStream::from_std(ours)?;
    tokio::task::spawn_local(carry(tls, ours));
    // A stream socket is what the shard asks for; of which family, it does not look at.
    Ok(OwnedFd::from(theirs).into())
}

/// Carries both ways until both sides are closed.
pub(crate) async fn carry(
    mut tls: impl AsyncRead + AsyncWrite + Unpin,
    mut shard: impl AsyncRead + AsyncWrite + Unpin,
) {
    let (mut inward, mut outward) = (Way::default(), Way::default());
    let mut linger: Option<Pin<Box<tokio::time::Sleep>>> = None;
    let carried = std::future::poll_fn(|context| {
        let inward = inward.poll(&mut tls, &mut shard, context)?;
        let outward = outward.poll(&mut shard, &mut tls, context)?;
        if inward.is_ready() && outward.is_ready() {
            return Poll::Ready(io::Result::Ok(()));
        }
        if outward.is_ready() {
            let deadline = || Box::pin(tokio::time::sleep_until(Instant::now() + LINGER));
            return linger.get_or_insert_with(deadline).as_mut().poll(context).map(Ok);
        }
        Poll::Pending
    });
    if let Err(error) = carried.await {
        tracing::debug!(%error, "bridge ended");
    }
}

/// One direction.
#[derive(Debug, Default)]
struct Way {
    /// What was read and not yet written.
    held: Vec<u8>,
    written: usize,
    /// Something was written that may wait inside TLS.
    unflushed: bool,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    Open,
    /// The source has said its last.
    Closing,
    Closed,
}

impl Way {
    /// Completes when the source has ended and the sink was told.
    fn poll(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            while self.written < self.held.len() {
                match ready!(Pin::new(&mut *sink).poll_write(context, &self.held[self.written..]))? {
                    0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                    written => self.written += written,
                }
                self.unflushed = true;
            }
            (self.held, self.written) = (Vec::new(), 0);
            match self.stage {
                Stage::Closed => return Poll::Ready(Ok(())),
                Stage::Closing => {
                    ready!(Pin::new(&mut *sink).poll_shutdown(context))?;
                    self.stage = Stage::Closed;
                }
                Stage::Open => match self.read(source, sink, context)? {
                    Poll::Ready(()) => {}
                    Poll::Pending => {
                        if std::mem::take(&mut self.unflushed) {
                            self.unflushed = Pin::new(&mut *sink).poll_flush(context)?.is_pending();
                        }
                        return Poll::Pending;
                    }
                },
            }
        }
    }

    /// Reads once, and writes at once what the sink takes.
    fn read(
        &mut self,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        let mut scratch = SCRATCH.take().unwrap_or_else(|| Box::new([0; CARRIED_BYTES_MAX]));
        let mut buffer = ReadBuf::new(&mut scratch[..]);
        let read = Pin::new(source).poll_read(context, &mut buffer);
        let bytes = buffer.filled();
        let carried = match read {
            Poll::Ready(Ok(())) if bytes.is_empty() => {
                self.stage = Stage::Closing;
                Poll::Ready(Ok(()))
            }
            // A client that goes without a goodbye is not worth an error.
            Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.stage = Stage::Closing;
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Ok(())) => {
                let taken = match Pin::new(sink).poll_write(context, bytes) {
                    Poll::Ready(Ok(taken)) => taken,
                    Poll::Ready(Err(error)) => {
                        SCRATCH.set(Some(scratch));
                        return Poll::Ready(Err(error));
                    }
                    Poll::Pending => 0,
                };
                self.unflushed |= taken > 0;
                self.held.extend_from_slice(&bytes[taken..]);
                Poll::Ready(Ok(()))
            }
            other => other,
        };
        SCRATCH.set(Some(scratch));
        carried
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn run(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(test);
    }

    #[test]
    fn everything_arrives_whole_through_the_narrowest_pipes() {
        run(async {
            let ((client, tls), (shard, ours)) = (duplex(7), duplex(1000));
            let sent: Vec<u8> = (0..50_000_u32).map(|number| number as u8).collect();
            let (mut client_read, mut client_write) = tokio::io::split(client);
            let (mut shard_read, mut shard_write) = tokio::io::split(shard);
            let (mut inward, mut outward) = (Vec::new(), Vec::new());
            let (.., a, b) = tokio::join!(
                carry(tls, ours),
                async {
                    client_write.write_all(&sent).await.unwrap();
                    client_write.shutdown().await.unwrap()
                },
                async {
                    shard_write.write_all(&sent).await.unwrap();
                    shard_write.shutdown().await.unwrap()
                },
                shard_read.read_to_end(&mut inward),
                client_read.read_to_end(&mut outward),
            );
            assert_eq!((a.unwrap(), b.unwrap()), (50_000, 50_000));
            assert!(inward == sent && outward == sent);
        });
    }

    #[test]
    fn a_client_that_never_closes_is_left_when_the_shard_has_gone() {
        run(async {
            let ((_client, tls), (shard, ours)) = (duplex(64), duplex(64));
            drop(shard);
            let before = Instant::now();
            carry(tls, ours).await;
            assert!(before.elapsed() >= LINGER);
        });
    }

    #[test]
    fn nothing_is_read_ahead_of_a_shard_that_does_not_read() {
        run(async {
            let ((mut client, tls), (_shard, ours)) = (duplex(64), duplex(64));
            let mut carrying = std::pin::pin!(carry(tls, ours));
            let mut taken = 0;
            loop {
                tokio::select! {
                    biased;
                    () = &mut carrying => unreachable!("neither side has closed"),
                    written = client.write(&[0; 64]) => taken += written.unwrap(),
                    () = tokio::time::sleep(Duration::from_secs(1)) => break,
                }
            }
            assert!(taken <= 3 * 64, "{taken} bytes are held for it");
        });
    }
}
