//! What people ask for, and programs: it is asked of the hall wherever it is, until there is an answer or patience ends.

use serde_json::Value;
use throng_lobby::User;
use throng_node::{Ack, Socket};
use tokio::time::Instant;

use super::{Door, Stand};
use crate::request::{Failure, answer};
use crate::rooms::guest::user;
use crate::rooms::hall::Hall;
use crate::rooms::letter::{Body, Fate, Letter, PATIENCE};
use crate::rooms::refusal::UNAVAILABLE;
use crate::rooms::requests::{Reply, Request};
use crate::rooms::tenure::Certainty;

/// What a request is answered with.
#[derive(Debug)]
pub(crate) enum Outcome {
    Here(Result<Reply, Failure>),
    /// As the keeper has put it.
    There(Value),
}

impl Outcome {
    pub(crate) fn send(self, ack: Ack) {
        match self {
            Self::Here(result) => ack.send(answer(result)),
            Self::There(value) => ack.send(value),
        }
    }

    /// The code of a refusal.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Here(result) => result.as_ref().err().map(|failure| failure.code),
            Self::There(value) => value["error"]["code"].as_str(),
        }
    }
}

impl Door {
    /// A socket of this node asks for something.
    pub(crate) async fn ask(&self, socket: &Socket, request: Request) -> Outcome {
        let user = user(socket);
        if self.peers.is_none()
            && let Stand::Keeping(hall) = self.stand()
        {
            return Outcome::Here(hall.serve(&user, request).await);
        }
        let wishing = self.inside().roster.find(socket.id()).and_then(|contact| contact.wish(&request));
        let outcome = self.pursue(&user, request).await;
        if let Some(wishing) = wishing.filter(|_| outcome.code().is_none()) {
            wishing.done();
        }
        outcome
    }

    /// Asks whoever keeps the hall, until it answers.
    async fn pursue(&self, user: &User, request: Request) -> Outcome {
        let mut body = Body::Ask(user.as_str().into(), request);
        let deadline = Instant::now() + PATIENCE;
        let mut turned = self.turned.subscribe();
        loop {
            turned.mark_unchanged();
            match self.stand() {
                Stand::Keeping(hall) if hall.certainty() != Certainty::Doubtful => {
                    let Body::Ask(_, request) = body else { break };
                    return Outcome::Here(hall.serve(user, request).await);
                }
                Stand::Following(keeper) => {
                    let (sending, written) = self.write_again(keeper, body);
                    body = written;
                    match sending.await {
                        Fate::Answered(value) => return Outcome::There(value),
                        Fate::Returned => self.lose(keeper),
                        Fate::Lost => break,
                    }
                }
                Stand::Keeping(_) | Stand::Seeking => {}
            }
            if tokio::time::timeout_at(deadline, turned.changed()).await.is_err() {
                break;
            }
        }
        Outcome::Here(Err(UNAVAILABLE))
    }

    /// Asks the keeper, wherever it is; `None` when there is none, or it does not answer.
    pub(in crate::rooms) async fn inquire(&self, body: Body) -> Option<Value> {
        match self.stand() {
            Stand::Keeping(hall) => read(&hall, body),
            Stand::Following(keeper) => match self.write(keeper, body).await {
                Fate::Answered(value) => Some(value),
                Fate::Returned | Fate::Lost => None,
            },
            Stand::Seeking => None,
        }
    }

    /// A letter of another node has come. `None` when it is not for this one.
    pub(in crate::rooms) async fn open(&self, letter: Letter) -> Option<Value> {
        let hall = self.kept(letter.fence)?;
        match letter.body {
            Body::Ask(user, request) => {
                let done = hall.serve(&User::from(user), request).await;
                serde_json::to_value(answer(done)).ok()
            }
            other => read(&hall, other),
        }
    }
}

/// What a letter asks to know of a hall.
fn read(hall: &Hall, body: Body) -> Option<Value> {
    match body {
        Body::Review(wanted) => serde_json::to_value(hall.review(&wanted)).ok(),
        Body::Calls => serde_json::to_value(hall.calls()).ok(),
        _ => None,
    }
}
