//! Sockets that may be recovered, while they are connected and for a while after: their way through the histories is recorded,
//! and each event that they are told carries how far they are.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use throng_backbone::{Channel, Hold, SessionError, SessionKey, StoreError};
use throng_protocol::end::End;
use throng_protocol::id::Id;
use tokio::time::Instant;

use super::declare::PATIENCE;
use super::hub::Member;
use super::{Shard, State};
use crate::cluster::Cluster;
use crate::envelope::{Room, Selection, Standing, Urgency};
use crate::outgoing::Outgoing;
use crate::recovery::{self, Record, Recorded, Track};
use crate::tenants::Space;

/// A socket whose client is away and may come back.
#[derive(Debug)]
pub(super) struct Away {
    pub(super) space: Space,
    pub(super) pid: Arc<str>,
    pub(super) until: Instant,
}

/// Sockets whose clients are away and for whom what is sent to them alone is recorded. Of more than these it is not, but they
/// come back as well.
pub(super) const AWAY_MAX: usize = 100_000;

impl Shard {
    /// A socket is in a room from now on.
    pub(super) fn follow(&self, cluster: &Cluster, slot: u32, room: Option<Room>) {
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
        let (space, Some(track)) = (&entry.nsp.space, &mut entry.track) else { return };
        let history =
            room.clone().map_or_else(|| recovery::of_namespace(space), |room| recovery::of_room(space, room));
        let gained = cluster.interest.gained(self.index, Channel::Room(history.clone()), space);
        track.enter(history.room, gained.from);
        if track.dirty {
            state.unrecorded.push(slot);
        }
    }

    /// A socket is not in a room any more.
    pub(super) fn unfollow(&self, slot: u32, room: &str) {
        let mut state = self.state.borrow_mut();
        let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
        if let Some(track) = &mut entry.track {
            track.leave(room);
            state.unrecorded.push(slot);
        }
    }

    /// What is attached to a socket has changed.
    pub(super) fn data_changed(state: &mut State, slot: u32) {
        if let Some(track) = state.hub.sockets.get_mut(slot as usize).and_then(|entry| entry.track.as_mut()) {
            track.dirty = true;
            state.unrecorded.push(slot);
        }
    }

    /// Records what has changed. What the sessions are told waits for it: a client never holds a position that nobody knows.
    pub(super) fn record_dirty(self: &Rc<Self>) {
        let slots = std::mem::take(&mut self.state.borrow_mut().unrecorded);
        for slot in slots {
            let (session, id, starts) = {
                let mut state = self.state.borrow_mut();
                let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { continue };
                let Some(track) = entry.track.as_mut().filter(|track| track.dirty) else { continue };
                track.waiting += 1;
                let starts = !std::mem::replace(&mut track.recording, true);
                (entry.session, entry.socket.id, starts)
            };
            let Some(stamp) = self.hold(session) else { continue };
            if starts {
                let shard = self.clone();
                tokio::task::spawn_local(async move {
                    // A store that takes too long is as good as away. What is not recorded now is tried at the next heartbeat.
                    let recorded = tokio::time::timeout(PATIENCE, shard.record(slot, id)).await;
                    let problem = match recorded {
                        Ok(Ok(())) => None,
                        Ok(Err(error)) => Some(error.to_string()),
                        Err(late) => Some(late.to_string()),
                    };
                    if let Some(problem) = &problem {
                        tracing::debug!(problem, "a session is not recorded");
                    }
                    let waiting = shard.with_track(slot, id, |track| {
                        track.dirty |= problem.is_some();
                        track.recording = false;
                        std::mem::take(&mut track.waiting)
                    });
                    shard.let_go((session, stamp), waiting.unwrap_or(u32::MAX));
                });
            }
        }
    }

