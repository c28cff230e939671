//! The handle: opens a store, starts what runs beside it, and hands out the parts.

use std::sync::Arc;

use tokio::task::AbortHandle;

use crate::bus::Bus;
use crate::config::{Config, Store};
use crate::deliveries::{Deliveries, Inbox};
use crate::documents::Documents;
use crate::histories::Histories;
use crate::leases::Leases;
use crate::members::Members;
use crate::memory::Seat;
use crate::redis::{RedisStore, TlsError};
use crate::sessions::Sessions;
use crate::status::{Counters, Status};
use crate::tickets::Tickets;

/// What nodes share. Cheap to clone; closed when the last clone is dropped.
#[derive(Debug, Clone)]
pub struct Backbone {
    parts: Arc<Parts>,
}

/// Which store is behind a part.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Memory(Arc<Seat>),
    Redis(Arc<RedisStore>),
}

#[derive(Debug)]
struct Parts {
    kind: Kind,
    bus: Bus,
    members: Members,
    leases: Leases,
    tickets: Tickets,
    documents: Documents,
    sessions: Sessions,
    histories: Histories,
    counters: Arc<Counters>,
    inbox: Arc<Inbox>,
    running: Vec<AbortHandle>,
}

/// Why a backbone could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Nobody answered, however often it was tried.
    #[error("the store at {address} cannot be reached after {attempts} attempts: {error}")]
    Unreachable {
        /// Where the first server or sentinel should be.
        address: String,
        /// How often it was tried.
        attempts: u32,
        /// What was wrong the last time.
        error: String,
    },
    /// The server does not let this login in, or not do what a node must.
    #[error("the store at {address} refuses the login: {error}")]
    Login {
        /// Where the first server or sentinel is.
        address: String,
        /// What it says.
        error: String,
    },
    /// The encryption cannot work.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Backbone {
    /// Opens a backbone and says that this node is there. Needs a tokio runtime, on which it leaves its tasks.
    pub async fn open(config: Config) -> Result<(Self, Deliveries), OpenError> {
        let counters = Arc::new(Counters::default());
        let inbox = Inbox::new(config.deliveries_bytes_max, counters.clone());
        let kind = match config.store {
            Store::Memory(store) => Kind::Memory(store.seat(inbox.clone(), counters.clone())),
            Store::Redis(redis) => {
                Kind::Redis(RedisStore::open(*redis, inbox.clone(), counters.clone()).await?)
            }
        };
        let members = Members::new(kind.clone(), (config.node, config.address), config.heartbeat);
        let _ = members.refresh().await;
        let beating = tokio::spawn(members.clone().keep_beating()).abort_handle();
        let parts = Parts {
            bus: Bus::new(kind.clone()),
            members,
            leases: Leases::new(kind.clone()),
            tickets: Tickets::new(kind.clone()),
            documents: Documents::new(kind.clone()),
            sessions: Sessions::new(kind.clone()),
            histories: Histories::new(kind.clone()),
            kind,
            counters,
            inbox: inbox.clone(),
            running: vec![beating],
        };
        Ok((Self { parts: Arc::new(parts) }, Deliveries::new(inbox)))
    }

    /// Messages between nodes.
    pub fn bus(&self) -> &Bus {
        &self.parts.bus
    }

    /// Who is there.
    pub fn members(&self) -> &Members {
        &self.parts.members
    }

    /// What one node at a time may do.
    pub fn leases(&self) -> &Leases {
        &self.parts.leases
    }

    /// What one node at a time decides about, for the next one to go on with.
    pub fn tickets(&self) -> &Tickets {
        &self.parts.tickets
    }

    /// Values that many change.
    pub fn documents(&self) -> &Documents {
        &self.parts.documents
    }

    /// Sessions that outlive their node.
    pub fn sessions(&self) -> &Sessions {
        &self.parts.sessions
    }

    /// What was sent to rooms.
    pub fn histories(&self) -> &Histories {
        &self.parts.histories
    }

    /// How it is doing. Asks nobody.
    pub fn status(&self) -> Status {
        let connected = match &self.parts.kind {
            Kind::Memory(_) => true,
            Kind::Redis(store) => store.is_connected(),
        };
        Status { connected, ..self.parts.counters.read() }
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        for task in &self.running {
            task.abort();
        }
        self.inbox.close();
    }
}

/// A random number from the operating system.
pub(crate) fn random_u64() -> u64 {
    getrandom::u64().expect("the operating system has randomness once it has booted")
}
