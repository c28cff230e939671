//! W3C Trace Context: which distributed trace a request belongs to, and how to hand that on.

use std::sync::Arc;

use http::{HeaderMap, HeaderName};

pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(super) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

/// The longest `tracestate` that is handed on, in bytes: what the specification asks for.
const STATE_BYTES_MAX: usize = 512;

/// A request's place in a trace: that of the client continued, or one of its own. Every request inside the router
/// carries it as an extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceContext {
    /// The trace; not zero.
    pub trace: u128,
    /// This request within it; not zero.
    pub span: u64,
    /// What called it, when the client said so.
    pub parent: Option<u64>,
    /// The flags; bit 0: somebody records this trace.
    pub flags: u8,
    /// `tracestate` as it came, for whoever this request calls.
    pub state: Option<Arc<str>>,
}

impl TraceContext {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let span = u64::from_be_bytes(crate::ids::random()) | 1;
        let mut parents = headers.get_all(TRACEPARENT).into_iter();
        let parent = parents.next().filter(|_| parents.next().is_none());
        match parent.and_then(|parent| parse(parent.to_str().ok()?)) {
            Some((trace, parent, flags)) => {
                Self { trace, span, parent: Some(parent), flags, state: state(headers) }
            }
            None => {
                let trace = u128::from_be_bytes(crate::ids::random()) | 1;
                Self { trace, span, parent: None, flags: 0, state: None }
            }
        }
    }

    /// The `traceparent` of a call that this request makes.
    pub fn traceparent(&self) -> String {
        format!("00-{:032x}-{:016x}-{:02x}", self.trace, self.span, self.flags)
    }
}

/// Several lines are one list.
fn state(headers: &HeaderMap) -> Option<Arc<str>> {
    let lines: Option<Vec<_>> =
        headers.get_all(TRACESTATE).into_iter().map(|line| line.to_str().ok()).collect();
    let list = lines?.join(",");
    (1..=STATE_BYTES_MAX).contains(&list.len()).then(|| list.into())
}

/// Version, trace, parent and flags; a later version may add to that.
fn parse(header: &str) -> Option<(u128, u64, u8)> {
    let mut parts = header.split('-');
    let mut hex = |digits: usize| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        let lower = part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        u128::from_str_radix(part, 16).ok().filter(|_| lower)
    };
    let (version, trace, parent, flags) = (hex(2)?, hex(32)?, hex(16)?, hex(2)?);
    let more = parts.next().is_some();
    if version == 0xff || version == 0 && more || trace == 0 || parent == 0 {
        return None;
    }
    // Later versions may define more flags than the first one, which is the one that is handed on.
    let flags = if version == 0 { flags } else { flags & 1 };
    Some((trace, u64::try_from(parent).ok()?, u8::try_from(flags).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn context(lines: &[(&'static str, &str)]) -> TraceContext {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        TraceContext::of(&headers)
    }

    #[test]
    fn a_trace_is_continued_and_handed_on() {
        let context = context(&[("traceparent", PARENT), ("tracestate", "a=1"), ("tracestate", "b=2")]);
        assert_eq!(context.trace, 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736);
        assert_eq!((context.parent, context.flags), (Some(0x00f0_67aa_0ba9_02b7), 1));
        assert_eq!(context.state.as_deref(), Some("a=1,b=2"));
        let next = context.traceparent();
        assert!(next.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && next.ends_with("-01"), "{next}");
        assert_ne!(next, PARENT);
    }

    #[test]
    fn what_is_malformed_begins_a_new_trace() {
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            let context = context(&[("traceparent", bad), ("tracestate", "a=1")]);
            assert_eq!((context.parent, context.flags, context.state), (None, 0, None), "{bad}");
            assert_ne!(context.trace, 0);
        }
        assert_eq!(context(&[("traceparent", PARENT), ("traceparent", PARENT)]).parent, None);
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more";
        assert_eq!(context(&[("traceparent", later)]).flags, 1);
    }
}
