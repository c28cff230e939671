//! A message on its way out: encoded once, framed once, shared by every receiver, whatever transport each has.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::ops::Range;

use bytes::{Buf as _, Bytes};
use throng_protocol::engine::packet::MESSAGE;
use throng_protocol::socket::args::Args;
use throng_protocol::socket::codec::{Attachments, Codec};
use throng_protocol::websocket::deflate::Deflater;
use throng_protocol::websocket::frame::{HEADER_BYTES_MAX, Header, Opcode};

/// Engine.IO messages that belong together: a packet and the attachments behind it.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// All of it as WebSocket frames, one a message.
    frames: Bytes,
    /// The frames, compressed; made when the first receiver wants it.
    deflated: OnceCell<Bytes>,
}

/// One Engine.IO message, as a polling payload carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    /// A text packet with its type digit.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
}

impl Message {
    pub(crate) fn bytes(&self) -> &Bytes {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }

    fn opcode(&self) -> Opcode {
        match self {
            Self::Text(_) => Opcode::Text,
            Self::Binary(_) => Opcode::Binary,
        }
    }
}

impl Outgoing {
    /// An event.
    pub(crate) fn event(codec: &Codec, nsp: &str, ack: Option<u64>, name: &str, args: &Args) -> Self {
        Self::packet(codec, |into| codec.event(nsp, ack, name, args, into))
    }

    /// An acknowledgement.
    pub(crate) fn ack(codec: &Codec, nsp: &str, ack: u64, args: &Args) -> Self {
        Self::packet(codec, |into| codec.ack(nsp, ack, args, into))
    }

    /// A packet without attachments, written by the codec.
    pub(crate) fn plain(codec: &Codec, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        Self::packet(codec, |into| {
            write(into);
            Attachments::new()
        })
    }

    /// An Engine.IO text packet, type digit included.
    pub(crate) fn engine(packet: &str) -> Self {
        Self::framed(Opcode::Text, |into| {
            into.extend_from_slice(packet.as_bytes());
            Attachments::new()
        })
    }

    /// A bare message, as a raw WebSocket or Engine.IO service sends it.
    pub(crate) fn raw(message: &Message) -> Self {
        Self::framed(message.opcode(), |into| {
            into.extend_from_slice(message.bytes());
            Attachments::new()
        })
    }

    fn packet(codec: &Codec, write: impl FnOnce(&mut Vec<u8>) -> Attachments) -> Self {
        let is_text = codec.is_text();
        Self::framed(if is_text { Opcode::Text } else { Opcode::Binary }, |into| {
            if is_text {
                into.push(MESSAGE);
            }
            write(into)
        })
    }

    /// Frames what is written, and the attachments behind it.
    fn framed(opcode: Opcode, write: impl FnOnce(&mut Vec<u8>) -> Attachments) -> Self {
        BUFFER.with_borrow_mut(|buffer| {
            buffer.clear();
            buffer.extend_from_slice(&[0; HEADER_BYTES_MAX]);
            let attachments = write(buffer);
            let mut header = [0; HEADER_BYTES_MAX];
            let header_bytes = Header::server(opcode, buffer.len() - HEADER_BYTES_MAX).write(&mut header);
            let start = HEADER_BYTES_MAX - header_bytes;
            buffer[start..HEADER_BYTES_MAX].copy_from_slice(&header[..header_bytes]);
            for attachment in &attachments {
                put_frame(buffer, Header::server(Opcode::Binary, attachment.len()), attachment);
            }
            Self { frames: taken(buffer, start), deflated: OnceCell::new() }
        })
    }

    /// A packet that another node has framed; `None` when these are no frames of a packet.
    pub(crate) fn of_frames(frames: Bytes) -> Option<Self> {
        let mut end = frame_at(&frames, 0)?.1.end;
        while end < frames.len() {
            end = frame_at(&frames, end)?.1.end;
        }
        Some(Self { frames, deflated: OnceCell::new() })
    }

