//! The open files that a run needs, asked for before the first connection.

use crate::failure::Failure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The driver's own files, and room for those that are closing.
const SPARE: u64 = 64;

/// Raises this process's limit on open files as far as so many connections need and the system allows. Children inherit it.
///
/// # Errors
/// [`Failure::FileLimit`] when the hard limit is below the need and cannot be raised.
pub fn allow_files(connections: usize) -> Result<(), Failure> {
    let needed = connections as u64 + SPARE;
    let limit = getrlimit(Resource::Nofile);
    let enough = |limit: Option<u64>| limit.is_none_or(|limit| limit >= needed);
    if enough(limit.current) {
        return Ok(());
    }
    let maximum = if enough(limit.maximum) { limit.maximum } else { Some(needed) };
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), maximum }).map_err(|_| Failure::FileLimit {
        connections,
        needed,
        limit: limit.maximum.unwrap_or(u64::MAX),
    })
}
