//! Requests that may be repeated: each has a key, and the answer to the first is kept for those who ask again. Kept among
//! the documents of the fleet, so that it does not matter which node is asked.
//!
//! A key is taken before anything is sent and given its answer after that. A node that dies in between leaves it taken for
//! half a minute, then whoever repeats the request is first again.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, StatusCode};
use serde::{Deserialize, Serialize};
use throng_backbone::{DocumentError, DocumentKey, Documents, Expect, StoreError, Terms};

use super::Published;
use crate::problem::Problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The longest key, in bytes.
const KEY_BYTES_MAX: usize = 255;
/// Keys that one node has begun within [`KEPT`]; beyond it requests with new ones are refused.
const KEYS_MAX: usize = 100_000;
/// How long a key is taken that has no answer.
const BEGUN: Duration = Duration::from_secs(30);
/// How long an answer is kept.
const KEPT: Duration = Duration::from_secs(3600);
/// When to ask again for an answer that is being made.
const SOON: Duration = Duration::from_secs(1);

/// What was asked lately.
#[derive(Debug)]
pub(crate) struct Repeats {
    documents: Documents,
    /// When what this node has begun is forgotten, the first first.
    ends: Mutex<VecDeque<Instant>>,
}

/// A request with a key.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) publisher: &'a str,
    pub(super) key: &'a str,
    pub(super) body: &'a str,
}

/// Whose turn it is.
#[derive(Debug)]
pub(super) enum Turn {
    /// The request is new.
    First(First),
    /// It was answered before, like this.
    Repeat(Published),
}

/// A key that waits for its answer.
#[derive(Debug)]
pub(super) struct First {
    name: DocumentKey,
    version: u64,
    body: String,
}

/// What is kept of a request.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    /// A digest.
    body: String,
    answer: Option<Published>,
}

/// The key of a request, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().ok().filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()));
    key.map(Some).ok_or_else(|| {
        let message = "An Idempotency-Key has 1 to 255 characters of ASCII.";
        Problem::new(StatusCode::BAD_REQUEST, "malformed_idempotency_key", message)
    })
}

impl Repeats {
    pub(crate) fn new(documents: Documents) -> Self {
        Self { documents, ends: Mutex::default() }
    }

    /// Takes the key, or finds what was answered.
    pub(super) async fn begin(&self, request: Request<'_>) -> Result<Turn, Problem> {
        let Request { publisher, key, body } = request;
        let (name, body) = (format!("publish:{}", digest(&[publisher, key])), digest(&[body]));
        let name = DocumentKey::new("", name);
        if let Some(kept) = self.read(&name).await? {
            return kept.turn(&body);
        }
        self.bound()?;
        let terms = Terms { expect: Expect::Absent, ttl: Some(BEGUN) };
        match self.documents.put(&name, written(&Kept { body: body.clone(), answer: None }), terms).await {
            Ok(version) => Ok(Turn::First(First { name, version, body })),
            // Somebody was faster by a moment.
            Err(DocumentError::Conflict(_)) => match self.read(&name).await? {
                Some(kept) => kept.turn(&body),
                None => Err(in_progress()),
            },
            Err(DocumentError::Store(error)) => Err(unavailable(error)),
        }
    }

    /// Keeps the answer.
    pub(super) async fn finish(&self, first: First, answer: &Published) {
        let First { name, version, body } = first;
        let terms = Terms { expect: Expect::Version(version), ttl: Some(KEPT) };
        let kept = Kept { body, answer: Some(answer.clone()) };
        if let Err(error) = self.documents.put(&name, written(&kept), terms).await {
            tracing::warn!(%error, "the answer to a request is not kept: repeated later, it is sent again");
        }
    }

    async fn read(&self, name: &DocumentKey) -> Result<Option<Kept>, Problem> {
        let found = self.documents.get(name).await.map_err(unavailable)?;
        let Some(document) = found else { return Ok(None) };
        let unreadable = |_| unavailable(StoreError::Unreadable("a request that was answered"));
        serde_json::from_slice(&document.value).map(Some).map_err(unreadable)
    }

    /// Counts a key that is about to be taken.
    fn bound(&self) -> Result<(), Problem> {
        let now = Instant::now();
        let mut ends = self.ends.lock().expect("no panic while the lock is held");
        while ends.front().is_some_and(|end| *end <= now) {
            ends.pop_front();
        }
        match ends.front() {
            Some(first) if ends.len() >= KEYS_MAX => {
                let message = "Too many requests with keys of their own.";
                let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_keys", message);
                Err(problem.retry_after(*first - now))
            }
            _ => {
                ends.push_back(now + KEPT);
                Ok(())
            }
        }
    }
}

