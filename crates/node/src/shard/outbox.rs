//! What a connection still has to write: shared frames, bounded in bytes by the caller, empty and without an
//! allocation nearly always.

use std::cell::Cell;
use std::collections::VecDeque;
use std::io::{self, Write};

use bytes::Bytes;

/// Small frames are copied together up to this size and handed to the kernel as one piece, which costs it less than
/// a list of pieces; a frame that does not fit goes alone, without a copy.
const SMALL_BYTES: usize = 4096;

thread_local! {
    /// Bytes in all queues of this thread, which is to say of this shard.
    static QUEUED_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Bytes that the queues of this shard hold.
pub(crate) fn queued_bytes() -> usize {
    QUEUED_BYTES.get()
}

/// The queue of one connection.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    frames: Frames,
    /// Bytes of the first frame that the kernel has taken.
    written: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
enum Frames {
    #[default]
    None,
    One(Bytes),
    Many(VecDeque<Bytes>),
}

/// How far a write got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Everything is with the kernel.
    All,
    /// The kernel takes no more for now.
    Blocked,
}

impl Outbox {
    /// Bytes not yet written.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Appends frames.
    pub(crate) fn push(&mut self, frames: Bytes) {
        self.grow(frames.len());
        self.frames = match std::mem::take(&mut self.frames) {
            Frames::None => Frames::One(frames),
            Frames::One(first) => Frames::Many(VecDeque::from([first, frames])),
            Frames::Many(mut queue) => {
                queue.push_back(frames);
                Frames::Many(queue)
            }
        };
    }

    /// Puts a frame before all that has not begun to be written: a heartbeat does not wait behind data.
    pub(crate) fn push_urgent(&mut self, frame: Bytes) {
        self.grow(frame.len());
        let begun = self.written > 0;
        self.frames = match std::mem::take(&mut self.frames) {
            Frames::None => Frames::One(frame),
            Frames::One(first) if begun => Frames::Many(VecDeque::from([first, frame])),
            Frames::One(first) => Frames::Many(VecDeque::from([frame, first])),
            Frames::Many(mut queue) => {
                queue.insert(usize::from(begun), frame);
                Frames::Many(queue)
            }
        };
    }

    /// Writes the one frame that there is, if there is just one that has not begun; `false` when that is not all done.
    #[inline(always)]
    pub(crate) fn flush_one(&mut self, stream: &mut impl Write) -> bool {
        let Frames::One(frame) = &self.frames else { return false };
        if self.written > 0 {
            return false;
        }
        match stream.write(frame) {
            Ok(taken) if taken == frame.len() => {
                self.bytes = 0;
                QUEUED_BYTES.set(QUEUED_BYTES.get().saturating_sub(taken));
                self.frames = Frames::None;
                true
            }
            Ok(taken) if taken > 0 => {
                self.advance(taken);
                false
            }
            // Whoever writes the rest meets the same error.
            _ => false,
        }
    }

