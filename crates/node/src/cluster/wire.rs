//! What nodes say to each other, as bytes: a version, who says it, and a body in postcard's encoding. An event travels
//! framed, so that whoever receives it hands it on to its clients as it is.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_protocol::id::Id;
use throng_protocol::socket::args::Args;

use crate::envelope::{Closing, Room, Selection, Urgency};
use crate::ids::NodeTag;
use crate::outgoing::Outgoing;
use crate::remote::RemoteSocket;
use crate::tenants::Space;

/// Grows when the encoding changes; what is of another version is not understood.
const VERSION: u8 = 1;

/// Bytes before the body.
const HEAD_BYTES: usize = 4;

/// A message between nodes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Body<'a> {
    /// Something to do to a selection of sockets.
    Do {
        /// Tells copies apart: one that goes to several rooms arrives once for each. 0 when there is one.
        serial: u64,
        /// When it was sent, in microseconds since 1970, if that matters: messages of several histories are put in order by it.
        sent_us: u64,
        #[serde(borrow)]
        to: Target<'a>,
        action: Action<'a>,
    },
    /// An event for the server-side listeners.
    Tell {
        #[serde(borrow)]
        space: SpaceName<'a>,
        event: &'a str,
        args: WireArgs<'a>,
    },
    /// A question, which the asker awaits answers to for so long.
    Ask {
        number: u64,
        patience_ms: u32,
        #[serde(borrow)]
        question: Question<'a>,
    },
    /// An answer to the question of this number.
    Answer {
        number: u64,
        #[serde(borrow)]
        answer: Answer<'a>,
    },
    /// The sender has begun, or leaves: the list of members has changed.
    MembersChanged,
}

/// A namespace of a tenant, by name.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct SpaceName<'a> {
    pub(super) tenant: &'a str,
    pub(super) nsp: &'a str,
}

/// A selection of sockets.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Target<'a> {
    #[serde(borrow)]
    pub(super) space: SpaceName<'a>,
    rooms: Vec<&'a str>,
    except: Vec<&'a str>,
    sender: Option<[u8; 15]>,
}

/// What is done to each of them.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Action<'a> {
    Emit {
        #[serde(borrow)]
        packet: Packet<'a>,
        is_volatile: bool,
    },
    Join(&'a str),
    Leave(&'a str),
    Disconnect {
        whole_session: bool,
    },
}

/// What is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Question<'a> {
    /// That clients acknowledge an event; the packet has the acknowledgement's number in it.
    Emit {
        #[serde(borrow)]
        to: Target<'a>,
        packet: Packet<'a>,
    },
    /// Who they are.
    Fetch {
        #[serde(borrow)]
        to: Target<'a>,
    },
    /// What the server-side listeners say.
    Tell {
        #[serde(borrow)]
        space: SpaceName<'a>,
        event: &'a str,
        args: WireArgs<'a>,
    },
    /// That nothing is left of a socket, whose client goes on elsewhere.
    Superseded { socket: [u8; 15] },
}

/// What comes back.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Answer<'a> {
    /// So many sockets, or listeners, were asked; each of them answers or is lost.
    Asked(u32),
    /// One has answered.
    Given(#[serde(borrow)] WireArgs<'a>),
    /// One will not.
    Lost,
    /// These are all: JSON, as [`RemoteSocket`] encodes them.
    Sockets(&'a str),
}

/// A packet for clients, as frames.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Packet<'a> {
    #[serde(borrow, with = "serde_bytes")]
    frames: &'a [u8],
    /// Event and arguments, when somebody listens to what is sent.
    #[serde(borrow)]
    pub(super) spoken: Option<(&'a str, WireArgs<'a>)>,
}

