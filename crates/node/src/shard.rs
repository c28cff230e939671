//! A shard: one thread, one event loop, and everything that lives on its connections. Nothing in here is shared, so
//! nothing in here is locked; other threads send errands.
//!
//! User code (handlers, middleware) is never called while the state is borrowed. Whatever a turn of the loop queued for
//! its connections is written at the end of the turn, so that a backlog leaves in few calls.

mod connect;
mod deadlines;
mod declare;
mod dispatch;
mod ending;
mod errands;
pub(crate) mod hub;
mod inbox;
mod intake;
mod outbox;
mod receive;
mod recover;
mod restore;
mod send;
pub(crate) mod session;
mod sessions;
mod stream;
pub(crate) mod survey;
mod tokens;
mod turn;
mod upgrade;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use throng_protocol::end::End;
use throng_protocol::id::Id;
use throng_protocol::websocket::decoder::{Context, Role};
use throng_protocol::websocket::deflate::{Deflater, Inflater};

use crate::metrics::Metrics;
use crate::node::Node;
use crate::shard::deadlines::{Deadlines, Kind};
use crate::shard::ending::Leaving;
use crate::shard::hub::Hub;
use crate::shard::inbox::Inbox;
use crate::shard::intake::Intake;
use crate::shard::recover::Away;
use crate::shard::restore::Restoring;
use crate::shard::session::{Session, WebSocket};
use crate::shard::tokens::Expiries;
pub(crate) use crate::shard::turn::{Start, start};

/// Bytes read from a connection in one call.
const SCRATCH_BYTES: usize = 64 << 10;

/// One shard of a node.
pub(crate) struct Shard {
    pub(crate) node: Arc<Node>,
    pub(crate) index: u8,
    state: RefCell<State>,
    inbox: RefCell<Inbox>,
    registry: mio::Registry,
    /// What the frame decoders of all connections share.
    frames: RefCell<Context>,
    scratch: Cell<Option<Box<[u8]>>>,
    intake: RefCell<Intake>,
    /// The event loop is running and will write what is queued; outside of it, it has to be woken for that.
    in_turn: Cell<bool>,
    /// The time since the node began as an event of this turn has read it: the limits of all of them go by that.
    turn_time: Cell<Option<Duration>>,
    waker: RefCell<Option<Waker>>,
    draining: Cell<bool>,
    /// Ends of sockets are being worked through.
    sees_off: Cell<bool>,
}

/// The tables. Borrowed for moments only.
struct State {
    sessions: slab::Slab<Session>,
    hub: Hub,
    /// Sessions that have something to write.
    dirty: Vec<u32>,
    /// Sessions that turned out to be over while they were written to.
    doomed: Vec<(u32, u32, End)>,
    deadlines: Deadlines,
    expiries: Expiries,
    /// Sockets whose ends are due, in order.
    leaving: VecDeque<Leaving>,
    /// Closed connections whose last bytes are on their way.
    lingering: slab::Slab<(u32, WebSocket)>,
    deflater: Deflater,
    /// What polling sessions that are over still have to say to a poll on its way.
    parted: VecDeque<(Id, Vec<u8>)>,
    next_stamp: u32,
    /// Sockets with something to record.
    unrecorded: Vec<u32>,
    /// Sockets whose clients may come back.
    away: HashMap<Id, Away>,
    /// Sockets that are being brought up to date.
    restoring: Vec<Restoring>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Shard>>> = const { RefCell::new(None) };
}

impl Shard {
    fn new(node: Arc<Node>, index: u8, inbox: Inbox, registry: mio::Registry) -> Self {
        let config = &node.config;
        let delays = |kind| match kind {
            Kind::Ping => config.ping_interval,
            Kind::Pong => config.ping_timeout,
            Kind::Connect => config.connect_timeout,
            Kind::Upgrade => config.upgrade_timeout,
            Kind::Linger => ending::LINGER,
        };
        let mut hub = Hub::default();
        if node.cluster.is_some() {
            hub.changes = Some(Vec::new());
            hub.follows = node.config.recovery.is_some();
        }
        let state = State {
            sessions: slab::Slab::new(),
            hub,
            dirty: Vec::new(),
            doomed: Vec::new(),
            deadlines: Deadlines::new(delays),
            expiries: Expiries::new(config.ping_interval + config.ping_timeout),
            leaving: VecDeque::new(),
            lingering: slab::Slab::new(),
            deflater: Deflater::new(),
            parted: VecDeque::new(),
            next_stamp: 0,
            unrecorded: Vec::new(),
            away: HashMap::new(),
            restoring: Vec::new(),
        };
        let frames = Context {
            role: Role::Server,
            message_bytes_max: config.payload_bytes_max,
            inflater: Inflater::new(),
        };
        Self {
            index,
            state: RefCell::new(state),
            inbox: RefCell::new(inbox),
            registry,
            frames: RefCell::new(frames),
            scratch: Cell::new(Some(vec![0; SCRATCH_BYTES].into_boxed_slice())),
            intake: RefCell::new(Intake::new()),
            in_turn: Cell::new(false),
            turn_time: Cell::new(None),
            waker: RefCell::new(None),
            draining: Cell::new(false),
            sees_off: Cell::new(false),
            node,
        }
    }

    /// The shard of this thread, when it is the one asked for.
    pub(crate) fn on(node: &Arc<Node>, index: usize) -> Option<Rc<Self>> {
        CURRENT.with_borrow(|current| {
            let here = current.as_ref()?;
            (usize::from(here.index) == index && Arc::ptr_eq(&here.node, node)).then(|| here.clone())
        })
    }

    /// The shard of this thread.
    pub(crate) fn here() -> Option<Rc<Self>> {
        CURRENT.with_borrow(Clone::clone)
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.node.ports[usize::from(self.index)].metrics
    }

    /// Whether the slot still holds the same session.
    fn is_alive(&self, slot: u32, stamp: u32) -> bool {
        self.state.borrow().sessions.get(slot as usize).is_some_and(|session| session.stamp == stamp)
    }
}

impl State {
    fn stamp(&mut self) -> u32 {
        self.next_stamp = self.next_stamp.wrapping_add(1);
        self.next_stamp
    }
}

impl std::fmt::Debug for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shard").field("index", &self.index).finish_non_exhaustive()
    }
}
