//! The event loop of a shard, and the thread around it.

use std::cell::Cell;
use std::future::poll_fn;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use throng_protocol::end::End;
use tokio::io::unix::AsyncFd;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, Sleep};

use super::deadlines::{Due, Kind};
use super::inbox::Inbox;
use super::outbox::queued_bytes;
use super::session::Transport;
use super::{CURRENT, Shard};
use crate::envelope::Errand;
use crate::http::Edge;
use crate::metrics::lag;
use crate::node::{Left, Node};

/// Readiness events and errands taken in one turn.
const BATCH: usize = 256;

/// Bit of a poll token: the connection is a probe that may replace the session's polling.
pub(super) const PROBE: usize = 1 << 30;
/// Bit of a poll token: the connection is closed and only lingers.
pub(super) const LINGER: usize = 1 << 31;

/// What a shard's thread starts from.
pub(crate) struct Start {
    pub(crate) node: Arc<Node>,
    pub(crate) index: u8,
    pub(crate) inbox: mpsc::Receiver<Errand>,
    pub(crate) listener: std::net::TcpListener,
    pub(crate) left: watch::Sender<Option<Left>>,
    pub(crate) routes: axum::Router,
    /// Told whether the shard could be set up.
    pub(crate) started: oneshot::Sender<std::io::Result<()>>,
}

/// Runs a shard on a thread of its own until it is told to stop.
pub(crate) fn start(start: Start) -> std::io::Result<std::thread::JoinHandle<()>> {
    std::thread::Builder::new().name(format!("shard-{}", start.index)).spawn(move || {
        match tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default()) {
            Ok(runtime) => runtime.block_on(serve(start)),
            Err(error) => drop(start.started.send(Err(error))),
        }
    })
}

async fn serve(start: Start) {
    // Whoever started the shard waits for this answer; if it no longer does, there is nobody to serve.
    let (node, index) = (start.node, start.index);
    match set_up(node.clone(), index, Inbox::new(start.inbox)) {
        Ok((shard, poll)) => {
            // Routes that exclude each other panic.
            let edge = Edge::new(node.clone(), index, start.routes);
            let _ = start.started.send(Ok(()));
            CURRENT.with_borrow_mut(|current| *current = Some(shard.clone()));
            let accepting = tokio::task::spawn_local(edge.clone().accept(start.listener));
            tokio::task::spawn_local(lag::watch(node.ports[usize::from(index)].metrics.clone()));
            let waiting = Waiting { poll, sleep: Box::pin(tokio::time::sleep(Duration::ZERO)) };
            shard.turn(waiting, edge, accepting.abort_handle(), start.left).await;
            CURRENT.with_borrow_mut(|current| *current = None);
        }
        Err(error) => drop(start.started.send(Err(error))),
    }
}

fn set_up(node: Arc<Node>, index: u8, inbox: Inbox) -> std::io::Result<(Rc<Shard>, AsyncFd<mio::Poll>)> {
    let poll = mio::Poll::new()?;
    let shard = Rc::new(Shard::new(node, index, inbox, poll.registry().try_clone()?));
    #[expect(
        deprecated,
        reason = "a mio poll owns one descriptor for as long as it lives, which is all that is asked"
    )]
    let poll = AsyncFd::new(poll)?;
    Ok((shard, poll))
}

/// All that can wake the loop.
struct Waiting {
    poll: AsyncFd<mio::Poll>,
    sleep: Pin<Box<Sleep>>,
}

