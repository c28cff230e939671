//! Histories of rooms in Redis: each a hash of its epoch and offset, and a stream whose ids are the offsets.

use super::{RedisStore, millis, read, script};
use crate::channel::{Channel, Room};
use crate::error::StoreError;
use crate::histories::{Entry, Gone, Position, Replay, Retention};

impl RedisStore {
    pub(crate) async fn append(
        &self,
        room: &Room,
        bytes: &[u8],
        keep: Retention,
    ) -> Result<Position, StoreError> {
        let [top, stream] = self.keys.history(room);
        let channel = self.keys.channel(&Channel::Room(room.clone()));
        let (max, ttl) = (keep.entries_max.max(1).to_string(), millis(keep.ttl));
        let epoch_ttl = millis(keep.epoch_ttl);
        let arguments = [bytes, max.as_bytes(), ttl.as_bytes(), epoch_ttl.as_bytes()];
        let keys: [&str; 3] = [&top, &stream, &channel];
        let (epoch, offset) = read(self.commands.run(&script::HISTORY_APPEND, &keys, &arguments).await?)?;
        Ok(Position { epoch, offset })
    }

    pub(crate) async fn find(&self, room: &Room, bytes: &[u8]) -> Result<Option<Position>, StoreError> {
        let [top, stream] = self.keys.history(room);
        let answer = self.commands.run(&script::HISTORY_FIND, &[&top, &stream], &[bytes]).await?;
        let found = read::<Option<(u64, u64)>>(answer)?;
        Ok(found.map(|(epoch, offset)| Position { epoch, offset }))
    }

    pub(crate) async fn position(&self, room: &Room, keep: Retention) -> Result<Position, StoreError> {
        let [top, stream] = self.keys.history(room);
        let (ttl, epoch_ttl) = (millis(keep.ttl), millis(keep.epoch_ttl));
        let arguments = [ttl.as_bytes(), epoch_ttl.as_bytes()];
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
