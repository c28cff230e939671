//! Engine.IO over HTTP: one connection for polls, one for posts, as browsers use them.

use bytes::Bytes;
use throng_protocol::engine::payload::{self, Record};

use crate::http::{Door, Http, Response};

/// A session that polls.
#[derive(Debug)]
pub struct Polling {
    sid: String,
    polls: Http,
    posts: Http,
}

/// A message that came in an answer to a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Message {
    Text(String),
    Binary(Bytes),
}

impl Polling {
    /// Opens a session.
    ///
    /// # Panics
    /// When it is refused.
    pub fn open(door: impl Into<Door>) -> Self {
        let door = door.into();
        let mut polls = Http::connect(door.clone());
        polls.request("GET", "/socket.io/?EIO=4&transport=polling", "", b"");
        let opened = polls.response();
        assert_eq!(opened.status, 200, "{opened:?}");
        let packet: serde_json::Value =
            serde_json::from_str(opened.body.strip_prefix('0').expect("an open packet")).expect("JSON");
        let sid = packet["sid"].as_str().expect("a session identifier").to_owned();
        Self { sid, polls, posts: Http::connect(door) }
    }

    /// The identifier of the session.
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Path and query of its requests.
    pub fn path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=polling&sid={}", self.sid)
    }

    /// Path and query of the request that moves it to a WebSocket.
    pub fn upgrade_path(&self) -> String {
        format!("/socket.io/?EIO=4&transport=websocket&sid={}", self.sid)
    }

    /// Posts packets.
    ///
    /// # Panics
    /// When there is no answer.
    pub fn post(&mut self, body: &str) -> Response {
        let path = self.path();
        self.posts.request("POST", &path, "content-type: text/plain\r\n", body.as_bytes());
        self.posts.response()
    }

    /// Asks for packets; the answer is taken with [`Polling::answer`].
    pub fn poll(&mut self) {
        let path = self.path();
        self.polls.request("GET", &path, "", b"");
    }

    /// Waits for the answer to a poll.
    ///
    /// # Panics
    /// When there is none.
    pub fn answer(&mut self) -> Response {
        self.polls.response()
    }

    /// Polls, and waits for what comes.
    ///
    /// # Panics
    /// When the session is over.
    pub fn packets(&mut self) -> String {
        self.poll();
        let answer = self.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }

    /// Hangs up both connections.
    pub fn hang_up(self) {}

    pub(crate) fn messages(&mut self) -> Vec<Message> {
        let body = self.packets();
        let owned = |record| match record {
            Record::Text(text) => Message::Text(text.to_owned()),
            Record::Binary(bytes) => Message::Binary(bytes),
        };
        payload::decode(&body, 100_000).map(|record| owned(record.expect("a well-formed payload"))).collect()
    }
}
