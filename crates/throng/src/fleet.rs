//! The way into a fleet, where there is a Redis: a listener for the other nodes, the address that they are told, and the
//! attempts to reach Redis.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use anyhow::Context as _;
use throng_backbone::{Address, Deployment, Heartbeat, MemoryStore, OpenError, RedisConfig, Store, Tls};
use throng_node::{Fleet, FleetConfig, FleetError};
use tokio::net::{UdpSocket, lookup_host};

use crate::config::typed::Config;

/// Redis could not be reached (`EX_UNAVAILABLE` of sysexits.h).
const EXIT_UNAVAILABLE: u8 = 69;
/// Redis does not let this login in, or not do what a node must (`EX_NOPERM`).
const EXIT_REFUSED: u8 = 77;

/// A place in a fleet.
#[derive(Debug)]
pub(crate) struct Joined {
    pub(crate) fleet: Fleet,
    /// Where the fleet meets, for people: no login is in it.
    pub(crate) place: String,
}

/// Joins the fleet of the configured Redis. Where there is none, but clients may recover, the node is a fleet of its own in
/// memory; otherwise there is nothing to join.
pub(crate) async fn join(config: &Config) -> anyhow::Result<Option<Joined>> {
    let store = config.redis.store().map_err(|(key, message)| anyhow::anyhow!("{key}: {message}"))?;
    let Some(redis) = store else {
        return if config.socket.recovery.is_zero() { Ok(None) } else { alone().await.map(Some) };
    };
    let wanted = config.peer_address();
    let listener = TcpListener::bind(wanted)
        .with_context(|| format!("cannot listen on {wanted} for the other nodes"))?;
    let address = announced(config, &redis, listener.local_addr()?).await;
    let place = place(&redis);
    tracing::info!(backbone = place, address, "joining the other nodes");
    let heartbeat =
        Heartbeat { interval: config.cluster.heartbeat_interval, dead_after: config.cluster.failure_timeout };
    let config =
        FleetConfig { store: Store::Redis(Box::new(redis)), heartbeat, listener, address: address.into() };
    let fleet = Fleet::open(config).await.context("cannot join the other nodes")?;
    Ok(Some(Joined { fleet, place }))
}

/// A fleet of one.
async fn alone() -> anyhow::Result<Joined> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port on the loopback address")?;
    let address = listener.local_addr()?.to_string().into();
    let (store, heartbeat) = (Store::Memory(MemoryStore::default()), Heartbeat::default());
    let fleet = Fleet::open(FleetConfig { store, heartbeat, listener, address }).await?;
    Ok(Joined { fleet, place: "memory".to_owned() })
}

/// What whoever started the node reads in its exit code, where it could not join.
pub(crate) fn exit_code(error: &anyhow::Error) -> Option<u8> {
    match error.downcast_ref()? {
        FleetError::Open(OpenError::Login { .. }) => Some(EXIT_REFUSED),
        FleetError::Open(OpenError::Unreachable { .. }) | FleetError::Secret(_) => Some(EXIT_UNAVAILABLE),
        FleetError::Open(OpenError::Tls(_)) => None,
    }
}

/// Where a Redis is, without its login.
fn place(redis: &RedisConfig) -> String {
    let scheme = if matches!(redis.tls, Tls::Off) { "redis" } else { "rediss" };
    let listed = |servers: &[Address]| {
        let servers: Vec<String> = servers.iter().map(ToString::to_string).collect();
        format!("{scheme}://{}", servers.join(","))
    };
    match &redis.deployment {
        Deployment::Single(server) => listed(std::slice::from_ref(server)),
        Deployment::Cluster(servers) => format!("{}, a cluster", listed(servers)),
        Deployment::Sentinel { sentinels, service, .. } => {
            format!("{}, sentinels of {service}", listed(sentinels))
        }
    }
}

/// What the other nodes are told.
async fn announced(config: &Config, redis: &RedisConfig, listens: SocketAddr) -> String {
    if let Some(said) = config.cluster.announced(listens.port()) {
        return said;
    }
    let towards = towards(redis, listens.ip()).await;
    if listens.ip().is_loopback() && !towards.is_loopback() {
        tracing::warn!(
            key = "cluster.host",
            address = %listens,
            "the other nodes are told an address of this machine alone; those on other machines cannot reach it"
        );
    }
    let ip = if listens.ip().is_unspecified() { towards } else { listens.ip() };
    SocketAddr::new(ip, listens.port()).to_string()
}

