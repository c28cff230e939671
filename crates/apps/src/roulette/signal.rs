//! What two pages tell each other to connect: session descriptions and network candidates of their browsers, and that they
//! begin anew. The server looks at their shape and size and passes them on.

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::request::Failure;
use crate::rooms::refusal::{INVALID_SIGNAL, SIGNAL_TOO_LARGE};

/// What the texts of a signal may weigh together, in bytes.
pub(crate) const BYTES_MAX: usize = 64 * 1024;
/// What the name of a renewal may weigh, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A signal as it came, before anybody has looked at it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignalRequest {
    /// A session description. One of this, `candidate` and `renewal` is there.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Description>)]
    description: Option<Description>,
    /// A network candidate, `null` for the end of candidates.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Candidate>)]
    candidate: Option<Option<Candidate>>,
    /// Both pages give up their connection for a new one.
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Renewal>)]
    renewal: Option<Renewal>,
    /// The room that it is for; the current one when it is missing.
    pub(crate) room: Option<String>,
}

/// A field that is there, also when it says `null`.
fn there<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// A signal with a good shape.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Signal {
    /// A session description.
    Description(Description),
    /// A network candidate; none: there are no more.
    Candidate(Option<Candidate>),
    /// Both pages give up their connection for a new one.
    Renewal(Renewal),
}

/// An `RTCSessionDescriptionInit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Description {
    #[serde(rename = "type")]
    kind: DescriptionKind,
    /// The session in RFC 8866's words; none in a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    sdp: Option<String>,
}

/// What a description does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum DescriptionKind {
    Offer,
    Answer,
    Pranswer,
    Rollback,
}

/// An `RTCIceCandidateInit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(crate) struct Candidate {
    /// The candidate in RFC 8839's words.
    #[schema(max_length = 65536)]
    candidate: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    sdp_mid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(maximum = 65535)]
    sdp_m_line_index: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 65536)]
    username_fragment: Option<String>,
}

/// Where a new connection begins: signals of the one before may still arrive after the page that sent them has forgotten
/// it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase", try_from = "RenewalRequest")]
pub(crate) enum Renewal {
    /// The page has let go of its connection and ignores all signals until the answer with this name.
    Asks(RenewalName),
    /// The page that was asked by this name has let go of its own; all that it sends from here on is of a new one.
    Answers(RenewalName),
}

/// The name of a renewal, at most 64 bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(min_length = 1, max_length = 64)]
pub(crate) struct RenewalName(String);

/// A renewal as it came. Of an enum serde would not name the field that is too much.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RenewalRequest {
    asks: Option<RenewalName>,
    answers: Option<RenewalName>,
}

impl TryFrom<RenewalRequest> for Renewal {
    type Error = &'static str;

    fn try_from(request: RenewalRequest) -> Result<Self, &'static str> {
        match (request.asks, request.answers) {
            (Some(name), None) => Ok(Self::Asks(name)),
            (None, Some(name)) => Ok(Self::Answers(name)),
            _ => Err("a renewal has one of `asks` and `answers`"),
        }
    }
}

impl SignalRequest {
    /// The signal in it.
    ///
    /// # Errors
    /// `invalid_signal` when there is not exactly one, a description without its session, or a renewal whose name is
    /// empty or too long; `signal_too_large`.
    pub(crate) fn signal(self) -> Result<Signal, Failure> {
        let signal = match (self.description, self.candidate, self.renewal) {
            (Some(description), None, None) => Signal::Description(description),
            (None, Some(candidate), None) => Signal::Candidate(candidate),
            (None, None, Some(renewal)) => Signal::Renewal(renewal),
            _ => return Err(INVALID_SIGNAL),
        };
        if signal.bytes() > BYTES_MAX {
            return Err(SIGNAL_TOO_LARGE);
        }
        if signal.is_sound() { Ok(signal) } else { Err(INVALID_SIGNAL) }
    }
}

impl Signal {
    /// What its texts weigh.
    pub(crate) fn bytes(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        match self {
            Self::Description(description) => length(&description.sdp),
            Self::Candidate(None) => 0,
            Self::Renewal(renewal) => renewal.name().len(),
            Self::Candidate(Some(candidate)) => {
                candidate.candidate.len() + length(&candidate.sdp_mid) + length(&candidate.username_fragment)
            }
        }
    }