impl Shard {
    async fn turn(
        self: Rc<Self>,
        mut waiting: Waiting,
        edge: Edge,
        accepting: tokio::task::AbortHandle,
        left: watch::Sender<Option<Left>>,
    ) {
        let mut events = mio::Events::with_capacity(BATCH);
        let closing = Cell::new(None);
        let mut warned = Vec::new();
        loop {
            self.wait(&mut waiting, &mut events).await;
            self.in_turn.set(true);
            self.turn_time.set(None);
            let measured = self.metrics().turns.begin();
            self.end_given_up(Instant::now());
            for event in &events {
                self.ready(event);
            }
            self.digest();
            let mut errands = 0;
            while errands < BATCH {
                let Some(errand) = self.next_errand() else { break };
                errands += 1;
                match errand {
                    Errand::Drain(spread) => {
                        accepting.abort();
                        self.draining.set(true);
                        closing.set(Some(Slope::new(spread, self.session_count())));
                    }
                    Errand::Stop => {
                        self.sessions(usize::MAX).into_iter().for_each(|(slot, _)| self.shut_down(slot));
                        self.in_turn.set(false);
                        return;
                    }
                    Errand::Connection(stream, address) => edge.adopt(stream, address),
                    other => self.run_errand(other),
                }
            }
            if self.node.ports[usize::from(self.index)].reexamine.swap(false, Ordering::AcqRel) {
                self.reexamine();
            }
            let now = Instant::now();
            self.fire(now);
            self.expire(now);
            if let Some(slope) = closing.get().filter(|_| errands < BATCH) {
                // What other shards had to say to those that were warned in an earlier turn has arrived.
                for (slot, stamp) in warned.drain(..) {
                    if self.is_alive(slot, stamp) {
                        self.shut_down(slot);
                    }
                }
                let stay = slope.left(Instant::now());
                warned = self.sessions(self.session_count().saturating_sub(stay));
                warned.iter().for_each(|(slot, _)| self.warn_session(*slot, End::ServerShutdown));
            }
            self.flush();
            self.metrics().rooms.set(self.state.borrow().hub.room_count);
            self.metrics().send_queue_bytes.set(queued_bytes());
            self.metrics().turns.end(measured);
            self.in_turn.set(false);
            if self.draining.get() {
                let state = self.state.borrow();
                let (sessions, lingering) = (state.sessions.len(), state.lingering.len());
                left.send_replace(Some(Left { sessions, lingering }));
            }
            tokio::task::yield_now().await;
        }
    }

