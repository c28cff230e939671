//! Nodes that are missing from the list of members. One that is back soon was never gone: the list is short for a moment when
//! the store has come back empty. Pure.

use std::collections::HashMap;
use std::time::Duration;

use throng_node::NodeTag;
use tokio::time::Instant;

/// Longer than any hall is kept.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// Who is missing, and until when each is waited for.
#[derive(Debug)]
pub(super) struct Absences {
    here: Vec<NodeTag>,
    missing: HashMap<NodeTag, Instant>,
    patience: Duration,
}

impl Absences {
    pub(super) fn new(nodes: Vec<NodeTag>, patience: Duration) -> Self {
        Self { here: nodes, missing: HashMap::new(), patience }
    }

    /// Takes a new list of members.
    pub(super) fn look(&mut self, nodes: Vec<NodeTag>, now: Instant) {
        let gone = self.here.iter().filter(|node| !nodes.contains(node));
        self.missing.extend(gone.map(|node| (*node, now + self.patience)));
        self.missing.retain(|node, _| !nodes.contains(node));
        self.here = nodes;
    }

    /// When somebody will have been missing for too long.
    pub(super) fn due(&self, now: Instant) -> Instant {
        self.missing.values().min().copied().unwrap_or(now + NEVER)
    }

    /// Those who have been.
    pub(super) fn take_gone(&mut self, now: Instant) -> Vec<NodeTag> {
        self.missing.extract_if(|_, until| *until <= now).map(|(node, _)| node).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_stays_missing_is_gone() {
        let [one, two, three] = [(); 3].map(|()| NodeTag::draw());
        let (second, now) = (Duration::from_secs(1), Instant::now());
        let mut absences = Absences::new(vec![one, two, three], 2 * second);
        assert!(absences.due(now) > now + 1_000 * second);
        absences.look(vec![one], now);
        absences.look(vec![one, three], now + second);
        assert_eq!((absences.due(now), absences.take_gone(now + second)), (now + 2 * second, vec![]));
        assert_eq!(absences.take_gone(now + 2 * second), [two]);
        absences.look(vec![one, three], now + 3 * second);
        absences.look(vec![three], now + 4 * second);
        assert_eq!(absences.take_gone(now + 5 * second), []);
        assert_eq!(absences.take_gone(now + 6 * second), [one]);
    }
}
