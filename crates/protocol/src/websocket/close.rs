//! Close codes and what may go wrong on a WebSocket (RFC 6455 section 7.4).

/// A violation of the protocol by the peer; each one closes the connection with [`Violation::close_code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// A frame or sequence of frames that RFC 6455 forbids.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    InvalidUtf8,
    /// A message over the limit, announced or inflated.
    #[error("message too large")]
    TooLarge,
}

impl Violation {
    /// 1002, 1007 or 1009.
    pub const fn close_code(self) -> u16 {
        match self {
            Self::Protocol(_) => 1002,
            Self::InvalidUtf8 => 1007,
            Self::TooLarge => 1009,
        }
    }
}
