//! A socket of this node, and what its client knows of where it is: what it was told, and what it asked for and got. A keeper
//! that takes over, or that said something that never came, learns from this what the client has to be told.

use std::future::Future as _;
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::task::{Context, Poll, Waker};

use serde::{Deserialize, Serialize};
use throng_lobby::User;
use throng_node::{Args, Closing, Id, IntoArgs, Socket};

use super::door::Door;
use super::ending::{Next, Reason};
use super::events::Ended;
use super::guest::user;
use super::requests::{Join, Request};
use super::room::RoomId;

/// A socket of this node.
#[derive(Debug)]
pub(crate) struct Contact {
    pub(super) socket: Socket,
    door: Weak<Door>,
    memory: Mutex<Memory>,
}

#[derive(Debug, Default)]
struct Memory {
    known: Known,
    /// Rooms that it was told of.
    rooms: u64,
    /// Requests about waiting that are not answered yet.
    asking: usize,
}

/// What a client knows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The room that it is in.
    pub(crate) room: Option<RoomId>,
    /// Whether it was told that both are there.
    pub(crate) has_begun: bool,
    /// Whether it has shown that it is there.
    pub(crate) has_confirmed: bool,
    /// The last room whose end it was told of.
    pub(crate) over: Option<RoomId>,
    /// Whether it waits. Not said while it is about to change that.
    pub(crate) waits: bool,
    /// What it last waited for.
    pub(crate) wish: Option<Arc<Join>>,
}

/// What an event says of where its client is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Meaning {
    /// Nothing.
    Nothing,
    /// Nothing, and soon it is of no use.
    Fleeting,
    /// In this room. The client is to confirm that it is there.
    Joined { room: RoomId, has_begun: bool },
    /// Both are in it.
    Begun(RoomId),
    /// In this room no longer.
    Ended { room: RoomId, waits: bool },
    /// In a queue.
    Waits,
}

/// A request that changes whether somebody waits, until it is answered.
#[derive(Debug)]
pub(crate) struct Wishing {
    contact: Arc<Contact>,
    wish: Wish,
    /// Rooms that it had been told of before.
    rooms: u64,
}

#[derive(Debug)]
enum Wish {
    New(Arc<Join>),
    Same,
    None,
}

impl Contact {
    pub(super) fn new(socket: &Socket, door: Weak<Door>) -> Arc<Self> {
        Arc::new(Self { socket: socket.clone(), door, memory: Mutex::default() })
    }

    pub(crate) fn id(&self) -> Id {
        self.socket.id()
    }

    pub(crate) fn user(&self) -> User {
        user(&self.socket)
    }

    pub(crate) fn disconnect(&self) {
        self.socket.disconnect(Closing::Socket);
    }

    /// Tells the client something. No room begins for it before the one that it is in has ended, and none ends twice.
    pub(crate) fn tell(self: &Arc<Self>, event: &str, payload: impl IntoArgs, meaning: &Meaning) {
        let mut memory = self.memory();
        match meaning {
            Meaning::Nothing => self.socket.emit(event, payload),
            Meaning::Fleeting => self.socket.emit_volatile(event, payload),
            Meaning::Joined { room, has_begun } => {
                if let Some(former) = memory.leave_for(room, *has_begun) {
                    let ended = Ended { room: &former, reason: Reason::PartnerGone, next: Next::None };
                    self.socket.emit("room:ended", ended);
                }
                self.ask_to_confirm(event, payload, room);
            }
            Meaning::Begun(room) => {
                memory.known.has_begun |= memory.known.room.as_ref() == Some(room);
                self.socket.emit(event, payload);
            }
            Meaning::Ended { room, waits } => {
                if memory.end(room, *waits) {
                    self.socket.emit(event, payload);
                }
            }
            Meaning::Waits => {
                memory.known.waits = true;
                self.socket.emit(event, payload);
            }
        }
    }

    fn ask_to_confirm(self: &Arc<Self>, event: &str, payload: impl IntoArgs, room: &RoomId) {
        let (event, payload) = (
            event.to_owned(),
            match payload.into_args() {
                Ok(args) => args,
                Err(error) => return tracing::error!(%error, "room not announced"),
            },
        );
        let Some(door) = self.door.upgrade() else { return };
        let (me, room, timeout) = (self.clone(), room.clone(), door.site.app.config.confirm_timeout);
        let mut answer = Box::pin({
            let me = me.clone();
            async move { me.socket.timeout(timeout).emit_with_ack::<Args>(&event, payload).await.is_ok() }
        });
        // It is sent with the first poll, which must not wait for a task's turn: what is sent next comes after it.
        let first = answer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        tokio::spawn(async move {
            let has_answered = match first {
                Poll::Ready(has_answered) => has_answered,
                Poll::Pending => answer.await,
            };
            // Whoever was told and is still connected counts as being there: not every client answers.
            if (has_answered || me.socket.is_connected()) && me.memory().confirm(&room) {
                door.confirm(&me.user(), &room);
            }
        });
    }

