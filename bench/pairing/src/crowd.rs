//! The people of the benchmark: debaters with a side, one of a hundred topics (over all queues), one to three tags of
//! twenty, and now and then a language, a blocked user and somebody they have met. Made before they are needed: making them is not measured.

use std::sync::Arc;

use throng_lobby::{
    AnyTopic, Bound, Few, Language, Newcomer, People, QueueName, SideWish, Tag, Tags, Topic, User, Wish,
};

/// Wishes that are made; then they come round again.
const WISHES: usize = 1 << 16;
const TOPICS: usize = 100;
const TAGS: usize = 20;

/// People with wishes, in an order that is always the same.
pub(crate) struct Crowd {
    wishes: Vec<(Arc<Wish>, People, People)>,
    next_wish: usize,
    users: Vec<User>,
    /// Users who are not in the lobby.
    free: Vec<usize>,
}

/// Which side the next one wants. One in ten wants either all the same.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    For,
    Against,
    /// For and against in turns.
    InTurn,
}

impl Crowd {
    /// A crowd for so many queues, of at most so many people at a time.
    pub(crate) fn new(queues: usize, people_max: usize) -> Self {
        let mut random = Random(0x5eed);
        let users: Vec<User> = (0..people_max).map(|number| User::from(number.to_string())).collect();
        let wishes = (0..WISHES).map(|number| {
            let blocked = random.one_in(10).then(|| random.pick(&users));
            let recent = random.one_in(4).then(|| random.pick(&users));
            let side = if number % 2 == 0 { SideWish::For } else { SideWish::Against };
            let wish = wish(queues, side, &mut random);
            (Arc::new(wish), blocked.into_iter().collect(), recent.into_iter().collect())
        });
        let wishes = wishes.collect();
        Self { wishes, next_wish: 0, free: (0..users.len()).rev().collect(), users }
    }

    /// The next one to come, with the number of the user. Nobody when all are in the lobby.
    pub(crate) fn next(&mut self, next: Next) -> Option<(usize, Newcomer)> {
        let number = self.free.pop()?;
        // Those for their topics have even numbers.
        self.next_wish = match next {
            Next::For => (self.next_wish | 1) + 1,
            Next::Against => (self.next_wish + 1) | 1,
            Next::InTurn => self.next_wish + 1,
        };
        let (wish, blocked, recent) = &self.wishes[self.next_wish % WISHES];
        let newcomer = Newcomer {
            user: self.users[number].clone(),
            wish: Arc::clone(wish),
            blocked: blocked.clone(),
            recent: recent.clone(),
            policy: None,
            bound: Bound::Kept,
        };
        Some((number, newcomer))
    }

    /// How many are in the lobby.
    pub(crate) fn present(&self) -> usize {
        self.users.len() - self.free.len()
    }

    /// Somebody has left the lobby.
    pub(crate) fn release(&mut self, number: usize) {
        self.free.push(number);
    }
}

pub(crate) fn queue_name(number: usize) -> QueueName {
    QueueName::from(format!("queue-{number}"))
}

/// The number of a user of a crowd.
pub(crate) fn number_of(user: &User) -> usize {
    user.as_str().parse().expect("users are called by their number")
}

fn wish(queues: usize, side: SideWish, random: &mut Random) -> Wish {
    let mut wish = Wish::new(queue_name(random.below(queues)));
    let topic = |random: &mut Random| {
        Topic::from(format!(
            "a topic to debate, the one with number {}",
            random.below((TOPICS / queues).max(1))
        ))
    };
    wish.topic = Some(topic(random));
    wish.other_topics = Few::new(vec![topic(random)]).expect("one");
    wish.any_topic = if random.one_in(3) { AnyTopic::Accepted } else { AnyTopic::Refused };
    wish.side = Some(if random.one_in(10) { SideWish::Any } else { side });
    let tags = 1 + random.below(3);
    let tags = (0..tags).map(|_| Tag::from(format!("interest {}", random.below(TAGS))));
    wish.tags = Tags::new(tags).expect("three at most");
    wish.language = random.one_in(2).then(|| Language::from(["en", "de", "fr"][random.below(3)]));
    wish
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick(&mut self, users: &[User]) -> User {
        users[self.below(users.len())].clone()
    }
}
