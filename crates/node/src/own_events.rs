//! The events that belong to the node itself, on every namespace: what they carry, and what they are refused with.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::identity::token::TokenError;
use crate::namespace::EventDoc;
use crate::tenants::TenantError;

/// A code, and its sentence for people.
pub(crate) type Refusal = (&'static str, &'static str);

pub(crate) const FORBIDDEN: Refusal = ("forbidden", "This needs more rights.");
pub(crate) const OTHER_USER: Refusal = ("token_user", "The token is of another user.");
pub(crate) const OLDER: Refusal = ("token_older", "The token ends before the present one.");
pub(crate) const NOT_A_GUEST: Refusal = ("not_a_guest", "You have a token of your own.");

/// `token:refresh`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TokenRefresh {
    /// A newer token of the same user.
    pub(crate) token: String,
}

/// Its answer.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TokenRefreshed {
    pub(crate) ok: bool,
    /// When the token runs out, in milliseconds since the epoch; `null` when never.
    pub(crate) expires_at: Option<u64>,
}

/// The answer to `token:guest`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GuestToken {
    pub(crate) ok: bool,
    /// What the server has called the guest.
    pub(crate) user: String,
    /// What the guest stays the same one with.
    pub(crate) token: String,
    /// When the token runs out, in milliseconds since the epoch; `null` when never.
    pub(crate) expires_at: Option<u64>,
}

/// `socket:ended`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SocketEnded {
    pub(crate) code: &'static str,
    pub(crate) message: &'static str,
    /// Whether connecting again may help.
    pub(crate) retry: bool,
}

/// What the documents say of them.
pub(crate) fn docs() -> [EventDoc; 3] {
    let of_token = |error: TokenError| (error.code(), error.message());
    let refused: Vec<_> =
        [FORBIDDEN, OTHER_USER, OLDER, (TenantError::Mismatch.code(), TenantError::MISMATCH)]
            .into_iter()
            .chain(TokenError::ALL.map(of_token))
            .collect();
    [
        EventDoc::received::<TokenRefresh, TokenRefreshed>(
            "token:refresh",
            "Brings a newer token, on a node that asks for tokens.",
            &refused,
        ),
        EventDoc::received::<(), GuestToken>(
            "token:guest",
            "Asks for the token of a guest whom the server has named, to be the same one later.",
            &[NOT_A_GUEST, of_token(TokenError::Missing)],
        ),
        EventDoc::sent::<SocketEnded>("socket:ended", "The server is about to end the socket, and says why."),
    ]
}