    /// Somebody is about to ask for something. Nothing when that does not change whether they wait.
    pub(super) fn wish(self: &Arc<Self>, request: &Request) -> Option<Wishing> {
        let wish = match request {
            Request::Join(join) => Wish::New(join.clone()),
            Request::Next(_) => Wish::Same,
            Request::LeaveQueue => Wish::None,
            _ => return None,
        };
        let mut memory = self.memory();
        memory.asking += 1;
        Some(Wishing { contact: self.clone(), wish, rooms: memory.rooms })
    }

    /// What the client knows by now.
    pub(super) fn known(&self) -> Known {
        let memory = self.memory();
        Known { waits: memory.known.waits && memory.asking == 0, ..memory.known.clone() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().expect("no panic while the lock is held")
    }
}

impl Memory {
    /// Is in this room from now on. Gives the one that it has not been told the end of.
    fn leave_for(&mut self, room: &RoomId, has_begun: bool) -> Option<RoomId> {
        self.rooms += 1;
        let former = self.known.room.replace(room.clone()).filter(|former| former != room);
        let known =
            Known { waits: false, has_begun, has_confirmed: false, ..std::mem::take(&mut self.known) };
        self.known = Known { over: former.clone().or(known.over.clone()), ..known };
        former
    }

    /// Is in this room no longer. Says whether that is new.
    fn end(&mut self, room: &RoomId, waits: bool) -> bool {
        if self.known.room.as_ref() != Some(room) {
            return false;
        }
        self.known.over = self.known.room.take();
        self.known.waits = waits;
        true
    }

    /// Whether it is in that room.
    fn confirm(&mut self, room: &RoomId) -> bool {
        let is_there = self.known.room.as_ref() == Some(room);
        self.known.has_confirmed |= is_there;
        is_there
    }

    fn answered(&mut self, wish: &Wish, rooms: u64) {
        if let Wish::New(join) = wish {
            self.known.wish = Some(join.clone());
        }
        // Whoever was paired meanwhile waits no more.
        self.known.waits = !matches!(wish, Wish::None) && self.rooms == rooms;
    }
}

impl Wishing {
    /// It was done.
    pub(super) fn done(self) {
        self.contact.memory().answered(&self.wish, self.rooms);
    }
}

impl Drop for Wishing {
    fn drop(&mut self) {
        self.contact.memory().asking -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn room(name: &str) -> RoomId {
        name.into()
    }

    #[test]
    fn rooms_begin_and_end_once_and_one_after_the_other() {
        let mut memory = Memory::default();
        assert!(!memory.end(&room("a"), true), "it never began");
        assert_eq!(memory.leave_for(&room("a"), false), None);
        assert!(memory.confirm(&room("a")) && !memory.confirm(&room("b")));
        assert_eq!(memory.leave_for(&room("a"), true), None, "told again");
        assert!(memory.known.has_begun && !memory.known.has_confirmed);
        assert_eq!(memory.leave_for(&room("b"), false), Some(room("a")), "its end was lost");
        assert_eq!((&memory.known.room, &memory.known.over), (&Some(room("b")), &Some(room("a"))));
        assert!(
            !memory.end(&room("a"), false) && memory.end(&room("b"), true) && !memory.end(&room("b"), true)
        );
        assert_eq!(memory.known, Known { over: Some(room("b")), waits: true, ..memory.known.clone() });
        assert_eq!(memory.known.room, None);
    }

    #[test]
    fn whoever_is_paired_before_the_answer_comes_does_not_wait() {
        let mut memory = Memory::default();
        memory.answered(&Wish::Same, 0);
        assert!(memory.known.waits);
        memory.leave_for(&room("a"), false);
        memory.end(&room("a"), false);
        memory.answered(&Wish::Same, 0);
        assert!(!memory.known.waits);
        memory.answered(&Wish::Same, 1);
        assert!(memory.known.waits);
        memory.answered(&Wish::None, 1);
        assert!(!memory.known.waits);
    }
}
