//! A lobby that is kept in Redis, with a crowd in front of it, on one thread beside one server: every ticket and every pairing is
//! written before anybody hears of it. Whoever is paired confirms at once, and a hall takes the pairing, writes a room and
//! removes it.

use std::collections::HashSet;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use throng_backbone::{Backbone, Backoff, Commit, Config, RedisConfig, Register, Scope, Store};
use throng_lobby::{Event, Lobby, LobbyConfig, Pairing, QueueConfig, SideWish, Time, service};
use tokio::task::JoinSet;

use crate::arena::{Tally, done, record, thread_cpu};
use crate::crowd::{Crowd, Next, number_of, queue_name};
use crate::measure::{Gaps, SPARE};
use crate::server::Server;

/// Joins that are under way at the same time when it is to be as fast as it can.
const JOINING_MAX: usize = 2000;

/// What a hall writes of a room.
const ROOM: &[u8] = &[b'x'; 300];

/// What was measured with so many waiting.
pub(crate) struct Kept {
    pub(crate) waiting: usize,
    /// As fast as it can.
    pub(crate) pairings_per_second: f64,
    pub(crate) arrivals_per_second: f64,
    /// The share of the time in which each of the two computed.
    pub(crate) lobby_busy: f64,
    pub(crate) redis_busy: f64,
    /// At half of that.
    pub(crate) half: Tally,
    pub(crate) half_arrivals_per_second: f64,
}

/// Measures with so many waiting, on a server of its own.
pub(crate) fn measure(waiting: usize, lasts: Duration) -> anyhow::Result<Kept> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        let server = Server::start()?;
        let mut hall = Hall::open(&server, waiting).await?;
        hall.fill(waiting).await?;
        hall.rush(waiting, lasts / 4).await?;
        hall.take_tally()?;
        let (began, lobby, redis) = (hall.began.elapsed(), thread_cpu(), server.cpu()?);
        hall.rush(waiting, lasts).await?;
        let seconds = (hall.began.elapsed() - began).as_secs_f64();
        let (lobby, redis) = (thread_cpu() - lobby, server.cpu()? - redis);
        let most = hall.take_tally()?;
        hall.finish().await?;
        let arrivals_per_second = most.arrivals as f64 / seconds;
        let half = arrivals_per_second / 2.0;
        hall.stroll(waiting, half, lasts / 4).await?;
        hall.take_tally()?;
        hall.stroll(waiting, half, lasts).await?;
        Ok(Kept {
            waiting,
            pairings_per_second: most.pairings as f64 / seconds,
            arrivals_per_second,
            lobby_busy: lobby.as_secs_f64() / seconds,
            redis_busy: redis.as_secs_f64() / seconds,
            half: hall.take_tally()?,
            half_arrivals_per_second: half,
        })
    })
}

struct Hall {
    lobby: Lobby,
    register: Register,
    crowd: Crowd,
    told: Arc<Mutex<Vec<(Pairing, Duration)>>>,
    /// When each user was to arrive.
    arrivals: Vec<Duration>,
    /// Those whose join is not answered.
    joining: HashSet<usize>,
    joins: JoinSet<anyhow::Result<usize>>,
    began: Instant,
    waiting_for: usize,
    tally: Tally,
    // They end with the hall.
    _backbone: Backbone,
    _service: JoinSet<()>,
}

impl Hall {
    async fn open(server: &Server, waiting: usize) -> anyhow::Result<Self> {
        let redis = RedisConfig {
            backoff: Backoff { first: Duration::from_millis(50), max: Duration::from_millis(500) },
            ..RedisConfig::new(server.deployment())
        };
        let (backbone, _) = Backbone::open(Config::new("bench", Store::Redis(Box::new(redis)))).await?;
        let (register, _) = backbone.tickets().open(&Scope::new("default", "debate"), 1).await?;
        let people_max = waiting + SPARE;
        let queue = QueueConfig { waiting_max: people_max, ..QueueConfig::default() };
        let config = LobbyConfig { queues: [(queue_name(0), queue)].into(), ..LobbyConfig::default() };
        let (began, told) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
        let sink = Arc::clone(&told);
        let lobby = Lobby::kept(config, register.clone(), move |event| {
            if let Event::Paired(pairing) = event {
                sink.lock().unwrap_or_else(PoisonError::into_inner).push((pairing, began.elapsed()));
            }
        });
        let mut tells = JoinSet::new();
        tells.spawn(service::tell(&lobby));
        Ok(Self {
            lobby,
            register,
            crowd: Crowd::new(1, people_max),
            told,
            arrivals: vec![Duration::ZERO; people_max],
            joining: HashSet::new(),
            joins: JoinSet::new(),
            began,
            waiting_for: 0,
            tally: Tally::new()?,
            _backbone: backbone,
            _service: tells,
        })
    }

