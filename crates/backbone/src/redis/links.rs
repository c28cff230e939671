//! The connections of the bus, one to each primary, and which partition is on which. One task owns them: it follows the
//! directory, connects again, and has subscriptions asked for where their partitions are.
//!
//! A Redis that is no cluster is one primary with all partitions.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hashbrown::HashMap;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::config::Address;
use super::directory::Directory;
use super::interest::{LinkId, Names};
use super::link::{Link, News, Order, Report};
use super::traffic::Traffic;
use super::wire::WireError;
use crate::backbone::random_u64;

/// How often time is looked at.
const TICK: Duration = Duration::from_millis(200);
/// Reports that may wait; links wait for room.
const REPORTS_MAX: usize = 1024;

/// The task.
#[derive(Debug)]
pub(crate) struct Links {
    traffic: Arc<Traffic>,
    directory: Arc<Directory>,
    links: HashMap<Address, Link>,
    /// By partition.
    places: Vec<Place>,
    /// How often connecting failed in a row, and when to try again.
    failed: HashMap<Address, (u32, Instant)>,
    opened: LinkId,
    reports: (mpsc::Sender<Report>, mpsc::Receiver<Report>),
}

/// Where a partition is.
#[derive(Debug, Default)]
struct Place {
    /// The connection that serves it.
    on: Option<(Address, LinkId)>,
    /// Until when nobody is asked: servers that disagree could send the question back and forth.
    held_until: Option<Instant>,
}

impl Links {
    pub(crate) fn new(traffic: Arc<Traffic>, directory: Arc<Directory>) -> Self {
        Self {
            links: HashMap::new(),
            places: (0..traffic.keys.partitions()).map(|_| Place::default()).collect(),
            failed: HashMap::new(),
            opened: 0,
            reports: mpsc::channel(REPORTS_MAX),
            traffic,
            directory,
        }
    }

    /// Carries messages for as long as the store is in use.
    pub(crate) async fn run(mut self) {
        let traffic = self.traffic.clone();
        let mut topology = self.directory.watch();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = traffic.wanted.notified() => {}
                Ok(()) = topology.changed() => self.settle(Instant::now()),
                Some(report) = self.reports.1.recv() => {
                    self.learn(report);
                    while let Ok(report) = self.reports.1.try_recv() {
                        self.learn(report);
                    }
                    self.settle(Instant::now());
                }
                _ = ticks.tick() => {
                    let now = Instant::now();
                    self.leave(now);
                    self.settle(now);
                }
            }
            self.ask();
        }
    }

    /// Has the channels given up that were released long enough ago.
    fn leave(&mut self, now: Instant) {
        let leaving = self.traffic.interest().leave(now, self.traffic.config.release_after);
        for Names { link, partition, names } in leaving {
            if let Some(link) = self.links.values().find(|its| its.id == link) {
                let _ = link.order(Order::Unsubscribe(partition, names));
            }
        }
    }

    /// Has the channels asked for that are newly wanted or whose partition was placed anew.
    fn ask(&mut self) {
        let asks = self.traffic.interest().ask();
        for Names { link, partition, names } in asks {
            let Some((address, link)) = self.links.iter().find(|(_, its)| its.id == link) else { continue };
            if !link.order(Order::Subscribe(partition, names)) {
                let address = address.clone();
                self.down(&address, &WireError::Shape("it does not take subscriptions"));
            }
        }
    }

    fn learn(&mut self, report: Report) {
        let Report { link: id, address, news } = report;
        let Some(link) = self.links.get_mut(&address).filter(|link| link.id == id) else { return };
        match news {
            News::Up => {
                link.up = true;
                tracing::debug!(%address, "the bus is connected");
            }
            News::Hears => {
                self.failed.remove(&address);
            }
            News::Moved(partition, owner) => {
                self.lose(partition, id);
                self.directory.moved(partition, owner);
            }
            News::Lost(partition) => self.lose(partition, id),
            News::Down(error) => self.down(&address, &error),
        }
    }

    /// A connection is over. Everything that it served is to be placed anew.
    fn down(&mut self, address: &Address, error: &WireError) {
        let Some(link) = self.links.remove(address) else { return };
        let failures = self.failed.get(address).map_or(1, |(failures, _)| failures.saturating_add(1));
        let wait = self.traffic.config.backoff.wait(failures, random_u64() as u32);
        self.failed.insert(address.clone(), (failures, Instant::now() + wait));
        tracing::warn!(%address, %error, failures, "the bus lost a server");
        for (partition, place) in (0..).zip(&mut self.places) {
            place.leave(partition, &link, &self.traffic);
        }
        self.directory.ask_soon();
    }

    /// A server says that a partition is elsewhere, or nowhere for now.
    fn lose(&mut self, partition: u16, id: LinkId) {
        let place = &mut self.places[usize::from(partition)];
        if place.on.as_ref().is_some_and(|(_, on)| *on == id) {
            place.on = None;
            place.held_until = Some(Instant::now() + TICK);
            self.directory.ask_soon();
        }
    }

    /// Brings what serves the partitions in line with what the directory says.
    fn settle(&mut self, now: Instant) {
        let topology = self.directory.topology();
        let primaries = topology.primaries();
        self.failed.retain(|address, _| primaries.contains(address));
        for address in &primaries {
            if !self.links.contains_key(address) && self.failed.get(address).is_none_or(|(_, at)| now >= *at)
            {
                self.opened += 1;
                let (traffic, reports) = (self.traffic.clone(), (self.opened, self.reports.0.clone()));
                self.links.insert(address.clone(), Link::open(traffic, address.clone(), reports));
            }
        }
        let mut unplaced = false;
        for partition in 0..self.traffic.keys.partitions() {
            match topology.owner(partition) {
                Some(owner) => self.place(partition, owner, now),
                None => unplaced = true,
            }
            unplaced |= self.places[usize::from(partition)].on.is_none();
        }
        if unplaced {
            self.directory.ask_soon();
        }
        self.links.retain(|address, _| primaries.contains(address));
        let up = |address| self.links.get(address).is_some_and(|link| link.up);
        let connected = !primaries.is_empty() && primaries.iter().all(up);
        self.traffic.connected.store(connected, Ordering::Relaxed);
    }

    /// Puts a partition on the connection to its owner.
    fn place(&mut self, partition: u16, owner: &Address, now: Instant) {
        let place = &mut self.places[usize::from(partition)];
        if place.held_until.is_some_and(|until| now < until) {
            return;
        }
        match &place.on {
            Some((on, _)) if on == owner => return,
            Some((on, _)) => {
                if let Some(link) = self.links.get(on) {
                    place.leave(partition, link, &self.traffic);
                }
            }
            None => {}
        }
        let Some(link) = self.links.get(owner).filter(|link| link.up) else { return };
        if link.order(Order::Serve(partition)) {
            *place = Place { on: Some((owner.clone(), link.id)), held_until: None };
            self.traffic.outbox.open(partition, link.lane.clone());
            self.traffic.interest().assign(partition, link.id);
        }
    }
}

impl Place {
    /// Takes the partition off a connection, if it is there.
    fn leave(&mut self, partition: u16, link: &Link, traffic: &Traffic) {
        if self.on.take_if(|(_, on)| *on == link.id).is_some() {
            traffic.outbox.close(partition, &link.lane);
            traffic.interest().lose(partition, link.id);
            let _ = link.order(Order::Leave(partition));
        }
    }
}
