//! The debate matchmaker, namespace `/debate`: choose a topic and a side, be paired with a stranger of the other side,
//! talk until the clock runs out.
//!
//! It is open to guests. Whoever comes back as the same user within the grace period, a guest with the token of
//! `token:guest` for example, finds its debate again; on a node that does not ask for tokens nobody can.

mod hall;
mod pace;
mod pairing;
mod text;

use std::collections::HashMap;
use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;
use throng_node::{App, AppStatistics, End, Io, Namespace, Role, Socket, TenantName, Waits};
use utoipa::ToSchema;

use hall::{Hall, Joined, LobbyState, Queued, RoomEnded, Said};
use pairing::Wish;

use crate::request::{Answer, Done, request};

/// The namespace.
pub const NAMESPACE: &str = "/debate";

/// How debates go.
#[derive(Debug, Clone)]
pub struct Config {
    /// How long a debate lasts. Default 10 minutes.
    pub duration: Duration,
    /// How long someone who vanished is waited for. Default 30 s.
    pub grace: Duration,
    /// People who may wait at the same time. Default 10,000.
    pub waiting_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { duration: Duration::from_secs(600), grace: Duration::from_secs(30), waiting_max: 10_000 }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Join {
    topic: String,
    side: Wish,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Message {
    text: String,
}

/// One hall for each tenant that somebody came from: people of different tenants never meet. A node serves only the
/// tenants that are listed, so there are never more halls than those.
#[derive(Debug)]
struct Halls {
    config: Config,
    io: Io,
    by_tenant: Mutex<HashMap<TenantName, Arc<Hall>>>,
}

impl Halls {
    fn of(&self, socket: &Socket) -> Arc<Hall> {
        let mut halls = self.by_tenant.lock().expect("no panic while the lock is held");
        if let Some(hall) = halls.get(socket.tenant()) {
            return hall.clone();
        }
        let hall = Arc::new(Hall::new(self.config.clone(), self.io.tenant(socket.tenant())));
        halls.insert(socket.tenant().clone(), hall.clone());
        hall
    }

    /// The numbers of one tenant's hall, or of all.
    fn statistics(&self, tenant: Option<&TenantName>) -> AppStatistics {
        let halls = self.by_tenant.lock().expect("no panic while the lock is held");
        let wanted = halls.iter().filter(|(name, _)| tenant.is_none_or(|tenant| tenant == *name));
        let mut sum = AppStatistics::default();
        for (_, hall) in wanted {
            let busy = hall.busy();
            sum += AppStatistics {
                rooms_active: busy.debates as u64,
                waiting: [("default".to_owned(), busy.waiting as u64)].into(),
                rooms_per_hour: busy.debates_per_hour,
                waits_recent: Waits { sum: busy.waits.0, count: busy.waits.1 },
                ..AppStatistics::default()
            };
        }
        sum
    }
}

/// Adds the namespace to an app.
pub fn install(app: &mut App, config: Config) {
    let halls = Arc::new(Halls { config, io: app.io(), by_tenant: Mutex::default() });
    let here = halls.clone();
    app.statistics("debate", move |tenant| here.statistics(tenant));
    app.namespace(NAMESPACE, |nsp| {
        nsp.open_to(Role::Guest);
        describe(nsp);
        let here = halls.clone();
        nsp.on_connect(move |socket: Socket| {
            here.of(&socket).arrive(&socket);
            ready(())
        });
        let here = halls.clone();
        nsp.on(
            "queue:join",
            request(move |socket, join: Join| here.of(socket).join(socket, &join.topic, join.side)),
        );
        let here = halls.clone();
        nsp.on("queue:leave", request(move |socket, ()| here.of(socket).leave_queue(socket)));
        let here = halls.clone();
        nsp.on(
            "room:message",
            request(move |socket, message: Message| here.of(socket).say(socket, &message.text)),
        );
        let here = halls.clone();
        nsp.on("room:leave", request(move |socket, ()| here.of(socket).leave_room(socket)));
        let here = halls.clone();
        nsp.on_disconnecting(move |socket: Socket, end| {
            if end == End::ServerShutdown {
                here.of(&socket).drain(&socket);
            }
            ready(())
        });
        nsp.on_disconnect(move |socket: Socket, _| {
            halls.of(&socket).depart(&socket);
            ready(())
        });
    });
}

/// Says what the events are for.
fn describe(nsp: &mut Namespace) {
    nsp.describe::<Join, Answer<Queued>>(
        "queue:join",
        "Waits for a partner on a topic; a second wish replaces the first.",
    )
    .describe::<(), Answer<Done>>("queue:leave", "Waits no more.")
    .describe::<Message, Answer<Done>>("room:message", "Says something in the debate.")
    .describe::<(), Answer<Done>>("room:leave", "Ends the debate.")
    .describe_sent::<LobbyState<'_>>("lobby:state", "How busy it is: on connect, then at most once a second.")
    .describe_sent::<Joined<'_>>("room:joined", "A debate begins, or goes on for one who came back.")
    .describe_sent::<Said<'_>>("room:message", "A message of either side.")
    .describe_sent::<()>("partner:away", "The partner has vanished and may come back.")
    .describe_sent::<()>("partner:back", "The partner is back.")
    .describe_sent::<RoomEnded>("room:ended", "The debate is over.");
}
