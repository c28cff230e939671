//! Who serves which partition. Asks the servers or sentinels; decides nothing.

use super::config::{Address, Deployment, RedisConfig};
use super::partition::{SLOTS, middle};
use super::resp::Frame;
use super::wire::{Dial, WireError};

/// The primary of each partition, if any serves it. A Redis that is no cluster is one primary with all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Topology {
    owners: Vec<Option<Address>>,
}

/// The slots from the first to the last, and who serves them.
type Range = (u16, u16, Address);

impl Topology {
    fn new(partitions: u16, ranges: &[Range]) -> Self {
        let owner = |partition| {
            let slot = middle(partition, partitions);
            let range = ranges.iter().find(|(first, last, _)| (*first..=*last).contains(&slot));
            range.map(|(_, _, address)| address.clone())
        };
        Self { owners: (0..partitions).map(owner).collect() }
    }

    /// The primary that serves a partition, if any does.
    pub(crate) fn owner(&self, partition: u16) -> Option<&Address> {
        self.owners.get(usize::from(partition))?.as_ref()
    }

    /// Notes what a server said of one partition. Answers with whether that is news.
    pub(crate) fn moved(&mut self, partition: u16, owner: Address) -> bool {
        let Some(known) = self.owners.get_mut(usize::from(partition)) else { return false };
        let news = known.as_ref() != Some(&owner);
        *known = Some(owner);
        news
    }

    /// Every primary, once.
    pub(crate) fn primaries(&self) -> Vec<Address> {
        let mut primaries: Vec<Address> = self.owners.iter().flatten().cloned().collect();
        primaries.sort_unstable();
        primaries.dedup();
        primaries
    }
}

/// Asks for the topology: whoever answers first of those that are known and those of the configuration.
pub(crate) async fn ask(config: &RedisConfig, dial: &Dial, known: &Topology) -> Result<Topology, WireError> {
    let whole = |primary: Address| Topology::new(config.partitions(), &[(0, SLOTS - 1, primary)]);
    match &config.deployment {
        Deployment::Single(address) => Ok(whole(address.clone())),
        Deployment::Sentinel { sentinels, service, credentials } => {
            let sentinel_dial = Dial { credentials: credentials.clone(), ..dial.clone() };
            let mut error = WireError::Shape("no sentinels are configured");
            for sentinel in sentinels {
                match primary(&sentinel_dial, dial, (sentinel, service)).await {
                    Ok(primary) => return Ok(whole(primary)),
                    Err(failed) => error = failed,
                }
            }
            Err(error)
        }
        Deployment::Cluster(seeds) => {
            let mut error = WireError::Shape("no servers are configured");
            for server in known.primaries().iter().chain(seeds) {
                match slots(dial, server).await {
                    Ok(ranges) => return Ok(Topology::new(config.partitions(), &ranges)),
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

async fn slots(dial: &Dial, server: &Address) -> Result<Vec<Range>, WireError> {
    let answer = dial.dial(server).await?.call(&["CLUSTER", "SLOTS"]).await?;
    let ranges = answer.list().ok_or(WireError::Shape("CLUSTER SLOTS is no list"))?;
    let ranges: Option<Vec<_>> = ranges.iter().map(|range| slot_range(range, server)).collect();
    let ranges = ranges.ok_or(WireError::Shape("CLUSTER SLOTS has another shape"))?;
    if ranges.is_empty() { Err(WireError::Shape("the cluster serves no slots")) } else { Ok(ranges) }
}

/// `[first, last, [host, port, ...], replicas ...]`; a server that does not know its own name leaves it out.
fn slot_range(range: &Frame, asked: &Address) -> Option<Range> {
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

/// The slot and its owner in `MOVED 3999 127.0.0.1:6381`.
pub(crate) fn moved(error: &str, said_by: &Address) -> Option<(u16, Address)> {
    let (slot, server) = error.strip_prefix("MOVED ")?.split_once(' ')?;
    let slot = slot.parse().ok().filter(|slot| *slot < SLOTS)?;
    Some((slot, redirected(server, said_by)?))
}

/// The server in a redirection, `127.0.0.1:6381`. One that does not know its own name leaves it out; it is then that of who
/// said so.
pub(crate) fn redirected(server: &str, said_by: &Address) -> Option<Address> {
    let (host, port) = server.rsplit_once(':')?;
    let host = if host.is_empty() { said_by.host.clone() } else { host.into() };
    Some(Address { host, port: port.parse().ok()? })
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
        let [a, b] = ["a", "b"].map(|host| Address::new(host, 1));
        let mut topology = Topology::new(4, &[(0, 9000, a.clone())]);
        assert_eq!([0, 1, 2, 3].map(|partition| topology.owner(partition)), [Some(&a), Some(&a), None, None]);
        assert!(topology.moved(1, b.clone()) && !topology.moved(1, b.clone()));
        assert!(!topology.moved(4, b.clone()), "there is no such partition");
        assert_eq!(topology.owner(1), Some(&b));
        assert_eq!(topology.primaries(), [a, b]);
        assert_eq!(Topology::default().owner(0), None);
    }
}