    /// Whether it says what a signal of its kind has to say.
    fn is_sound(&self) -> bool {
        match self {
            Self::Description(Description { kind: DescriptionKind::Rollback, sdp }) => {
                sdp.as_ref().is_none_or(String::is_empty)
            }
            // Every session begins with its version (RFC 8866, 5.1).
            Self::Description(Description { sdp, .. }) => {
                sdp.as_ref().is_some_and(|sdp| sdp.starts_with("v=0"))
            }
            Self::Candidate(_) => true,
            Self::Renewal(renewal) => (1..=NAME_BYTES_MAX).contains(&renewal.name().len()),
        }
    }

    #[cfg(test)]
    pub(crate) fn candidate(text: &str) -> Self {
        let candidate = text.to_owned();
        let none = || None;
        Self::Candidate(Some(Candidate {
            candidate,
            sdp_mid: none(),
            sdp_m_line_index: None,
            username_fragment: none(),
        }))
    }
}

impl Renewal {
    fn name(&self) -> &str {
        match self {
            Self::Asks(RenewalName(name)) | Self::Answers(RenewalName(name)) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(request: Value, expect: Result<Value, &str>) {
        let request: SignalRequest = serde_json::from_value(request).unwrap();
        let relayed = request.signal().map(|signal| serde_json::to_value(signal).unwrap());
        assert_eq!(relayed.map_err(|failure| failure.code), expect);
    }

    #[test]
    fn what_is_relayed_is_what_was_sent() {
        for signal in [
            json!({"description": {"type": "offer", "sdp": "v=0\r\n"}}),
            json!({"description": {"type": "rollback"}}),
            json!({"candidate": null}),
            json!({"candidate": {"candidate": "candidate:1 1 udp 1 ::1 9 typ host", "sdpMid": "0",
                "sdpMLineIndex": 0, "usernameFragment": "x"}}),
            json!({"candidate": {"candidate": ""}}),
            json!({"renewal": {"asks": "a"}}),
            json!({"renewal": {"answers": "a".repeat(64)}}),
        ] {
            check(signal.clone(), Ok(signal));
        }
    }

    #[test]
    fn a_signal_is_one_thing_and_whole() {
        let (offer, candidate) = (json!({"type": "offer", "sdp": "v=0"}), json!({"candidate": ""}));
        for bad in [
            json!({}),
            json!({"description": offer, "candidate": candidate}),
            json!({"description": offer, "candidate": null}),
            json!({"candidate": null, "renewal": {"asks": "a"}}),
            json!({"renewal": {"asks": ""}}),
            json!({"renewal": {"answers": "a".repeat(65)}}),
            json!({"description": {"type": "offer"}}),
            json!({"description": {"type": "answer", "sdp": ""}}),
            json!({"description": {"type": "pranswer", "sdp": "hello"}}),
            json!({"description": {"type": "rollback", "sdp": "v=0"}}),
        ] {
            check(bad, Err("invalid_signal"));
        }
    }

    #[test]
    fn a_signal_has_at_most_64_kib() {
        let sdp = |bytes: usize| {
            let sdp = format!("v=0{}", "x".repeat(bytes - 3));
            json!({"description": {"type": "offer", "sdp": sdp}})
        };
        check(sdp(BYTES_MAX), Ok(sdp(BYTES_MAX)));
        check(sdp(BYTES_MAX + 1), Err("signal_too_large"));
    }

    #[test]
    fn other_shapes_are_named() {
        for (bad, named) in [
            (json!({"description": {"type": "shout", "sdp": ""}}), "shout"),
            (json!({"description": {"type": "offer", "sdp": "v=0", "more": 1}}), "more"),
            (json!({"candidate": {"candidate": 1}}), "invalid type"),
            (json!({"candidate": {"sdpMid": "0"}}), "candidate"),
            (json!({"description": null}), "null"),
            (json!({"renewal": {"begs": "a"}}), "begs"),
            (json!({"renewal": {"asks": "a", "answers": "b"}}), "one of"),
            (json!({"renewal": {}}), "one of"),
            (json!({"renewal": {"asks": "a", "more": 1}}), "more"),
            (json!({"offer": {}}), "offer"),
        ] {
            let error = serde_json::from_value::<SignalRequest>(bad.clone()).unwrap_err().to_string();
            assert!(error.contains(named), "{bad}: {error}");
        }
    }
}
