//! What can go wrong with any store.

use std::time::Duration;

/// Why a store did not do what it was asked. None of these says whether it was done all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// There is no connection now; one is being made. Try again later.
    #[error("the store cannot be reached")]
    Away,
    /// No answer in time. Try again later.
    #[error("the store did not answer within {0:?}")]
    Late(Duration),
    /// The store takes no writes for now: it is full, cannot save, misses its replicas or is busy. Try again later.
    #[error("the store takes no writes now: {0}")]
    Unwilling(String),
    /// The store answered with an error of its own, named by its code. Not for trying again unchanged.
    #[error("the store refused: {0}")]
    Refused(String),
    /// What the store holds was not written by this version.
    #[error("the store holds something unreadable: {0}")]
    Unreadable(&'static str),
}
