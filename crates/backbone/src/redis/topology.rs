//! Who serves which slot. Asks the servers or sentinels; decides nothing.

use super::config::{Address, Deployment, RedisConfig};
use super::partition::SLOTS;
use super::resp::Frame;
use super::wire::{Dial, WireError};

/// The primaries and the slots that each serves. A Redis that is no cluster is one primary with all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Topology {
    ranges: Vec<(u16, u16, Address)>,
}

impl Topology {
    fn whole(primary: Address) -> Self {
        Self { ranges: vec![(0, SLOTS - 1, primary)] }
    }

    /// The primary that serves a slot, if any does.
    pub(crate) fn owner(&self, slot: u16) -> Option<&Address> {
        let range = self.ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
        range.map(|(_, _, address)| address)
    }

    /// Notes what a server said of one slot.
    pub(crate) fn moved(&mut self, slot: u16, owner: Address) {
        self.ranges.insert(0, (slot, slot, owner));
    }

    /// Every primary, once.
    pub(crate) fn primaries(&self) -> Vec<Address> {
        let mut primaries: Vec<Address> = self.ranges.iter().map(|(_, _, address)| address.clone()).collect();
        primaries.sort_unstable();
        primaries.dedup();
        primaries
    }
}

/// Asks for the topology: whoever answers first of those that are known and those of the configuration.
pub(crate) async fn ask(config: &RedisConfig, dial: &Dial, known: &Topology) -> Result<Topology, WireError> {
    match &config.deployment {
        Deployment::Single(address) => Ok(Topology::whole(address.clone())),
        Deployment::Sentinel { sentinels, service, credentials } => {
            let sentinel_dial = Dial { credentials: credentials.clone(), ..dial.clone() };
            let mut error = WireError::Shape("no sentinels are configured");
            for sentinel in sentinels {
                match primary(&sentinel_dial, dial, (sentinel, service)).await {
                    Ok(primary) => return Ok(Topology::whole(primary)),
                    Err(failed) => error = failed,
                }
            }
            Err(error)
        }
        Deployment::Cluster(seeds) => {
            let mut error = WireError::Shape("no servers are configured");
            for server in known.primaries().iter().chain(seeds) {
                match slots(dial, server).await {
                    Ok(topology) => return Ok(topology),
                    Err(failed) => error = failed,
                }
            }
            Err(error)
        }
    }
}

/// The primary by the word of a sentinel, if it takes itself for one.
async fn primary(
    sentinel_dial: &Dial,
    dial: &Dial,
    (sentinel, service): (&Address, &str),
) -> Result<Address, WireError> {
    let mut wire = sentinel_dial.dial(sentinel).await?;
    let answer = wire.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", service]).await?;
    let address = match answer.list() {
        Some([host, port]) => address(host, port),
        _ => None,
    };
    let address = address.ok_or(WireError::Shape("the sentinel does not know the service"))?;
    let role = dial.dial(&address).await?.call(&["ROLE"]).await?;
    let role = role.list().and_then(|role| role.first()?.text().cloned());
    if role.as_deref() != Some(b"master") {
        return Err(WireError::Shape("the sentinel names a server that is no primary"));
    }
    Ok(address)
}

async fn slots(dial: &Dial, server: &Address) -> Result<Topology, WireError> {
    let answer = dial.dial(server).await?.call(&["CLUSTER", "SLOTS"]).await?;
    let ranges = answer.list().ok_or(WireError::Shape("CLUSTER SLOTS is no list"))?;
    let ranges: Option<Vec<_>> = ranges.iter().map(|range| slot_range(range, server)).collect();
    let ranges = ranges.ok_or(WireError::Shape("CLUSTER SLOTS has another shape"))?;
    if ranges.is_empty() {
        return Err(WireError::Shape("the cluster serves no slots"));
    }
    Ok(Topology { ranges })
}

/// `[first, last, [host, port, ...], replicas ...]`; a server that does not know its own name leaves it out.
fn slot_range(range: &Frame, asked: &Address) -> Option<(u16, u16, Address)> {
    let [first, last, primary, ..] = range.list()? else { return None };
    let [host, port, ..] = primary.list()? else { return None };
    let slot = |frame: &Frame| u16::try_from(frame.integer()?).ok().filter(|slot| *slot < SLOTS);
    let address = address(host, port).or_else(|| Some(Address { port: port_of(port)?, ..asked.clone() }))?;
    Some((slot(first)?, slot(last)?, address))
}

fn address(host: &Frame, port: &Frame) -> Option<Address> {
    let host = std::str::from_utf8(host.text()?).ok().filter(|host| !host.is_empty() && *host != "?")?;
    Some(Address::new(host, port_of(port)?))
}

fn port_of(port: &Frame) -> Option<u16> {
    u16::try_from(port.integer()?).ok()
}

/// The slot and its owner in `MOVED 3999 127.0.0.1:6381`. A server that does not know its own name leaves it out; it is
/// then that of who said so.
pub(crate) fn moved(error: &str, said_by: &Address) -> Option<(u16, Address)> {
    let mut words = error.strip_prefix("MOVED ")?.split(' ');
    let slot = words.next()?.parse().ok().filter(|slot| *slot < SLOTS)?;
    let (host, port) = words.next()?.rsplit_once(':')?;
    let host = if host.is_empty() { said_by.host.clone() } else { host.into() };
    Some((slot, Address { host, port: port.parse().ok()? }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_names_slot_and_owner() {
        let said_by = Address::new("10.0.0.1", 1);
        let read = |error| moved(error, &said_by);
        assert_eq!(read("MOVED 3999 127.0.0.1:6381"), Some((3999, Address::new("127.0.0.1", 6381))));
        assert_eq!(read("MOVED 3999 ::1:6381"), Some((3999, Address::new("::1", 6381))));
        assert_eq!(read("MOVED 3999 :6381"), Some((3999, Address::new("10.0.0.1", 6381))));
        for wrong in ["MOVED", "MOVED x y", "MOVED 16384 h:1", "MOVED 1 h:99999", "ASK 1 h:1", "MOVED 1 h"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_server_said_last_counts() {
        let mut topology = Topology::whole(Address::new("a", 1));
        topology.moved(7, Address::new("b", 1));
        assert_eq!(topology.owner(7), Some(&Address::new("b", 1)));
        assert_eq!(topology.owner(8), Some(&Address::new("a", 1)));
        assert_eq!(Topology::default().owner(7), None);
        assert_eq!(topology.primaries().len(), 2);
    }
}
