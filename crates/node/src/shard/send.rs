//! Delivery: messages into the queues of sessions, and the queues out to the kernel at the end of a turn.

use std::borrow::Cow;
use std::rc::Rc;

use throng_protocol::end::End;

use super::outbox::Flushed;
use super::session::{Session, Transport};
use super::{Shard, State};
use crate::envelope::{PollAnswer, Selection, Urgency};
use crate::outgoing::{Message, Outgoing};
use crate::tenants::Space;

/// Sessions that are looked at before they are written.
const AHEAD: usize = 16;

impl State {
    /// Queues a message for one session.
    pub(super) fn queue(&mut self, shard: &Shard, slot: u32, out: Cow<'_, Outgoing>, urgency: Urgency) {
        let Self { sessions, dirty, doomed, deflater, .. } = self;
        let Some(session) = sessions.get_mut(slot as usize) else { return };
        if session.is_behind() && urgency == Urgency::Volatile {
            shard.metrics().volatile_dropped.add(1);
            return;
        }
        let max = shard.node.config.queue_bytes_max;
        let queued_bytes = match &mut session.transport {
            Transport::WebSocket(socket) => {
                if socket.outbox.bytes() > max && !socket.blocked {
                    // A turn may queue more than the bound; what the kernel takes at once waits for nobody.
                    socket.blocked = !matches!(socket.outbox.flush(&mut socket.stream), Ok(Flushed::All));
                }
                socket.outbox.bytes()
            }
            Transport::Polling(polling) => polling.queued_bytes,
        };
        // Measured before this message: a single one may be larger than the bound, a second one behind it may not.
        if queued_bytes > max {
            doomed.push((slot, session.stamp, End::SlowConsumer));
            return;
        }
        let bytes = match &mut session.transport {
            Transport::WebSocket(socket) => {
                let frames = match shard.node.config.compression_bytes_min {
                    Some(bytes_min)
                        if socket.window.is_some_and(|window| window.admits(out.frames().len())) =>
                    {
                        out.deflated(deflater, bytes_min).clone()
                    }
                    _ => Outgoing::into_frames(out),
                };
                let bytes = frames.len();
                socket.outbox.push(frames);
                bytes
            }
            Transport::Polling(polling) => {
                polling.queued_bytes += out.frames().len();
                polling.queue.extend(out.messages());
                out.frames().len()
            }
        };
        shard.metrics().packets_sent.add(1);
        shard.metrics().bytes_sent.add(bytes as u64);
        session.touch(slot, dirty);
    }

    /// Queues a message for every session of a selection.
    pub(super) fn fan_out(
        &mut self,
        shard: &Shard,
        space: &Space,
        to: &Selection,
        out: &Outgoing,
        urgency: Urgency,
    ) {
        let members: Vec<_> = match self.hub.plain(space, to) {
            Some(members) => members.to_vec(),
            None => {
                let mut members = Vec::new();
                self.hub.select(space, to, |member, _| members.push(member));
                members
            }
        };
        for member in members {
            self.queue(shard, member.session, Cow::Borrowed(out), urgency);
        }
    }
}

impl Session {
    /// Whether its client is known not to be taking what it is sent.
    fn is_behind(&self) -> bool {
        match &self.transport {
            Transport::WebSocket(socket) => socket.blocked,
            Transport::Polling(polling) => polling.waiting.is_none() || !polling.queue.is_empty(),
        }
    }

    /// Notes that there is something to write.
    pub(super) fn touch(&mut self, slot: u32, dirty: &mut Vec<u32>) {
        if !self.dirty {
            self.dirty = true;
            dirty.push(slot);
        }
    }
}

impl Shard {
    /// Makes sure that what was queued outside of a turn is written in one.
    pub(super) fn schedule_flush(&self) {
        if !self.in_turn.get()
            && let Some(waker) = &*self.waker.borrow()
        {
            waker.wake_by_ref();
        }
    }

    /// Writes what the turn has queued, and ends what turned out to be over.
    pub(super) fn flush(self: &Rc<Self>) {
        self.declare();
        loop {
            let mut state = self.state.borrow_mut();
            let mut dirty = std::mem::take(&mut state.dirty);
            for slots in dirty.chunks(AHEAD) {
                state.look_at(slots);
                slots.iter().for_each(|slot| state.write(*slot));
            }
            dirty.clear();
            if state.dirty.is_empty() {
                // Keeps the allocation for the next turn.
                state.dirty = dirty;
            }
            let doomed = std::mem::take(&mut state.doomed);
            drop(state);
            if doomed.is_empty() {
                return;
            }
            for (slot, stamp, end) in doomed {
                if self.is_alive(slot, stamp) {
                    self.end_session(slot, end);
                }
            }
        }
    }
}

impl State {
    /// Reads all of some sessions that writing them needs. The processor fetches what its cache lacks for all of them at once
    /// then, not for one after the other behind each system call, which leaves little of the cache to us.
    fn look_at(&self, slots: &[u32]) {
        let sessions = slots.iter().filter_map(|slot| self.sessions.get(*slot as usize));
        let waiting = sessions.filter(|session| match &session.transport {
            Transport::WebSocket(socket) => {
                (session.held == 0) & !socket.blocked & (socket.outbox.bytes() > 0)
            }
            Transport::Polling(_) => false,
        });
        std::hint::black_box(waiting.count());
    }

    /// Writes what one session has queued. One frame that the kernel takes whole is the way of nearly every message, and a short
    /// one: between two system calls there is little room for code in the processor's cache.
    #[inline(always)]
    pub(super) fn write(&mut self, slot: u32) {
        if let Some(session) = self.sessions.get_mut(slot as usize)
            && let Transport::WebSocket(socket) = &mut session.transport
            && session.held == 0
            && !socket.blocked
            && socket.outbox.flush_one(&mut socket.stream)
        {
            session.dirty = false;
            return;
        }
        self.write_rest(slot);
    }

    /// The same for all else, as far as the transport takes it.
    #[cold]
    #[inline(never)]
    fn write_rest(&mut self, slot: u32) {
        let Some(session) = self.sessions.get_mut(slot as usize) else { return };
        session.dirty = false;
        if session.held > 0 {
            return;
        }
        match &mut session.transport {
            Transport::WebSocket(socket) if socket.blocked => {}
            Transport::WebSocket(socket) => match socket.outbox.flush(&mut socket.stream) {
                Ok(Flushed::All) => {}
                Ok(Flushed::Blocked) => socket.blocked = true,
                Err(_) => self.doomed.push((slot, session.stamp, End::TransportClose)),
            },
            Transport::Polling(polling) => {
                let probed = session.probe.as_ref().is_some_and(|probe| probe.answered);
                if polling.queue.is_empty() && !probed {
                    return;
                }
                let Some(waiting) = polling.waiting.take() else { return };
                let answer = if polling.queue.is_empty() { b"6".to_vec() } else { polling.payload() };
                if waiting.send(PollAnswer::Payload(answer)).is_err() {
                    self.doomed.push((slot, session.stamp, End::TransportError));
                }
            }
        }
    }
}

impl super::session::Polling {
    /// Everything that is queued, as one body.
    pub(super) fn payload(&mut self) -> Vec<u8> {
        use throng_protocol::engine::payload;
        let mut body = Vec::with_capacity(self.queued_bytes);
        for message in self.queue.drain(..) {
            match message {
                Message::Text(packet) => payload::push_text(&mut body, &packet),
                Message::Binary(bytes) => payload::push_binary(&mut body, &bytes),
            }
        }
        self.queued_bytes = 0;
        body
    }
}
