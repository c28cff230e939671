//! Who is calling: what a verified token says of a user, and the roles that events and routes ask for.

mod claims;
pub mod credentials;
pub mod guest;
pub mod http;
pub mod identities;
mod jwks;
mod key;
pub mod keys;
pub mod mint;
pub mod revocation;
#[cfg(test)]
mod samples;
pub mod token;
mod verify;

use std::time::SystemTime;

use claims::GUEST_PREFIX;

/// What a user may do. Each role includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Somebody without an account.
    Guest,
    /// Somebody with one.
    User,
    /// Works for the tenant.
    Staff,
    /// May see reports and end what breaks the rules.
    Moderator,
    /// Runs the service: sees everything, may drain and change limits.
    Operator,
    /// May do everything.
    Admin,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: [Self; 6] =
        [Self::Guest, Self::User, Self::Staff, Self::Moderator, Self::Operator, Self::Admin];

    /// The name, as tokens carry it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::User => "user",
            Self::Staff => "staff",
            Self::Moderator => "moderator",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// The role of this name, if there is one.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// A verified user, or a guest whom the server itself has named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The token's `sub`, 1 to 128 bytes; a guest's begins with `guest:`, and no other user's may.
    pub user: Box<str>,
    /// The highest role that the token grants.
    pub role: Role,
    /// The tenant that the token is for, when it names one.
    pub tenant: Option<Box<str>>,
    /// The token's own identifier, by which it can be revoked.
    pub jti: Option<Box<str>>,
    /// When the token was issued.
    pub issued: Option<SystemTime>,
    /// When it runs out, leeway included.
    pub expires: Option<SystemTime>,
}

impl Identity {
    /// Whether the user may do what `role` may.
    pub fn is(&self, role: Role) -> bool {
        self.role >= role
    }

    /// Whether this is a guest whom the server has named. A user with a token of their own may have the role, too.
    pub(crate) fn is_named_guest(&self) -> bool {
        self.user.starts_with(GUEST_PREFIX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_those_before_it() {
        assert!(Role::ALL.is_sorted());
        let staff = Identity {
            user: "ada".into(),
            role: Role::Staff,
            tenant: None,
            jti: None,
            issued: None,
            expires: None,
        };
        assert!(staff.is(Role::Guest) && staff.is(Role::Staff) && !staff.is(Role::Moderator));
    }
}
