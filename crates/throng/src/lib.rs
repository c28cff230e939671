//! The Throng server: one binary, and the facade for embedding it.
