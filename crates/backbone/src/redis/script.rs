//! The Lua scripts. Each is one atomic step on keys of one slot; its file says what goes in and comes out.

use std::fmt::Write;
use std::sync::OnceLock;

use sha1::{Digest, Sha1};

/// A script with its name in the server's cache.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) text: &'static str,
    sha: OnceLock<String>,
}

impl Script {
    const fn new(text: &'static str) -> Self {
        Self { text, sha: OnceLock::new() }
    }

    /// The SHA-1 of the text in hexadecimal, by which the server knows the script.
    pub(crate) fn sha(&self) -> &str {
        self.sha.get_or_init(|| {
            Sha1::digest(self.text).iter().fold(String::new(), |mut hex, byte| {
                let _ = write!(hex, "{byte:02x}");
                hex
            })
        })
    }
}

macro_rules! scripts {
    ($($name:ident = $file:literal;)+) => {
        $(pub(crate) static $name: Script = Script::new(include_str!(concat!("lua/", $file, ".lua")));)+
    };
}

scripts! {
    LEASE_ACQUIRE = "lease_acquire";
    LEASE_RENEW = "lease_renew";
    LEASE_RELEASE = "lease_release";
    TICKETS_OPEN = "tickets_open";
    TICKETS_WRITE = "tickets_write";
    TICKETS_ANEW = "tickets_anew";
    DOCUMENT_PUT = "document_put";
    DOCUMENT_REMOVE = "document_remove";
    HASH_SET = "hash_set";
    SESSION_RECORD = "session_record";
    SESSION_KEEP = "session_keep";
    SESSION_TAKE = "session_take";
    SESSION_REMOVE = "session_remove";
    HISTORY_APPEND = "history_append";
    HISTORY_POSITION = "history_position";
    HISTORY_AFTER = "history_after";
    MEMBER_BEAT = "member_beat";
    MEMBER_FALLEN = "member_fallen";
    MEMBER_BURY = "member_bury";
    MEMBER_LEAVE = "member_leave";
    TRIAL = "trial";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_script_is_its_sha1() {
        assert_eq!(Script::new("return 1").sha(), "e0e1f9fabfc9d4800c877a703b823ac0578ff8db");
    }
}