    /// Waits until there is anything to do and gathers it.
    async fn wait(&self, waiting: &mut Waiting, events: &mut mio::Events) {
        let until = self.wake_at();
        if let Some(until) = until
            && waiting.sleep.deadline() != until
        {
            waiting.sleep.as_mut().reset(until);
        }
        let mut woken = false;
        poll_fn(|context| {
            {
                let mut waker = self.waker.borrow_mut();
                if !waker.as_ref().is_some_and(|waker| waker.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
            }
            let mut ready =
                woken || !self.state.borrow().dirty.is_empty() || !self.state.borrow().doomed.is_empty();
            ready |= self.inbox.borrow_mut().poll_ready(context);
            events.clear();
            while let Poll::Ready(Ok(mut guard)) = waiting.poll.poll_read_ready_mut(context) {
                // A poll that fails here was interrupted; the readiness stays and it is asked again.
                let _ = guard.get_inner_mut().poll(events, Some(Duration::ZERO));
                if events.iter().nth(BATCH - 1).is_none() {
                    guard.clear_ready();
                }
                if !events.is_empty() {
                    ready = true;
                    break;
                }
            }
            if until.is_some() && waiting.sleep.as_mut().poll(context).is_ready() {
                ready = true;
            }
            woken = true;
            if ready { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn next_errand(&self) -> Option<Errand> {
        self.inbox.borrow_mut().next()
    }

    /// When the loop has to look at the clock again.
    fn wake_at(&self) -> Option<Instant> {
        let next = {
            let state = self.state.borrow();
            state.deadlines.next().into_iter().chain(state.expiries.next()).min()
        };
        if !self.draining.get() {
            return next;
        }
        let step = Instant::now() + Slope::STEP;
        Some(next.map_or(step, |next| next.min(step)))
    }

    fn session_count(&self) -> usize {
        self.state.borrow().sessions.len()
    }

    /// A connection can be read, or written again.
    fn ready(self: &Rc<Self>, event: &mio::event::Event) {
        let token = event.token().0;
        let slot = u32::try_from(token & (PROBE - 1)).expect("tokens are made of 24-bit slots");
        if token & LINGER != 0 {
            return self.linger_ready(slot);
        }
        if token & PROBE != 0 {
            return self.read_probe(slot);
        }
        if event.is_writable() {
            self.writable(slot);
        }
        if event.is_read_closed() {
            self.hung_up(slot);
        }
        if event.is_error() {
            self.read(slot);
            self.lost(slot);
        } else if event.is_readable() || event.is_read_closed() {
            self.gather(slot);
        }
    }

    fn writable(&self, slot: u32) {
        let mut state = self.state.borrow_mut();
        if let Some(session) = state.sessions.get_mut(slot as usize)
            && let Transport::WebSocket(socket) = &mut session.transport
            && socket.blocked
        {
            socket.blocked = false;
            state.write(slot);
        }
    }

    /// The client has closed its half. That is told once, maybe together with its last data, so it is kept in mind.
    fn hung_up(&self, slot: u32) {
        if let Some(session) = self.state.borrow_mut().sessions.get_mut(slot as usize)
            && let Transport::WebSocket(socket) = &mut session.transport
        {
            socket.hung_up = true;
        }
    }

    /// A connection has failed. One that is read has told so by now; one that is paused would never.
    fn lost(self: &Rc<Self>, slot: u32) {
        let paused = self.state.borrow().sessions.get(slot as usize).is_some_and(|session| session.paused);
        if paused {
            self.end_session(slot, End::TransportClose);
        }
    }

    /// Ends the sessions whose clients have heard nothing for so long that they went elsewhere, as when this process was
    /// paused. That comes before anything is read: what they had sent here would come after what they said since.
    fn end_given_up(self: &Rc<Self>, now: Instant) {
        loop {
            let given_up = self.state.borrow_mut().deadlines.given_up(now);
            let Some((slot, stamp)) = given_up else { return };
            self.pong_missing(slot, stamp, now);
        }
    }

    /// Handles every deadline that has come.
    pub(super) fn fire(self: &Rc<Self>, now: Instant) {
        loop {
            let due = self.state.borrow_mut().deadlines.pop(now);
            let Some(Due { kind, at, slot, stamp }) = due else { return };
            match kind {
                Kind::Ping => self.ping(slot, stamp, at),
                Kind::Pong => self.pong_missing(slot, stamp, now),
                Kind::Connect => self.connect_missing(slot, stamp),
                Kind::Upgrade => self.upgrade_missing(slot, stamp),
                Kind::Linger => self.linger_over(slot, stamp),
            }
        }
    }

    /// So many sessions, by slot and stamp.
    fn sessions(&self, count: usize) -> Vec<(u32, u32)> {
        let state = self.state.borrow();
        let sessions = state.sessions.iter().take(count);
        sessions.filter_map(|(slot, session)| Some((u32::try_from(slot).ok()?, session.stamp))).collect()
    }

    /// Ends a session because the node leaves.
    fn shut_down(self: &Rc<Self>, slot: u32) {
        self.end_session(slot, End::ServerShutdown);
    }
}

/// How many sessions may still be there at a time of a drain: a straight line down to none.
#[derive(Debug, Clone, Copy)]
struct Slope {
    start: Instant,
    spread: Duration,
    sessions: usize,
}

impl Slope {
    const STEP: Duration = Duration::from_millis(20);

    /// Few sessions need less than the whole time.
    fn new(spread: Duration, sessions: usize) -> Self {
        let each = Duration::from_millis(10);
        let enough = each.saturating_mul(u32::try_from(sessions).unwrap_or(u32::MAX));
        Self { start: Instant::now(), spread: spread.min(enough), sessions }
    }

    fn left(&self, now: Instant) -> usize {
        let passed = now.saturating_duration_since(self.start);
        if passed >= self.spread {
            return 0;
        }
        let share = 1.0 - passed.as_secs_f64() / self.spread.as_secs_f64();
        (self.sessions as f64 * share).ceil() as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_is_a_straight_line_down_to_none() {
        let slope = Slope::new(Duration::from_secs(10), 2000);
        let left = |seconds| slope.left(slope.start + Duration::from_secs(seconds));
        assert_eq!([left(0), left(5), left(9), left(10), left(99)], [2000, 1000, 200, 0, 0]);
        assert_eq!(Slope::new(Duration::from_secs(10), 3).spread, Duration::from_millis(30));
    }
}
