//! Real Redis servers for tests, on free ports of the loopback. Each is the child of a shell that kills it, and removes its
//! files, when this process lets go of the shell's input: however the tests end, no server stays.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rcgen::{CertifiedKey, KeyPair};
use redis::{Connection, FromRedisValue};
use rustix::process::{Pid, Signal, kill_process};
use throng_backbone::{Address, Deployment};

/// How long servers may take to start or to agree.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the shell does: `start` starts the server and says its process, `kill` kills it.
const SHELL: &str = r#"
dir=$1; shift
while read -r order; do
    if [ "$order" = start ]; then "$@" </dev/null >>"$dir/log" 2>&1 & echo $!; fi
    if [ "$order" = kill ]; then kill -9 $!; wait $!; echo killed; fi
done 2>/dev/null
kill -9 $! 2>/dev/null
rm -rf "$dir"
"#;

/// One server process.
pub(crate) struct Server {
    pub(crate) port: u16,
    shell: Child,
    pipes: Mutex<Pipes>,
}

struct Pipes {
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    process: Pid,
}

impl Server {
    /// Starts a server that keeps nothing on disk but a cluster's own file.
    fn start(options: &[&str]) -> Self {
        for _ in 0..5 {
            let port = free_port();
            let (port_option, bus_port) = (port.to_string(), free_port().to_string());
            let mut all = vec!["--port", &port_option, "--save", "", "--repl-diskless-sync-delay", "0"];
            all.extend_from_slice(options);
            if options.contains(&"--cluster-enabled") {
                all.extend(["--cluster-port", &bus_port]);
            }
            let server = Self::spawn(port, |_| all.iter().map(ToString::to_string).collect());
            if server.comes_up(Duration::from_secs(10)) {
                return server;
            }
            // Somebody took the port in between.
        }
        panic!("no server comes up; is {} a Redis 7?", program().display());
    }

    fn spawn(port: u16, arguments: impl FnOnce(&Path) -> Vec<String>) -> Self {
        static SERVERS: AtomicU32 = AtomicU32::new(0);
        let number = SERVERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("redis-{}-{number}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder).expect("the target folder can be written to");
        let arguments = arguments(&folder);
        let mut shell = Command::new("sh")
            .args(["-c", SHELL, "sh"])
            .arg(&folder)
            .arg(program())
            .args(arguments)
            .args(["--bind", "127.0.0.1", "--dir"])
            .arg(&folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is a shell");
        let orders = shell.stdin.take();
        let answers = BufReader::new(shell.stdout.take().expect("it is piped"));
        let pipes = Mutex::new(Pipes { orders, answers, process: Pid::INIT });
        let server = Self { port, shell, pipes };
        server.order_start();
        server
    }

    fn order_start(&self) {
        let mut pipes = self.pipes();
        let process: i32 = pipes.order("start").parse().expect("the number of a process");
        pipes.process = Pid::from_raw(process).expect("no server is process 0");
    }

    fn pipes(&self) -> MutexGuard<'_, Pipes> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn comes_up(&self, patience: Duration) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < patience {
            if self.connect().is_ok_and(|mut link| redis::cmd("PING").query::<String>(&mut link).is_ok()) {
                return true;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        false
    }

    /// Kills it as a crash does.
    pub(crate) fn kill(&self) {
        assert_eq!(self.pipes().order("kill"), "killed");
    }

    /// Starts it again after a kill, on the same port, with nothing in it.
    pub(crate) fn restart(&self) {
        self.order_start();
        assert!(self.comes_up(PATIENCE), "the server comes up again");
    }

    /// Stops it without ending it.
    pub(crate) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pipes().process, signal).expect("the server is there");
    }

    pub(crate) fn address(&self) -> Address {
        Address::new("127.0.0.1", self.port)
    }

    fn connect(&self) -> redis::RedisResult<Connection> {
        let client = redis::Client::open(("127.0.0.1", self.port))?;
        let link = client.get_connection_with_timeout(Duration::from_secs(5))?;
        link.set_read_timeout(Some(Duration::from_secs(5)))?;
        Ok(link)
    }

    /// Sends a command, words separated by spaces.
    pub(crate) fn ask<T: FromRedisValue>(&self, command: &str) -> T {
        let mut words = command.split(' ');
        let mut request = redis::cmd(words.next().expect("a command has a name"));
        request.arg(words.collect::<Vec<_>>());
        let mut link = self.connect().expect("the server is up");
        request.query(&mut link).unwrap_or_else(|error| panic!("{command}: {error}"))
    }
}

