//! The binary as whoever starts it sees it: exit codes, what it prints, how it stops.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Output, Stdio};

fn throng(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_throng"));
    command.args(args).env_remove("HOST").env_remove("PORT").env_remove("MAX_CONNECTIONS");
    command
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

/// A node on a free port, and the address that its first log line names.
fn serving(environment: &[(&str, &str)]) -> (Child, BufReader<std::process::ChildStderr>, String) {
    let mut child = throng(&["serve", "--port", "0"], environment).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    log.read_line(&mut line).unwrap();
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["message"], "listening");
    (child, log, line["address"].as_str().unwrap().to_owned())
}

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn signal(child: &Child, name: &str) {
    let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

#[test]
fn every_problem_of_a_configuration_is_named_and_the_exit_code_is_64() {
    let (code, _, errors) = finished(&["serve", "--config", "/nonexistent.toml"], &[("PORT", "lots")]);
    assert_eq!(code, Some(64));
    assert!(
        errors.contains("/nonexistent.toml") && errors.contains("PORT: \"lots\" is not a port"),
        "{errors}"
    );
}

#[test]
fn an_address_in_use_is_named() {
    let (mut child, _log, address) = serving(&[]);
    let port = address.rsplit(':').next().unwrap();
    let (code, _, errors) = finished(&["serve", "--port", port], &[]);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(code, Some(1));
    assert!(errors.contains(&format!("cannot listen on {address}")), "{errors}");
}

#[test]
fn help_shows_examples_and_the_version_is_told() {
    let (code, help, _) = finished(&["--help"], &[]);
    assert_eq!(code, Some(0));
    assert!(help.contains("Examples:") && help.contains("serve"), "{help}");
    let (_, help, _) = finished(&["serve", "--help"], &[]);
    assert!(
        help.contains("--port") && help.contains("MAX_CONNECTIONS") && help.contains("Exit codes"),
        "{help}"
    );
    assert_eq!(finished(&["--version"], &[]).1.trim(), concat!("throng ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn it_serves_without_any_configuration_and_drains_on_either_signal() {
    for name in ["TERM", "INT"] {
        let (mut child, log, address) = serving(&[]);
        assert!(get(&address, "/health").starts_with("HTTP/1.1 200"));
        assert!(get(&address, "/ready").ends_with("ready\n"));
        assert!(get(&address, "/metrics").contains("throng_sessions_opened_total 0"));
        assert!(get(&address, "/").starts_with("HTTP/1.1 200"));
        let poll = get(&address, "/socket.io/?EIO=4&transport=polling");
        assert!(poll.contains("0{\"sid\":\""), "{poll}");
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let messages: Vec<_> = log
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap())
            .filter(|line| line["target"] != "access")
            .map(|line| line["message"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(messages, ["draining", "drained"]);
    }
}
