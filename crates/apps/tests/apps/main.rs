//! The apps as their clients see them, over real nodes.

mod bad_input;
mod debate;
mod endings;
mod fleet;
mod judgement;
mod limits;
mod people;
mod queues;
mod rooms;
mod roulette;
mod shards;
mod signals;
