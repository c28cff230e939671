//! Who keeps a tenant's hall: of the nodes of a fleet exactly one, the one that holds the lease on it. The task of a door
//! that takes the lease when nobody has it, holds on to it, tells the others of it, and notices when it is lost.
//!
//! A keeper acts only while it is sure of its lease ([`Tenure`]). While the store is away nobody can take it, and the keeper
//! has a head start when the store is back: what it has in memory is worth more than what is written down.

use std::sync::Arc;
use std::time::Duration;

use throng_backbone::{Commit, Committed, Lease, LeaseError, Register, Scope, Status, StoreError};
use throng_node::Peers;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout, timeout_at};

use super::absences::Absences;
use super::door::{Door, Keeper, Stand};
use super::hall::Hall;
use super::letter::{NEWS, News, SEEK, Said};
use super::tenure::Tenure;

/// How long a node that leaves waits for another to take over.
const SUCCESSION: Duration = Duration::from_secs(1);

/// How long things take, in parts of a lease.
#[derive(Debug, Clone, Copy)]
struct Paces {
    lease: Duration,
    /// How much earlier than the store the keeper takes its lease for over.
    margin: Duration,
    /// How often it is renewed.
    renewal: Duration,
    /// How often the keeper says that it is.
    news: Duration,
    /// How long it may be silent.
    silence: Duration,
    /// How often a lease that somebody has is tried for.
    retry: Duration,
}

impl Paces {
    fn of(lease: Duration) -> Self {
        Self {
            lease,
            margin: lease / 12,
            renewal: lease / 3,
            news: lease / 6,
            silence: lease / 2,
            retry: lease / 12,
        }
    }
}

/// A hall that is kept here.
struct Held {
    lease: Lease,
    hall: Arc<Hall>,
    tenure: Tenure,
    register: Register,
}

/// Sees to it that the hall has a keeper, for as long as it runs.
pub(super) async fn attend(door: Arc<Door>, peers: Peers) {
    let paces = Paces::of(door.site.app.config.takeover);
    let reconnects = peers.backbone().status().reconnects;
    let mut office = Office { door, peers, paces, reconnects, disturbed: None };
    loop {
        match office.door.stand() {
            Stand::Following(keeper) => office.follow(keeper).await,
            Stand::Seeking | Stand::Keeping(_) => {
                if let Some(held) = office.seek().await {
                    office.keep(held).await;
                }
            }
        }
    }
}

struct Office {
    door: Arc<Door>,
    peers: Peers,
    paces: Paces,
    /// How often the store had come back at the last look.
    reconnects: u64,
    /// When it was last found to be away, or to have been.
    disturbed: Option<Instant>,
}

impl Office {
    /// Until the keeper is gone or another is known.
    async fn follow(&mut self, keeper: Keeper) {
        let mut turned = self.door.watch();
        loop {
            if !matches!(self.door.stand(), Stand::Following(known) if known == keeper) {
                return;
            }
            self.look_at_the_store();
            let silent = self.door.heard() + self.paces.silence;
            if silent <= Instant::now() {
                return self.door.lose(keeper);
            }
            let _ = timeout_at(silent.min(Instant::now() + self.paces.news), turned.changed()).await;
        }
    }

    /// Until somebody keeps the hall: this node, or another.
    async fn seek(&mut self) -> Option<Held> {
        let leases = self.peers.backbone().leases().clone();
        let mut turned = self.door.watch();
        loop {
            if let Stand::Following(_) = self.door.stand() {
                return None;
            }
            self.look_at_the_store();
            if !self.door.is_leaving() && !self.is_disturbed() {
                let asked = Instant::now();
                let (name, patience) = (self.name(), self.paces.lease);
                if let Ok(Ok(Some(lease))) = timeout(patience, leases.acquire(&name, patience)).await
                    && let Some(held) = self.take_over(lease, asked).await
                {
                    return Some(held);
                }
            }
            self.all().server_side_emit(SEEK, &*self.door.site.tenant);
            let _ = timeout(self.paces.retry, turned.changed()).await;
        }
    }

