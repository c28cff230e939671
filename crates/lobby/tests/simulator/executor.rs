//! Runs tasks one poll at a time, in an order that the seed decides, on a clock that stands still while anybody can run
//! (but for a small step now and then).

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
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

type Task = Pin<Box<dyn Future<Output = ()>>>;

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
        self.started.borrow_mut().push(Box::pin(future));
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
        let mut awake: Vec<Task> = Vec::new();
        let mut asleep: BTreeMap<(Time, usize), Task> = BTreeMap::new();
        let mut slept = 0;
        let advancing = Rc::new(Cell::new(false));
        loop {
            let due = lobby.due();
            if !advancing.get() && due.is_some_and(|due| due <= self.now()) {
                let (lobby, now, advancing) = (lobby.clone(), self.now(), Rc::clone(&advancing));
                advancing.set(true);
                self.start(async move {
                    lobby.advance(now).await;
                    advancing.set(false);
                });
            }
            awake.append(&mut self.started.borrow_mut());
            while let Some(first) = asleep.first_entry().filter(|first| first.key().0 <= self.now()) {
                awake.push(first.remove());
            }
            if awake.is_empty() {
                let wakes = asleep.keys().next().map(|(wakes, _)| *wakes);
                let Some(next) = wakes.into_iter().chain(due).min() else { return };
                self.now.set(self.now().max(next));
                continue;
            }
            if random.percent(2) {
                self.now.set(self.now() + random.millis(5));
            }
            let mut task = awake.swap_remove(random.below(awake.len()));
            self.asleep.set(None);
            if task.as_mut().poll(&mut context).is_pending() {
                match self.asleep.take() {
                    None => awake.push(task),
                    Some(until) => {
                        slept += 1;
                        asleep.insert((until, slept), task);
                    }
                }
            }
            look();
        }
    }
}
