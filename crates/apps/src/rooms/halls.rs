//! The halls of an app, one for each tenant: people of different tenants never meet. A node serves only the tenants that
//! are listed, so there are never more halls than those.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use throng_node::{App, AppStatistics, Io, Socket, TenantName};

use super::hall::{AppSetup, Hall};
use super::records::review::{Review, Wanted};
use crate::roulette::calls::Calls;

/// Every hall of an app.
#[derive(Debug)]
pub(crate) struct Halls {
    app: Arc<AppSetup>,
    io: Io,
    by_tenant: Mutex<HashMap<TenantName, Arc<Hall>>>,
}

impl Halls {
    /// No halls yet. The numbers of those to come are told by `/api/stats`.
    pub(crate) fn new(app: &mut App, setup: AppSetup) -> Arc<Self> {
        let name = setup.theme.name();
        let halls = Arc::new(Self { app: Arc::new(setup), io: app.io(), by_tenant: Mutex::default() });
        let here = halls.clone();
        app.statistics(name, move |tenant| here.statistics(tenant));
        halls
    }

    /// The hall of a socket's tenant.
    pub(crate) fn of(&self, socket: &Socket) -> Arc<Hall> {
        let mut halls = self.halls();
        if let Some(hall) = halls.get(socket.tenant()) {
            return hall.clone();
        }
        let (tenant, io) = (socket.tenant().clone(), self.io.tenant(socket.tenant()));
        let hall = Hall::open(self.app.clone(), tenant.clone(), io);
        halls.insert(tenant, hall.clone());
        hall
    }

    /// How calls fare in all halls: what was reported, and how many are on.
    pub(crate) fn calls(&self) -> (Calls, u64) {
        let mut sum = (Calls::default(), 0);
        for hall in self.halls().values() {
            let (calls, active) = hall.calls();
            sum.0 += &calls;
            sum.1 += active;
        }
        sum
    }

    /// The numbers of one tenant's hall, or of all.
    fn statistics(&self, tenant: Option<&TenantName>) -> AppStatistics {
        let halls = self.halls();
        let wanted = halls.iter().filter(|(name, _)| tenant.is_none_or(|tenant| tenant == *name));
        let mut sum = self.app.nothing_yet();
        wanted.for_each(|(_, hall)| sum += hall.statistics());
        sum
    }

    /// What people said about rooms, in all halls.
    pub(crate) fn review(&self, wanted: &Wanted) -> Review {
        let halls = self.halls();
        let named = |name: &TenantName| wanted.tenant.as_ref().is_none_or(|tenant| **tenant == **name);
        let mut all = Review::default();
        for (_, hall) in halls.iter().filter(|(name, _)| named(name)) {
            all.merge(hall.review(wanted), wanted);
        }
        all
    }

    fn halls(&self) -> MutexGuard<'_, HashMap<TenantName, Arc<Hall>>> {
        self.by_tenant.lock().expect("no panic while the lock is held")
    }
}
