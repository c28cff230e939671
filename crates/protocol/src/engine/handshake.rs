//! The query of an Engine.IO request, the open packet, and the refusals with their standard bodies.

use std::time::Duration;

use crate::id::Id;

/// How packets travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// HTTP long-polling.
    Polling,
    /// WebSocket.
    WebSocket,
}

impl Transport {
    /// `polling` or `websocket`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Polling => "polling",
            Self::WebSocket => "websocket",
        }
    }
}

/// A refused request: HTTP 400 (403 for `Forbidden`) with a JSON body that the clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RequestError {
    /// Code 0.
    #[error("Transport unknown")]
    TransportUnknown,
    /// Code 1.
    #[error("Session ID unknown")]
    SessionUnknown,
    /// Code 2.
    #[error("Bad handshake method")]
    BadHandshakeMethod,
    /// Code 3.
    #[error("Bad request")]
    BadRequest,
    /// Code 4.
    #[error("Forbidden")]
    Forbidden,
    /// Code 5.
    #[error("Unsupported protocol version")]
    UnsupportedProtocolVersion,
}

impl RequestError {
    /// Every refusal, in the order of the codes.
    pub const ALL: [Self; 6] = [
        Self::TransportUnknown,
        Self::SessionUnknown,
        Self::BadHandshakeMethod,
        Self::BadRequest,
        Self::Forbidden,
        Self::UnsupportedProtocolVersion,
    ];

    /// The number in the body.
    pub const fn code(self) -> u8 {
        match self {
            Self::TransportUnknown => 0,
            Self::SessionUnknown => 1,
            Self::BadHandshakeMethod => 2,
            Self::BadRequest => 3,
            Self::Forbidden => 4,
            Self::UnsupportedProtocolVersion => 5,
        }
    }

    /// `{"code":0,"message":"Transport unknown"}`.
    pub fn body(self) -> String {
        format!(r#"{{"code":{},"message":"{self}"}}"#, self.code())
    }
}

/// What the query string of a request says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// `transport`.
    pub transport: Transport,
    /// `sid`, when the request belongs to a session. A `sid` that is no identifier is `SessionUnknown`.
    pub sid: Option<Id>,
}

impl Query {
    /// Reads the query string of a request. A repeated key counts as its last value, and an empty `sid` as none. Order
    /// of the checks as in Node: transport, then session or (for a handshake) method, then version. Only a handshake
    /// must say `EIO=4`: what belongs to a session has its version.
    pub fn parse(method: &http::Method, query: &str) -> Result<Self, RequestError> {
        let (mut transport, mut sid, mut version) = (None, None, None);
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match key.as_ref() {
                "transport" => transport = Some(value),
                "sid" => sid = Some(value),
                "EIO" => version = Some(value),
                _ => {}
            }
        }
        let transport = match transport.as_deref() {
            Some("polling") => Transport::Polling,
            Some("websocket") => Transport::WebSocket,
            _ => return Err(RequestError::TransportUnknown),
        };
        if let Some(sid) = sid.filter(|sid| !sid.is_empty()) {
            let sid = Id::parse(&sid).ok_or(RequestError::SessionUnknown)?;
            return Ok(Self { transport, sid: Some(sid) });
        }
        if *method != http::Method::GET {
            return Err(RequestError::BadHandshakeMethod);
        }
        if version.as_deref() != Some("4") {
            return Err(RequestError::UnsupportedProtocolVersion);
        }
        Ok(Self { transport, sid: None })
    }
}

/// The first packet of a session.
#[derive(Debug, Clone, Copy)]
pub struct Open<'a> {
    /// The session.
    pub sid: Id,
    /// Transports the client may move to.
    pub upgrades: &'a [Transport],
    /// Time between pings.
    pub ping_interval: Duration,
    /// Time a pong may take.
    pub ping_timeout: Duration,
    /// The largest payload the server takes, in bytes.
    pub payload_bytes_max: usize,
}

