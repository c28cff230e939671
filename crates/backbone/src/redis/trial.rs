//! What a node tries with every primary before it is there: a write, a message, a subscription. A server may take the login
//! and still refuse one of them, as a replica does and whatever the rights of the user leave out.

use super::directory::Directory;
use super::keys::Keys;
use super::script;
use super::wire::{Dial, WireError};

/// Tries each primary, with a name of a partition that it serves.
pub(crate) async fn pass(dial: &Dial, keys: &Keys, directory: &Directory) -> Result<(), WireError> {
    for primary in directory.primaries() {
        let serves = |partition: &u16| directory.owner(*partition).as_ref() == Some(&primary);
        let Some(partition) = (0..keys.partitions()).find(serves) else { continue };
        let name = keys.trial(partition);
        let mut wire = dial.dial(&primary).await?;
        wire.call(&["EVAL", script::TRIAL.text, "1", &name]).await?;
        wire.call(&["SPUBLISH", &name, ""]).await?;
        wire.subscribe(&name).await?;
    }
    Ok(())
}
