//! A lobby with a crowd in front of it, on one thread: people arrive, whoever is paired confirms at once and is gone.

use std::future::Future;
use std::mem;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use throng_lobby::{Event, Lobby, LobbyConfig, Pairing, QueueConfig, SideWish, Time};

use crate::crowd::{Crowd, Next, number_of, queue_name};

/// The longest wait that is told apart from longer ones.
const LONGEST: u64 = 60_000_000_000;

pub(crate) struct Arena {
    lobby: Lobby,
    crowd: Crowd,
    paired: Arc<Mutex<Vec<Pairing>>>,
    /// When each user was to arrive.
    arrivals: Vec<Duration>,
    began: Instant,
    waiting_for: usize,
    tally: Tally,
}

/// What happened since it was last asked.
pub(crate) struct Tally {
    pub(crate) arrivals: u64,
    pub(crate) pairings: u64,
    /// From the arrival or the widening that made a pair possible until both are told, in nanoseconds.
    pub(crate) matching: Histogram<u64>,
    /// From the arrival of each until both are told, in nanoseconds.
    pub(crate) waits: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let histogram = || Histogram::new_with_bounds(1, LONGEST, 2);
        Ok(Self { arrivals: 0, pairings: 0, matching: histogram()?, waits: histogram()? })
    }
}

impl Arena {
    pub(crate) fn new(queues: usize, people_max: usize) -> anyhow::Result<Self> {
        let paired = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&paired);
        let queue = QueueConfig { waiting_max: people_max, ..QueueConfig::default() };
        let queues_by_name = (0..queues).map(|number| (queue_name(number), queue.clone())).collect();
        let config = LobbyConfig { queues: queues_by_name, ..LobbyConfig::default() };
        let lobby = Lobby::new(config, move |event| {
            if let Event::Paired(pairing) = event {
                told.lock().unwrap_or_else(PoisonError::into_inner).push(pairing);
            }
        });
        Ok(Self {
            lobby,
            crowd: Crowd::new(queues, people_max),
            paired,
            arrivals: vec![Duration::ZERO; people_max],
            began: Instant::now(),
            waiting_for: 0,
            tally: Tally::new()?,
        })
    }

    /// Since the arena was made.
    pub(crate) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Somebody arrives now who was to arrive at some time. Says whether there was anybody left to arrive.
    pub(crate) fn arrive(&mut self, next: Next, at: Duration, now: Duration) -> anyhow::Result<bool> {
        let Some((number, newcomer)) = self.crowd.next(next) else { return Ok(false) };
        self.arrivals[number] = at;
        self.tally.arrivals += 1;
        self.waiting_for += usize::from(newcomer.wish.side == Some(SideWish::For));
        done(self.lobby.join(newcomer, Time(now)))?;
        self.confirm(at);
        Ok(true)
    }

    /// Does what is due first, if it is by now. Says whether there was anything.
    pub(crate) fn advance(&mut self, now: Duration) -> bool {
        let Some(due) = self.lobby.due().filter(|due| due.0 <= now) else { return false };
        done(self.lobby.advance(due));
        self.confirm(due.0);
        true
    }

    /// How many wait.
    pub(crate) fn waiting(&self) -> usize {
        self.crowd.present()
    }

    /// How many of them are for their topics.
    pub(crate) fn waiting_for(&self) -> usize {
        self.waiting_for
    }

    /// What happened since it was last asked.
    pub(crate) fn take_tally(&mut self) -> anyhow::Result<Tally> {
        Ok(mem::replace(&mut self.tally, Tally::new()?))
    }

    /// Has those confirm who were paired by something that was to happen at a time.
    fn confirm(&mut self, at: Duration) {
        let paired = mem::take(&mut *self.paired.lock().unwrap_or_else(PoisonError::into_inner));
        if paired.is_empty() {
            return;
        }
        let told = self.now();
        for pairing in paired {
            self.tally.pairings += 1;
            let arrivals = pairing.tickets.each_ref().map(|ticket| {
                let number = number_of(&ticket.user);
                self.waiting_for -= usize::from(ticket.wish.side == Some(SideWish::For));
                done(self.lobby.confirm(pairing.id, &ticket.user));
                self.crowd.release(number);
                self.arrivals[number]
            });
            for arrival in arrivals {
                record(&mut self.tally.waits, told.saturating_sub(arrival));
            }
            record(&mut self.tally.matching, told.saturating_sub(at));
        }
    }
}

pub(crate) fn record(histogram: &mut Histogram<u64>, wait: Duration) {
    histogram.saturating_record(u64::try_from(wait.as_nanos()).unwrap_or(LONGEST));
}

/// What a future gives that never waits: what it does is done in memory.
pub(crate) fn done<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the store in memory never waits"),
    }
}

/// How long this thread has computed.
pub(crate) fn thread_cpu() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}
