//! The door to a tenant's hall: what the sockets of a node talk to. Behind it is the hall itself, on a node without others
//! and on the one that keeps it, or the way to the node that does.
//!
//! A door of a fleet knows all sockets of its node, so that it can call the roll to whoever keeps the hall next. What it
//! tells the keeper of a socket leaves in the order in which it happened. Who keeps the hall is [`keeper`](super::keeper)'s
//! business.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use serde_json::Value;
use throng_lobby::User;
use throng_node::{Ack, End, Id, NodeTag, Peers, Socket};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::figures::Figures;
use super::guest::{Guest, Home, Name, user};
use super::hall::{Dismissal, Hall, Site};
use super::letter::{self, Body, Fate, Letter, News, PATIENCE, Said, Sending};
use super::refusal::UNAVAILABLE;
use super::requests::{Join, Reply, Request};
use super::roll::{self, Listed};
use super::tenure::{Certainty, Tenure};
use crate::request::{Failure, answer};
use crate::roulette::media::Media;

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
    roster: HashMap<Id, Here>,
    /// Something that the keeper was written has not arrived: it needs the roll.
    is_behind: bool,
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

/// A socket of this node.
#[derive(Debug)]
struct Here {
    socket: Socket,
    /// Whether no keeper is known to have heard that it connected.
    is_new: bool,
    media: Option<Media>,
}

/// What a request is answered with.
#[derive(Debug)]
pub(crate) enum Outcome {
    Here(Result<Reply, Failure>),
    /// As the keeper has put it.
    There(Value),
}

