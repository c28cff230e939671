//! The door to a tenant's hall: what the sockets of a node talk to. Behind it is the hall itself, on a node without others
//! and on the one that keeps it, or the way to the node that does.
//!
//! A door of a fleet knows all sockets of its node, so that it can call the roll to whoever keeps the hall next. What it
//! tells the keeper of a socket leaves in the order in which it happened. Who keeps the hall is [`keeper`](super::keeper)'s
//! business.

mod asking;
mod post;

use std::sync::{Arc, Mutex, MutexGuard, Weak};

use throng_lobby::User;
use throng_node::{End, NodeTag, Peers, Socket};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::contact::Contact;
use super::figures::Figures;
use super::guest::{Guest, Name};
use super::hall::{Dismissal, Hall, Site};
use super::letter::Body;
use super::room::RoomId;
use super::roster::Roster;
use super::tenure::{Certainty, Tenure};

/// The door of one tenant on one node.
#[derive(Debug)]
pub(crate) struct Door {
    /// For tasks, which do not keep the door.
    me: Weak<Self>,
    pub(super) site: Site,
    /// Those of a fleet, if the node is in one.
    pub(super) peers: Option<Peers>,
    inside: Mutex<Inside>,
    /// Rings for everyone who waits for another stand.
    turned: watch::Sender<()>,
    /// Rings when the keeper shall say that it is.
    pub(super) sought: Notify,
}

#[derive(Debug)]
struct Inside {
    stand: Stand,
    /// The highest that was heard of: whoever has a lower one keeps nothing.
    fence: u64,
    /// The sockets of this node, where there are others.
    roster: Roster,
    figures: Figures,
    /// When the keeper was last heard.
    heard: Instant,
    /// The node leaves, and keeps nothing any more.
    leaving: bool,
}

/// Where the hall is.
#[derive(Debug, Clone)]
pub(super) enum Stand {
    /// Here.
    Keeping(Arc<Hall>),
    /// At that node.
    Following(Keeper),
    /// Nobody knows.
    Seeking,
}

/// Who keeps a hall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keeper {
    pub(super) node: NodeTag,
    pub(super) fence: u64,
}

impl Door {
    /// The door to the hall of a node, or of a fleet that seeks who shall keep it.
    pub(super) fn new(site: Site) -> Arc<Self> {
        let peers = site.io.peers();
        let stand = match &peers {
            Some(_) => Stand::Seeking,
            None => Stand::Keeping(Hall::open(site.clone(), Tenure::forever(), None)),
        };
        let inside = Inside {
            stand,
            fence: 0,
            roster: Roster::default(),
            figures: Figures::default(),
            heard: Instant::now(),
            leaving: false,
        };
        let (inside, turned) = (Mutex::new(inside), watch::Sender::new(()));
        Arc::new_cyclic(|me| Self { me: me.clone(), site, peers, inside, turned, sought: Notify::new() })
    }

    /// A socket of this node connects.
    pub(crate) fn arrive(&self, socket: &Socket) {
        let contact = Contact::new(socket, self.me.clone());
        let mut inside = self.inside();
        let stand = inside.stand.clone();
        if self.peers.is_some() {
            inside.roster.arrive(contact.clone(), !matches!(stand, Stand::Keeping(_)));
        }
        match stand {
            Stand::Keeping(hall) => {
                drop(inside);
                hall.arrive(Guest::here(contact));
            }
            Stand::Following(keeper) => {
                let sending = self.write(keeper, Body::Arrive(Name::of(socket)));
                drop(inside);
                self.see_through(sending, vec![socket.id()]);
            }
            // Whoever keeps the hall next hears of it with the roll.
            Stand::Seeking => {}
        }
    }

    /// A socket of this node is gone.
    pub(crate) fn depart(&self, socket: &Socket) {
        let mut inside = self.inside();
        inside.roster.depart(socket.id());
        self.bring(inside, Body::Depart(Name::of(socket)));
    }

    /// The server is about to close a socket of this node. When the node leaves and others stay, its people may go on there:
    /// they are waited for.
    pub(crate) fn dismiss(&self, socket: &Socket, end: End) {
        let Some(dismissal) = Dismissal::of(end) else { return };
        if dismissal == Dismissal::Drain && self.has_others() {
            return;
        }
        self.bring(self.inside(), Body::Dismiss(Name::of(socket), dismissal));
    }

