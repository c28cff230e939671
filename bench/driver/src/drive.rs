//! One run from the first connection to the report: open all, warm up, measure. One thread, which is the caller's.

use crate::{
    failure::Failure,
    limits,
    load::Load,
    plan::{self, Plan},
    pool::{self, Pool, nanos},
    report::{DRIVER_SHARE_MAX, Latency, Report},
};
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// What the caller of [`measure`] is told while it runs, on the thread that it runs on.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// Everything is up and warm: measuring begins now.
    Started,
    /// About a second has passed.
    Second(Status),
    /// Measuring has ended; the connections are still up.
    Ended,
}

/// How a run is doing.
#[derive(Debug, Clone, Copy)]
pub struct Status {
    /// `connecting`, `warming up` or `measuring`.
    pub doing: &'static str,
    /// Time since that began.
    pub elapsed: Duration,
    /// Connections in the namespace.
    pub ready: usize,
    /// What was done since the last [`Moment::Second`], per second.
    pub rate: f64,
    /// Faults so far.
    pub faults: u64,
    /// The distribution so far.
    pub latency: Option<Latency>,
    /// The driver's CPU time since the last [`Moment::Second`], as a share of one core.
    pub driver_cpu_share: f64,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Connecting,
    WarmingUp,
    Measuring,
}

/// Runs a plan to its end.
///
/// # Errors
/// A [`Failure`] when there is nothing to report.
pub fn measure(plan: &Plan, watch: &mut dyn FnMut(Moment)) -> Result<Report, Failure> {
    plan.check()?;
    limits::allow_files(plan.connections)?;
    let mut run = Run {
        plan,
        pool: Pool::new(plan)?,
        load: Load::new(plan),
        opened: 0,
        part: Part::Connecting,
        since: Stamp::now(),
        second: Stamp::now(),
        done: 0,
    };
    let mut events = pool::events();
    loop {
        run.open();
        let next = if run.part == Part::Connecting { None } else { run.load.keep_pace(&mut run.pool) };
        let wait = run.wait(next);
        let load = &mut run.load;
        run.pool
            .turn(&mut events, wait, &mut |pool, key, happening, now| load.on(pool, key, happening, now))?;
        run.check()?;
        if run.second.time.elapsed() >= SECOND {
            run.each_second(watch);
        }
        if run.is_part_over() {
            match run.part {
                Part::Connecting => {
                    run.load.begin(&mut run.pool);
                    run.enter(Part::WarmingUp);
                }
                Part::WarmingUp => {
                    run.pool.tally.restart();
                    watch(Moment::Started);
                    run.enter(Part::Measuring);
                }
                Part::Measuring => {
                    let report = run.report();
                    watch(Moment::Ended);
                    return Ok(report);
                }
            }
        }
    }
}

/// A moment by the clock and by this thread's own CPU time.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    time: Instant,
    cpu: Duration,
}

impl Stamp {
    fn now() -> Self {
        let cpu = clock_gettime(ClockId::ThreadCPUTime);
        let cpu = Duration::try_from(cpu).expect("CPU time is not negative");
        Self { time: Instant::now(), cpu }
    }

    /// Seconds since then, and the share of them that this thread was on a core.
    fn elapsed(&self) -> (f64, f64) {
        let now = Self::now();
        let seconds = (now.time - self.time).as_secs_f64();
        (seconds, (now.cpu - self.cpu).as_secs_f64() / seconds)
    }
}

struct Run<'a> {
    plan: &'a Plan,
    pool: Pool,
    load: Load,
    /// Connections begun; a run that holds its connections begins each once.
    opened: usize,
    part: Part,
    /// When this part began.
    since: Stamp,
    /// The last second told, and what was done by then.
    second: Stamp,
    done: u64,
}