    /// Records a socket until what is recorded is what there is, or it is gone.
    async fn record(self: &Rc<Self>, slot: u32, id: Id) -> Result<(), StoreError> {
        let Some(cluster) = &self.node.cluster else { return Ok(()) };
        loop {
            let Some((space, unplaced, begun, pid)) = self.with_entry(slot, id, |entry| {
                let track = entry.track.as_mut()?;
                track.dirty = false;
                let space = entry.nsp.space.clone();
                Some((space, track.unplaced(), track.is_begun(), track.pid.clone()))
            }) else {
                return Ok(());
            };
            for room in unplaced {
                let channel = Channel::room(space.tenant.name.shared(), space.nsp.clone(), room.clone());
                let mut gained = cluster.interest.gained(self.index, channel.clone(), &space);
                if let Some(heard) = &mut gained.heard {
                    let _ = heard.wait_for(|heard| *heard).await;
                }
                let since = cluster.interest.since(&channel).ok_or(StoreError::Away)?;
                self.with_track(slot, id, |track| track.came_in(&room, since));
            }
            if !begun {
                let position = cluster.position_of_session(&space, &pid).await?;
                self.with_track(slot, id, |track| track.begin(position.epoch));
            }
            let Some((hold, record)) = self.with_entry(slot, id, |entry| {
                let socket = &entry.socket;
                let data = socket.state().data.as_deref().map(ToString::to_string);
                let of = Recorded {
                    socket: *socket.id.as_bytes(),
                    nsp: socket.space.nsp.to_string(),
                    user: socket.identity().map(|identity| identity.user.to_string()),
                    node: self.node.tag.0,
                    data,
                };
                let track = entry.track.as_ref()?;
                Some((track.hold.clone(), track.record(of)?))
            }) else {
                return Ok(());
            };
            match cluster.record_session(&space, &pid, hold, &record, self.lifetime()).await {
                Ok(hold) => drop(self.with_track(slot, id, |track| track.hold = Some(hold))),
                Err(SessionError::TakenOver) => {
                    self.superseded(id);
                    return Ok(());
                }
                // The store has lost it.
                Err(SessionError::Gone) => {
                    self.with_track(slot, id, |track| (track.hold, track.dirty) = (None, true));
                }
                Err(SessionError::Store(error)) => return Err(error),
            }
            if self.with_track(slot, id, |track| track.dirty) != Some(true) {
                return Ok(());
            }
        }
    }

    /// How long a session's record lives without being renewed: longer than it takes to notice that its client is gone, and
    /// then as long as that may be away.
    fn lifetime(&self) -> Duration {
        let config = &self.node.config;
        let window = config.recovery.map_or(Duration::ZERO, |recovery| recovery.window);
        config.ping_interval + config.ping_timeout + window
    }

    /// Keeps the record of a session's sockets, at a heartbeat.
    pub(super) fn renew_records(self: &Rc<Self>, slot: u32) {
        if self.node.config.recovery.is_none() {
            return;
        }
        let (mut holds, mut again) = (Vec::new(), Vec::new());
        {
            let state = self.state.borrow();
            let Some(session) = state.sessions.get(slot as usize) else { return };
            for (_, slot) in &session.sockets {
                let Some(entry) = state.hub.sockets.get(*slot as usize) else { continue };
                let Some(track) = &entry.track else { continue };
                match &track.hold {
                    Some(hold) if !track.dirty => {
                        holds.push((*slot, entry.socket.id, entry.nsp.space.clone(), hold.clone()));
                    }
                    _ => again.push(*slot),
                }
            }
        }
        self.state.borrow_mut().unrecorded.extend(again);
        for (slot, id, space, hold) in holds {
            let shard = self.clone();
            tokio::task::spawn_local(async move {
                let Some(cluster) = &shard.node.cluster else { return };
                match cluster.sessions().renew(&hold, shard.lifetime()).await {
                    // Asking for its position keeps its history.
                    Ok(()) => drop(cluster.position_of_session(&space, &hold.key.id).await),
                    Err(SessionError::TakenOver) => shard.superseded(id),
                    Err(SessionError::Gone) => {
                        shard.with_track(slot, id, |track| (track.hold, track.dirty) = (None, true));
                        shard.state.borrow_mut().unrecorded.push(slot);
                        shard.record_dirty();
                    }
                    Err(SessionError::Store(error)) => {
                        tracing::debug!(%error, "the record of a session is not renewed");
                    }
                }
            });
        }
    }

    /// Asks whether every socket is still this node's: those that were recovered elsewhere end.
    pub(super) fn reclaim(self: &Rc<Self>) {
        let sessions: Vec<u32> = self.state.borrow().sessions.iter().map(|(slot, _)| slot as u32).collect();
        for slot in sessions {
            self.renew_records(slot);
        }
        self.record_dirty();
    }

    /// The client of a socket goes on elsewhere: what is left of it here is nothing.
    pub(super) fn superseded(self: &Rc<Self>, id: Id) {
        let session = {
            let mut state = self.state.borrow_mut();
            state.away.remove(&id);
            let slot = state.hub.slot_of(id);
            let entry = slot.and_then(|slot| state.hub.sockets.get_mut(slot as usize));
            let Some(entry) = entry else { return };
            entry.track = None;
            entry.session
        };
        self.end_session(session, End::TransportClose);
    }

    /// A socket has ended. Its client may come back unless it was meant to go.
    pub(super) fn part(self: &Rc<Self>, id: Id, space: Space, track: Track, end: End) {
        let (Some(cluster), Some(recovery)) = (&self.node.cluster, self.node.config.recovery) else { return };
        let Some(hold) = track.hold.clone() else { return };
        let stays = matches!(
            end,
            End::TransportClose
                | End::TransportError
                | End::PingTimeout
                | End::ForcedClose
                | End::ServerShutdown
        );
        if stays {
            let mut state = self.state.borrow_mut();
            let now = Instant::now();
            if state.away.len() >= AWAY_MAX {
                state.away.retain(|_, away| away.until > now);
            }
            if state.away.len() < AWAY_MAX {
                state.away.insert(id, Away { space, pid: track.pid.clone(), until: now + recovery.window });
            }
        }
        let (sessions, window) = (cluster.sessions(), recovery.window);
        tokio::task::spawn_local(async move {
            let done = if stays { sessions.renew(&hold, window).await } else { sessions.remove(&hold).await };
            if let Err(error) = done {
                tracing::debug!(%error, "the record of a session stays as it is");
            }
        });
    }

