//! The applications that ship with Throng, on its public API.