impl Run<'_> {
    /// Begins connections: of those to hold, as many as may shake hands at once; for a load of connects, as many as are
    /// missing.
    fn open(&mut self) {
        let missing = if self.plan.load == plan::Load::Connects {
            self.plan.connections.saturating_sub(self.pool.len())
        } else {
            let free = self.plan.handshakes.saturating_sub(self.pool.opening);
            free.min(self.plan.connections - self.opened)
        };
        for _ in 0..missing {
            self.pool.open();
            self.opened += 1;
        }
    }

    /// How long nothing is due.
    fn wait(&self, next: Option<u64>) -> Duration {
        let of_pace = next.map(|next| Duration::from_nanos(next.saturating_sub(self.pool.now())));
        let of_part = match self.part {
            Part::Connecting => None,
            Part::WarmingUp => Some(self.plan.warm_up.saturating_sub(self.since.time.elapsed())),
            Part::Measuring => Some(self.plan.duration.saturating_sub(self.since.time.elapsed())),
        };
        let of_second = SECOND.saturating_sub(self.second.time.elapsed());
        [of_pace, of_part].into_iter().flatten().fold(of_second, Duration::min)
    }

    /// Ends a run that cannot come to anything.
    fn check(&mut self) -> Result<(), Failure> {
        if let Some(fault) = &self.pool.last_fault {
            if !self.pool.ever_ready {
                return Err(Failure::NoConnection {
                    address: self.plan.target.address,
                    fault: fault.clone(),
                });
            }
            if self.pool.len() == 0 && self.plan.load != plan::Load::Connects {
                return Err(Failure::AllGone(fault.clone()));
            }
        }
        let waits_for_rooms =
            self.part == Part::Connecting && self.is_all_up() && !self.load.is_prepared(&self.pool);
        if waits_for_rooms && self.since.time.elapsed() > self.plan.timeout {
            return Err(Failure::NoRooms);
        }
        Ok(())
    }

    fn is_all_up(&self) -> bool {
        self.plan.load == plan::Load::Connects
            || (self.opened == self.plan.connections && self.pool.opening == 0)
    }

    fn is_part_over(&self) -> bool {
        let elapsed = self.since.time.elapsed();
        match self.part {
            Part::Connecting => self.is_all_up() && self.load.is_prepared(&self.pool),
            Part::WarmingUp => elapsed >= self.plan.warm_up,
            Part::Measuring => elapsed >= self.plan.duration,
        }
    }

    fn enter(&mut self, part: Part) {
        self.part = part;
        self.since = Stamp::now();
        self.second = self.since;
        self.done = 0;
    }

    fn each_second(&mut self, watch: &mut dyn FnMut(Moment)) {
        let load = &mut self.load;
        self.pool.expire(&mut |pool, key, happening, now| load.on(pool, key, happening, now));
        self.load.give_up(&mut self.pool, nanos(self.plan.timeout));
        let (seconds, driver_cpu_share) = self.second.elapsed();
        let done = self.done_so_far();
        watch(Moment::Second(Status {
            doing: match self.part {
                Part::Connecting => "connecting",
                Part::WarmingUp => "warming up",
                Part::Measuring => "measuring",
            },
            elapsed: self.since.time.elapsed(),
            ready: self.pool.ready,
            rate: (done - self.done) as f64 / seconds,
            faults: self.pool.tally.fault_count(),
            latency: self.pool.tally.latency(),
            driver_cpu_share,
        }));
        self.done = done;
        self.second = Stamp::now();
    }

    fn done_so_far(&self) -> u64 {
        match self.plan.load {
            plan::Load::Idle => self.pool.tally.pings,
            plan::Load::Echo(_)
            | plan::Load::Direct { .. }
            | plan::Load::Fanout { .. }
            | plan::Load::Connects => self.pool.tally.done,
        }
    }

    fn report(&mut self) -> Report {
        let (seconds, driver_cpu_share) = self.since.elapsed();
        self.load.give_up(&mut self.pool, nanos(self.plan.timeout));
        let done = self.done_so_far();
        let connections =
            if self.plan.load == plan::Load::Connects { self.pool.len() } else { self.pool.ready };
        Report {
            what: self.load.what(),
            connections,
            connections_wanted: self.plan.connections,
            seconds,
            done,
            rate: done as f64 / seconds,
            sent: self.pool.tally.sent,
            under_way: self.load.under_way(&self.pool),
            received_bytes: self.pool.tally.received_bytes,
            latency_micros: self.pool.tally.latency(),
            faults: self.pool.tally.faults.clone(),
            driver_cpu_share,
            driver_bound: driver_cpu_share > DRIVER_SHARE_MAX,
        }
    }
}
