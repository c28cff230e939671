//! Bounds on the bodies of requests: 413 for one that is too large, 408 for one that takes too long. The Engine.IO path
//! has bounds of its own, which also end the session.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};
use http_body_util::{LengthLimitError, Limited};
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::time::{Instant, Sleep};

use crate::metrics::Overdue;
use crate::node::Node;
use crate::problem::Problem;
use crate::shard::Shard;

/// Lets a route read a body only within the bounds. What the route answers to a body that broke one is replaced.
pub(super) async fn bounded(State(node): State<Arc<Node>>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let most = node.config.edge.body_bytes_max;
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if announced.and_then(|length| length.parse::<usize>().ok()).is_some_and(|length| length > most) {
        return too_large(most).into_response();
    }
    let broken = Arc::new(Broken::default());
    let deadline = Instant::now() + node.config.body_timeout;
    let request = request.map(|body| {
        let sleep = Box::pin(tokio::time::sleep_until(deadline));
        Body::new(Bounded { body: Limited::new(body, most), sleep, broken: broken.clone() })
    });
    let response = next.run(request).await;
    match broken.0.load(Ordering::Relaxed) {
        Broken::SIZE => too_large(most).into_response(),
        Broken::TIME => {
            overdue();
            let message = "The body of the request took too long.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "request_timeout", message).into_response()
        }
        _ => response,
    }
}

/// Counts a body that took too long.
pub(super) fn overdue() {
    if let Some(shard) = Shard::here() {
        shard.metrics().overdue(Overdue::Body);
    }
}

fn too_large(most: usize) -> Problem {
    let message = format!("A request may carry up to {most} bytes.");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", message)
}

/// Which bound a body broke, if any.
#[derive(Debug, Default)]
struct Broken(AtomicU8);

impl Broken {
    const SIZE: u8 = 1;
    const TIME: u8 = 2;
}

/// A body within bounds.
struct Bounded {
    body: Limited<Body>,
    sleep: Pin<Box<Sleep>>,
    broken: Arc<Broken>,
}

type BodyError = Box<dyn std::error::Error + Send + Sync>;

impl hyper::body::Body for Bounded {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.sleep.as_mut().poll(context).is_ready() {
            self.broken.0.store(Broken::TIME, Ordering::Relaxed);
            return Poll::Ready(Some(Err("the body took too long".into())));
        }
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        if let Some(Err(error)) = &frame
            && error.is::<LengthLimitError>()
        {
            self.broken.0.store(Broken::SIZE, Ordering::Relaxed);
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
