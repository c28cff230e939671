//! What a call carries.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What somebody wants to call with, and what a call has. In order: each one includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Media {
    /// Only writing.
    Text,
    /// Voices.
    Audio,
    /// Voices and pictures.
    Video,
}

impl Media {
    /// As the wire has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }

    /// Whether there is anything to connect.
    pub(crate) fn is_call(self) -> bool {
        self > Self::Text
    }
}

/// Who makes the first offer: one of the two, so that both do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// This one; it ignores an offer that collides with its own.
    Offerer,
    /// The other; it takes its own offer back for one that comes.
    Answerer,
}

/// Which of its devices a member has on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct MediaState {
    pub(crate) camera: bool,
    pub(crate) microphone: bool,
}
