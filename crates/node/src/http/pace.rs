//! How long an HTTP connection may take: for the head of a request, and between two requests. hyper's own timer knows
//! one time for both, so this watches from outside what arrives and what is being answered.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use crate::metrics::Overdue;

/// What a connection is waiting for, and until when. One thread uses it; it is atomic because hyper moves connections
/// that can be upgraded as if there were more.
#[derive(Debug)]
pub(super) struct Pace {
    born: Instant,
    /// Nanoseconds after `born`; [`NEVER`] while requests are being answered.
    deadline: AtomicU64,
    /// Requests being answered.
    open: AtomicU32,
    /// All that came was answered, and nothing has come since.
    idle: AtomicBool,
    head_timeout: Duration,
    keep_alive: Duration,
}

const NEVER: u64 = u64::MAX;

impl Pace {
    /// A connection that was just made, and owes the head of a request.
    pub(super) fn new(head_timeout: Duration, keep_alive: Duration) -> Arc<Self> {
        let pace = Self {
            born: Instant::now(),
            deadline: AtomicU64::new(NEVER),
            open: AtomicU32::new(0),
            idle: AtomicBool::new(false),
            head_timeout,
            keep_alive,
        };
        pace.expect_within(head_timeout);
        Arc::new(pace)
    }

    /// A request's head has come. The request is over when what is returned is dropped.
    pub(super) fn begin(self: &Arc<Self>) -> Open {
        self.open.fetch_add(1, Ordering::Relaxed);
        self.idle.store(false, Ordering::Relaxed);
        self.deadline.store(NEVER, Ordering::Relaxed);
        Open(self.clone())
    }

    /// Completes when the client has taken too long; says for what.
    pub(super) async fn overdue(&self) -> Overdue {
        let first = self.deadline().unwrap_or_else(|| Instant::now() + self.keep_alive);
        let mut sleep = pin!(tokio::time::sleep_until(first));
        poll_fn(|context| {
            loop {
                // The end of an answer does not always wake this task, so it looks again once in a while.
                let until = self.deadline().unwrap_or_else(|| Instant::now() + self.keep_alive);
                if until < sleep.deadline() {
                    sleep.as_mut().reset(until);
                }
                ready!(sleep.as_mut().poll(context));
                if self.deadline().is_some_and(|deadline| deadline <= Instant::now()) {
                    return Poll::Ready(());
                }
                sleep.as_mut().reset(until);
            }
        })
        .await;
        if self.idle.load(Ordering::Relaxed) { Overdue::Idle } else { Overdue::Head }
    }

    fn deadline(&self) -> Option<Instant> {
        let nanos = self.deadline.load(Ordering::Relaxed);
        (nanos != NEVER).then(|| self.born + Duration::from_nanos(nanos))
    }

    fn expect_within(&self, time: Duration) {
        let nanos = self.born.elapsed().saturating_add(time).as_nanos();
        self.deadline.store(u64::try_from(nanos).unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// After a pause, bytes begin the head of a request.
    fn arrived(&self) {
        if self.idle.swap(false, Ordering::Relaxed) {
            self.expect_within(self.head_timeout);
        }
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Open(Arc<Pace>);

impl Drop for Open {
    fn drop(&mut self) {
        if self.0.open.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.idle.store(true, Ordering::Relaxed);
            self.0.expect_within(self.0.keep_alive);
        }
    }
}

/// A stream that tells its pace what arrives. Only HTTP/1.1 needs one: in HTTP/2 bytes between requests are no head.
#[derive(Debug)]
pub(super) struct Paced<S> {
    stream: S,
    pace: Arc<Pace>,
}

impl<S> Paced<S> {
    pub(super) fn new(stream: S, pace: Arc<Pace>) -> Self {
        Self { stream, pace }
    }

    pub(super) fn into_inner(self) -> S {
        self.stream
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Paced<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        if into.filled().len() > before {
            self.pace.arrived();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Paced<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(10);
    const KEEP_ALIVE: Duration = Duration::from_secs(65);

    /// How long a connection may still take, and for what, after something was done to it a second in.
    fn check(what: impl FnOnce(&Arc<Pace>), expect: Option<(Overdue, u64)>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let pace = Pace::new(HEAD, KEEP_ALIVE);
            tokio::time::advance(Duration::from_secs(1)).await;
            what(&pace);
            let before = Instant::now();
            let watched = tokio::time::timeout(Duration::from_secs(1000), pace.overdue()).await;
            let passed = before.elapsed().as_secs_f64().round() as u64;
            assert_eq!(watched.ok().map(|overdue| (overdue, passed)), expect);
        });
    }

    #[test]
    fn the_first_head_has_its_time_from_the_connection_on() {
        check(|_| {}, Some((Overdue::Head, 9)));
        check(|pace| pace.arrived(), Some((Overdue::Head, 9)));
    }

    #[test]
    fn an_answer_may_take_any_time() {
        check(|pace| std::mem::forget(pace.begin()), None);
    }

    #[test]
    fn a_pause_ends_when_the_next_head_begins() {
        check(|pace| drop(pace.begin()), Some((Overdue::Idle, 65)));
        let next = |pace: &Arc<Pace>| {
            drop(pace.begin());
            pace.arrived();
            pace.arrived();
        };
        check(next, Some((Overdue::Head, 10)));
    }

    #[test]
    fn a_connection_is_idle_when_its_last_request_is_over() {
        let two = |pace: &Arc<Pace>| {
            let (one, other) = (pace.begin(), pace.begin());
            drop(one);
            std::mem::forget(other);
        };
        check(two, None);
    }
}
