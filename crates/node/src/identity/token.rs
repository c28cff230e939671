//! The outside of a token: its three parts, its header, and every way in which a token can be refused. Nothing here is
//! trusted before [`super::verify`] has checked the signature.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// Longest token that is looked at.
pub const TOKEN_BYTES_MAX: usize = 8 << 10;

/// The `typ` of a token with which the server named a guest.
pub(super) const GUEST_TYP: &str = "guest+jwt";

/// Why a token is refused. The texts are for the client and never hold anything of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenError {
    /// There is none where one is needed.
    Missing,
    /// It is no signed JWT, is longer than [`TOKEN_BYTES_MAX`], or its claims are not what they must be.
    Malformed,
    /// It has run out.
    Expired,
    /// It is used, or was issued, before its time.
    NotYetValid,
    /// The signature is not that of the key.
    Signature,
    /// Somebody else than the configured issuer made it.
    Issuer,
    /// It was made for somebody else.
    Audience,
    /// It names an algorithm for which there is no key, `none` among them.
    Algorithm,
    /// It, or everything that its user held then, was revoked.
    Revoked,
    /// No key is known by which it could be checked.
    KeyUnknown,
    /// Its `sub` is missing, too long, holds control characters, or claims to be a guest.
    Subject,
    /// It is of a guest whom no server with this secret has named.
    GuestUnknown,
}

impl TokenError {
    /// Every reason.
    pub const ALL: [Self; 12] = [
        Self::Missing,
        Self::Malformed,
        Self::Expired,
        Self::NotYetValid,
        Self::Signature,
        Self::Issuer,
        Self::Audience,
        Self::Algorithm,
        Self::Revoked,
        Self::KeyUnknown,
        Self::Subject,
        Self::GuestUnknown,
    ];

    /// Whether the token looks made up: those that were good once, or will be, do not. A server that makes its secret anew
    /// with every start knows none of the guests who come back.
    pub(crate) const fn is_forgery(self) -> bool {
        !matches!(
            self,
            Self::Missing | Self::Expired | Self::NotYetValid | Self::Revoked | Self::GuestUnknown
        )
    }

    /// The reason that a code stands for, if it is one of a token.
    pub(crate) fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// The stable word for programs, and the label of metrics.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "token_malformed",
            Self::Expired => "token_expired",
            Self::NotYetValid => "token_not_yet_valid",
            Self::Signature => "token_signature",
            Self::Issuer => "token_issuer",
            Self::Audience => "token_audience",
            Self::Algorithm => "token_algorithm",
            Self::Revoked => "token_revoked",
            Self::KeyUnknown => "token_key_unknown",
            Self::Subject => "token_subject",
            Self::GuestUnknown => "token_guest_unknown",
        }
    }

    /// The sentence for people.
    pub const fn message(self) -> &'static str {
        match self {
            Self::Missing => "A token is needed.",
            Self::Malformed => "The token is not a valid one.",
            Self::Expired => "The token has expired.",
            Self::NotYetValid => "The token is not valid yet.",
            Self::Signature => "The token's signature is wrong.",
            Self::Issuer => "The token is from another issuer.",
            Self::Audience => "The token is for another audience.",
            Self::Algorithm => "The token is signed in a way that is not accepted.",
            Self::Revoked => "The token has been revoked.",
            Self::KeyUnknown => "The token is signed with a key that is not known.",
            Self::Subject => "The token names no valid user.",
            Self::GuestUnknown => "The token is of a guest who is not known here.",
        }
    }
}

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for TokenError {}

/// The tenant that a token says it is for. Nothing about the token is proven: it only tells by whose keys it is to be
/// checked, and then says the same or is refused.
pub fn claimed_tenant(token: &str) -> Result<Option<String>, TokenError> {
    #[derive(Deserialize)]
    struct Claimed {
        tenant: Option<String>,
    }
    Ok(Token::parse(token)?.claims::<Claimed>()?.tenant)
}

/// What a token says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Made by an issuer for a user.
    User,
    /// Made by the server for a guest.
    Guest,
}

/// A token taken apart. It has no `Debug`: nothing may print it.
pub(super) struct Token<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) kind: Kind,
    /// The name of the key.
    pub(super) kid: Option<Box<str>>,
    /// What the signature covers.
    pub(super) signed: &'a str,
    /// Base64url, as it came.
    pub(super) signature: &'a str,
    payload: &'a str,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    kid: Option<Box<str>>,
    crit: Option<IgnoredAny>,
}

