//! A message on its way out: encoded once, framed once, shared by every receiver, whatever transport each has.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
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
    /// All of it as WebSocket frames.
    frames: Bytes,
    /// Where in the frames the first message lies.
    first: Range<usize>,
    opcode: Opcode,
    attachments: Attachments,
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
        let mut buffer = blank();
        buffer.extend_from_slice(packet.as_bytes());
        Self::framed(buffer, Opcode::Text, Attachments::new())
    }

    /// A bare message, as a raw WebSocket or Engine.IO service sends it.
    pub(crate) fn raw(message: Message) -> Self {
        let mut buffer = blank();
        buffer.extend_from_slice(message.bytes());
        Self::framed(buffer, message.opcode(), Attachments::new())
    }

    fn packet(codec: &Codec, write: impl FnOnce(&mut Vec<u8>) -> Attachments) -> Self {
        let mut buffer = blank();
        if codec.is_text() {
            buffer.push(MESSAGE);
        }
        let attachments = write(&mut buffer);
        Self::framed(buffer, if codec.is_text() { Opcode::Text } else { Opcode::Binary }, attachments)
    }

    fn framed(mut buffer: Vec<u8>, opcode: Opcode, attachments: Attachments) -> Self {
        let mut header = [0; HEADER_BYTES_MAX];
        let first_bytes = buffer.len() - HEADER_BYTES_MAX;
        let header_bytes = Header::server(opcode, first_bytes).write(&mut header);
        let start = HEADER_BYTES_MAX - header_bytes;
        buffer[start..HEADER_BYTES_MAX].copy_from_slice(&header[..header_bytes]);
        for attachment in &attachments {
            put_frame(&mut buffer, Header::server(Opcode::Binary, attachment.len()), attachment);
        }
        let frames = kept(buffer, start);
        let first = header_bytes..header_bytes + first_bytes;
        Self { frames, first, opcode, attachments, deflated: OnceCell::new() }
    }

    /// A packet that another node has framed; `None` when these are no frames of a packet.
    pub(crate) fn of_frames(frames: Bytes) -> Option<Self> {
        let (first, header_bytes) = Header::of_server(&frames)?;
        let mut rest = header_bytes.checked_add(first.payload_bytes)?;
        let first_range = header_bytes..rest;
        frames.get(first_range.clone())?;
        let mut attachments = Attachments::new();
        while let Some((next, header_bytes)) = frames.get(rest..).and_then(Header::of_server) {
            let start = rest + header_bytes;
            rest = start.checked_add(next.payload_bytes)?;
            attachments.push(frames.get(start..rest).map(|bytes| frames.slice_ref(bytes))?);
        }
        (rest == frames.len()).then(|| Self {
            frames,
            first: first_range,
            opcode: first.opcode,
            attachments,
            deflated: OnceCell::new(),
        })
    }

    /// The same event with one more argument, a text without anything to escape; `None` when this is no event.
    pub(crate) fn with_text(&self, text: &str) -> Option<Self> {
        let first = self.frames.get(self.first.clone())?;
        let mut buffer = blank();
        buffer.reserve(first.len() + text.len() + 8);
        if self.opcode == Opcode::Text {
            buffer.extend_from_slice(first.strip_suffix(b"]")?);
            buffer.extend_from_slice(b",\"");
            buffer.extend_from_slice(text.as_bytes());
            buffer.extend_from_slice(b"\"]");
        } else {
            let mut packet = rmpv::decode::read_value(&mut &first[..]).ok()?;
            let rmpv::Value::Map(fields) = &mut packet else { return None };
            let data = fields.iter_mut().find(|(name, _)| name.as_str() == Some("data"));
            let Some((_, rmpv::Value::Array(data))) = data else { return None };
            data.push(text.into());
            rmpv::encode::write_value(&mut buffer, &packet).ok()?;
        }
        Some(Self::framed(buffer, self.opcode, self.attachments.clone()))
    }

    /// The messages, in order.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Message> + '_ {
        let first = self.frames.slice(self.first.clone());
        let first = if self.opcode == Opcode::Text { Message::Text(first) } else { Message::Binary(first) };
        std::iter::once(first).chain(self.attachments.iter().cloned().map(Message::Binary))
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
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A buffer for a message, with room for its frame header in front.
fn blank() -> Vec<u8> {
    let mut buffer = BUFFER.take();
    buffer.clear();
    buffer.resize(HEADER_BYTES_MAX, 0);
    buffer
}

/// What is in such a buffer from there on. A small message gets just the room that it needs.
fn kept(buffer: Vec<u8>, start: usize) -> Bytes {
    if buffer.len() > SMALL_BYTES {
        let mut frames = Bytes::from(buffer);
        frames.advance(start);
        return frames;
    }
    let frames = Bytes::copy_from_slice(&buffer[start..]);
    BUFFER.set(buffer);
    frames
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
