//! The command line of the load driver, and the plan that it stands for.

use crate::{
    failure::Failure,
    plan::{Load, Pace, Plan},
    target::Target,
};
use std::time::Duration;

/// Puts load on a Socket.IO server and tells how it did.
///
/// The server needs the handlers of the `echo` example: every socket is in room `all`, `echo` acknowledges its first
/// argument, `bcast` emits `msg` with its arguments to room `all`. `idle` and `connects` need none, only a namespace:
/// `throng serve` has /debate and /roulette, so `--scenario idle --namespace /debate` goes with it, within its limits.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// The server: ws://host:port or http://host:port
    #[arg(default_value = "http://127.0.0.1:3000")]
    pub url: String,
    /// What the connections do
    #[arg(short, long, value_enum, default_value_t = Scenario::Echo)]
    pub scenario: Scenario,
    /// How many connections; for `connects`, how many are in progress at once
    #[arg(short, long, default_value_t = 200)]
    pub connections: usize,
    /// How long is measured: 10s, 1m, 500ms
    #[arg(short, long, default_value = "10s", value_parser = duration)]
    pub duration: Duration,
    /// How long the load runs before measuring begins
    #[arg(long, default_value = "1s", value_parser = duration)]
    pub warm_up: Duration,
    /// Events a second in total, sent whatever the answers do; without it the next event waits for the window
    #[arg(short, long)]
    pub rate: Option<f64>,
    /// How many events may be unanswered: per connection for `echo`, in total for `fanout`
    #[arg(short, long, default_value_t = 1)]
    pub window: usize,
    /// Bytes of the string that each event carries
    #[arg(short, long, default_value_t = 1)]
    pub payload: usize,
    /// For `fanout`: spread the connections over so many rooms, with the handlers `join` and `in-room`
    #[arg(long, default_value_t = 0)]
    pub rooms: usize,
    /// Handshakes in progress at once while the connections are opened
    #[arg(long, default_value_t = 64)]
    pub handshakes: usize,
    /// The path of the Socket.IO endpoint
    #[arg(long, default_value = "/socket.io/")]
    pub path: String,
    /// The namespace to join
    #[arg(long, default_value = "/")]
    pub namespace: String,
    /// How long a handshake or a delivery may take
    #[arg(long, default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Print the report as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The scenarios by their names on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scenario {
    /// Connect, hold, answer pings
    Idle,
    /// Every connection emits and waits for the acknowledgement
    Echo,
    /// One connection publishes, all receive
    Fanout,
    /// Connect and disconnect, over and over
    Connects,
}

impl Args {
    /// The plan that these arguments stand for.
    ///
    /// # Errors
    /// [`Failure::Url`] and [`Failure::Usage`].
    pub fn plan(&self) -> Result<Plan, Failure> {
        let pace = self.rate.map_or(Pace::Window(self.window), Pace::Rate);
        let load = match self.scenario {
            Scenario::Idle => Load::Idle,
            Scenario::Echo => Load::Echo(pace),
            Scenario::Fanout => Load::Fanout { pace, rooms: self.rooms },
            Scenario::Connects => Load::Connects,
        };
        if self.rooms > 0 && self.scenario != Scenario::Fanout {
            return Err(Failure::Usage("--rooms goes with --scenario fanout".to_owned()));
        }
        let plan = Plan {
            target: Target::resolve(&self.url, &self.path, &self.namespace)?,
            load,
            connections: self.connections,
            handshakes: self.handshakes,
            payload_bytes: self.payload,
            warm_up: self.warm_up,
            duration: self.duration,
            timeout: self.timeout,
        };
        plan.check()?;
        Ok(plan)
    }
}

/// Reads `10s`, `1m`, `500ms`, or plain seconds.
///
/// # Errors
/// A sentence for the command line's user.
pub fn duration(text: &str) -> Result<Duration, String> {
    let unit_at =
        text.find(|character: char| !character.is_ascii_digit() && character != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds_per_unit = match unit {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time: use ms, s, m or h")),
    };
    let number: f64 =
        number.parse().map_err(|_| format!("`{text}` is no time: write it as 10s, 1m or 500ms"))?;
    Duration::try_from_secs_f64(number * seconds_per_unit).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        args: Args,
    }

    fn plan(line: &str) -> Result<Plan, Failure> {
        let words = std::iter::once("bench").chain(line.split_whitespace());
        Command::try_parse_from(words).expect("the line parses").args.plan()
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(duration("1.5m"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        assert!(duration("3 weeks").unwrap_err().contains("weeks"));
        assert!(duration("s").is_err());
        assert!(duration("").is_err());
    }

    #[test]
    fn the_scenario_and_the_pace_make_the_load() {
        assert_eq!(plan("").unwrap().load, Load::Echo(Pace::Window(1)));
        assert_eq!(plan("-s echo -r 500").unwrap().load, Load::Echo(Pace::Rate(500.0)));
        let fanout = Load::Fanout { pace: Pace::Window(64), rooms: 10 };
        assert_eq!(plan("-s fanout -w 64 --rooms 10").unwrap().load, fanout);
        assert_eq!(plan("-s idle -c 10000").unwrap().connections, 10_000);
    }

    #[test]
    fn what_cannot_be_run_is_refused() {
        for line in ["-c 0", "-w 11", "-w 0", "-r 0", "-s echo --rooms 2", "-s fanout -c 2 --rooms 3", "-d 0"]
        {
            assert!(matches!(plan(line), Err(Failure::Usage(_))), "{line}");
        }
    }
}
