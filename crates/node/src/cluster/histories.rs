//! What this node puts into the histories that clients recover from, and reads from them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use throng_backbone::{Channel, Position, Replay, Sessions, StoreError};
use tokio::sync::{mpsc, oneshot};

use super::recorder::Recording;
use super::wire::{self, Action, Body, Packet, Target};
use super::{Cluster, Missed, Order};
use crate::envelope::{Envelope, Operation, Selection, Standing, Urgency};
use crate::node::Node;
use crate::outgoing::Outgoing;
use crate::recovery;
use crate::tenants::Space;

impl Cluster {
    /// Puts an event into the history of the room that it is for, or, with several or none, of the namespace; from there it
    /// comes to all nodes. What is for one socket goes to its own node, which knows what is best.
    pub(crate) fn record(&self, node: &Arc<Node>, recorder: &mpsc::Sender<Order>, envelope: Envelope) {
        let Envelope { space, to, operation } = &envelope;
        let Operation::Emit { out, spoken, urgency, .. } = operation else { return };
        let room = match to.rooms.as_slice() {
            [room] => match self.home(room) {
                Some(home) if home == self.tag => {
                    return node.send_here(envelope.with_standing(Standing::Private));
                }
                Some(_) => return self.spread(&envelope),
                None => recovery::of_room(space, room.clone()),
            },
            _ => recovery::of_namespace(space),
        };
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let bytes = self.entry(serial, (space, to), (Packet::new(out, spoken.as_deref()), *urgency));
        let early = Standing::Early { room: room.room.clone(), serial: (self.tag, serial) };
        let early = envelope.clone().with_standing(early);
        let recording = Recording { room, bytes, early: Some(early) };
        if !self.give(recorder, recording) {
            // Whoever is there hears it all the same.
            self.spread(&envelope);
            node.send_here(envelope.with_standing(Standing::Unrecorded));
        }
    }

    /// Puts what a socket of this node was told alone into the history of its session.
    pub(crate) fn record_private(&self, space: &Space, pid: &str, out: &Outgoing) {
        let Some(recorder) = &self.recorder else { return };
        let to = Selection::default();
        let serial = self.next_serial.fetch_add(1, Ordering::Relaxed);
        let bytes = self.entry(serial, (space, &to), (Packet::new(out, None), Urgency::Queued));
        self.give(recorder, Recording { room: recovery::of_session(space, pid), bytes, early: None });
    }

    /// An event as it stands in a history.
    fn entry(
        &self,
        serial: u64,
        (space, to): (&Space, &Selection),
        (packet, urgency): (Packet<'_>, Urgency),
    ) -> Bytes {
        let action = Action::emit(packet, urgency);
        wire::encode(self.tag, &Body::Do { serial, sent_us: now_us(), to: Target::new(space, to), action })
    }

    /// Has something recorded. Says whether it can be: not when too much waits. The history then begins anew behind that.
    fn give(&self, recorder: &mpsc::Sender<Order>, recording: Recording) -> bool {
        let place = recorder.try_reserve().ok().filter(|_| !self.overflow.has(&recording.room));
        let Some(place) = place else {
            self.overflow.add(recording.room);
            self.counts.unrecorded.fetch_add(1, Ordering::Relaxed);
            return false;
        };
        place.send(Order::Record(Box::new(recording)));
        true
    }

    /// Where the history of a session is; it begins if there is none.
    pub(crate) async fn position_of_session(&self, space: &Space, pid: &str) -> Result<Position, StoreError> {
        let keep = self.keep.ok_or(StoreError::Away)?;
        self.backbone.histories().position(&recovery::of_session(space, pid), keep).await
    }

    /// Waits until what was given to be recorded is.
    pub(crate) async fn settle(&self) {
        let Some(recorder) = &self.recorder else { return };
        let (done, settled) = oneshot::channel();
        if recorder.send(Order::Settle(done)).await.is_ok() {
            let _ = settled.await;
        }
    }

    /// Waits until the store has what members of these rooms were told early. Whoever joins them before would hear it after what
    /// came later.
    pub(crate) async fn catch_up(&self, rooms: Vec<throng_backbone::Room>) {
        let Some(recorder) = &self.recorder else { return };
        let (done, caught_up) = oneshot::channel();
        if recorder.send(Order::CatchUp(rooms, done)).await.is_ok() {
            let _ = caught_up.await;
        }
    }

    /// What came after a position of a history; `None` when that cannot be told whole.
    pub(crate) async fn missed(
        &self,
        room: &throng_backbone::Room,
        after: Position,
        max: usize,
    ) -> Option<Vec<Missed>> {
        let Ok(Replay::Whole(entries)) = self.backbone.histories().after(room, after, max).await else {
            return None;
        };
        entries.iter().map(|entry| Missed::read(room.room.clone(), entry)).collect()
    }

    /// What is recorded of sessions.
    pub(crate) fn sessions(&self) -> Sessions {
        self.backbone.sessions().clone()
    }

    /// The channel of what is for a whole namespace.
    pub(crate) fn everyone(&self, space: &Space) -> Channel {
        match self.recorder {
            Some(_) => Channel::Room(recovery::of_namespace(space)),
            None => Channel::namespace(space.tenant.name.shared(), space.nsp.clone()),
        }
    }
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
