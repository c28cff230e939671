//! A node with nothing to do does nothing. Alone in its process, because it looks at the processor time.

use std::time::Duration;

use throng_node::{App, Socket};
use throng_testkit::{Client, Http, Node, Opcode, Polling, WebSocket, config};

/// Processor time of the node's one shard, in clock ticks of 10 ms.
fn shard_ticks() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("a Linux process sees its threads");
    let shard = tasks.filter_map(Result::ok).find(|task| {
        std::fs::read_to_string(task.path().join("comm")).is_ok_and(|name| name.trim() == "shard-0")
    });
    let stat = std::fs::read_to_string(shard.expect("the shard's thread").path().join("stat"));
    let stat = stat.expect("the thread lives");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

#[test]
fn nothing_spins() {
    let mut config = config();
    config.backlog_bytes_max = 10_000;
    let mut app = App::new();
    app.namespace("/", |nsp| {
        nsp.on("hang", |_: Socket| std::future::pending());
    });
    let node = Node::start(config, app);

    // A session that is not read because its handler hangs, with more to read.
    let (mut paused, _) = Client::connect(node.address());
    paused.emit("hang", ());
    for _ in 0..200 {
        paused.emit("more", "x".repeat(1000));
    }
    node.until("the flood arrives", |metrics| metrics.get("received_bytes_total") > 10_000);

    // A session that ends in the middle of a large read.
    let (mut ended, _) = Client::connect(node.address());
    let valid = WebSocket::frame(Opcode::Text, b"42[\"more\"]").repeat(20_000);
    ended.raw().send_raw(&[valid, vec![0xff; 300_000]].concat());
    drop(ended);

    // A session that ends together with its probe.
    let mut polling = Polling::open(node.address());
    let mut probe = WebSocket::connect(node.address(), &polling.upgrade_path());
    probe.send_text("2probe");
    probe.next_frame();
    assert_eq!(polling.post("1").status, 200);
    probe.send_text("5");

    node.until("only the paused session stays", |metrics| metrics.sessions_open() == 1);
    let before = shard_ticks();
    let mut window = Http::connect(node.address());
    assert!(window.is_silent_for(Duration::from_secs(1)));
    let ticks = shard_ticks() - before;
    assert!(ticks <= 10, "{} ms of work in an idle second", ticks * 10);
}