    /// Writes until the kernel takes no more. Returns what the kernel took, in bytes, beside how it ended.
    pub(crate) fn flush(&mut self, stream: &mut impl Write) -> io::Result<Flushed> {
        loop {
            let taken = match &self.frames {
                Frames::None => return Ok(Flushed::All),
                Frames::One(frame) => stream.write(&frame[self.written..]),
                Frames::Many(queue) => write_together(queue, self.written, stream),
            };
            match taken {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => self.advance(taken),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(Flushed::Blocked),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn grow(&mut self, bytes: usize) {
        self.bytes += bytes;
        QUEUED_BYTES.set(QUEUED_BYTES.get() + bytes);
    }

    fn advance(&mut self, taken: usize) {
        self.bytes -= taken;
        QUEUED_BYTES.set(QUEUED_BYTES.get().saturating_sub(taken));
        self.written += taken;
        match &mut self.frames {
            Frames::None => {}
            Frames::One(frame) => {
                if self.written == frame.len() {
                    self.reset();
                }
            }
            Frames::Many(queue) => {
                while queue.front().is_some_and(|frame| self.written >= frame.len()) {
                    self.written -= queue.pop_front().map_or(0, |frame| frame.len());
                }
                if queue.is_empty() {
                    self.reset();
                }
            }
        }
    }

    fn reset(&mut self) {
        self.frames = Frames::None;
        self.written = 0;
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        // One that is dropped with its thread has nobody left to tell.
        let _ = QUEUED_BYTES.try_with(|queued| queued.set(queued.get().saturating_sub(self.bytes)));
    }
}

/// Writes small frames from the front of the queue as one piece, the first from `skip` on.
// Out of line: most queues hold one frame, and need no page of the stack to gather others in.
#[inline(never)]
fn write_together(queue: &VecDeque<Bytes>, skip: usize, stream: &mut impl Write) -> io::Result<usize> {
    let mut small = [0; SMALL_BYTES];
    match gather(queue, skip, &mut small) {
        0 => stream.write(&queue[0][skip..]),
        gathered => stream.write(&small[..gathered]),
    }
}

/// Copies whole frames from the front of the queue, the first from `skip` on; gives how many bytes fitted.
fn gather(queue: &VecDeque<Bytes>, skip: usize, into: &mut [u8]) -> usize {
    let mut gathered = 0;
    for (index, frame) in queue.iter().enumerate() {
        let frame = if index == 0 { &frame[skip..] } else { frame };
        let Some(place) = into.get_mut(gathered..gathered + frame.len()) else { break };
        place.copy_from_slice(frame);
        gathered += frame.len();
    }
    gathered
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes `step` bytes a call, and `room` in all.
    struct Kernel {
        step: usize,
        room: usize,
        got: Vec<u8>,
    }

    impl Write for Kernel {
        fn write(&mut self, data: &[u8]) -> io::Result<usize> {
            let taken = data.len().min(self.step).min(self.room);
            if taken == 0 {
                return Err(io::ErrorKind::WouldBlock.into());
            }
            self.room -= taken;
            self.got.extend_from_slice(&data[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn outbox(frames: &[&'static str]) -> Outbox {
        let mut outbox = Outbox::default();
        for frame in frames {
            outbox.push(Bytes::from_static(frame.as_bytes()));
        }
        outbox
    }

    #[test]
    fn frames_leave_in_order_however_little_the_kernel_takes() {
        for step in 1..12 {
            let mut outbox = outbox(&["one", "two", "three", "4"]);
            let mut kernel = Kernel { step, room: usize::MAX, got: Vec::new() };
            assert_eq!(outbox.flush(&mut kernel).unwrap(), Flushed::All);
            assert_eq!((kernel.got.as_slice(), outbox.bytes()), (b"onetwothree4".as_slice(), 0));
        }
    }

    #[test]
    fn one_frame_is_written_at_once_or_its_rest_is_kept() {
        for room in 0..=3 {
            let mut outbox = outbox(&["one"]);
            let mut kernel = Kernel { step: 99, room, got: Vec::new() };
            assert_eq!((outbox.flush_one(&mut kernel), outbox.bytes()), (room == 3, 3 - room));
            kernel.room = usize::MAX;
            assert_eq!(outbox.flush(&mut kernel).unwrap(), Flushed::All);
            assert_eq!((kernel.got.as_slice(), outbox.bytes()), (b"one".as_slice(), 0));
        }
        let mut outbox = outbox(&["one", "two"]);
        assert!(!outbox.flush_one(&mut Kernel { step: 99, room: 99, got: Vec::new() }));
        assert_eq!(outbox.bytes(), 6);
    }

    #[test]
    fn large_frames_between_small_ones_keep_their_place() {
        let large = "x".repeat(SMALL_BYTES + 1);
        for step in [1000, SMALL_BYTES, usize::MAX] {
            let mut outbox = Outbox::default();
            let frames = ["a", "b", &large, "c", &large, &large, "d"];
            frames.iter().for_each(|frame| outbox.push(Bytes::from((*frame).to_owned())));
            let mut kernel = Kernel { step, room: usize::MAX, got: Vec::new() };
            assert_eq!(outbox.flush(&mut kernel).unwrap(), Flushed::All);
            assert_eq!((kernel.got, outbox.bytes()), (frames.concat().into_bytes(), 0));
        }
    }

    #[test]
    fn an_urgent_frame_waits_only_for_the_frame_already_begun() {
        let cases = [(0, "!onetwo"), (1, "one!two"), (3, "one!two"), (4, "onetwo!")];
        for (room, expect) in cases {
            let mut outbox = outbox(&["one", "two"]);
            let mut kernel = Kernel { step: 99, room, got: Vec::new() };
            assert_eq!(outbox.flush(&mut kernel).unwrap(), Flushed::Blocked);
            outbox.push_urgent(Bytes::from_static(b"!"));
            kernel.room = usize::MAX;
            outbox.flush(&mut kernel).unwrap();
            assert_eq!(String::from_utf8(kernel.got).unwrap(), expect, "after {room} bytes");
        }
    }
}
