//! Tasks of apps that run beside a node: from when it serves until it leaves.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::io::Io;

/// How long the tasks may take to end once the node leaves.
const PATIENCE: Duration = Duration::from_secs(2);

/// Tells a task that the node leaves.
#[derive(Debug, Clone)]
pub struct Leaving(watch::Receiver<bool>);

impl Leaving {
    /// Waits until the node leaves.
    pub async fn begun(&mut self) {
        // A node that is no more has left.
        let _ = self.0.wait_for(|leaving| *leaving).await;
    }
}

type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
type Start = Box<dyn FnOnce(Io, Leaving) -> Running + Send>;

/// Tasks that have not begun.
#[derive(Default)]
pub(crate) struct Beside(Vec<Start>);

impl Beside {
    pub(crate) fn add<Fut>(&mut self, task: impl FnOnce(Io, Leaving) -> Fut + Send + 'static)
    where
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.0.push(Box::new(|io, leaving| Box::pin(task(io, leaving))));
    }

    /// Starts them on the runtime of whoever calls. They end with what comes back.
    pub(crate) fn start(self, io: &Io) -> Companions {
        let (leave, leaving) = watch::channel(false);
        let mut running = JoinSet::new();
        for task in self.0 {
            running.spawn(task(io.clone(), Leaving(leaving.clone())));
        }
        Companions { leave, running }
    }
}

impl std::fmt::Debug for Beside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Beside").field(&self.0.len()).finish()
    }
}

/// Tasks that run.
#[derive(Debug)]
pub(crate) struct Companions {
    leave: watch::Sender<bool>,
    running: JoinSet<()>,
}

impl Companions {
    /// Says that the node leaves, and waits for the tasks.
    pub(crate) async fn leave(&mut self) {
        self.leave.send_replace(true);
        let ended = async { while self.running.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            tracing::warn!("a task of an app has not ended in time");
        }
    }
}
