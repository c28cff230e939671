//! The halls of an app, one for each tenant: people of different tenants never meet. A node serves only the tenants that
//! are listed, so there are never more halls than those.

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard};

use futures_util::future::{Either, join_all};
use serde_json::Value;
use throng_node::{App, AppStatistics, Io, Leaving, Namespace, Socket, TenantName};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::door::Door;
use super::guest::Telling;
use super::hall::{AppSetup, Site};
use super::keeper;
use super::letter::{Body, LETTER, Letter, NEWS, News, SEEK, TELLING};
use super::records::review::{Review, Wanted};
use crate::roulette::calls::Calls;

/// Every hall of an app.
#[derive(Debug)]
pub(crate) struct Halls {
    app: Arc<AppSetup>,
    io: Io,
    doors: Mutex<Doors>,
    /// Rings when a door needs attendance.
    opened: Notify,
}

#[derive(Debug, Default)]
struct Doors {
    by_tenant: HashMap<TenantName, Arc<Door>>,
    /// Those of a fleet whose keeper nobody looks after yet.
    unattended: Vec<Arc<Door>>,
}

impl Halls {
    /// No halls yet. The numbers of those to come are told by `/api/stats`.
    pub(crate) fn new(app: &mut App, setup: AppSetup) -> Arc<Self> {
        let (name, io) = (setup.theme.name(), app.io());
        let halls =
            Arc::new(Self { app: Arc::new(setup), io, doors: Mutex::default(), opened: Notify::new() });
        let here = halls.clone();
        app.statistics(name, move |tenant| here.statistics(tenant, |door| door.hall().is_some()));
        let here = halls.clone();
        app.fleet_statistics(name, move |tenant| here.statistics(tenant, |_| true));
        let here = halls.clone();
        app.beside(move |io, leaving| here.attend(io, leaving));
        halls
    }

    /// Adds what nodes tell each other.
    pub(crate) fn listen(self: &Arc<Self>, nsp: &mut Namespace) {
        let here = self.clone();
        nsp.on_server_side(LETTER, move |_, letter: Letter| {
            let Some(door) = here.find(&letter.tenant) else { return Either::Left(ready(None)) };
            match door.take_in(letter) {
                Ok(done) => Either::Left(ready(done)),
                Err(letter) => Either::Right(async move { door.open(*letter).await }),
            }
        });
        let here = self.clone();
        nsp.on_server_side(NEWS, move |_, news: News| {
            // A node without sockets of the tenant takes over all the same, when it has to.
            if let Some(tenant) = TenantName::parse(&news.tenant) {
                here.at(&tenant).hear(news);
            }
            ready(())
        });
        let here = self.clone();
        nsp.on_server_side(TELLING, move |_, (telling, payload): (Telling, Option<Value>)| {
            if let Some(door) = here.find(&telling.tenant) {
                door.pass_on(telling, payload);
            }
            ready(())
        });
        let here = self.clone();
        nsp.on_server_side(SEEK, move |_, tenant: String| {
            if let Some(door) = here.find(&tenant) {
                door.sought.notify_one();
            }
            ready(())
        });
    }

    /// The door to the hall of a socket's tenant.
    pub(crate) fn of(&self, socket: &Socket) -> Arc<Door> {
        self.at(socket.tenant())
    }

    /// How calls fare in all halls that are kept here: what was reported, and how many are on.
    pub(crate) fn calls(&self) -> (Calls, u64) {
        let kept = self.doors().by_tenant.values().filter_map(|door| door.hall()).collect::<Vec<_>>();
        sum(kept.iter().map(|hall| hall.calls()))
    }

    /// The same of all halls, whichever node keeps them.
    pub(crate) async fn calls_of_fleet(&self) -> (Calls, u64) {
        let doors = self.all();
        let told = join_all(doors.iter().map(|door| door.inquire(Body::Calls))).await;
        sum(told.into_iter().flatten().filter_map(|told| serde_json::from_value(told).ok()))
    }

    /// What people said about rooms, in all halls, whichever node keeps them.
    pub(crate) async fn review(&self, wanted: &Wanted) -> Review {
        let named = |door: &Arc<Door>| wanted.tenant.as_ref().is_none_or(|name| **name == *door.site.tenant);
        let doors: Vec<_> = self.all().into_iter().filter(named).collect();
        let told = join_all(doors.iter().map(|door| door.inquire(Body::Review(wanted.clone())))).await;
        let mut all = Review::default();
        for review in told.into_iter().flatten().filter_map(|told| serde_json::from_value(told).ok()) {
            all.merge(review, wanted);
        }
        all
    }

    /// The numbers of one tenant's hall, or of all; of those that are counted.
    fn statistics(&self, tenant: Option<&TenantName>, counts: impl Fn(&Door) -> bool) -> AppStatistics {
        let mut sum = self.app.config.nothing_yet();
        let wanted =
            |door: &Arc<Door>| tenant.is_none_or(|tenant| *tenant == door.site.tenant) && counts(door);
        for door in self.all().into_iter().filter(wanted) {
            door.figures().add_to(&mut sum);
        }
        sum
    }

    /// Looks after the keepers of all halls, until the node leaves and others keep them.
    async fn attend(self: Arc<Self>, io: Io, mut leaving: Leaving) {
        let Some(peers) = io.peers() else { return };
        let mut attending = JoinSet::new();
        loop {
            for door in std::mem::take(&mut self.doors().unattended) {
                attending.spawn(keeper::attend(door, peers.clone()));
            }
            tokio::select! {
                () = self.opened.notified() => {}
                () = leaving.begun() => break,
            }
        }
        let doors = self.all();
        join_all(doors.iter().map(|door| keeper::leave(door))).await;
        // What nobody else keeps goes on here until the end.
        attending.detach_all();
    }

    fn at(&self, tenant: &TenantName) -> Arc<Door> {
        let mut doors = self.doors();
        if let Some(door) = doors.by_tenant.get(tenant) {
            return door.clone();
        }
        let door =
            Door::new(Site { app: self.app.clone(), tenant: tenant.clone(), io: self.io.tenant(tenant) });
        doors.by_tenant.insert(tenant.clone(), door.clone());
        if door.peers.is_some() {
            doors.unattended.push(door.clone());
            self.opened.notify_one();
        }
        door
    }

    fn find(&self, tenant: &str) -> Option<Arc<Door>> {
        self.doors().by_tenant.get(&TenantName::parse(tenant)?).cloned()
    }

    fn all(&self) -> Vec<Arc<Door>> {
        self.doors().by_tenant.values().cloned().collect()
    }

    fn doors(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().expect("no panic while the lock is held")
    }
}

fn sum(each: impl Iterator<Item = (Calls, u64)>) -> (Calls, u64) {
    each.fold((Calls::default(), 0), |mut sum, (calls, active)| {
        sum.0 += &calls;
        (sum.0, sum.1 + active)
    })
}