    /// Lets so many arrive who are for their topics.
    async fn fill(&mut self, waiting: usize) -> anyhow::Result<()> {
        while self.waiting_for < waiting {
            if self.joining.len() < JOINING_MAX {
                self.arrive(Next::For, self.began.elapsed())?;
            } else {
                self.answered().await?;
                self.turn().await?;
            }
        }
        self.finish().await
    }

    /// Lets people arrive as fast as they are let in.
    async fn rush(&mut self, waiting: usize, lasts: Duration) -> anyhow::Result<()> {
        let end = self.began.elapsed() + lasts;
        while self.began.elapsed() < end {
            while self.joining.len() < JOINING_MAX {
                self.arrive(self.next_of(waiting), self.began.elapsed())?;
            }
            self.answered().await?;
            self.turn().await?;
        }
        Ok(())
    }

    /// Lets people arrive at a rate, by a Poisson process.
    async fn stroll(&mut self, waiting: usize, rate: f64, lasts: Duration) -> anyhow::Result<()> {
        let mut gaps = Gaps::new(rate);
        let mut next = self.began.elapsed();
        let end = next + lasts;
        while self.began.elapsed() < end {
            while next <= self.began.elapsed() {
                self.arrive(self.next_of(waiting), next)?;
                next += gaps.next();
            }
            // Between arrivals it looks at the clock without sleeping: how late the kernel wakes a thread is not measured.
            tokio::task::yield_now().await;
            self.turn().await?;
        }
        self.finish().await
    }

    /// Waits until everybody who arrived is answered.
    async fn finish(&mut self) -> anyhow::Result<()> {
        while !self.joining.is_empty() {
            self.answered().await?;
            self.turn().await?;
        }
        Ok(())
    }

    /// Waits until somebody is answered.
    async fn answered(&mut self) -> anyhow::Result<()> {
        let answered = self.joins.join_next().await;
        // What was told before counts while they are still at the door.
        self.pair_all();
        if let Some(joined) = answered {
            self.joining.remove(&joined??);
        }
        Ok(())
    }

    fn arrive(&mut self, next: Next, at: Duration) -> anyhow::Result<()> {
        let (number, newcomer) = self.crowd.next(next).context("everybody is in the lobby")?;
        self.arrivals[number] = at;
        self.tally.arrivals += 1;
        self.waiting_for += usize::from(newcomer.wish.side == Some(SideWish::For));
        self.joining.insert(number);
        let (lobby, now) = (self.lobby.clone(), Time(self.began.elapsed()));
        self.joins.spawn(async move {
            lobby.join(newcomer, now).await?;
            Ok(number)
        });
        Ok(())
    }

    /// Who keeps so many waiting.
    fn next_of(&self, waiting: usize) -> Next {
        if self.waiting_for < waiting { Next::For } else { Next::Against }
    }

    /// Does what is due, and has those confirm who were paired.
    async fn turn(&mut self) -> anyhow::Result<()> {
        let now = Time(self.began.elapsed());
        if self.lobby.due().is_some_and(|due| due <= now) {
            self.lobby.advance(now).await;
        }
        self.pair_all();
        while let Some(joined) = self.joins.try_join_next() {
            self.joining.remove(&joined??);
        }
        Ok(())
    }

    /// Has those confirm who were told that they are paired.
    fn pair_all(&mut self) {
        let told = mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner));
        for (pairing, at) in told {
            self.pair(&pairing, at);
        }
    }

    /// Two were told at a time that they are paired.
    fn pair(&mut self, pairing: &Pairing, at: Duration) {
        self.tally.pairings += 1;
        let numbers = pairing.tickets.each_ref().map(|ticket| number_of(&ticket.user));
        let arrivals = numbers.map(|number| self.arrivals[number]);
        // Who was not answered before was paired by having come.
        if numbers.iter().any(|number| self.joining.contains(number)) {
            let last = arrivals.into_iter().max().unwrap_or_default();
            record(&mut self.tally.matching, at.saturating_sub(last));
        }
        for (ticket, number) in pairing.tickets.iter().zip(numbers) {
            record(&mut self.tally.waits, at.saturating_sub(self.arrivals[number]));
            self.waiting_for -= usize::from(ticket.wish.side == Some(SideWish::For));
            done(self.lobby.confirm(pairing.id, &ticket.user));
            self.crowd.release(number);
        }
        let room: Box<str> = format!("r:{}", pairing.id.0).into();
        let begins = Commit { take: vec![pairing.id.key()], ..Commit::put(room.clone(), ROOM) };
        drop((self.register.commit(begins), self.register.commit(Commit::remove(room))));
    }

    fn take_tally(&mut self) -> anyhow::Result<Tally> {
        Ok(mem::replace(&mut self.tally, Tally::new()?))
    }
}
