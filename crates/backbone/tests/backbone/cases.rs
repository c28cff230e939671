//! What every store must do. A case gets a fleet of its own and opens the nodes that it needs.

pub(crate) mod bus;
pub(crate) mod documents;
pub(crate) mod histories;
pub(crate) mod leases;
pub(crate) mod members;
pub(crate) mod sessions;
pub(crate) mod tickets;
