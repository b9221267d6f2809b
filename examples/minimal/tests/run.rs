//! The least is enough: probes, metrics, JSON logs, reload and an ordered stop.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use serde_json::Value;

const SOURCE: &str = include_str!("../src/main.rs");

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// APP-1: at most fifteen lines from `fn main` to a running service with all of it.
#[test]
fn fifteen_lines_are_enough() {
    let from_main = &SOURCE[SOURCE.find("fn main").unwrap()..];
    assert!(from_main.lines().count() <= 15);

    let mut service = Command::new(env!("CARGO_BIN_EXE_minimal"))
        .env_clear()
        .env("MINIMAL_SERVER_BIND_ADDRESS", "127.0.0.1:0")
        .env("MINIMAL_OPS_BIND_ADDRESS", "127.0.0.1:0")
        .env("MINIMAL_SERVER_PROPAGATION_DELAY", "0")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(service.stdout.take().unwrap())
        .lines()
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
    let mut find = |message: &str| lines.find(|line| line["message"] == message).unwrap();
    let ops = find("listening")["address"].as_str().unwrap().to_owned();
    let app = find("listening")["address"].as_str().unwrap().to_owned();
    find("started");

    assert!(get(&app, "/").ends_with("\r\n\r\nhello\n"));
    for (address, path, shows) in [
        (&app, "/health/live", "\"status\":\"healthy\""),
        (&ops, "/health/ready", "\"status\":\"healthy\""),
        (&ops, "/metrics", "build_info{name=\"minimal\""),
    ] {
        let answer = get(address, path);
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.contains(shows), "{answer}");
    }
    let id = service.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    find("SIGHUP: the configuration is read again");
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(find("stopped")["outcome"], "clean");
    assert!(lines.next().is_none());
    assert_eq!(service.wait().unwrap().code(), Some(0));
}
