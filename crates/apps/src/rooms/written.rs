//! What is written down of a hall, so that the node that keeps it next can go on: rooms that have begun, and whom people
//! have blocked. Who waits, and who was paired and has not confirmed, the lobby writes beside it. What was said is not
//! written.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use throng_lobby::{Language, PairingId, QueueName, Tag, Time, User};

use super::room::{Room, RoomId, Seat};
use super::setting::Setting;

const ROOM: &str = "r:";
const BLOCKED: &str = "b:";

/// A room, as far as it outlives the node that keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct WrittenRoom {
    pub(crate) id: RoomId,
    pub(crate) pairing: PairingId,
    pub(crate) queue: QueueName,
    pub(crate) setting: Setting,
    pub(crate) tags: Vec<Tag>,
    pub(crate) language: Option<Language>,
    pub(crate) started: Time,
    pub(crate) ends: Time,
    pub(crate) members: [(User, Time); 2],
}

/// A record of the hall, read.
#[derive(Debug, PartialEq)]
pub(crate) enum Record {
    Room(Box<WrittenRoom>),
    /// Whom somebody has blocked.
    Blocked(User, Vec<User>),
    /// Not written by this version.
    Unreadable,
}

impl WrittenRoom {
    pub(crate) fn of(room: &Room) -> Self {
        let member = |seat| (room.user(seat).clone(), room.waited_since(seat));
        Self {
            id: room.id.clone(),
            pairing: room.pairing,
            queue: room.queue.clone(),
            setting: room.setting.clone(),
            tags: room.tags.clone(),
            language: room.language.clone(),
            started: room.started,
            ends: room.ends,
            members: Seat::BOTH.map(member),
        }
    }

    /// The record, with its key.
    pub(crate) fn record(&self) -> (Box<str>, Bytes) {
        (room_key(&self.id), write(self))
    }
}

/// The key of a room's record.
pub(crate) fn room_key(id: &RoomId) -> Box<str> {
    format!("{ROOM}{id}").into()
}

/// The key of the record of whom somebody has blocked.
pub(crate) fn blocked_key(user: &User) -> Box<str> {
    format!("{BLOCKED}{user}").into()
}

/// The record of whom somebody has blocked, with its key.
pub(crate) fn blocked(user: &User, others: &[User]) -> (Box<str>, Bytes) {
    (blocked_key(user), write(&others))
}

/// Reads a record.
pub(crate) fn read(key: &str, value: &[u8]) -> Record {
    let read = || {
        if key.starts_with(ROOM) {
            return Some(Record::Room(serde_json::from_slice(value).ok()?));
        }
        let user = User::from(key.strip_prefix(BLOCKED)?);
        Some(Record::Blocked(user, serde_json::from_slice(value).ok()?))
    };
    read().unwrap_or(Record::Unreadable)
}

fn write(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("texts, numbers and lists are JSON").into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::rooms::setting::Side;
    use crate::roulette::media::Media;

    #[test]
    fn what_is_written_can_be_read() {
        let at = |millis| Time(Duration::from_millis(millis));
        for setting in [
            Setting::Call { media: Media::Audio },
            Setting::Debate { topic: "tea".into(), sides: [Side::Against, Side::For] },
        ] {
            let room = WrittenRoom {
                id: "1".into(),
                pairing: PairingId(7),
                queue: "default".into(),
                setting,
                tags: vec!["x".into()],
                language: Some("en".into()),
                started: at(1),
                ends: at(2),
                members: [("a".into(), at(0)), ("b: \u{1F600}".into(), at(1))],
            };
            let (key, value) = room.record();
            assert_eq!(read(&key, &value), Record::Room(Box::new(room)));
        }
        let (key, value) = blocked(&"b:x".into(), &["y".into()]);
        assert_eq!(read(&key, &value), Record::Blocked("b:x".into(), vec!["y".into()]));
        for (key, value) in [("r:1", "{}"), ("b:1", "{}"), ("x:1", "[]")] {
            assert_eq!(read(key, value.as_bytes()), Record::Unreadable);
        }
    }
}
