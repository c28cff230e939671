//! One run from the first connection to the report: open all, warm up, measure, and rest in between if the caller has
//! other runs to drive. One thread, which is the caller's.

use crate::{
    failure::Failure,
    limits,
    load::Load,
    plan::{self, Plan},
    pool::{self, Pool, nanos},
    report::{DRIVER_SHARE_MAX, Latency, Report},
};
use mio::Events;
use rustix::time::{ClockId, clock_gettime};
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);

/// How long new connections are left alone before the load begins. The kernel has then sent every acknowledgement that it had put
/// off, and acknowledges what comes alike for all of them: until it first does so on its own, it acknowledges every second
/// message of a connection, afterwards each, which costs both ends a good deal.
const CALM: Duration = Duration::from_millis(200);

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

/// Runs a plan to its end.
///
/// # Errors
/// A [`Failure`] when there is nothing to report.
pub fn measure(plan: &Plan, watch: &mut dyn FnMut(Moment)) -> Result<Report, Failure> {
    let mut run = Run::new(plan.clone())?;
    run.warm_up(watch)?;
    watch(Moment::Started);
    run.measure(plan.duration, watch)?;
    let report = run.report();
    watch(Moment::Ended);
    Ok(report)
}

/// One run against one server, which may rest in between: for it, that time does not pass. What the server says
/// meanwhile, as a ping, waits until the run goes on.
#[derive(Debug)]
pub struct Run {
    plan: Plan,
    pool: Pool,
    events: Events,
    load: Load,
    /// Connections begun; a run that holds its connections begins each once.
    opened: usize,
    part: Part,
    /// When this part began.
    since: Stamp,
    /// The last second told, and what was done by then.
    second: Stamp,
    done: u64,
    /// Since when it rests.
    rests_since: Option<Stamp>,
}

/// Where a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Connecting,
    WarmingUp,
    Measuring {
        /// How long, in all.
        until: Duration,
    },
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

    /// Seconds from then to `now`, and the share of them that this thread was on a core.
    fn until(&self, now: Self) -> (f64, f64) {
        let seconds = (now.time - self.time).as_secs_f64();
        (seconds, (now.cpu - self.cpu).as_secs_f64() / seconds)
    }

    /// Moves on by what lies between two others.
    fn skip(&mut self, from: Self, to: Self) {
        self.time += to.time - from.time;
        self.cpu += to.cpu - from.cpu;
    }
}

impl Run {
    /// Opens nothing yet.
    ///
    /// # Errors
    /// A [`Failure`] when the plan cannot be run here.
    pub fn new(plan: Plan) -> Result<Self, Failure> {
        plan.check()?;
        limits::allow_files(plan.connections)?;
        Ok(Self {
            pool: Pool::new(&plan)?,
            events: pool::events(),
            load: Load::new(&plan),
            plan,
            opened: 0,
            part: Part::Connecting,
            since: Stamp::now(),
            second: Stamp::now(),
            done: 0,
            rests_since: None,
        })
    }

    /// Opens all connections, begins the load, and goes on for the plan's warm-up.
    ///
    /// # Errors
    /// A [`Failure`] when there is nothing to measure.
    pub fn warm_up(&mut self, watch: &mut dyn FnMut(Moment)) -> Result<(), Failure> {
        self.drive(watch)?;
        let all_up = Instant::now();
        while all_up.elapsed() < CALM {
            self.turn(CALM.saturating_sub(all_up.elapsed()), watch)?;
        }
        self.load.begin(&mut self.pool);
        self.enter(Part::WarmingUp);
        self.drive(watch)
    }

