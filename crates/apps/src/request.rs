//! The shape of every answer to a request: `{ok: true, ...}` or `{ok: false, error: {code, message}}`.

use std::future::{Ready, ready};

use serde::Serialize;
use serde_json::json;
use throng_node::{Ack, Socket};

/// Why a request was refused: a stable code for programs, a sentence for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
}

#[derive(Serialize)]
struct Success<T> {
    ok: bool,
    #[serde(flatten)]
    with: T,
}

/// Success with nothing to add.
#[derive(Debug, Serialize)]
pub(crate) struct Done {}

/// A handler that does its work at once and answers with what came of it.
pub(crate) fn request<T, R: Serialize>(
    work: impl Fn(&Socket, T) -> Result<R, Failure>,
) -> impl Fn(Socket, T, Ack) -> Ready<()> {
    move |socket, asked, ack| {
        match work(&socket, asked) {
            Ok(with) => ack.send(Success { ok: true, with }),
            Err(Failure { code, message }) => {
                ack.send(json!({"ok": false, "error": {"code": code, "message": message}}));
            }
        }
        ready(())
    }
}
