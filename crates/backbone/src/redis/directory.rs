//! Who serves which partition, for everybody who needs to know: kept up to date by asking again, every while and when
//! something hints that it has changed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::config::{Address, RedisConfig};
use super::topology::{self, Topology};
use super::wire::{Dial, WireError};

/// The shortest time between questions, and how long one may take.
const URGENT: Duration = Duration::from_secs(1);

/// The directory.
#[derive(Debug)]
pub(crate) struct Directory {
    config: Arc<RedisConfig>,
    dial: Dial,
    topology: watch::Sender<Topology>,
    wanted: Notify,
}

impl Directory {
    /// Asks for the first time.
    pub(crate) async fn open(config: Arc<RedisConfig>, dial: Dial) -> Result<Arc<Self>, WireError> {
        let topology = topology::ask(&config, &dial, &Topology::default()).await?;
        Ok(Arc::new(Self { config, dial, topology: watch::Sender::new(topology), wanted: Notify::new() }))
    }

    /// The primary that serves a partition, if any does.
    pub(crate) fn owner(&self, partition: u16) -> Option<Address> {
        self.topology.borrow().owner(partition).cloned()
    }

    /// Every primary.
    pub(crate) fn primaries(&self) -> Vec<Address> {
        self.topology.borrow().primaries()
    }

    /// What is known.
    pub(crate) fn topology(&self) -> Topology {
        self.topology.borrow().clone()
    }

    /// What is known, and what will be.
    pub(crate) fn watch(&self) -> watch::Receiver<Topology> {
        self.topology.subscribe()
    }

    /// Takes a server's word for who serves a partition, and asks the others.
    pub(crate) fn moved(&self, partition: u16, owner: Address) {
        self.topology.send_if_modified(|topology| topology.moved(partition, owner));
        self.ask_soon();
    }

    /// What is known may be out of date.
    pub(crate) fn ask_soon(&self) {
        self.wanted.notify_one();
    }

    /// Asks for as long as the store is in use.
    pub(crate) async fn keep(self: Arc<Self>) {
        let dial = Dial { patience: self.dial.patience.min(URGENT), ..self.dial.clone() };
        loop {
            let _ = timeout(self.config.topology_interval, self.wanted.notified()).await;
            let known = self.topology();
            match topology::ask(&self.config, &dial, &known).await {
                Ok(new) => {
                    self.topology.send_if_modified(|topology| {
                        let news = *topology != new;
                        *topology = new;
                        news
                    });
                }
                Err(error) => tracing::debug!(%error, "nobody says who serves what"),
            }
            sleep(URGENT).await;
        }
    }
}
