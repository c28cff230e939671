//! The network between two programs, for tests in other languages: `proxy HOST:PORT` passes connections on to that address.
//!
//! It says `proxy on ADDRESS` and then reads orders, a line each: `delay MILLISECONDS`, `silent`, `cut`. Each is answered with
//! `done` once it holds. It ends with its input.

use std::io::{BufRead as _, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use throng_testkit::{Proxy, Weather};

fn main() {
    let target = std::env::args().nth(1).and_then(|address| address.parse::<SocketAddr>().ok());
    let proxy = Proxy::start(target.expect("an address to pass connections on to"));
    say(&format!("proxy on {}", proxy.address()));
    for order in std::io::stdin().lock().lines() {
        let order = order.expect("orders are text");
        proxy.set(
            weather(&order).unwrap_or_else(|| panic!("{order}: neither delay MILLISECONDS, silent nor cut")),
        );
        say("done");
    }
}

fn say(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("somebody listens");
}

fn weather(order: &str) -> Option<Weather> {
    match order.split(' ').collect::<Vec<_>>().as_slice() {
        ["delay", millis] => Some(Weather::Delay(Duration::from_millis(millis.parse().ok()?))),
        ["silent"] => Some(Weather::Silent),
        ["cut"] => Some(Weather::Cut),
        _ => None,
    }
}
