//! A connection of the bus to one server, as its owner sees it: it is given orders, and reports. What is said on it is in
//! its [`Conversation`].

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::config::Address;
use super::conversation::Conversation;
use super::interest::LinkId;
use super::outbox::Lane;
use super::traffic::Traffic;
use super::wire::WireError;

/// Orders that may wait: enough for every channel there may be, in pieces.
const ORDERS_MAX: usize = 8192;

/// A connection, closed when dropped.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) id: LinkId,
    pub(crate) up: bool,
    pub(crate) lane: Arc<Lane>,
    orders: mpsc::Sender<Order>,
    task: AbortHandle,
}

/// What a link is told to do.
#[derive(Debug)]
pub(crate) enum Order {
    /// It now serves a partition.
    Serve(u16),
    /// Another serves it.
    Leave(u16),
    /// To names of a partition.
    Subscribe(u16, Vec<Arc<str>>),
    Unsubscribe(u16, Vec<Arc<str>>),
}

/// What a link says.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) link: LinkId,
    pub(crate) address: Address,
    pub(crate) news: News,
}

#[derive(Debug)]
pub(crate) enum News {
    /// It is connected.
    Up,
    /// It hears what was published.
    Hears,
    /// The server serves a partition no more; this one does.
    Moved(u16, Address),
    /// The server serves a partition no more, or not now.
    Lost(u16),
    /// It is over.
    Down(WireError),
}

impl Link {
    /// Starts to connect.
    pub(crate) fn open(
        traffic: Arc<Traffic>,
        address: Address,
        (id, reports): (LinkId, mpsc::Sender<Report>),
    ) -> Self {
        let (orders, receiver) = mpsc::channel(ORDERS_MAX);
        let lane = Arc::new(Lane::default());
        let conversation = Conversation::new(traffic, (id, address, reports), lane.clone());
        let task = tokio::spawn(conversation.run(receiver)).abort_handle();
        Self { id, up: false, lane, orders, task }
    }

    /// Gives an order; `false` if too many wait, which no server that listens lets happen.
    pub(crate) fn order(&self, order: Order) -> bool {
        self.orders.try_send(order).is_ok()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}
