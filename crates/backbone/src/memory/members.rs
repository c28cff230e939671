//! Members in memory.

use std::time::Duration;

use hashbrown::HashMap;
use tokio::time::Instant;

use super::expiring::Expiring;
use crate::members::{Beat, DEAD_LISTED, GRAVE, Incarnation, Member};

/// Everybody who was there, and until when they count as alive.
#[derive(Debug, Default)]
pub(crate) struct MemberTable {
    members: HashMap<Incarnation, (Member, Instant)>,
    buried: Expiring<Incarnation, ()>,
    fence: u64,
}

impl MemberTable {
    pub(crate) fn beat(&mut self, member: Member, dead_after: Duration) -> Beat {
        if self.buried.get(&member.incarnation).is_some() {
            return Beat::Buried;
        }
        let now = Instant::now();
        self.members.insert(member.incarnation, (member, now + dead_after));
        self.members.retain(|_, (_, end)| now < *end + DEAD_LISTED);
        let alive = self.members.values().filter(|(_, end)| now < *end);
        let mut alive: Vec<Member> = alive.map(|(member, _)| member.clone()).collect();
        alive.sort_unstable_by(|one, other| {
            (&one.node, one.incarnation).cmp(&(&other.node, other.incarnation))
        });
        Beat::Alive(alive)
    }

    pub(crate) fn leave(&mut self, incarnation: Incarnation) {
        self.members.remove(&incarnation);
    }

    /// The dead, or nothing if a later holder of the lease was here.
    pub(crate) fn fallen(&mut self, fence: u64) -> Option<Vec<Member>> {
        let now = Instant::now();
        self.pass(fence).then(|| {
            let dead = self.members.values().filter(|(_, end)| now >= *end);
            dead.map(|(member, _)| member.clone()).collect()
        })
    }

    /// Whether the member was dead, or nothing if a later holder of the lease was here.
    pub(crate) fn bury(&mut self, fence: u64, fallen: Incarnation) -> Option<bool> {
        self.pass(fence).then(|| {
            let now = Instant::now();
            let dead = self.members.get(&fallen).is_some_and(|(_, end)| now >= *end);
            if dead {
                self.members.remove(&fallen);
                self.buried.insert(fallen, (), Some(now + GRAVE));
            }
            dead
        })
    }

    fn pass(&mut self, fence: u64) -> bool {
        let later = fence >= self.fence;
        self.fence = self.fence.max(fence);
        later
    }
}