    /// Goes on, also after a rest, until it has measured for so long in all; not at all when it has already.
    ///
    /// # Errors
    /// A [`Failure`] when there is nothing more to measure.
    pub fn measure(&mut self, until: Duration, watch: &mut dyn FnMut(Moment)) -> Result<(), Failure> {
        match self.part {
            Part::Measuring { .. } if self.elapsed() >= until => return Ok(()),
            Part::Measuring { .. } => {
                self.wake();
                self.part = Part::Measuring { until };
            }
            Part::Connecting | Part::WarmingUp => {
                self.pool.tally.restart();
                self.wake();
                self.enter(Part::Measuring { until });
            }
        }
        self.drive(watch)
    }

    /// Begins nothing more, waits until all that is under way has come in or been given up, and rests from then on.
    ///
    /// # Errors
    /// A [`Failure`] when there is nothing more to measure.
    pub fn rest(&mut self, watch: &mut dyn FnMut(Moment)) -> Result<(), Failure> {
        if self.rests_since.is_none() {
            self.load.rest();
            while self.load.under_way(&self.pool) > 0 {
                self.turn(Duration::MAX, watch)?;
            }
            self.rests_since = Some(Stamp::now());
        }
        Ok(())
    }

    /// Takes the rest off every clock, and begins again.
    fn wake(&mut self) {
        let Some(from) = self.rests_since.take() else { return };
        let now = Stamp::now();
        self.since.skip(from, now);
        self.second.skip(from, now);
        self.pool.has_rested(now.time - from.time);
        self.load.begin(&mut self.pool);
    }

    /// Goes on until this part is over.
    fn drive(&mut self, watch: &mut dyn FnMut(Moment)) -> Result<(), Failure> {
        loop {
            let left = self.left();
            if left.is_zero() {
                return Ok(());
            }
            self.open();
            let next = self.load.keep_pace(&mut self.pool);
            let of_pace = next.map(|next| Duration::from_nanos(next.saturating_sub(self.pool.now())));
            self.turn(of_pace.map_or(left, |of_pace| of_pace.min(left)), watch)?;
        }
    }

    /// Handles what happens next, and waits for that no longer than `wait`.
    fn turn(&mut self, wait: Duration, watch: &mut dyn FnMut(Moment)) -> Result<(), Failure> {
        let wait = wait.min(SECOND.saturating_sub(self.second.time.elapsed()));
        let load = &mut self.load;
        self.pool.turn(&mut self.events, wait, &mut |pool, key, happening, now| {
            load.on(pool, key, happening, now);
        })?;
        self.check()?;
        if self.second.time.elapsed() >= SECOND {
            self.each_second(watch);
        }
        Ok(())
    }

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
        if waits_for_rooms && self.elapsed() > self.plan.timeout {
            return Err(Failure::NoRooms);
        }
        Ok(())
    }

    fn is_all_up(&self) -> bool {
        self.plan.load == plan::Load::Connects
            || (self.opened == self.plan.connections && self.pool.opening == 0)
    }

    /// How long this part goes on: nothing when it is over, and no end in sight while it waits for the server.
    fn left(&self) -> Duration {
        match self.part {
            Part::Connecting if self.is_all_up() && self.load.is_prepared(&self.pool) => Duration::ZERO,
            Part::Connecting => Duration::MAX,
            Part::WarmingUp => self.plan.warm_up.saturating_sub(self.elapsed()),
            Part::Measuring { until } => until.saturating_sub(self.elapsed()),
        }
    }

    /// How long this part has gone on.
    fn elapsed(&self) -> Duration {
        self.rests_since.map_or_else(Instant::now, |rest| rest.time) - self.since.time
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
        let (seconds, driver_cpu_share) = self.second.until(Stamp::now());
        let done = self.done_so_far();
        watch(Moment::Second(Status {
            doing: match self.part {
                Part::Connecting => "connecting",
                Part::WarmingUp => "warming up",
                Part::Measuring { .. } => "measuring",
            },
            elapsed: self.elapsed(),
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

    /// What was found since measuring began.
    pub fn report(&mut self) -> Report {
        let (seconds, driver_cpu_share) = self.since.until(self.rests_since.unwrap_or_else(Stamp::now));
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
