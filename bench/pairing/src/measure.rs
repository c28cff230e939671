//! The measurements: as fast as one core can, and at a given rate.

use std::time::Duration;

use crate::arena::{Arena, Tally, thread_cpu};
use crate::crowd::Next;

/// How many people there are at most beside those who wait from the beginning.
pub(crate) const SPARE: usize = 400_000;

/// One core as fast as it can, with so many waiting.
pub(crate) struct Saturation {
    pub(crate) waiting: usize,
    pub(crate) queues: usize,
    pub(crate) pairings_per_second: f64,
    pub(crate) arrivals_per_second: f64,
    pub(crate) micros_per_arrival: f64,
    /// How many waited at the end.
    pub(crate) waiting_at_end: usize,
}

/// Arrivals at a given rate, by a Poisson process.
pub(crate) struct Load {
    pub(crate) waiting: usize,
    pub(crate) queues: usize,
    pub(crate) arrivals_per_second: f64,
    /// What one core can at most.
    pub(crate) saturation: f64,
    /// The share of the time in which the core was not waiting for arrivals.
    pub(crate) busy: f64,
    pub(crate) tally: Tally,
}

/// Lets so many arrive that are for their topics and wait, and then ever somebody against when there are more, somebody
/// for when there are fewer. By the CPU time of the thread, so that it matters little what else the machine does.
pub(crate) fn saturation(waiting: usize, queues: usize, lasts: Duration) -> anyhow::Result<Saturation> {
    let mut arena = crowded(waiting, queues)?;
    run_for(&mut arena, waiting, lasts / 4)?;
    arena.take_tally()?;
    let before = thread_cpu();
    run_for(&mut arena, waiting, lasts)?;
    let seconds = (thread_cpu() - before).as_secs_f64();
    let tally = arena.take_tally()?;
    Ok(Saturation {
        waiting,
        queues,
        pairings_per_second: tally.pairings as f64 / seconds,
        arrivals_per_second: tally.arrivals as f64 / seconds,
        micros_per_arrival: seconds * 1e6 / tally.arrivals as f64,
        waiting_at_end: arena.waiting(),
    })
}

fn run_for(arena: &mut Arena, waiting: usize, lasts: Duration) -> anyhow::Result<()> {
    let mut now = arena.now();
    let end = now + lasts;
    while now < end {
        let next = next_of(arena, waiting);
        arena.arrive(next, now, now)?;
        arena.advance(now);
        now = arena.now();
    }
    Ok(())
}

/// Who keeps so many waiting; both sides alike when nobody has to.
fn next_of(arena: &Arena, waiting: usize) -> Next {
    match waiting {
        0 => Next::InTurn,
        _ if arena.waiting_for() < waiting => Next::For,
        _ => Next::Against,
    }
}

/// Lets people arrive at a rate, into a lobby in which so many wait.
pub(crate) fn load(waiting: usize, queues: usize, rate: Rate, lasts: Duration) -> anyhow::Result<Load> {
    let mut arena = crowded(waiting, queues)?;
    let mut gaps = Gaps::new(rate.arrivals_per_second);
    let warm = arena.now() + lasts / 4;
    let end = warm + lasts;
    let mut next = arena.now();
    let mut busy = Duration::ZERO;
    let mut is_warm = false;
    loop {
        let now = arena.now();
        if now >= warm && !is_warm {
            is_warm = true;
            busy = Duration::ZERO;
            arena.take_tally()?;
        }
        if now >= end {
            break;
        }
        // Between arrivals it looks at the clock without sleeping: how late the kernel wakes a thread is not measured.
        if now >= next {
            arena.arrive(next_of(&arena, waiting), next, now)?;
            next += gaps.next();
            busy += arena.now() - now;
        } else if arena.advance(now) {
            busy += arena.now() - now;
        }
    }
    Ok(Load {
        waiting,
        queues,
        arrivals_per_second: rate.arrivals_per_second,
        saturation: rate.saturation,
        busy: busy.as_secs_f64() / lasts.as_secs_f64(),
        tally: arena.take_tally()?,
    })
}

/// How many arrive in a second, and what would be the most.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) arrivals_per_second: f64,
    pub(crate) saturation: f64,
}

fn crowded(waiting: usize, queues: usize) -> anyhow::Result<Arena> {
    let mut arena = Arena::new(queues, waiting + SPARE)?;
    while arena.waiting_for() < waiting {
        let now = arena.now();
        arena.arrive(Next::For, now, now)?;
    }
    Ok(arena)
}

/// The gaps between arrivals that do not know of each other: exponentially distributed.
pub(crate) struct Gaps {
    state: u64,
    mean: f64,
}

impl Gaps {
    pub(crate) fn new(arrivals_per_second: f64) -> Self {
        Self { state: 1, mean: 1.0 / arrivals_per_second }
    }

    pub(crate) fn next(&mut self) -> Duration {
        // Xorshift (Marsaglia 2003).
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        let uniform = (self.state >> 11) as f64 / (1u64 << 53) as f64;
        Duration::from_secs_f64(-self.mean * (1.0 - uniform).ln())
    }
}