    /// Notes whether the store has been away since the last look.
    fn look_at_the_store(&mut self) {
        let Status { connected, reconnects, .. } = self.peers.backbone().status();
        if !connected || reconnects != self.reconnects {
            self.disturbed = Some(Instant::now());
        }
        self.reconnects = reconnects;
    }

    /// Whether the store is away, or has just come back: whoever kept the hall goes first.
    fn is_disturbed(&self) -> bool {
        self.disturbed.is_some_and(|disturbed| disturbed.elapsed() < self.paces.silence)
    }

    /// Opens what is written down, and goes on with it. `None` when that cannot be done in time.
    async fn take_over(&self, lease: Lease, asked: Instant) -> Option<Held> {
        let site = &self.door.site;
        let scope = Scope::new(&*site.tenant, format!("hall/{}", site.app.theme.name()));
        let opening = self.peers.backbone().tickets().open(&scope, lease.fence);
        let book = match timeout(self.paces.lease, opening).await {
            Ok(Ok(book)) => book,
            Ok(Err(error)) => return self.give_back(&lease, &error.to_string()).await,
            Err(_) => return self.give_back(&lease, "it takes too long").await,
        };
        let tenure = Tenure::until(self.until(asked), lease.fence);
        tracing::info!(app = site.app.theme.name(), tenant = %site.tenant, fence = lease.fence, "keeping a hall");
        let register = book.0.clone();
        let hall = Hall::open(site.clone(), tenure.clone(), Some(book));
        self.door.keep(&hall, lease.fence);
        Some(Held { lease, hall, tenure, register })
    }

    async fn give_back(&self, lease: &Lease, why: &str) -> Option<Held> {
        let site = &self.door.site;
        tracing::warn!(app = site.app.theme.name(), tenant = %site.tenant, why, "a hall cannot be taken over");
        // If this fails it runs out.
        let _ = self.peers.backbone().leases().release(lease).await;
        None
    }

    /// Until the hall is not kept here any longer.
    async fn keep(&self, mut held: Held) {
        let (mut turned, mut members) = (self.door.watch(), self.peers.watch());
        let mut absences = Absences::new(self.peers.nodes(), self.paces.silence);
        let (mut news, mut renewal) = (interval(self.paces.news), interval(self.paces.renewal));
        news.set_missed_tick_behavior(MissedTickBehavior::Delay);
        renewal.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (mut settling, mut settled) = (std::pin::pin!(sleep(self.paces.silence)), false);
        loop {
            if self.door.hall().is_none_or(|kept| !Arc::ptr_eq(&kept, &held.hall)) {
                // News of a later keeper have come.
                return held.tenure.end();
            }
            if self.door.is_leaving() && (self.door.has_others() || held.hall.is_deserted()) {
                return self.hand_over(held).await;
            }
            tokio::select! {
                biased;
                _ = renewal.tick() => {
                    if !self.renew(&mut held).await {
                        tracing::warn!(app = self.door.site.app.theme.name(), tenant = %self.door.site.tenant, "a hall is lost");
                        held.tenure.end();
                        self.door.let_go();
                        // Where the lease is this node's all the same, another shall have it.
                        let _ = self.peers.backbone().leases().release(&held.lease).await;
                        return;
                    }
                }
                _ = members.changed() => absences.look(self.peers.nodes(), Instant::now()),
                () = sleep_until(absences.due(Instant::now())) => {
                    held.hall.lose_nodes(&absences.take_gone(Instant::now()));
                }
                () = &mut settling, if !settled => {
                    settled = true;
                    held.hall.tell_absences();
                }
                _ = turned.changed() => {}
                () = self.door.sought.notified() => self.tell(&held),
                _ = news.tick() => {
                    self.tell(&held);
                    if held.tenure.is_cut() && self.peers.backbone().status().connected {
                        // Before anybody else thinks of it.
                        renewal.reset_immediately();
                    }
                }
            }
        }
    }