impl Kept {
    fn turn(self, body: &str) -> Result<Turn, Problem> {
        if self.body != body {
            let message = "This Idempotency-Key was used with another body.";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused", message));
        }
        self.answer.map(Turn::Repeat).ok_or_else(in_progress)
    }
}

fn written(kept: &Kept) -> bytes::Bytes {
    serde_json::to_vec(kept).expect("texts and numbers are JSON").into()
}

fn in_progress() -> Problem {
    let message = "A request with this Idempotency-Key is being answered.";
    Problem::new(StatusCode::CONFLICT, "in_progress", message).retry_after(SOON)
}

fn unavailable(error: StoreError) -> Problem {
    tracing::warn!(%error, "a request with a key is refused");
    let message = "The Idempotency-Key cannot be remembered now; nothing was sent.";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).retry_after(SOON)
}

/// A name for texts that nobody else's texts have.
fn digest(parts: &[&str]) -> String {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(context.finish())
}

#[cfg(test)]
mod tests {
    use throng_backbone::{Backbone, Config, MemoryStore, Store};

    use super::*;

    async fn repeats() -> Repeats {
        let opened = Backbone::open(Config::new("test", Store::Memory(MemoryStore::new()))).await;
        Repeats::new(opened.unwrap().0.documents().clone())
    }

    fn request<'a>(publisher: &'a str, key: &'a str, body: &'a str) -> Request<'a> {
        Request { publisher, key, body }
    }

    async fn first(repeats: &Repeats, request: Request<'_>) -> First {
        match repeats.begin(request).await.unwrap() {
            Turn::First(first) => first,
            Turn::Repeat(_) => panic!("{request:?} is new"),
        }
    }

    async fn code(repeats: &Repeats, request: Request<'_>) -> &'static str {
        repeats.begin(request).await.unwrap_err().code
    }

    #[tokio::test]
    async fn a_repeat_is_answered_as_the_first() {
        let repeats = repeats().await;
        let published = Published { ok: true, messages: 3 };
        let ada = request("ada", "key", "body");
        let turn = first(&repeats, ada).await;
        assert_eq!(code(&repeats, ada).await, "in_progress");
        repeats.finish(turn, &published).await;
        assert!(matches!(repeats.begin(ada).await, Ok(Turn::Repeat(answer)) if answer == published));
        assert_eq!(code(&repeats, request("ada", "key", "other")).await, "idempotency_key_reused");
        // Neither somebody else nor another key is meant.
        first(&repeats, request("bob", "key", "body")).await;
        first(&repeats, request("ada", "yek", "body")).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_key_without_an_answer_is_free_again_and_answers_are_forgotten() {
        let repeats = repeats().await;
        let ada = request("ada", "key", "body");
        first(&repeats, ada).await;
        tokio::time::advance(BEGUN).await;
        let turn = first(&repeats, ada).await;
        repeats.finish(turn, &Published { ok: true, messages: 1 }).await;
        tokio::time::advance(BEGUN).await;
        assert!(matches!(repeats.begin(ada).await, Ok(Turn::Repeat(_))));
        tokio::time::advance(KEPT).await;
        first(&repeats, ada).await;
    }

    #[tokio::test]
    async fn keys_are_bounded() {
        let repeats = repeats().await;
        repeats.ends.lock().unwrap().extend((0..KEYS_MAX).map(|_| Instant::now() + KEPT));
        let problem = repeats.begin(request("ada", "key", "body")).await.unwrap_err();
        assert_eq!((problem.code, problem.status), ("too_many_keys", StatusCode::TOO_MANY_REQUESTS));
        assert!(problem.retry_after.is_some_and(|after| after <= KEPT));
    }

    #[test]
    fn a_key_is_visible_and_short() {
        let of = |value: &[u8]| {
            let value = http::HeaderValue::from_bytes(value).unwrap();
            key(&HeaderMap::from_iter([(IDEMPOTENCY_KEY, value)])).map(|key| key.map(str::len)).ok()
        };
        assert_eq!(key(&HeaderMap::new()), Ok(None));
        assert_eq!((of(b"k"), of(&[b'k'; 255])), (Some(Some(1)), Some(Some(255))));
        assert_eq!([of(b""), of(&[b'k'; 256]), of(b"\xff")], [None; 3]);
    }
}
