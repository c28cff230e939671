//! The access log: one line under the target `access` when an answer is over, however it ended. Polls of Engine.IO
//! sessions, which come all the time, are logged at DEBUG unless they are refused, everything else at INFO.

use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http::{Method, StatusCode, Uri};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::Instant;

use super::pace::Open;
use super::request_id::RequestId;

/// The most of a path that is logged, in bytes.
const PATH_BYTES_MAX: usize = 256;

/// What is known of a request; dropped, it is logged.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) address: IpAddr,
    pub(super) id: RequestId,
    pub(super) trace: u128,
    pub(super) rank: Rank,
    pub(super) began: Instant,
    /// `None` when the client has gone before there was an answer.
    pub(super) status: Option<StatusCode>,
    /// The client has gone before all of its request was there: nobody reads the answer.
    pub(super) cut: Arc<AtomicBool>,
    pub(super) bytes: u64,
    /// The request is over with its record.
    pub(super) _open: Open,
}

/// How worth telling a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rank {
    Request,
    /// One of the many of a polling session.
    Poll,
}

impl Record {
    /// The body of the request, which tells the record when the client goes in the middle of it.
    pub(super) fn watch(&self, body: Incoming) -> Body {
        use hyper::body::Body as _;
        if body.is_end_stream() { Body::empty() } else { Body::new(Watched { body, cut: self.cut.clone() }) }
    }

    /// The body of the answer, which takes the record with it.
    pub(super) fn follow(self, body: Body) -> Followed {
        Followed { body, record: self }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        /// What nginx logs for it.
        const CLIENT_GONE: u16 = 499;
        let status = self.status.filter(|_| !self.cut.load(Ordering::Relaxed));
        macro_rules! log {
            ($level:ident) => {{
                let path = self.uri.path();
                tracing::$level!(
                    target: "access",
                    method = self.method.as_str(),
                    path = path.get(..PATH_BYTES_MAX).unwrap_or(path),
                    status = status.map_or(CLIENT_GONE, |status| status.as_u16()),
                    bytes = self.bytes,
                    ms = self.began.elapsed().as_secs_f64() * 1000.0,
                    address = %self.address,
                    request_id = self.id.as_str(),
                    trace_id = format_args!("{:032x}", self.trace),
                    "request"
                )
            }};
        }
        match self.rank {
            Rank::Poll if status.is_none_or(|status| status.is_success()) => log!(debug),
            Rank::Request | Rank::Poll => log!(info),
        }
    }
}

/// A posted body that notes when it ends too early.
#[derive(Debug)]
struct Watched {
    body: Incoming,
    cut: Arc<AtomicBool>,
}

impl hyper::body::Body for Watched {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Err(error)) = &frame
            && !is_malformed(error)
        {
            self.cut.store(true, Ordering::Relaxed);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Whether a body has failed by its chunks, whose client waits for an answer. Everything else is the end of its connection,
/// or of its stream.
fn is_malformed(error: &hyper::Error) -> bool {
    let cause = error.source().and_then(|cause| cause.downcast_ref::<io::Error>());
    cause
        .is_some_and(|cause| matches!(cause.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData))
}

/// A body that counts what leaves.
#[derive(Debug)]
pub(super) struct Followed {
    body: Body,
    record: Record,
}

impl hyper::body::Body for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            self.record.bytes += data.len() as u64;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