    /// Holds on to the lease. Says whether the hall is still this node's.
    async fn renew(&self, held: &mut Held) -> bool {
        let (leases, lease) = (self.peers.backbone().leases(), self.paces.lease);
        let asked = Instant::now();
        if held.tenure.is_deposed() {
            return false;
        }
        let renewed = match timeout(self.paces.renewal, leases.renew(&held.lease, lease)).await {
            Ok(renewed) => renewed,
            Err(_) => Err(LeaseError::Store(StoreError::Away)),
        };
        match renewed {
            Ok(()) => {}
            Err(LeaseError::Store(_)) => {
                held.tenure.cut();
                if !held.tenure.is_sure() {
                    held.hall.hold();
                }
                return true;
            }
            Err(LeaseError::Lost) if held.tenure.is_cut() => {
                match timeout(self.paces.renewal, leases.acquire(&self.name(), lease)).await {
                    Ok(Ok(Some(again))) => held.lease = again,
                    Ok(Ok(None)) => return false,
                    Ok(Err(_)) | Err(_) => return true,
                }
                // Somebody may have had it in between, and have decided something.
                if !matches!(
                    timeout(lease, held.register.raise(held.lease.fence)).await,
                    Ok(Ok(Committed::Done))
                ) {
                    return false;
                }
                held.tenure.renumber(held.lease.fence);
                self.door.keep_on(held.lease.fence);
            }
            Err(LeaseError::Lost) => return false,
        }
        let was_sure = held.tenure.is_sure();
        held.tenure.extend(self.until(asked));
        if !was_sure {
            held.hall.resume();
            self.door.ring();
        }
        true
    }

    /// The node leaves: somebody else shall keep the hall.
    async fn hand_over(&self, held: Held) {
        held.tenure.end();
        self.door.let_go();
        // What was done last is written when this is.
        let written = timeout(self.paces.renewal, held.register.commit(Commit::default())).await;
        tracing::info!(written = written.is_ok_and(|written| written.is_ok()), "a hall is handed over");
        if let Err(error) = self.peers.backbone().leases().release(&held.lease).await {
            tracing::debug!(%error, "a hall is not released; its lease runs out");
        }
        self.spread(held.lease.fence, Said::Released);
    }

    fn tell(&self, held: &Held) {
        if held.tenure.is_sure() {
            let rolled = held.hall.rolled();
            let figures = Box::new(held.hall.statistics());
            self.spread(held.lease.fence, Said::Kept { rolled, figures });
        }
    }

    fn spread(&self, fence: u64, said: Said) {
        let news = News { tenant: (&*self.door.site.tenant).into(), keeper: self.peers.me(), fence, said };
        self.all().server_side_emit(NEWS, news);
    }

    fn all(&self) -> throng_node::Broadcast {
        self.door.site.io.of(self.door.site.app.namespace)
    }

    fn name(&self) -> String {
        format!("hall/{}/{}", self.door.site.app.theme.name(), self.door.site.tenant)
    }

    fn until(&self, asked: Instant) -> Instant {
        asked + (self.paces.lease - self.paces.margin)
    }
}

/// The node leaves: waits until another keeps what this one did, for a while.
pub(super) async fn leave(door: &Door) {
    if door.hall().is_none() || !door.has_others() {
        return door.begin_leaving();
    }
    let mut turned = door.watch();
    door.begin_leaving();
    let followed = async {
        while !matches!(door.stand(), Stand::Following(_)) {
            if turned.changed().await.is_err() {
                return;
            }
        }
    };
    if timeout(SUCCESSION, followed).await.is_err() {
        tracing::debug!(tenant = %door.site.tenant, "nobody has taken a hall over yet");
    }
}
