//! Members in Redis: all in keys of one slot, by the clock of its server.

use std::time::Duration;

use super::{RedisStore, millis, read, script};
use crate::error::StoreError;
use crate::members::{Beat, DEAD_LISTED, GRAVE, Incarnation, Member};

impl RedisStore {
    pub(crate) async fn beat(&self, member: &Member, dead_after: Duration) -> Result<Beat, StoreError> {
        let [list, until, graves] = ["list", "until", "graves"].map(|what| self.keys.members(what));
        let written = serde_json::to_vec(member).map_err(|_| StoreError::Unreadable("this member"))?;
        let (incarnation, dead_after, listed) =
            (name(member.incarnation), millis(dead_after), millis(DEAD_LISTED));
        let arguments = [incarnation.as_bytes(), &written, dead_after.as_bytes(), listed.as_bytes()];
        let answer = self.commands.run(&script::MEMBER_BEAT, &[&list, &until, &graves], &arguments).await?;
        Ok(match read::<Option<Vec<Option<Vec<u8>>>>>(answer)? {
            Some(members) => Beat::Alive(members_of(members)),
            None => Beat::Buried,
        })
    }

    pub(crate) async fn leave(&self, incarnation: Incarnation) -> Result<(), StoreError> {
        let [list, until] = ["list", "until"].map(|what| self.keys.members(what));
        let incarnation = name(incarnation);
        self.commands.run(&script::MEMBER_LEAVE, &[&list, &until], &[incarnation.as_bytes()]).await?;
        Ok(())
    }

    /// The dead, or nothing if a later holder of the lease was here.
    pub(crate) async fn fallen(&self, fence: u64) -> Result<Option<Vec<Member>>, StoreError> {
        let [list, until, last] = ["list", "until", "fence"].map(|what| self.keys.members(what));
        let fence = fence.to_string();
        let answer =
            self.commands.run(&script::MEMBER_FALLEN, &[&list, &until, &last], &[fence.as_bytes()]).await?;
        Ok(read::<Option<Vec<Option<Vec<u8>>>>>(answer)?.map(members_of))
    }

    /// Whether the member was dead, or nothing if a later holder of the lease was here.
    pub(crate) async fn bury(&self, fence: u64, fallen: Incarnation) -> Result<Option<bool>, StoreError> {
        let keys = ["list", "until", "fence", "graves"].map(|what| self.keys.members(what));
        let (fence, fallen, grave) = (fence.to_string(), name(fallen), millis(GRAVE));
        let arguments = [fence.as_bytes(), fallen.as_bytes(), grave.as_bytes()];
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        read(self.commands.run(&script::MEMBER_BURY, &keys, &arguments).await?)
    }
}

fn name(incarnation: Incarnation) -> String {
    format!("{:016x}", incarnation.0)
}

/// The members that this version can read, sorted. Others are there, but say nothing that it knows.
fn members_of(written: Vec<Option<Vec<u8>>>) -> Vec<Member> {
    let read = written.into_iter().flatten();
    let mut members: Vec<Member> = read.filter_map(|member| serde_json::from_slice(&member).ok()).collect();
    members
        .sort_unstable_by(|one, other| (&one.node, one.incarnation).cmp(&(&other.node, other.incarnation)));
    members
}