    /// An event for one socket, from wherever: told, and put into its own history.
    pub(super) fn tell(&self, state: &mut State, slot: u32, out: &Outgoing) {
        let Some(entry) = state.hub.sockets.get_mut(slot as usize) else { return };
        let session = entry.session;
        let told = entry.track.as_mut().map(|track| {
            track.tell();
            (track.text(), track.pid.clone(), entry.nsp.space.clone())
        });
        let Some((text, pid, space)) = told else {
            return state.queue(self, session, Cow::Borrowed(out), Urgency::Queued);
        };
        if let Some(cluster) = &self.node.cluster {
            cluster.record_private(&space, &pid, out);
        }
        state.queue_with(self, session, out, &text);
    }

    /// Tells a selection an event that stands in a history, or will.
    pub(super) fn fan_out_recorded(
        &self,
        state: &mut State,
        (space, to): (&Space, &Selection),
        out: &Outgoing,
        standing: &Standing,
    ) {
        let mut told: Vec<(Member, Option<String>)> = Vec::new();
        state.hub.select(space, to, |member, entry| {
            let Some(track) = &mut entry.track else { return told.push((member, None)) };
            let tell = match standing {
                Standing::Recorded { room, position, serial } => track.step(room, *position, *serial),
                Standing::Early { room, serial } => track.step_early(room, *serial),
                Standing::Unrecorded | Standing::Private => true,
            };
            if tell {
                told.push((member, Some(track.text())));
            }
        });
        for (member, text) in told {
            match text {
                Some(text) => state.queue_with(self, member.session, out, &text),
                None => state.queue(self, member.session, Cow::Borrowed(out), Urgency::Queued),
            }
        }
    }

    /// An event for one socket, from another: it may be here, or away.
    pub(super) fn tell_selected(&self, state: &mut State, (space, to): (&Space, &Selection), out: &Outgoing) {
        let mut slots = Vec::new();
        state.hub.select(space, to, |member, _| slots.push(member.socket));
        for slot in &slots {
            self.tell(state, *slot, out);
        }
        let id = to.rooms.first().and_then(|room| Id::parse(room)).filter(|id| to.sender != Some(*id));
        if let Some(away) = id.filter(|_| slots.is_empty()).and_then(|id| state.away.get(&id))
            && away.until > Instant::now()
            && away.space == *space
            && let Some(cluster) = &self.node.cluster
        {
            cluster.record_private(space, &away.pid, out);
        }
    }

    /// Members of a room have lost messages of its history.
    pub(super) fn lose(&self, state: &mut State, space: &Space, room: &Room) {
        let to = if recovery::is_everyone(room) {
            Selection::default()
        } else {
            Selection { rooms: vec![room.clone()], ..Selection::default() }
        };
        state.hub.select(space, &to, |_, entry| {
            if let Some(track) = &mut entry.track {
                track.broken = true;
            }
        });
    }

    fn with_entry<T>(
        &self,
        slot: u32,
        id: Id,
        work: impl FnOnce(&mut super::hub::Entry) -> Option<T>,
    ) -> Option<T> {
        let mut state = self.state.borrow_mut();
        let entry = state.hub.sockets.get_mut(slot as usize).filter(|entry| entry.socket.id == id)?;
        work(entry)
    }

    fn with_track<T>(&self, slot: u32, id: Id, work: impl FnOnce(&mut Track) -> T) -> Option<T> {
        self.with_entry(slot, id, |entry| entry.track.as_mut().map(|track| work(track)))
    }
}

impl State {
    /// Queues an event with a text as its last argument, or as it is where it cannot have one.
    pub(super) fn queue_with(&mut self, shard: &Shard, session: u32, out: &Outgoing, text: &str) {
        let with = out.with_text(text).map_or(Cow::Borrowed(out), Cow::Owned);
        self.queue(shard, session, with, Urgency::Queued);
    }
}

impl Cluster {
    /// Records a session anew, or in the place of what was recorded.
    async fn record_session(
        &self,
        space: &Space,
        pid: &str,
        hold: Option<Hold>,
        record: &Record,
        ttl: Duration,
    ) -> Result<Hold, SessionError> {
        let value = record.encode();
        match hold {
            Some(hold) => self.sessions().update(&hold, value, ttl).await.map(|()| hold),
            None => {
                let key = SessionKey::new(space.tenant.name.shared(), pid);
                Ok(self.sessions().record(key, value, ttl).await?)
            }
        }
    }
}