/// Arguments: JSON as it is, or msgpack.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum WireArgs<'a> {
    Json(&'a str),
    Values(#[serde(with = "serde_bytes")] Vec<u8>),
}

/// Why a message was not understood.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// Another version of Throng.
    #[error("written by another version")]
    Version,
    /// Nothing that a node writes.
    #[error("malformed: {0}")]
    Malformed(#[from] postcard::Error),
}

/// Writes a message.
pub(super) fn encode(from: NodeTag, body: &Body<'_>) -> Bytes {
    let mut bytes = Vec::with_capacity(256);
    bytes.push(VERSION);
    bytes.extend_from_slice(&from.0);
    postcard::to_extend(body, bytes).expect("memory takes what is written to it").into()
}

/// Reads who wrote a message, and what.
pub(super) fn decode(bytes: &[u8]) -> Result<(NodeTag, Body<'_>), WireError> {
    match bytes.split_first_chunk::<HEAD_BYTES>() {
        Some(([VERSION, a, b, c], body)) => Ok((NodeTag([*a, *b, *c]), postcard::from_bytes(body)?)),
        _ => Err(WireError::Version),
    }
}

impl<'a> SpaceName<'a> {
    pub(crate) fn of(space: &'a Space) -> Self {
        Self { tenant: &space.tenant.name, nsp: &space.nsp }
    }
}

impl<'a> Target<'a> {
    pub(crate) fn new(space: &'a Space, to: &'a Selection) -> Self {
        let space = SpaceName::of(space);
        let names = |rooms: &'a [Room]| rooms.iter().map(|room| &**room).collect();
        let sender = to.sender.map(|id| *id.as_bytes());
        Self { space, rooms: names(&to.rooms), except: names(&to.except), sender }
    }

    /// The socket whose own room it is.
    pub(super) fn own_room(&self) -> Option<Id> {
        match self.rooms.as_slice() {
            [room] => Id::parse(room),
            _ => None,
        }
    }

    pub(super) fn selection(&self) -> Selection {
        let rooms = |names: &[&str]| names.iter().map(|name| Room::from(*name)).collect();
        let sender = self.sender.map(Id::from_bytes);
        Selection { rooms: rooms(&self.rooms), except: rooms(&self.except), sender }
    }
}

impl<'a> Packet<'a> {
    pub(crate) fn new(out: &'a Outgoing, spoken: Option<&'a (String, Args)>) -> Self {
        let spoken = spoken.map(|(event, args)| (event.as_str(), WireArgs::new(args)));
        Self { frames: out.frames(), spoken }
    }

    /// The packet to hand on. It shares the bytes of the message that it came in.
    pub(super) fn outgoing(&self, message: &Bytes) -> Option<Outgoing> {
        Outgoing::of_frames(message.slice_ref(self.frames))
    }
}

impl<'a> WireArgs<'a> {
    pub(crate) fn new(args: &'a Args) -> Self {
        match args {
            Args::Json(text) => Self::Json(text),
            Args::Values(values) => {
                let mut bytes = Vec::new();
                for value in values {
                    rmpv::encode::write_value(&mut bytes, value).expect("memory takes what is written to it");
                }
                Self::Values(bytes)
            }
        }
    }

    pub(super) fn args(&self) -> Option<Args> {
        match self {
            Self::Json(text) => Some(Args::Json((*text).into())),
            Self::Values(bytes) => {
                let (mut rest, mut values) = (&bytes[..], Vec::new());
                while !rest.is_empty() {
                    values.push(rmpv::decode::read_value(&mut rest).ok()?);
                }
                Some(Args::Values(values))
            }
        }
    }
}

impl Action<'_> {
    pub(super) fn emit<'a>(packet: Packet<'a>, urgency: Urgency) -> Action<'a> {
        Action::Emit { packet, is_volatile: urgency == Urgency::Volatile }
    }

    pub(super) fn disconnect(closing: Closing) -> Self {
        Self::Disconnect { whole_session: closing == Closing::Session }
    }
}

/// Sockets, as an answer carries them.
pub(super) fn write_sockets(sockets: &[RemoteSocket]) -> String {
    serde_json::to_string(sockets).expect("names and JSON values are JSON")
}

/// The same, read.
pub(super) fn read_sockets(text: &str) -> Option<Vec<RemoteSocket>> {
    serde_json::from_str(text).ok()
}
