//! The access log: one line under the target `access` when an answer is over, however it ended. Polls of Engine.IO
//! sessions, which come all the time, are logged at DEBUG unless they are refused, everything else at INFO.

use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use http::{Method, StatusCode, Uri};
use hyper::body::{Frame, SizeHint};
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
    /// The body of the answer, which takes the record with it.
    pub(super) fn follow(self, body: Body) -> Followed {
        Followed { body, record: self }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        /// What nginx logs for it.
        const CLIENT_GONE: u16 = 499;
        macro_rules! log {
            ($level:ident) => {{
                let path = self.uri.path();
                tracing::$level!(
                    target: "access",
                    method = self.method.as_str(),
                    path = path.get(..PATH_BYTES_MAX).unwrap_or(path),
                    status = self.status.map_or(CLIENT_GONE, |status| status.as_u16()),
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
            Rank::Poll if self.status.is_none_or(|status| status.is_success()) => log!(debug),
            Rank::Request | Rank::Poll => log!(info),
        }
    }
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
