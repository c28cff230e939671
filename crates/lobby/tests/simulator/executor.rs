//! Runs tasks one poll at a time, in an order that the seed decides, on a clock that stands still while anybody can run
//! (but for a small step now and then).

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use throng_lobby::{Lobby, Time};

use crate::random::Random;

/// The clock and the tasks. Clones are handles of the same.
#[derive(Clone)]
pub(crate) struct Executor {
    now: Rc<Cell<Time>>,
    /// Until when the task sleeps that is being polled.
    asleep: Rc<Cell<Option<Time>>>,
    started: Rc<RefCell<Vec<Task>>>,
}

struct Task {
    future: Pin<Box<dyn Future<Output = ()>>>,
    wakes: Option<Time>,
}

impl Executor {
    pub(crate) fn new() -> Self {
        // Some time after the epoch, so that credits fit before it.
        Self {
            now: Rc::new(Cell::new(Time(Duration::from_secs(3600)))),
            asleep: Rc::default(),
            started: Rc::default(),
        }
    }

    pub(crate) fn now(&self) -> Time {
        self.now.get()
    }

    pub(crate) fn start(&self, future: impl Future<Output = ()> + 'static) {
        self.started.borrow_mut().push(Task { future: Box::pin(future), wakes: None });
    }

    /// Ends when the clock shows this.
    pub(crate) async fn sleep_until(&self, at: Time) {
        poll_fn(|_| {
            if self.now() >= at {
                return Poll::Ready(());
            }
            self.asleep.set(Some(at));
            Poll::Pending
        })
        .await;
    }

    pub(crate) async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    /// Lets others run.
    pub(crate) async fn turn(&self) {
        let mut waited = false;
        poll_fn(|_| if std::mem::replace(&mut waited, true) { Poll::Ready(()) } else { Poll::Pending }).await;
    }

    /// Runs until no task is left and nothing is due in the lobby, looking at things after each poll.
    pub(crate) fn run(&self, lobby: &Lobby, random: &mut Random, mut look: impl FnMut()) {
        let mut context = Context::from_waker(Waker::noop());
        let mut tasks: Vec<Task> = Vec::new();
        let advancing = Rc::new(Cell::new(false));
        loop {
            if !advancing.get() && lobby.due().is_some_and(|due| due <= self.now()) {
                let (lobby, now, advancing) = (lobby.clone(), self.now(), Rc::clone(&advancing));
                advancing.set(true);
                self.start(async move {
                    lobby.advance(now).await;
                    advancing.set(false);
                });
            }
            tasks.append(&mut self.started.borrow_mut());
            let awake = |task: &Task| task.wakes.is_none_or(|wakes| wakes <= self.now());
            let runnable: Vec<usize> = (0..tasks.len()).filter(|index| awake(&tasks[*index])).collect();
            if runnable.is_empty() {
                let next = tasks.iter().filter_map(|task| task.wakes).chain(lobby.due()).min();
                let Some(next) = next else { return };
                self.now.set(self.now().max(next));
                continue;
            }
            if random.percent(2) {
                self.now.set(self.now() + random.millis(5));
            }
            let index = *random.pick(&runnable);
            self.asleep.set(None);
            if tasks[index].future.as_mut().poll(&mut context).is_ready() {
                drop(tasks.swap_remove(index));
            } else {
                tasks[index].wakes = self.asleep.take();
            }
            look();
        }
    }
}