impl Pipes {
    fn order(&mut self, order: &str) -> String {
        let orders = self.orders.as_mut().expect("open until dropped");
        writeln!(orders, "{order}").expect("the shell listens");
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("the shell answers");
        answer.trim().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.pipes().orders = None;
        let _ = self.shell.wait();
    }
}

/// A server alone.
pub(crate) struct Single {
    pub(crate) server: Server,
}

impl Single {
    pub(crate) fn start() -> Self {
        Self { server: Server::start(&[]) }
    }

    /// One that saves what it has now and then.
    pub(crate) fn saving() -> Self {
        Self { server: Server::start(&["--save", "3600", "1"]) }
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Single(self.server.address())
    }
}

/// A server alone that encrypts what passes on another port, by a certificate that nobody else signed.
pub(crate) struct Encrypted {
    _server: Server,
    port: u16,
    /// In PEM.
    pub(crate) certificate: String,
}

impl Encrypted {
    pub(crate) fn start() -> Self {
        let CertifiedKey { cert, signing_key } = self_signed();
        let (port, tls_port, certificate) = (free_port(), free_port(), cert.pem());
        let server = Server::spawn(port, |folder| {
            let [cert_file, key_file] = ["cert.pem", "key.pem"].map(|name| folder.join(name));
            std::fs::write(&cert_file, &certificate).expect("the target folder can be written to");
            std::fs::write(&key_file, signing_key.serialize_pem())
                .expect("the target folder can be written to");
            let (cert_file, key_file) = (cert_file.display().to_string(), key_file.display().to_string());
            let (port, tls_port) = (port.to_string(), tls_port.to_string());
            let ports = ["--port", &port, "--tls-port", &tls_port, "--save", ""];
            let tls =
                ["--tls-cert-file", &cert_file, "--tls-key-file", &key_file, "--tls-auth-clients", "no"];
            ports.into_iter().chain(tls).map(ToOwned::to_owned).collect()
        });
        assert!(server.comes_up(PATIENCE), "the server comes up; was it built with TLS?");
        Self { _server: server, port: tls_port, certificate }
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Single(Address::new("127.0.0.1", self.port))
    }
}

/// A certificate for the loopback, with its key.
pub(crate) fn self_signed() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("keys can be made")
}

/// A primary with a replica, and three sentinels that agree within a second.
pub(crate) struct Sentinels {
    pub(crate) servers: [Server; 2],
    sentinels: [Server; 3],
}

impl Sentinels {
    pub(crate) fn start() -> Self {
        let primary = Server::start(&[]);
        let of = format!("127.0.0.1 {}", primary.port);
        let replica = Server::start(&["--replicaof", &of]);
        let sentinels = std::array::from_fn(|_| Self::sentinel(primary.port));
        let started = Self { servers: [primary, replica], sentinels };
        wait("the sentinels know each other", || {
            started.sentinels.iter().all(|sentinel| {
                let known: Vec<Vec<String>> = sentinel.ask("SENTINEL SENTINELS service");
                let replicas: Vec<Vec<String>> = sentinel.ask("SENTINEL REPLICAS service");
                known.len() == 2 && replicas.len() == 1
            })
        });
        wait("the replica is connected", || {
            info(&started.servers[1], "replication", "master_link_status:up")
        });
        started
    }

    fn sentinel(primary: u16) -> Server {
        let port = free_port();
        let server = Server::spawn(port, |folder| {
            let file = folder.join("sentinel.conf");
            let text = format!(
                "port {port}\nsentinel monitor service 127.0.0.1 {primary} 2\n\
                 sentinel down-after-milliseconds service 1000\nsentinel failover-timeout service 5000\n"
            );
            std::fs::write(&file, text).expect("the target folder can be written to");
            vec![file.display().to_string(), "--sentinel".to_owned()]
        });
        assert!(server.comes_up(PATIENCE), "the sentinel comes up");
        server
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Sentinel {
            sentinels: self.sentinels.iter().map(Server::address).collect(),
            service: "service".to_owned(),
            credentials: None,
        }
    }
}

