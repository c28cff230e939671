//! A socket as others see it: what `fetch_sockets` brings back.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use throng_protocol::id::Id;

use crate::envelope::{Data, Room};

/// A description of a socket, taken at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RemoteSocket {
    /// Its identifier.
    pub id: Id,
    /// Its rooms, its own identifier among them.
    pub rooms: Vec<Room>,
    pub(crate) data: Option<Arc<Data>>,
}

impl RemoteSocket {
    /// The data that its handlers attached, when they have this shape.
    pub fn data<T: DeserializeOwned>(&self) -> Option<T> {
        T::deserialize(self.data.as_deref()?).ok()
    }
}