impl Outcome {
    pub(crate) fn send(self, ack: Ack) {
        match self {
            Self::Here(result) => ack.send(answer(result)),
            Self::There(value) => ack.send(value),
        }
    }
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
            roster: HashMap::new(),
            is_behind: false,
            figures: Figures::default(),
            heard: Instant::now(),
            leaving: false,
        };
        let (inside, turned) = (Mutex::new(inside), watch::Sender::new(()));
        Arc::new_cyclic(|me| Self { me: me.clone(), site, peers, inside, turned, sought: Notify::new() })
    }

    /// A socket of this node connects.
    pub(crate) fn arrive(&self, socket: &Socket) {
        let mut inside = self.inside();
        let stand = inside.stand.clone();
        if self.peers.is_some() {
            let is_new = !matches!(stand, Stand::Keeping(_));
            inside.roster.insert(socket.id(), Here { socket: socket.clone(), is_new, media: None });
        }
        match stand {
            Stand::Keeping(hall) => {
                drop(inside);
                hall.arrive(Guest::here(socket));
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
        inside.roster.remove(&socket.id());
        match inside.stand.clone() {
            Stand::Keeping(hall) => {
                drop(inside);
                hall.depart(&user(socket), socket.id());
            }
            Stand::Following(keeper) => {
                let sending = self.write(keeper, Body::Depart(Name::of(socket)));
                drop(inside);
                self.see_through(sending, Vec::new());
            }
            Stand::Seeking => {}
        }
    }

    /// The server is about to close a socket of this node. When the node leaves and others stay, its people may go on there:
    /// they are waited for.
    pub(crate) fn dismiss(&self, socket: &Socket, end: End) {
        let Some(dismissal) = Dismissal::of(end) else { return };
        if dismissal == Dismissal::Drain && self.has_others() {
            return;
        }
        let inside = self.inside();
        match inside.stand.clone() {
            Stand::Keeping(hall) => {
                drop(inside);
                hall.dismiss(&user(socket), socket.id(), dismissal);
            }
            Stand::Following(keeper) => {
                let sending = self.write(keeper, Body::Dismiss(Name::of(socket), dismissal));
                drop(inside);
                self.see_through(sending, Vec::new());
            }
            Stand::Seeking => {}
        }
    }

    /// A socket of this node asks for something.
    pub(crate) async fn ask(&self, socket: &Socket, request: Request) -> Outcome {
        let user = user(socket);
        if self.peers.is_none()
            && let Stand::Keeping(hall) = self.stand()
        {
            return Outcome::Here(hall.serve(&user, request).await);
        }
        self.note(socket, &request);
        let mut body = Body::Ask(user.as_str().into(), request);
        let deadline = Instant::now() + PATIENCE;
        let mut turned = self.turned.subscribe();
        loop {
            turned.mark_unchanged();
            match self.stand() {
                Stand::Keeping(hall) if hall.certainty() != Certainty::Doubtful => {
                    let Body::Ask(_, request) = body else { break };
                    return Outcome::Here(hall.serve(&user, request).await);
                }
                Stand::Following(keeper) => {
                    let (sending, written) = self.write_again(keeper, body);
                    body = written;
                    match sending.await {
                        Fate::Answered(value) => return Outcome::There(value),
                        Fate::Returned => self.lose(keeper),
                        Fate::Lost => break,
                    }
                }
                Stand::Keeping(_) | Stand::Seeking => {}
            }
            if tokio::time::timeout_at(deadline, turned.changed()).await.is_err() {
                break;
            }
        }
        Outcome::Here(Err(UNAVAILABLE))
    }

    /// Asks the keeper, wherever it is; `None` when there is none, or it does not answer.
    pub(super) async fn inquire(&self, body: Body) -> Option<Value> {
        match self.stand() {
            Stand::Keeping(hall) => read(&hall, body),
            Stand::Following(keeper) => match self.write(keeper, body).await {
                Fate::Answered(value) => Some(value),
                Fate::Returned | Fate::Lost => None,
            },
            Stand::Seeking => None,
        }
    }

    /// A letter of another node has come. `None` when it is not for this one.
    pub(super) async fn open(&self, letter: Letter) -> Option<Value> {
        let hall = self.kept(letter.fence)?;
        match letter.body {
            Body::Ask(user, request) => {
                let done = hall.serve(&User::from(user), request).await;
                serde_json::to_value(answer(done)).ok()
            }
            other => read(&hall, other),
        }
    }

    /// What is in a letter that has to be done in the order in which letters come. Gives back the others.
    pub(super) fn take_in(&self, letter: Letter) -> Result<Option<Value>, Box<Letter>> {
        let Some(hall) = self.kept(letter.fence) else { return Ok(None) };
        let Letter { tenant, from, fence, body } = letter;
        let home = Home { node: from, io: self.site.io.clone(), namespace: self.site.app.namespace };
        match body {
            Body::Arrive(name) => hall.arrive(Guest::there(name, home)),
            Body::Depart(name) => hall.depart(&User::from(name.user), name.id),
            Body::Dismiss(name, dismissal) => {
                hall.dismiss(&User::from(name.user), name.id, dismissal);
            }
            Body::Roll(part) => hall.call_roll(&home, part),
            body => return Err(Box::new(Letter { tenant, from, fence, body })),
        }
        Ok(Some(Value::Bool(true)))
    }

    /// News of a keeper have come.
    pub(super) fn hear(&self, news: News) {
        let keeper = Keeper { node: news.keeper, fence: news.fence };
        let mut inside = self.inside();
        if news.fence < inside.fence {
            return;
        }
        inside.heard = Instant::now();
        let is_known = matches!(&inside.stand, Stand::Following(known) if *known == keeper);
        match news.said {
            Said::Released if is_known => self.turn(&mut inside, Stand::Seeking),
            Said::Released => {}
            Said::Kept { rolled, figures } => {
                inside.figures = *figures;
                let me = self.peers.as_ref().map(Peers::me);
                if !is_known {
                    inside.fence = news.fence;
                    self.turn(&mut inside, Stand::Following(keeper));
                    self.call_roll(&mut inside, keeper);
                } else if inside.is_behind || me.is_some_and(|me| !rolled.contains(&me)) {
                    self.call_roll(&mut inside, keeper);
                }
            }
        }
    }

    /// This node keeps the hall from now on. It knows whoever is connected here.
    pub(super) fn keep(&self, hall: &Arc<Hall>, fence: u64) {
        let mut inside = self.inside();
        inside.fence = fence;
        for here in inside.roster.values_mut() {
            let guest = Guest::here(&here.socket);
            if std::mem::take(&mut here.is_new) {
                hall.arrive(guest)
            } else {
                hall.recognise(guest, here.media)
            }
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

    /// Tells a keeper who is connected here. The lock is held, so that nobody comes or goes in between.
    fn call_roll(&self, inside: &mut Inside, keeper: Keeper) {
        inside.is_behind = false;
        let listed: Vec<Listed> = inside.roster.values().map(Here::listed).collect();
        for part in roll::parts(&listed) {
            let ids = part.listed.iter().map(|listed| listed.name.id).collect();
            self.see_through(self.write(keeper, Body::Roll(part)), ids);
        }
    }

    /// Waits for a letter to arrive. These sockets then are nobody new to the keeper; if it does not, the roll is called anew.
    fn see_through(&self, sending: Sending, ids: Vec<Id>) {
        let me = self.me.clone();
        tokio::spawn(async move {
            let fate = sending.await;
            let Some(door) = me.upgrade() else { return };
            let mut inside = door.inside();
            match fate {
                Fate::Answered(_) => {
                    for id in ids {
                        if let Some(here) = inside.roster.get_mut(&id) {
                            here.is_new = false;
                        }
                    }
                }
                Fate::Returned | Fate::Lost => inside.is_behind = true,
            }
        });
    }

    /// Remembers what a socket asks for, as far as the next keeper cannot know it.
    fn note(&self, socket: &Socket, request: &Request) {
        if let Request::Join(join) = request
            && let Join::Call(join) = &**join
            && let Some(here) = self.inside().roster.get_mut(&socket.id())
        {
            here.media = Some(join.media);
        }
    }

    fn write(&self, keeper: Keeper, body: Body) -> Sending {
        self.write_again(keeper, body).0
    }

    /// Gives back what was written, should it have to be written again.
    fn write_again(&self, keeper: Keeper, body: Body) -> (Sending, Body) {
        let me = self.peers.as_ref().map_or(keeper.node, Peers::me);
        let letter = Letter { tenant: (&*self.site.tenant).into(), from: me, fence: keeper.fence, body };
        let sending = letter::send(&self.site.io, self.site.app.namespace, (keeper.node, &letter));
        (sending, letter.body)
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic while the lock is held")
    }
}

impl Here {
    fn listed(&self) -> Listed {
        Listed { name: Name::of(&self.socket), is_new: self.is_new, media: self.media }
    }
}

/// What a letter asks to know of a hall.
fn read(hall: &Hall, body: Body) -> Option<Value> {
    match body {
        Body::Review(wanted) => serde_json::to_value(hall.review(&wanted)).ok(),
        Body::Calls => serde_json::to_value(hall.calls()).ok(),
        _ => None,
    }
}