/// A cluster: the n-th replica is that of the n-th primary.
pub(crate) struct Cluster {
    pub(crate) primaries: [Server; 3],
    pub(crate) replicas: [Server; 3],
}

impl Cluster {
    pub(crate) fn start() -> Self {
        let node = |_| Server::start(&["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]);
        let cluster = Self { primaries: std::array::from_fn(node), replicas: std::array::from_fn(node) };
        let ranges = ["0 5460", "5461 10922", "10923 16383"];
        for (primary, range) in cluster.primaries.iter().zip(ranges) {
            primary.ask::<()>(&format!("CLUSTER ADDSLOTSRANGE {range}"));
        }
        for (epoch, server) in cluster.servers().enumerate() {
            server.ask::<()>(&format!("CLUSTER SET-CONFIG-EPOCH {}", epoch + 1));
        }
        for server in cluster.servers().skip(1) {
            let bus_port: Vec<String> = server.ask("CONFIG GET cluster-port");
            let bus_port = bus_port.last().expect("it has one");
            cluster.primaries[0].ask::<()>(&format!("CLUSTER MEET 127.0.0.1 {} {bus_port}", server.port));
        }
        wait("the servers know each other", || {
            cluster.servers().all(|server| server.ask::<String>("CLUSTER NODES").lines().count() == 6)
        });
        for (primary, replica) in cluster.primaries.iter().zip(&cluster.replicas) {
            let id: String = primary.ask("CLUSTER MYID");
            replica.ask::<()>(&format!("CLUSTER REPLICATE {id}"));
        }
        wait("the cluster is whole", || cluster.is_whole());
        cluster
    }

    fn is_whole(&self) -> bool {
        let ok = |server: &Server| {
            let info: String = server.ask("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_slots_ok:16384")
        };
        let knows_replicas =
            |server: &Server| server.ask::<String>("CLUSTER NODES").matches("slave ").count() == 3;
        let replicates = |server: &Server| info(server, "replication", "master_link_status:up");
        self.servers().all(|server| ok(server) && knows_replicas(server))
            && self.replicas.iter().all(replicates)
    }

    pub(crate) fn servers(&self) -> impl Iterator<Item = &Server> {
        self.primaries.iter().chain(&self.replicas)
    }

    pub(crate) fn deployment(&self) -> Deployment {
        Deployment::Cluster(self.primaries.iter().map(Server::address).collect())
    }

    /// The primary that has a key, and the key's slot.
    pub(crate) fn find(&self, pattern: &str) -> (usize, u16) {
        for (place, primary) in self.primaries.iter().enumerate() {
            let keys: Vec<String> = primary.ask(&format!("KEYS {pattern}"));
            if let Some(key) = keys.first() {
                return (place, primary.ask(&format!("CLUSTER KEYSLOT {key}")));
            }
        }
        panic!("nobody has {pattern}");
    }

    /// Moves a slot from a primary to another, with what is in it, as an operator does.
    pub(crate) fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let (from, to) = (&self.primaries[from], &self.primaries[to]);
        let (from_id, to_id): (String, String) = (from.ask("CLUSTER MYID"), to.ask("CLUSTER MYID"));
        to.ask::<()>(&format!("CLUSTER SETSLOT {slot} IMPORTING {from_id}"));
        from.ask::<()>(&format!("CLUSTER SETSLOT {slot} MIGRATING {to_id}"));
        loop {
            let keys: Vec<String> = from.ask(&format!("CLUSTER GETKEYSINSLOT {slot} 100"));
            if keys.is_empty() {
                break;
            }
            let keys = keys.join(" ");
            from.ask::<String>(&format!("MIGRATE 127.0.0.1 {}  0 5000 KEYS {keys}", to.port));
        }
        for server in [to, from] {
            server.ask::<()>(&format!("CLUSTER SETSLOT {slot} NODE {to_id}"));
        }
    }
}

/// Whether a section of INFO says this.
fn info(server: &Server, section: &str, says: &str) -> bool {
    server.ask::<String>(&format!("INFO {section}")).contains(says)
}

fn wait(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("the loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

fn program() -> PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../e2e/.redis/redis-server");
    if unpacked.exists() {
        return unpacked;
    }
    let found = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|file| file.exists())
    });
    found.expect(
        "redis-server is missing: scripts/setup fetches it, or install the package redis-server, version 7",
    )
}