/// The address of this machine from which Redis is reached, of the family that is listened to. Where its name cannot be
/// looked up now, the one from which most others are.
async fn towards(redis: &RedisConfig, listens: IpAddr) -> IpAddr {
    let Address { host, port } = match &redis.deployment {
        Deployment::Single(server) => server,
        Deployment::Cluster(servers) | Deployment::Sentinel { sentinels: servers, .. } => &servers[0],
    };
    let found = lookup_host((&**host, *port)).await.map(Iterator::collect).unwrap_or_else(|_| Vec::new());
    // What is bound to every IPv6 address takes IPv4 too.
    let fits = |address: &SocketAddr| address.is_ipv4() || listens.is_ipv6();
    let elsewhere: [SocketAddr; 2] =
        [(Ipv4Addr::new(192, 0, 2, 1), 9).into(), (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into()];
    for target in found.into_iter().chain(elsewhere).filter(fits) {
        if let Ok(ip) = route_to(target).await {
            return ip;
        }
    }
    Ipv4Addr::LOCALHOST.into()
}

/// The address that packets to another would come from. None is sent.
async fn route_to(target: SocketAddr) -> std::io::Result<IpAddr> {
    let any: IpAddr =
        if target.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(target).await?;
    Ok(socket.local_addr()?.ip())
}

#[cfg(test)]
mod tests {
    use throng_backbone::{Backoff, StoreError};
    use throng_node::RunError;

    use super::*;
    use crate::config::Sources;

    fn config(text: &str) -> Config {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
        sources.read().accepted().unwrap_or_else(|problems| panic!("{problems}")).0
    }

    #[test]
    fn a_place_is_shown_without_its_login() {
        for (text, expect) in [
            ("redis.url = 'rediss://u:hunter2@db.example/2'", "rediss://db.example:6379"),
            ("redis.host = '::1'", "redis://[::1]:6379"),
            ("redis.cluster = true\nredis.nodes = ['a:1', 'b:2']", "redis://a:1,b:2, a cluster"),
            ("redis.sentinels = ['a:1']\nredis.password = 'x'", "redis://a:1, sentinels of mymaster"),
        ] {
            assert_eq!(place(&config(text).redis.store().unwrap().unwrap()), expect);
        }
    }

    #[tokio::test]
    async fn the_others_are_told_where_this_node_is_reached() {
        const REDIS: &str = "redis.url = 'redis://127.0.0.1:1'\n";
        for (more, listens, expect) in [
            ("", "127.0.0.1:7000", "127.0.0.1:7000"),
            ("", "0.0.0.0:7000", "127.0.0.1:7000"),
            ("", "[::]:7000", "127.0.0.1:7000"),
            ("", "10.1.2.3:7000", "10.1.2.3:7000"),
            ("cluster.address = 'node-1'", "0.0.0.0:7000", "node-1:7000"),
            ("cluster.address = 'node-1:80'", "0.0.0.0:7000", "node-1:80"),
        ] {
            let config = config(&format!("{REDIS}{more}"));
            let redis = config.redis.store().unwrap().unwrap();
            assert_eq!(
                announced(&config, &redis, listens.parse().unwrap()).await,
                expect,
                "{more} {listens}"
            );
        }
        let lost = RedisConfig::new(Deployment::Single(Address::new("no.such.host.invalid", 1)));
        assert!(!towards(&lost, Ipv4Addr::UNSPECIFIED.into()).await.is_unspecified());
    }

    #[tokio::test]
    async fn a_redis_that_is_not_there_has_an_exit_code() {
        let mut redis = config("redis.url = 'redis://u:hunter2@127.0.0.1:1'").redis.store().unwrap().unwrap();
        redis.backoff = Backoff { first: std::time::Duration::from_millis(1), ..Backoff::default() };
        redis.open_attempts_max = 3;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (store, heartbeat) = (Store::Redis(Box::new(redis)), Heartbeat::default());
        let fleet = FleetConfig { store, heartbeat, listener, address: "127.0.0.1:1".into() };
        let error = Fleet::open(fleet).await.context("cannot join the other nodes").unwrap_err();
        assert_eq!(exit_code(&error), Some(69));
        let text = format!("{error:#}");
        assert!(
            text.starts_with(
                "cannot join the other nodes: the store at 127.0.0.1:1 cannot be reached after 3 attempts: "
            ),
            "{text}"
        );
        assert!(!text.contains("hunter2"), "{text}");
    }

    #[test]
    fn other_failures_have_no_code_of_their_own() {
        let login = FleetError::Open(OpenError::Login { address: "a:1".into(), error: "WRONGPASS".into() });
        assert_eq!(exit_code(&anyhow::Error::from(login).context("more")), Some(77));
        let away = anyhow::Error::from(FleetError::Secret(StoreError::Away)).context("more");
        assert_eq!(exit_code(&away), Some(69));
        assert_eq!(
            format!("{away:#}"),
            "more: the secret of the fleet cannot be read: the store cannot be reached"
        );
        assert_eq!(exit_code(&RunError::TooManyShards(257).into()), None);
        assert_eq!(exit_code(&anyhow::anyhow!("else")), None);
    }
}
