//! What a lobby is made with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::names::QueueName;
use crate::policy::Policy;

/// The settings of a lobby.
#[derive(Debug, Clone)]
pub struct LobbyConfig {
    /// The queues that there are.
    pub queues: HashMap<QueueName, QueueConfig>,
    /// How long the ticket of somebody who is away is kept.
    pub lease: Duration,
    /// How long the two of a pairing may take to confirm it.
    pub confirm_timeout: Duration,
}

/// The settings of a queue.
#[derive(Debug, Clone)]
pub struct QueueConfig {
    /// How people are paired.
    pub policy: Arc<Policy>,
    /// How many may wait. Whoever goes back because their partner dropped out is let in all the same.
    pub waiting_max: usize,
}

impl Default for LobbyConfig {
    fn default() -> Self {
        Self {
            queues: HashMap::new(),
            lease: Duration::from_secs(30),
            confirm_timeout: Duration::from_secs(5),
        }
    }
}

impl Default for QueueConfig {
    fn default() -> Self {
        Self { policy: Arc::default(), waiting_max: 10_000 }
    }
}
