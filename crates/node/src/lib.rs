//! Shards, transports, the hub and the public API of a Throng node.