impl Open<'_> {
    /// The packet, type digit included: `0{"sid":"...","upgrades":["websocket"],"pingInterval":25000,...}`.
    pub fn encode(&self) -> String {
        let upgrades: Vec<String> =
            self.upgrades.iter().map(|upgrade| format!("\"{}\"", upgrade.name())).collect();
        format!(
            r#"0{{"sid":"{}","upgrades":[{}],"pingInterval":{},"pingTimeout":{},"maxPayload":{}}}"#,
            self.sid,
            upgrades.join(","),
            self.ping_interval.as_millis(),
            self.ping_timeout.as_millis(),
            self.payload_bytes_max,
        )
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use proptest::prelude::*;

    use super::*;

    const SID: &str = "AAAAAAAAAAAAAAAAAAAB";

    fn check(method: &Method, query: &str, expect: Result<(Transport, Option<&str>), RequestError>) {
        let expect = expect.map(|(transport, sid)| Query { transport, sid: sid.and_then(Id::parse) });
        assert_eq!(Query::parse(method, query), expect, "{method} {query}");
    }

    #[test]
    fn handshake_and_session_requests_are_read() {
        check(&Method::GET, "EIO=4&transport=polling", Ok((Transport::Polling, None)));
        check(&Method::GET, "transport=websocket&t=abc&EIO=4", Ok((Transport::WebSocket, None)));
        check(&Method::GET, "EIO=4&transport=polling&sid=", Ok((Transport::Polling, None)));
        let session = format!("EIO=4&transport=polling&sid={SID}");
        check(&Method::GET, &session, Ok((Transport::Polling, Some(SID))));
        check(&Method::POST, &session, Ok((Transport::Polling, Some(SID))));
        check(&Method::POST, &format!("transport=polling&sid={SID}"), Ok((Transport::Polling, Some(SID))));
    }

    #[test]
    fn unknown_transports_come_first() {
        for query in [
            "",
            "EIO=4",
            "EIO=4&transport",
            "EIO=3&transport=constructor&sid=x",
            "transport=Polling",
            "transport=webtransport",
        ] {
            check(&Method::POST, query, Err(RequestError::TransportUnknown));
        }
    }

    #[test]
    fn a_sid_that_is_none_is_unknown_whatever_the_method() {
        for sid in
            ["x", "__proto__", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAA%00%00"]
        {
            check(
                &Method::POST,
                &format!("EIO=3&transport=polling&sid={sid}"),
                Err(RequestError::SessionUnknown),
            );
        }
    }

    #[test]
    fn method_comes_before_version() {
        check(&Method::POST, "transport=polling", Err(RequestError::BadHandshakeMethod));
        check(&Method::OPTIONS, "EIO=4&transport=polling", Err(RequestError::BadHandshakeMethod));
        for version in ["", "EIO=", "EIO=3", "EIO=5", "EIO=04", "EIO=4.0", "eio=4"] {
            let query = format!("transport=polling&{version}");
            check(&Method::GET, &query, Err(RequestError::UnsupportedProtocolVersion));
        }
    }

    #[test]
    fn keys_are_decoded_and_the_last_one_counts() {
        check(&Method::GET, "%45IO=%34&tr%61nsport=p%6flling", Ok((Transport::Polling, None)));
        check(&Method::GET, "EIO=3&EIO=4&transport=x&transport=websocket", Ok((Transport::WebSocket, None)));
        check(&Method::GET, "EIO=4&transport=websocket&transport=x", Err(RequestError::TransportUnknown));
        check(&Method::GET, "EIO=+4&transport=polling", Err(RequestError::UnsupportedProtocolVersion));
        check(&Method::GET, "EIO=4&transport=polling&a=%zz&b=%ff&%", Ok((Transport::Polling, None)));
    }

    #[test]
    fn bodies_are_those_of_node() {
        let bodies: Vec<String> = RequestError::ALL.iter().map(|error| error.body()).collect();
        assert_eq!(
            bodies,
            [
                r#"{"code":0,"message":"Transport unknown"}"#,
                r#"{"code":1,"message":"Session ID unknown"}"#,
                r#"{"code":2,"message":"Bad handshake method"}"#,
                r#"{"code":3,"message":"Bad request"}"#,
                r#"{"code":4,"message":"Forbidden"}"#,
                r#"{"code":5,"message":"Unsupported protocol version"}"#,
            ]
        );
    }

    #[test]
    fn open_packet_is_that_of_node() {
        let mut open = Open {
            sid: Id::parse(SID).unwrap(),
            upgrades: &[Transport::WebSocket],
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            payload_bytes_max: 1_000_000,
        };
        assert_eq!(
            open.encode(),
            format!(
                r#"0{{"sid":"{SID}","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}}"#
            )
        );
        open.upgrades = &[];
        assert!(open.encode().contains(r#""upgrades":[],"#));
    }

    proptest! {
        #[test]
        fn any_query_is_judged(query: String) {
            let _ = Query::parse(&Method::GET, &query);
        }
    }
}
