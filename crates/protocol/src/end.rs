//! Every way a session or a socket can end, as data: one variant, one stable code, one public text.

/// Why a session, or one socket of it, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// The client left the namespace.
    ClientDisconnect,
    /// The server removed the socket from its namespace.
    ServerDisconnect,
    /// The server closed the whole session.
    ForcedClose,
    /// The client closed its transport, or the connection broke.
    TransportClose,
    /// The transport failed: a protocol violation below Engine.IO, two polls at once, a poll given up, a reset connection.
    TransportError,
    /// No pong came within the ping timeout.
    PingTimeout,
    /// An Engine.IO or Socket.IO packet could not be decoded.
    ParseError,
    /// A message was larger than the payload limit.
    PayloadTooLarge,
    /// The client read more slowly than it was written to, past the bounded queue.
    SlowConsumer,
    /// The client sent events faster than its handlers finished, past the bounded backlog.
    EventBacklog,
    /// No namespace was joined within the connect timeout.
    ConnectTimeout,
    /// A handler panicked.
    HandlerPanic,
    /// The node is draining.
    ServerShutdown,
    /// The client's token ran out and no newer one was brought.
    TokenExpired,
    /// The client's token, or its user, was revoked.
    TokenRevoked,
    /// The client sent events too fast and did not stop when told.
    RateLimited,
    /// The tenant was suspended, removed, or its licence ran out.
    TenantClosed,
    /// An operator ended it.
    Operator,
}

impl End {
    /// Every variant, for metrics that start at zero and for documentation.
    pub const ALL: [Self; 18] = [
        Self::ClientDisconnect,
        Self::ServerDisconnect,
        Self::ForcedClose,
        Self::TransportClose,
        Self::TransportError,
        Self::PingTimeout,
        Self::ParseError,
        Self::PayloadTooLarge,
        Self::SlowConsumer,
        Self::EventBacklog,
        Self::ConnectTimeout,
        Self::HandlerPanic,
        Self::ServerShutdown,
        Self::TokenExpired,
        Self::TokenRevoked,
        Self::RateLimited,
        Self::TenantClosed,
        Self::Operator,
    ];

    /// The stable code: metric label, log field.
    pub const fn code(self) -> &'static str {
        match self {
            Self::ClientDisconnect => "client_disconnect",
            Self::ServerDisconnect => "server_disconnect",
            Self::ForcedClose => "forced_close",
            Self::TransportClose => "transport_close",
            Self::TransportError => "transport_error",
            Self::PingTimeout => "ping_timeout",
            Self::ParseError => "parse_error",
            Self::PayloadTooLarge => "payload_too_large",
            Self::SlowConsumer => "slow_consumer",
            Self::EventBacklog => "event_backlog",
            Self::ConnectTimeout => "connect_timeout",
            Self::HandlerPanic => "handler_panic",
            Self::ServerShutdown => "server_shutdown",
            Self::TokenExpired => "token_expired",
            Self::TokenRevoked => "token_revoked",
            Self::RateLimited => "rate_limited",
            Self::TenantClosed => "tenant_closed",
            Self::Operator => "operator",
        }
    }

    /// The text that `disconnect` handlers see: Node's own where Node has the case, else the code in words.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::ClientDisconnect => "client namespace disconnect",
            Self::ServerDisconnect => "server namespace disconnect",
            Self::ForcedClose => "forced close",
            Self::TransportClose => "transport close",
            Self::TransportError | Self::PayloadTooLarge => "transport error",
            Self::PingTimeout => "ping timeout",
            Self::ParseError => "parse error",
            Self::SlowConsumer => "slow consumer",
            Self::EventBacklog => "event backlog",
            Self::ConnectTimeout => "connect timeout",
            Self::HandlerPanic => "handler panic",
            Self::ServerShutdown => "server shutting down",
            Self::TokenExpired => "token expired",
            Self::TokenRevoked => "token revoked",
            Self::RateLimited => "rate limited",
            Self::TenantClosed => "tenant closed",
            Self::Operator => "ended by an operator",
        }
    }

    /// Whether the same client may expect a new connection to fare better.
    pub const fn retry(self) -> bool {
        !matches!(
            self,
            Self::ClientDisconnect
                | Self::ServerDisconnect
                | Self::ParseError
                | Self::PayloadTooLarge
                | Self::TokenRevoked
                | Self::TenantClosed
                | Self::Operator
        )
    }
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn codes_are_distinct() {
        assert_eq!(End::ALL.iter().map(|end| end.code()).collect::<HashSet<_>>().len(), End::ALL.len());
    }
}
