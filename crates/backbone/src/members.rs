//! Who is there: each node says so every few seconds, and reads who else did. Owns the heartbeat of this node and its view
//! of the others. What a dead member leaves behind is cleared away by whoever holds a lease for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::backbone::Kind;
use crate::config::Heartbeat;
use crate::error::StoreError;
use crate::leases::{Lease, LeaseError};

/// One life of a node: a random number that no other life shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Incarnation(pub u64);

/// What a node says of itself with each heartbeat.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Load {
    /// Open connections.
    pub connections: u64,
    /// Rooms with members here.
    pub rooms: u64,
    /// The share of its cores that it uses, 0 to 1.
    pub cpu: f32,
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Connections that it is made for.
    pub capacity: u64,
    /// Where it runs.
    pub region: String,
    /// What it runs.
    pub version: String,
    /// Whether it takes no new connections and moves the others away.
    pub draining: bool,
}

/// A node as the others see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// The node's name.
    pub node: Arc<str>,
    /// Where the other nodes reach it. What this means is between them.
    pub address: Arc<str>,
    /// Which of its lives.
    pub incarnation: Incarnation,
    /// What it said last.
    pub load: Load,
}

/// The members of a backbone.
#[derive(Debug, Clone)]
pub struct Members {
    kind: Kind,
    view: Arc<View>,
}

/// What this node knows of the members, itself included.
#[derive(Debug)]
struct View {
    node: Arc<str>,
    address: Arc<str>,
    heartbeat: Heartbeat,
    load: Mutex<Load>,
    incarnation: watch::Sender<Incarnation>,
    list: watch::Sender<Arc<[Member]>>,
}

/// How long a buried member is remembered, should it come back.
pub(crate) const GRAVE: Duration = Duration::from_secs(3600);

/// How long the dead are listed if nobody buries them.
pub(crate) const DEAD_LISTED: Duration = Duration::from_secs(24 * 3600);

/// The answer to a heartbeat.
#[derive(Debug)]
pub(crate) enum Beat {
    /// Those who are alive, this one included, sorted by name.
    Alive(Vec<Member>),
    /// This life was taken for dead and what it held cleared away.
    Buried,
}

impl Members {
    pub(crate) fn new(kind: Kind, (node, address): (Arc<str>, Arc<str>), heartbeat: Heartbeat) -> Self {
        let view = View {
            node,
            address,
            heartbeat,
            load: Mutex::default(),
            incarnation: watch::Sender::new(draw()),
            list: watch::Sender::new(Arc::new([])),
        };
        Self { kind, view: Arc::new(view) }
    }

    /// The members as of the last heartbeat, sorted by name. Asks nobody.
    pub fn list(&self) -> Arc<[Member]> {
        self.view.list.borrow().clone()
    }

    /// The members from now on. It changes when one comes, goes or says something new of itself. While the store is away it
    /// stays as it was.
    pub fn watch(&self) -> watch::Receiver<Arc<[Member]>> {
        self.view.list.subscribe()
    }

    /// This node's present life. It changes when the others buried this node while it was silent: whatever it held may then
    /// be somebody else's.
    pub fn incarnation(&self) -> watch::Receiver<Incarnation> {
        self.view.incarnation.subscribe()
    }

    /// How members notice each other.
    pub fn heartbeat(&self) -> Heartbeat {
        self.view.heartbeat
    }

    /// What the next heartbeats say of this node.
    pub fn announce(&self, load: Load) {
        *self.view.load.lock().unwrap_or_else(PoisonError::into_inner) = load;
    }

    /// Leaves: the others need not wait for this node to be silent. The heartbeat of a backbone that is then not dropped
    /// brings it back.
    pub async fn leave(&self) -> Result<(), StoreError> {
        let incarnation = *self.view.incarnation.borrow();
        match &self.kind {
            Kind::Memory(seat) => {
                seat.store().members().leave(incarnation);
                Ok(())
            }
            Kind::Redis(store) => store.leave(incarnation).await,
        }
    }

    /// Those who are dead and not buried. For the holder of a lease: who held it earlier reads [`LeaseError::Lost`].
    pub async fn fallen(&self, lease: &Lease) -> Result<Vec<Member>, LeaseError> {
        let answer = match &self.kind {
            Kind::Memory(seat) => seat.store().members().fallen(lease.fence),
            Kind::Redis(store) => store.fallen(lease.fence).await?,
        };
        answer.ok_or(LeaseError::Lost)
    }

    /// Says that what this member left behind is cleared away. If it was alive after all, it starts a new life; `false` if
    /// it has come back before this.
    pub async fn bury(&self, lease: &Lease, fallen: Incarnation) -> Result<bool, LeaseError> {
        let answer = match &self.kind {
            Kind::Memory(seat) => seat.store().members().bury(lease.fence, fallen),
            Kind::Redis(store) => store.bury(lease.fence, fallen).await?,
        };
        answer.ok_or(LeaseError::Lost)
    }

    /// Says that this node is there and reads who else is, without waiting for the next heartbeat.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let dead_after = self.view.heartbeat.dead_after;
        let load = self.view.load.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (node, address) = (self.view.node.clone(), self.view.address.clone());
        let member = Member { node, address, incarnation: *self.view.incarnation.borrow(), load };
        let beat = match &self.kind {
            Kind::Memory(seat) => seat.store().members().beat(member, dead_after),
            Kind::Redis(store) => store.beat(&member, dead_after).await?,
        };
        match beat {
            Beat::Alive(members) => {
                self.view.list.send_if_modified(|list| {
                    let changed = list[..] != members[..];
                    *list = members.into();
                    changed
                });
            }
            Beat::Buried => {
                tracing::warn!("this node was silent and taken for dead; it starts anew");
                self.view.incarnation.send_replace(draw());
            }
        }
        Ok(())
    }

    /// Says that this node is there for as long as it is. A beat that fails is a beat that was missed.
    pub(crate) async fn keep_beating(self) {
        let mut ticks = interval(self.view.heartbeat.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let begun = Instant::now();
            if let Err(error) = self.refresh().await {
                tracing::debug!(%error, took = ?begun.elapsed(), "a heartbeat failed");
            }
        }
    }
}

/// A number for a new life.
fn draw() -> Incarnation {
    Incarnation(crate::backbone::random_u64())
}
