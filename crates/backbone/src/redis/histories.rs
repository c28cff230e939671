//! Histories of rooms in Redis: each a hash of its epoch and offset, and a stream whose ids are the offsets.

use super::{RedisStore, millis, read, script};
use crate::channel::{Channel, Room};
use crate::error::StoreError;
use crate::histories::{Append, Attempt, Batch, Entry, Gone, Position, Replay, Retention};

impl RedisStore {
    pub(crate) async fn append(&self, append: Append<'_>) -> Result<Position, StoreError> {
        let Append { attempt, room, batch: Batch { messages, known }, keep } = append;
        let [top, stream] = self.keys.history(room);
        let channel = self.keys.channel(&Channel::Room(room.clone()));
        let [epoch, offset] = words(known);
        let (entries_max, bytes_max) = (keep.entries_max.max(1).to_string(), keep.bytes_max.to_string());
        let (ttl, epoch_ttl) = (millis(keep.ttl), millis(keep.epoch_ttl));
        let attempt = match attempt {
            Attempt::First => "first",
            Attempt::Again => "again",
        };
        let terms = [&epoch, &offset, &ttl, &epoch_ttl, &entries_max, &bytes_max, attempt].map(str::as_bytes);
        let messages = messages.iter().map(|message| &message[..]);
        let arguments: Vec<&[u8]> = terms.into_iter().chain(messages).collect();
        let keys: [&str; 3] = [&top, &stream, &channel];
        let (epoch, offset) = read(self.commands.run(&script::HISTORY_APPEND, &keys, &arguments).await?)?;
        Ok(Position { epoch, offset })
    }

    pub(crate) async fn position(
        &self,
        room: &Room,
        known: Option<Position>,
        keep: Retention,
    ) -> Result<Position, StoreError> {
        let [top, stream] = self.keys.history(room);
        let [epoch, offset] = words(known);
        let (ttl, epoch_ttl) = (millis(keep.ttl), millis(keep.epoch_ttl));
        let arguments = [&*epoch, &offset, &ttl, &epoch_ttl].map(str::as_bytes);
        let answer = self.commands.run(&script::HISTORY_POSITION, &[&top, &stream], &arguments).await?;
        let (epoch, offset) = read(answer)?;
        Ok(Position { epoch, offset })
    }

    pub(crate) async fn after(
        &self,
        room: &Room,
        position: Position,
        max: usize,
    ) -> Result<Replay, StoreError> {
        let [top, stream] = self.keys.history(room);
        let (epoch, offset, max) = (position.epoch.to_string(), position.offset.to_string(), max.to_string());
        let arguments = [epoch.as_bytes(), offset.as_bytes(), max.as_bytes()];
        let answer = self.commands.run(&script::HISTORY_AFTER, &[&top, &stream], &arguments).await?;
        let mut answer = read::<Vec<Vec<u8>>>(answer)?.into_iter();
        match answer.next().as_deref() {
            Some(b"whole") => {
                let entries = answer.zip(position.offset + 1..);
                Ok(Replay::Whole(
                    entries.map(|(bytes, offset)| Entry { offset, bytes: bytes.into() }).collect(),
                ))
            }
            Some(b"epoch") => Ok(Replay::Gone(Gone::OtherEpoch)),
            Some(b"ahead") => Ok(Replay::Gone(Gone::Ahead)),
            Some(b"many") => Ok(Replay::Gone(Gone::TooMany)),
            Some(b"trimmed") => Ok(Replay::Gone(Gone::Trimmed)),
            _ => Err(StoreError::Unreadable("an answer about a history")),
        }
    }
}

/// Epoch and offset as the scripts take them; no epoch when nothing is known.
fn words(known: Option<Position>) -> [String; 2] {
    known.map_or_else(
        || ["none".to_owned(), "0".to_owned()],
        |Position { epoch, offset }| [epoch.to_string(), offset.to_string()],
    )
}