impl<'a> Token<'a> {
    /// Takes a compact JWS apart (RFC 7515, 7.1).
    pub(super) fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.is_empty() {
            return Err(TokenError::Missing);
        }
        if text.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // An extension that must be understood (RFC 7515, 4.1.11) is one that is not.
        let Header { alg, typ, kid, crit: None } = decode(header)? else {
            return Err(TokenError::Malformed);
        };
        let algorithm = match alg.as_str() {
            "HS256" => Algorithm::HS256,
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            "EdDSA" => Algorithm::EdDSA,
            _ => return Err(TokenError::Algorithm),
        };
        let kind = kind(typ.as_deref()).ok_or(TokenError::Malformed)?;
        Ok(Self { algorithm, kind, kid, signed, signature, payload })
    }

    /// The claims, for whoever has checked the signature.
    pub(super) fn claims<T: DeserializeOwned>(&self) -> Result<T, TokenError> {
        decode(self.payload)
    }
}

/// What the `typ` says; `None` for tokens that are not for proving who somebody is, such as those of a log-out
/// (RFC 8725, 3.11).
fn kind(typ: Option<&str>) -> Option<Kind> {
    let Some(typ) = typ else { return Some(Kind::User) };
    let typ = typ.to_ascii_lowercase();
    match typ.strip_prefix("application/").unwrap_or(&typ) {
        "jwt" | "at+jwt" => Some(Kind::User),
        GUEST_TYP => Some(Kind::Guest),
        _ => None,
    }
}

fn decode<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(header: &str, expect: Result<(Algorithm, Kind), TokenError>) {
        let text = format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header));
        assert_eq!(Token::parse(&text).map(|token| (token.algorithm, token.kind)), expect, "{header}");
    }

    #[test]
    fn only_the_four_algorithms_exist() {
        check(r#"{"alg":"RS256","typ":"JWT"}"#, Ok((Algorithm::RS256, Kind::User)));
        check(r#"{"alg":"EdDSA"}"#, Ok((Algorithm::EdDSA, Kind::User)));
        for alg in ["none", "None", "NONE", "nOnE", "", "HS384", "hs256", "RS512", "PS256", "ES256K", "dir"] {
            check(&format!(r#"{{"alg":"{alg}"}}"#), Err(TokenError::Algorithm));
        }
        check(r#"{"typ":"JWT"}"#, Err(TokenError::Malformed));
        check(r#"{"alg":["HS256"]}"#, Err(TokenError::Malformed));
        check(r#"{"alg":"none","alg":"HS256"}"#, Err(TokenError::Malformed));
    }

    #[test]
    fn tokens_for_other_ends_are_refused() {
        check(r#"{"alg":"HS256","typ":"at+JWT"}"#, Ok((Algorithm::HS256, Kind::User)));
        check(r#"{"alg":"HS256","typ":"guest+jwt"}"#, Ok((Algorithm::HS256, Kind::Guest)));
        check(r#"{"alg":"HS256","typ":"logout+jwt"}"#, Err(TokenError::Malformed));
        check(r#"{"alg":"HS256","crit":["b64"],"b64":false}"#, Err(TokenError::Malformed));
        check(r#"{"alg":"HS256","crit":[]}"#, Err(TokenError::Malformed));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let refused = |text: &str| Token::parse(text).err();
        assert_eq!(refused(""), Some(TokenError::Missing));
        let five = "eyJhbGciOiJIUzI1NiJ9.a.b.c.d";
        for text in [".", "..", "...", "a.b", "a.b.c", "\u{0}", "é.é.é", "e30=.e30=.", five] {
            let token = Token::parse(text);
            let error = token.and_then(|token| token.claims::<serde_json::Value>()).err();
            assert_eq!(error, Some(TokenError::Malformed), "{text:?}");
        }
        assert_eq!(refused(&"a".repeat(TOKEN_BYTES_MAX + 1)), Some(TokenError::Malformed));
    }

    #[test]
    fn a_claimed_tenant_is_read_and_no_more() {
        let claimed = |claims: &str| {
            let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
            claimed_tenant(&format!("{}.{}.", part(r#"{"alg":"HS256"}"#), part(claims)))
        };
        assert_eq!(claimed(r#"{"tenant":"acme","sub":7}"#), Ok(Some("acme".into())));
        assert_eq!(claimed(r#"{"tenant":null}"#), Ok(None));
        assert_eq!(claimed("{}"), Ok(None));
        assert_eq!(claimed(r#"{"tenant":["acme"]}"#), Err(TokenError::Malformed));
        assert_eq!(claimed_tenant("acme"), Err(TokenError::Malformed));
    }

    #[test]
    fn codes_are_unique() {
        let codes = TokenError::ALL.map(TokenError::code);
        assert_eq!(codes.iter().collect::<std::collections::BTreeSet<_>>().len(), codes.len());
        assert!(codes.iter().all(|code| code.starts_with("token_")));
    }
}
