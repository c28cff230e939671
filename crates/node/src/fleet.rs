//! A node's way into its fleet: a name of its own, a seat at the backbone, and a place where the other nodes reach it.

use std::net::TcpListener;
use std::sync::Arc;

use http::HeaderValue;
use throng_backbone::{Backbone, Config, Deliveries, Heartbeat, OpenError, Store, StoreError};

use crate::cluster::secret;
use crate::ids::NodeTag;

/// What a node shares with the others of its fleet, opened.
#[derive(Debug)]
pub struct Fleet {
    pub(crate) tag: NodeTag,
    pub(crate) backbone: Backbone,
    pub(crate) deliveries: Deliveries,
    pub(crate) listener: TcpListener,
    /// What the nodes of the fleet know each other by.
    pub(crate) secret: HeaderValue,
}

/// What a fleet is opened with.
#[derive(Debug)]
pub struct FleetConfig {
    /// Where the nodes keep what they share; those with the same store are one fleet.
    pub store: Store,
    /// How they notice each other.
    pub heartbeat: Heartbeat,
    /// Where this node takes requests of the others. They must reach it, and nobody else needs to.
    pub listener: TcpListener,
    /// Where they find the listener: `host:port`.
    pub address: Arc<str>,
}

/// Why a node could not join its fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The backbone could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store could be reached, and then did not say what the nodes know each other by.
    #[error("the secret of the fleet cannot be read")]
    Secret(#[from] StoreError),
}

impl Fleet {
    /// Opens the backbone and says that this node is there. Needs a tokio runtime, the one that the node then runs on.
    ///
    /// # Errors
    /// When the store cannot be reached after several attempts, or refuses the login.
    pub async fn open(config: FleetConfig) -> Result<Self, FleetError> {
        let FleetConfig { store, heartbeat, listener, address } = config;
        let tag = NodeTag::draw();
        let config = Config { heartbeat, address, ..Config::new(tag.to_string(), store) };
        let (backbone, deliveries) = Backbone::open(config).await?;
        let secret = secret::read(backbone.documents()).await?;
        Ok(Self { tag, backbone, deliveries, listener, secret })
    }

    /// The name of the node among the members, and in the identifiers that it draws.
    pub fn node(&self) -> NodeTag {
        self.tag
    }

    /// How many nodes the fleet has, this one included, as far as is known.
    pub fn member_count(&self) -> usize {
        self.backbone.members().list().len().max(1)
    }
}