    /// A client of this node has shown the room.
    pub(super) fn confirm(&self, user: &User, room: &RoomId) {
        self.bring(self.inside(), Body::Confirm(user.as_str().into(), room.clone()));
    }

    /// Does something in the hall, or writes it to whoever keeps it, in the order in which things happen here. Whoever keeps
    /// the hall next hears of it with the roll.
    fn bring(&self, inside: MutexGuard<'_, Inside>, body: Body) {
        match inside.stand.clone() {
            Stand::Keeping(hall) => {
                drop(inside);
                let _nothing_else = post::perform(&hall, body, None);
            }
            Stand::Following(keeper) => {
                let sending = self.write(keeper, body);
                drop(inside);
                self.see_through(sending, Vec::new());
            }
            Stand::Seeking => {}
        }
    }

    /// This node keeps the hall from now on. It knows whoever is connected here.
    pub(super) fn keep(&self, hall: &Arc<Hall>, fence: u64) {
        let mut inside = self.inside();
        inside.fence = fence;
        for (contact, is_new) in inside.roster.introduce() {
            let known = contact.known();
            let guest = Guest::here(contact);
            if is_new { hall.arrive(guest) } else { hall.recognise(guest, known, false) }
        }
        self.turn(&mut inside, Stand::Keeping(hall.clone()));
    }

    /// This node keeps the hall as before, under another number.
    pub(super) fn keep_on(&self, fence: u64) {
        self.inside().fence = fence;
        self.ring();
    }

    /// Whoever waits shall look again.
    pub(super) fn ring(&self) {
        self.turned.send_replace(());
    }

    /// This node does not keep the hall any longer.
    pub(super) fn let_go(&self) {
        let mut inside = self.inside();
        if let Stand::Keeping(_) = inside.stand {
            self.turn(&mut inside, Stand::Seeking);
        }
    }

    /// That keeper is gone.
    pub(super) fn lose(&self, keeper: Keeper) {
        let mut inside = self.inside();
        if matches!(&inside.stand, Stand::Following(known) if *known == keeper) {
            self.turn(&mut inside, Stand::Seeking);
        }
    }

    /// The node leaves.
    pub(super) fn begin_leaving(&self) {
        self.inside().leaving = true;
        self.ring();
        self.sought.notify_one();
    }

    pub(super) fn is_leaving(&self) -> bool {
        self.inside().leaving
    }

    /// Whether others of the fleet stay.
    pub(super) fn has_others(&self) -> bool {
        self.peers.as_ref().is_some_and(|peers| !peers.staying().is_empty())
    }

    pub(super) fn stand(&self) -> Stand {
        self.inside().stand.clone()
    }

    /// When the keeper was last heard.
    pub(super) fn heard(&self) -> Instant {
        self.inside().heard
    }

    /// Rings when the stand has changed, or may have.
    pub(super) fn watch(&self) -> watch::Receiver<()> {
        self.turned.subscribe()
    }

    /// The numbers of the hall, wherever it is.
    pub(super) fn figures(&self) -> Figures {
        let inside = self.inside();
        match &inside.stand {
            Stand::Keeping(hall) => {
                let hall = hall.clone();
                drop(inside);
                hall.statistics()
            }
            _ => inside.figures.clone(),
        }
    }

    /// The hall, if it is kept here.
    pub(super) fn hall(&self) -> Option<Arc<Hall>> {
        match self.stand() {
            Stand::Keeping(hall) => Some(hall),
            _ => None,
        }
    }

    /// The hall, if it is kept here under this number.
    fn kept(&self, fence: u64) -> Option<Arc<Hall>> {
        let inside = self.inside();
        match &inside.stand {
            Stand::Keeping(hall) if inside.fence == fence => {
                Some(hall.clone()).filter(|hall| hall.certainty() != Certainty::Doubtful)
            }
            _ => None,
        }
    }

    fn turn(&self, inside: &mut Inside, stand: Stand) {
        inside.stand = stand;
        self.ring();
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic while the lock is held")
    }
}
