//! The applications that ship with Throng. Each is a module on the node's public API and reaches no deeper.

pub mod analytics;
pub mod debate;
pub mod experiments;
mod request;
pub mod rooms;
pub mod roulette;