    /// The same event with one more argument, a text without anything to escape; `None` when this is no event.
    pub(crate) fn with_text(&self, text: &str) -> Option<Self> {
        let (opcode, first) = frame_at(&self.frames, 0)?;
        let first = self.frames.get(first)?;
        if opcode == Opcode::Text {
            let open = first.strip_suffix(b"]")?;
            let parts = [open, b",\"", text.as_bytes(), b"\"]"];
            return Some(self.with_first(opcode, |into| {
                parts.into_iter().for_each(|part| into.extend_from_slice(part));
            }));
        }
        let mut packet = rmpv::decode::read_value(&mut &first[..]).ok()?;
        let rmpv::Value::Map(fields) = &mut packet else { return None };
        let data = fields.iter_mut().find(|(name, _)| name.as_str() == Some("data"));
        let Some((_, rmpv::Value::Array(data))) = data else { return None };
        data.push(text.into());
        Some(self.with_first(opcode, |into| {
            rmpv::encode::write_value(into, &packet).expect("writing to memory cannot fail");
        }))
    }

    /// Another first message before the same attachments.
    fn with_first(&self, opcode: Opcode, write: impl FnOnce(&mut Vec<u8>)) -> Self {
        Self::framed(opcode, |into| {
            write(into);
            self.messages().skip(1).map(Message::into_bytes).collect()
        })
    }

    /// The messages, in order.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        let mut at = 0;
        std::iter::from_fn(move || {
            let (opcode, payload) = frame_at(&self.frames, at)?;
            at = payload.end;
            let bytes = self.frames.slice(payload);
            Some(if opcode == Opcode::Text { Message::Text(bytes) } else { Message::Binary(bytes) })
        })
    }

    /// The frames for a connection that did not negotiate compression.
    pub(crate) fn frames(&self) -> &Bytes {
        &self.frames
    }

    /// The same, without another reference to them where nobody else has the message.
    pub(crate) fn into_frames(out: Cow<'_, Self>) -> Bytes {
        match out {
            Cow::Owned(out) => out.frames,
            Cow::Borrowed(out) => out.frames.clone(),
        }
    }

    /// The frames for a connection that did; messages under `bytes_min` go as they are.
    pub(crate) fn deflated(&self, deflater: &mut Deflater, bytes_min: usize) -> &Bytes {
        if self.frames.len() < bytes_min {
            return &self.frames;
        }
        self.deflated.get_or_init(|| {
            let mut all = Vec::new();
            let mut body = Vec::new();
            for message in self.messages() {
                let bytes = message.bytes();
                body.clear();
                let compressed = bytes.len() >= bytes_min;
                if compressed {
                    deflater.deflate(bytes, &mut body);
                } else {
                    body.extend_from_slice(bytes);
                }
                put_frame(
                    &mut all,
                    Header { compressed, ..Header::server(message.opcode(), body.len()) },
                    &body,
                );
            }
            Bytes::from(all)
        })
    }
}

/// Messages up to this size leave the buffer that they are written in to the next one.
const SMALL_BYTES: usize = 1024;

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What is in the buffer from there on. A small message gets just the room that it needs.
fn taken(buffer: &mut Vec<u8>, start: usize) -> Bytes {
    if buffer.len() <= SMALL_BYTES {
        return Bytes::copy_from_slice(&buffer[start..]);
    }
    let mut frames = Bytes::from(std::mem::take(buffer));
    frames.advance(start);
    frames
}

/// What kind of frame begins there, and where its payload lies.
fn frame_at(frames: &[u8], at: usize) -> Option<(Opcode, Range<usize>)> {
    let (header, header_bytes) = Header::of_server(frames.get(at..)?)?;
    let start = at.checked_add(header_bytes)?;
    let payload = start..start.checked_add(header.payload_bytes)?;
    frames.get(payload.clone())?;
    Some((header.opcode, payload))
}

/// A control frame.
pub(crate) fn control_frame(opcode: Opcode, payload: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(2 + payload.len());
    put_frame(&mut frame, Header::server(opcode, payload.len()), payload);
    Bytes::from(frame)
}

fn put_frame(into: &mut Vec<u8>, header: Header, payload: &[u8]) {
    let mut head = [0; HEADER_BYTES_MAX];
    let head_bytes = header.write(&mut head);
    into.extend_from_slice(&head[..head_bytes]);
    into.extend_from_slice(payload);
}
