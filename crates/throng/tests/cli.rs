//! The binary as whoever starts it sees it: exit codes, what it prints, how it stops.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Lines, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// 33 random bytes as `openssl rand -base64` writes them.
const SECRET: &str = "qhZ0nS8wPpvT1o5dJr6vK0mYc2yXb4LfUeGa7iNzRtQk";

/// The binary, in an environment of its own.
fn throng(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    command
        .args(args)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn finished(args: &[&str], environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = throng(args, environment).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

/// A node on a free port that logs what it does. It is killed when a test ends without it.
struct Node {
    child: Child,
    log: Lines<BufReader<ChildStderr>>,
    /// The lines before the one that says that it listens.
    notices: Vec<Value>,
    /// As the line says that it logs when it listens.
    address: String,
}

impl Node {
    fn start(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let args = [&["serve", "--port", "0"], args].concat();
        let mut child = throng(&args, environment).spawn().unwrap();
        let log = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut node = Self { child, log, notices: Vec::new(), address: String::new() };
        loop {
            let line = node.line();
            if line["message"] == "listening" {
                node.address = line["address"].as_str().unwrap().to_owned();
                return node;
            }
            node.notices.push(line);
        }
    }

    fn line(&mut self) -> Value {
        let line = self.log.next().expect("the node still runs").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// The next line with this message; those before it are read over.
    fn logged(&mut self, message: &str) -> Value {
        loop {
            let line = self.line();
            if line["message"] == message {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// A configuration file in a folder of its own.
fn file(text: &str) -> (TempDir, String) {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("throng.toml");
    std::fs::write(&path, text).unwrap();
    (folder, path.to_str().unwrap().to_owned())
}

#[test]
fn every_problem_of_a_configuration_is_named_and_the_exit_code_is_64() {
    let (_folder, path) = file("prot = 1\n");
    for command in ["serve", "check"] {
        let (code, _, errors) = finished(&[command, "--config", &path], &[("PORT", "lots")]);
        assert_eq!(code, Some(64), "{command}");
        let expect = format!(
            "throng: the configuration is wrong\n  {path}:1: prot: unknown key; did you mean port?\n  \
             environment PORT: port: \"lots\" is not a whole number\n"
        );
        assert_eq!(errors, expect, "{command}");
    }
    let (code, _, errors) = finished(&["serve", "--prot", "1"], &[]);
    assert_eq!(code, Some(64));
    assert!(errors.contains("--prot") && errors.contains("--port"), "{errors}");
}

#[test]
fn an_address_in_use_is_named() {
    let node = Node::start(&[], &[]);
    let port = node.address.rsplit(':').next().unwrap();
    let (code, _, errors) = finished(&["serve", "--port", port], &[]);
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("cannot listen on {}", node.address)), "{errors}");
}

#[test]
fn help_shows_examples_and_the_version_is_told() {
    let (code, help, _) = finished(&["--help"], &[]);
    assert_eq!(code, Some(0));
    assert!(help.contains("Examples:") && help.contains("serve"), "{help}");
    let (_, help, _) = finished(&["serve", "--help"], &[]);
    for part in ["--port", "MAX_CONNECTIONS", "SIGHUP", "Exit codes"] {
        assert!(help.contains(part), "{help}");
    }
    assert_eq!(finished(&["--version"], &[]).1.trim(), concat!("throng ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn it_serves_without_any_configuration_and_drains_on_either_signal() {
    for name in ["TERM", "INT"] {
        let mut node = Node::start(&[], &[]);
        let address = &node.address;
        assert!(get(address, "/health").starts_with("HTTP/1.1 200"));
        assert!(get(address, "/ready").ends_with("ready\n"));
        assert!(get(address, "/metrics").contains("throng_sessions_opened_total 0"));
        assert!(get(address, "/").starts_with("HTTP/1.1 200"));
        let poll = get(address, "/socket.io/?EIO=4&transport=polling");
        assert!(poll.contains("0{\"sid\":\""), "{poll}");
        node.signal(name);
        node.logged("draining");
        node.logged("drained");
        assert_eq!(node.child.wait().unwrap().code(), Some(0));
        assert!(node.log.next().is_none(), "nothing is left to say");
    }
}

#[test]
fn a_path_without_anything_is_answered_in_the_shape_of_every_refusal() {
    let node = Node::start(&[], &[]);
    for path in ["/nothing", "/socket.io/nothing.js", "/assets/nothing.css", "/api/nothing"] {
        let answer = get(&node.address, path);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 404 "), "{path}: {head}");
        assert!(body.contains(r#""code":"not_found""#), "{path}: {body}");
    }
}

#[test]
fn check_shows_where_each_value_comes_from_and_no_secret() {
    let (_folder, path) = file("port = 8081\norigins = [\"https://app.example\"]\n");
    let environment =
        [("JWT_SECRET", SECRET), ("REDIS_URL", "redis://u:hunter2@db.example"), ("NODE_ENV", "production")];
    let (code, shown, errors) = finished(&["check", "--config", &path], &environment);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let line = |key: &str| {
        let line = shown.lines().find(|line| line.starts_with(&format!("{key} "))).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(line("port"), format!("port = 8081 ({path}:1)"));
    assert_eq!(line("host"), "host = \"127.0.0.1\" (default)");
    assert_eq!(line("auth.secret"), "auth.secret = <set, 44 bytes> (environment JWT_SECRET)");
    assert_eq!(line("redis.url"), "redis.url = \"redis://u:<hidden>@db.example\" (environment REDIS_URL)");
    assert!(!shown.contains(SECRET) && !shown.contains("hunter2"), "{shown}");
    assert!(shown.contains("Nothing is unsafe for production."), "{shown}");

    let (code, json, _) = finished(&["check", "--json", "--config", &path], &environment);
    assert_eq!(code, Some(0));
    let report: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["ok"], &report["profile"]), (&true.into(), &"production".into()));
    assert!(!json.contains(SECRET) && !json.contains("hunter2"), "{json}");
}

#[test]
fn what_is_unsafe_is_a_warning_in_development_and_a_refusal_in_production() {
    let (code, shown, errors) = finished(&["check"], &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
    let warnings = shown.split_once("Unsafe for production").unwrap().1;
    assert!(warnings.contains("auth.secret: ") && warnings.contains("origins: "), "{shown}");
    for command in ["check", "serve"] {
        let (code, _, errors) = finished(&[command], &[("THRONG_PROFILE", "production")]);
        assert_eq!(code, Some(64), "{command}");
        for part in ["default: auth.secret: production refuses it", "default: origins: production refuses it"]
        {
            assert!(errors.contains(part), "{command}: {errors}");
        }
    }
}

#[test]
fn a_token_is_minted_for_a_tenant_that_there_is() {
    let (_folder, path) = file("[tenants.list.acme]\n");
    let mint = |tenant| {
        finished(&["token", "ada", "--tenant", tenant, "--config", &path], &[("JWT_SECRET", SECRET)])
    };
    let (code, token, errors) = mint("acme");
    assert_eq!((code, token.trim().split('.').count(), errors.as_str()), (Some(0), 3, ""));
    let (code, token, errors) = mint("nope");
    assert_eq!((code, token.as_str()), (Some(1), ""));
    assert!(errors.contains("there is no tenant \"nope\" in tenants.list"), "{errors}");
}

#[test]
fn the_default_file_can_be_printed_and_used() {
    let (code, defaults, _) = finished(&["check", "--defaults"], &[]);
    assert_eq!(code, Some(0));
    let (_folder, path) = file(&defaults);
    let (code, _, errors) = finished(&["check", "--config", &path], &[]);
    assert_eq!((code, errors.as_str()), (Some(0), ""));
}

#[test]
fn what_is_known_of_the_configuration_is_said_before_it_listens() {
    let node = Node::start(&[], &[("MAX_INSTANCES", "4")]);
    let noticed = |level: &str, key: &str| {
        let mut notices = node.notices.iter();
        assert!(notices.any(|line| line["level"] == level && line["key"] == key), "{:?}", node.notices);
    };
    noticed("INFO", "auth.secret");
    noticed("WARN", "fleet.instances_max");
}

#[test]
fn a_changed_file_is_applied_and_a_broken_one_is_refused() {
    let (_folder, path) = file("port = 1\n");
    let mut node = Node::start(&["--config", &path], &[]);
    let write = |text: &str| {
        let new = Path::new(&path).with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    write("port = 1\nlog.level = 'debug'\nname = 'x'\n");
    let kept = node.logged("changed setting needs a restart");
    assert_eq!((&kept["key"], &kept["cause"]), (&"name".into(), &"file".into()));
    assert_eq!(node.logged("configuration read again")["keys"], "log.level");
    write("port = 1\nprot = 1\n");
    let refused = node.logged("new configuration refused, the old one stays");
    assert_eq!(refused["level"], "ERROR");
    assert_eq!(refused["problem"], format!("{path}:2: prot: unknown key; did you mean port?"));
    write("port = 1\n");
    assert_eq!(node.logged("configuration read again")["keys"], "log.level");
    node.signal("HUP");
    assert_eq!(node.logged("configuration read again")["cause"], "SIGHUP");
    assert!(get(&node.address, "/ready").ends_with("ready\n"));
}

#[test]
fn health_answers_by_its_exit_code() {
    let node = Node::start(&[], &[]);
    let url = format!("http://{}", node.address);
    let port = node.address.rsplit(':').next().unwrap();
    assert_eq!(finished(&["health"], &[("PORT", port)]).0, Some(0));
    assert_eq!(finished(&["health", &url], &[]), (Some(0), format!("ready: {url}/ready\n"), String::new()));
    let (code, line, _) = finished(&["health", &format!("{url}/nowhere")], &[]);
    assert_eq!((code, line.starts_with("not ready: ")), (Some(1), true), "{line}");
    // Bound and never listening again: nobody answers there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (code, line, _) = finished(&["health", &format!("http://{free}")], &[]);
    assert_eq!((code, line.starts_with("unreachable: ")), (Some(2), true), "{line}");
    assert_eq!(finished(&["health", "nonsense"], &[]).0, Some(64));
}
