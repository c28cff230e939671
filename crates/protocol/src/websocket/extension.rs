//! Negotiation of permessage-deflate (RFC 7692 section 7.1): of all that a client offers, the first offer that the
//! server can keep. An offer that is malformed, repeats a parameter or has an unknown one is passed over, never an error.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::deflate::Window;

const NAME: &str = "permessage-deflate";

/// An offer that is accepted, always without context takeover both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Agreed {
    /// The limit that the client set for what the server compresses.
    server_window: Option<Window>,
}

impl Agreed {
    pub(super) fn window(self) -> Window {
        self.server_window.unwrap_or(Window::FULL)
    }

    /// The value of `Sec-WebSocket-Extensions`.
    pub(super) fn response(&self) -> String {
        let mut response = format!("{NAME}; server_no_context_takeover; client_no_context_takeover");
        if let Some(window) = self.server_window {
            write!(response, "; server_max_window_bits={}", window.bits())
                .expect("writing to a string cannot fail");
        }
        response
    }
}

/// Accepts the first offer that can be kept, over all `Sec-WebSocket-Extensions` headers in order.
pub(super) fn negotiate<'h>(mut headers: impl Iterator<Item = &'h str>) -> Option<Agreed> {
    headers.find_map(|header| split(header, ',').find_map(judge))
}

/// One offer: a name and its parameters.
fn judge(offer: &str) -> Option<Agreed> {
    let mut parts = split(offer, ';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(NAME) {
        return None;
    }
    let mut server_window = None;
    let mut seen = [false; 4];
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquote(value.trim_start())?)),
            None => (part, None),
        };
        let parameter = match (name, value.as_deref()) {
            ("server_no_context_takeover", None) => 0,
            ("client_no_context_takeover", None) => 1,
            ("server_max_window_bits", Some(value)) => {
                server_window = Some(Window::from_bits(window_bits(value)?)?);
                2
            }
            // What the client may send needs no limit: the decompressor takes every window.
            ("client_max_window_bits", None) => 3,
            ("client_max_window_bits", Some(value)) => window_bits(value).map(|_| 3)?,
            _ => return None,
        };
        if std::mem::replace(&mut seen[parameter], true) {
            return None;
        }
    }
    Some(Agreed { server_window })
}

/// A decimal from 8 to 15 without leading zeros.
fn window_bits(value: &str) -> Option<u8> {
    match value {
        "8" => Some(8),
        "9" => Some(9),
        "10" => Some(10),
        "11" => Some(11),
        "12" => Some(12),
        "13" => Some(13),
        "14" => Some(14),
        "15" => Some(15),
        _ => None,
    }
}

/// The parts between separators that stand outside quoted strings.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |c| {
        let escapes = quoted && !escaped && c == '\\';
        if c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = escapes;
        c == separator && !quoted
    })
}

/// The text of a token or of a quoted string; `None` for a quoted string that does not end where the value does.
fn unquote(value: &str) -> Option<Cow<'_, str>> {
    let Some(inside) = value.strip_prefix('"') else { return Some(Cow::Borrowed(value)) };
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    loop {
        match characters.next()? {
            '"' => return characters.next().is_none().then_some(Cow::Owned(text)),
            '\\' => text.push(characters.next()?),
            character => text.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PLAIN: Option<&str> =
        Some("permessage-deflate; server_no_context_takeover; client_no_context_takeover");

    fn check(headers: &[&str], expect: Option<&str>) {
        let response = negotiate(headers.iter().copied()).map(|agreed| agreed.response());
        assert_eq!(response.as_deref(), expect, "{headers:?}");
    }

    #[test]
    fn plain_offers_are_accepted_without_context_takeover() {
        check(&["permessage-deflate"], PLAIN);
        check(&["PerMessage-Deflate"], PLAIN);
        check(&["permessage-deflate; client_max_window_bits"], PLAIN);
        check(&["permessage-deflate; client_max_window_bits=8"], PLAIN);
        check(&["permessage-deflate;server_no_context_takeover ; client_no_context_takeover"], PLAIN);
    }

    #[test]
    fn window_of_the_server_is_kept_to() {
        for bits in 9..=15 {
            let response = format!("{}; server_max_window_bits={bits}", PLAIN.unwrap());
            check(&[&format!("permessage-deflate; server_max_window_bits={bits}")], Some(&response));
            check(&[&format!("permessage-deflate; server_max_window_bits = \"{bits}\"")], Some(&response));
        }
    }

    #[test]
    fn first_offer_that_can_be_kept_wins() {
        check(&["permessage-deflate; server_max_window_bits=8, permessage-deflate"], PLAIN);
        check(&["x-webkit-deflate-frame", "foo; bar=\"a, permessage-deflate\"", "permessage-deflate"], PLAIN);
        check(
            &["permessage-deflate; server_max_window_bits=10, permessage-deflate"],
            Some(
                "permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=10",
            ),
        );
    }

    #[test]
    fn malformed_offers_are_passed_over() {
        for offer in [
            "",
            ",;=\"",
            "foo",
            "foo; x=\"permessage-deflate",
            "permessage-deflate;",
            "permessage-deflate; unknown",
            "permessage-deflate; server_no_context_takeover=1",
            "permessage-deflate; client_no_context_takeover=\"\"",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
            "permessage-deflate; server_max_window_bits",
            "permessage-deflate; server_max_window_bits=",
            "permessage-deflate; server_max_window_bits=7",
            "permessage-deflate; server_max_window_bits=16",
            "permessage-deflate; server_max_window_bits=010",
            "permessage-deflate; server_max_window_bits=+10",
            "permessage-deflate; server_max_window_bits=10; server_max_window_bits=11",
            "permessage-deflate; client_max_window_bits=x",
            "permessage-deflate; client_max_window_bits=\"10",
            "permessage-deflate; client_max_window_bits=\"10\"1",
        ] {
            check(&[offer], None);
            check(&[offer, "permessage-deflate"], PLAIN);
        }
    }

    #[test]
    fn quoted_strings_hide_separators_and_may_escape() {
        check(&["permessage-deflate; client_max_window_bits=\"1\\0\""], PLAIN);
        check(&["foo; x=\"\\\", permessage-deflate\""], None);
    }

    proptest! {
        #[test]
        fn any_header_is_judged(header in "(permessage-deflate|[;,=\"\\\\ ]|server_max_window_bits|[0-9a-z])*") {
            negotiate([header.as_str()].into_iter());
        }
    }
}
