//! What is written of tickets and pairings: a byte that names the form, then the value in postcard's. Numbers of names are
//! drawn anew by each process, so names are written as texts.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_backbone::VALUE_BYTES_MAX;

use crate::lobby::{Bound, Newcomer};
use crate::names::{QueueName, Tag, Topic, User};
use crate::pairing::{Pairing, PairingId};
use crate::policy::Policy;
use crate::ticket::{People, Ticket, TicketId};
use crate::time::Time;
use crate::wish::{Side, Wish};

/// How records are written now. Others are not read.
const FORM: u8 = 1;

/// A record of this lobby, or of somebody else.
pub(crate) enum Record {
    Ticket(Box<WrittenTicket>),
    Pairing(Box<WrittenPairing>),
    Other,
    /// A ticket or a pairing that cannot be read.
    Unreadable,
}

/// A ticket without what is worked out from it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WrittenTicket {
    user: User,
    wish: Arc<Wish>,
    blocked: People,
    recent: People,
    policy: Option<Arc<Policy>>,
    enqueued: Time,
    credit: Duration,
}

/// A pairing without its name, which is its key.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct WrittenPairing {
    #[serde(skip)]
    id: u64,
    queue: QueueName,
    topic: Option<Topic>,
    tickets: [WrittenTicket; 2],
    sides: [Option<Side>; 2],
    tags: Vec<Tag>,
    waits: [Duration; 2],
}

/// The key of somebody's ticket.
pub(crate) fn ticket_key(user: &User) -> Box<str> {
    format!("t:{user}").into()
}

/// The key of a pairing.
pub(crate) fn pairing_key(id: PairingId) -> Box<str> {
    format!("p:{:016x}", id.0).into()
}

pub(crate) fn of_ticket(ticket: &Ticket) -> Bytes {
    write(&WrittenTicket::of(ticket))
}

pub(crate) fn of_pairing(pairing: &Pairing) -> Bytes {
    write(&WrittenPairing {
        id: pairing.id.0,
        queue: pairing.queue.clone(),
        topic: pairing.topic.clone(),
        tickets: pairing.tickets.each_ref().map(|ticket| WrittenTicket::of(ticket)),
        sides: pairing.sides,
        tags: pairing.tags.clone(),
        waits: pairing.waits,
    })
}

/// Whether somebody's ticket, and any pairing of it, can be written.
pub(crate) fn fits(newcomer: &Newcomer) -> bool {
    let Newcomer { user, wish, blocked, recent, policy, .. } = newcomer.clone();
    let (enqueued, credit) = (Time(Duration::MAX), Duration::MAX);
    let written = write(&WrittenTicket { user, wish, blocked, recent, policy, enqueued, credit });
    // A pairing is two tickets, and once more what they share.
    written.len() * 3 <= VALUE_BYTES_MAX
}

pub(crate) fn read(key: &str, value: &[u8]) -> Record {
    let Some((&form, value)) = value.split_first() else { return Record::Other };
    let readable = form == FORM;
    if let Some(user) = key.strip_prefix("t:") {
        let written = readable.then(|| postcard::from_bytes::<WrittenTicket>(value).ok()).flatten();
        let written = written.filter(|ticket| ticket.user.as_str() == user);
        return written.map_or(Record::Unreadable, |ticket| Record::Ticket(Box::new(ticket)));
    }
    if let Some(id) = key.strip_prefix("p:") {
        let written = readable.then(|| postcard::from_bytes::<WrittenPairing>(value).ok()).flatten();
        return match (written, u64::from_str_radix(id, 16)) {
            (Some(written), Ok(id)) => Record::Pairing(Box::new(WrittenPairing { id, ..written })),
            _ => Record::Unreadable,
        };
    }
    Record::Other
}

impl WrittenTicket {
    fn of(ticket: &Ticket) -> Self {
        Self {
            user: ticket.user.clone(),
            wish: Arc::clone(&ticket.wish),
            blocked: ticket.blocked.clone(),
            recent: ticket.recent.clone(),
            policy: ticket.policy.clone(),
            enqueued: ticket.enqueued,
            credit: ticket.credit,
        }
    }

    /// The ticket under another name. Nobody has waited since later than now.
    pub(crate) fn ticket(self, id: TicketId, now: Time) -> Ticket {
        let Self { user, wish, blocked, recent, policy, enqueued, credit } = self;
        let newcomer = Newcomer { user, wish, blocked, recent, policy, bound: Bound::Waived };
        Ticket::new(id, newcomer, enqueued.min(now), credit)
    }
}

impl WrittenPairing {
    /// The pairing, with other names for its tickets.
    pub(crate) fn pairing(self, ids: [TicketId; 2], now: Time) -> Pairing {
        let [first, second] = self.tickets;
        Pairing {
            id: PairingId(self.id),
            queue: self.queue,
            topic: self.topic,
            tickets: [Arc::new(first.ticket(ids[0], now)), Arc::new(second.ticket(ids[1], now))],
            sides: self.sides,
            tags: self.tags,
            waits: self.waits,
        }
    }
}

fn write(value: &impl Serialize) -> Bytes {
    let bytes =
        postcard::to_extend(value, vec![FORM]).expect("memory takes anything, and all of it has a length");
    bytes.into()
}
