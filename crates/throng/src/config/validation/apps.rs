//! What no type can say of the apps' settings: names that must lead somewhere, steps that must only ever ask less.

use std::collections::HashSet;
use std::time::Duration;

use super::super::key::Key;
use super::super::shown::without_password;
use super::super::typed::pairing::DEFAULT;
use super::super::typed::{Analytics, Config, Debate, Feature, Pairing, Rooms, Roulette, Sink};
use super::{Judge, is_label};

/// The longest topic, in characters, as the app reads it.
const TOPIC_CHARS_MAX: usize = 120;
/// The longest name of a queue or a policy.
const NAME_BYTES_MAX: usize = 40;

impl Judge<'_> {
    pub(super) fn apps(&mut self, config: &Config) {
        self.pairing(&config.pairing);
        for rooms in [config.debate.rooms(), config.roulette.rooms()] {
            self.rooms(&rooms, &config.pairing);
        }
        self.debate(&config.debate);
        self.roulette(&config.roulette);
        for (name, feature) in &config.features {
            self.feature(&Key::dotted("features").child(name), name, feature, config);
        }
        self.analytics(&config.analytics);
    }

    fn pairing(&mut self, pairing: &Pairing) {
        let all = pairing.policies.iter().map(|(name, own)| {
            let key = Key::dotted("pairing.policies").child(name);
            (name.as_str(), key, own.steps.is_some())
        });
        for (name, key, has_steps) in [(DEFAULT, Key::dotted("pairing"), true)].into_iter().chain(all) {
            if key != Key::dotted("pairing") {
                if name == DEFAULT {
                    self.at(&key, "the policy \"default\" is what [pairing] itself says");
                    continue;
                }
                self.name(&key, name);
            }
            // A policy without steps of its own has those of the default one, which are judged there.
            for problem in pairing.policy(name).err().filter(|_| has_steps).into_iter().flatten() {
                self.at(&key.child("steps"), problem);
            }
        }
    }

    fn rooms(&mut self, rooms: &Rooms<'_>, pairing: &Pairing) {
        let table = Key::dotted(rooms.app);
        for (name, time) in [("duration", rooms.duration), ("confirm_timeout", rooms.confirm_timeout)] {
            if time.is_zero() {
                self.at(&table.child(name), "no time at all");
            }
        }
        let queues = rooms.queues.values().filter_map(|queue| queue.duration);
        if queues
            .chain([rooms.duration])
            .any(|duration| !duration.is_zero() && duration <= rooms.confirm_timeout)
        {
            let problem = "a room would end before it counts as begun; it is less than every duration";
            self.at(&table.child("confirm_timeout"), problem);
        }
        self.known_policy(&table.child("policy"), rooms.policy, pairing);
        for (name, queue) in rooms.queues {
            let key = table.child("queues").child(name);
            if name == DEFAULT {
                self.at(&key, format!("the queue \"default\" is what [{table}] itself says"));
            } else {
                self.name(&key, name);
            }
            if queue.duration.is_some_and(|duration| duration.is_zero()) {
                self.at(&key.child("duration"), "no time at all");
            }
            if let Some(policy) = &queue.policy {
                self.known_policy(&key.child("policy"), policy, pairing);
            }
        }
    }

    fn debate(&mut self, debate: &Debate) {
        for topic in &debate.topics {
            if !(1..=TOPIC_CHARS_MAX).contains(&topic.trim().chars().count()) {
                self.wrong("debate.topics", format!("{topic:?} has not 1 to {TOPIC_CHARS_MAX} characters"));
            }
        }
        let mut known = HashSet::new();
        for topic in debate.topics.iter().filter(|topic| !known.insert(topic.trim().to_lowercase())) {
            self.wrong("debate.topics", format!("{topic:?} is there twice, in whatever case"));
        }
        if debate.topics.is_empty() && !debate.own_topics {
            self.pair(
                "debate.own_topics",
                "debate.topics",
                "there is nothing to debate; list debate.topics, or allow own ones",
            );
        }
    }

    fn roulette(&mut self, roulette: &Roulette) {
        for (key, servers, schemes) in [
            ("roulette.stun", &roulette.stun, ["stun:", "stuns:"]),
            ("roulette.turn", &roulette.turn, ["turn:", "turns:"]),
        ] {
            let fits = |server: &str| {
                let host = schemes.iter().find_map(|scheme| server.strip_prefix(scheme));
                host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
            };
            for server in servers.iter().filter(|server| !fits(server)) {
                self.wrong(
                    key,
                    format!(
                        "{:?} is not an address such as \"{}example.org:3478\"",
                        without_password(server),
                        schemes[0]
                    ),
                );
            }
        }
        if !roulette.turn.is_empty() && roulette.turn_secret.is_empty() {
            self.wrong(
                "roulette.turn",
                "browsers use no relay without credentials; set roulette.turn_secret",
            );
        }
        self.times(&[("roulette.turn_lifetime", roulette.turn_lifetime)]);
        let queues = roulette.queues.values().filter_map(|queue| queue.duration);
        let longest = queues.fold(roulette.duration, Duration::max);
        if !roulette.turn.is_empty() && roulette.turn_lifetime < longest {
            self.wrong(
                "roulette.turn_lifetime",
                "less than the longest call, whose relay would end before it",
            );
        }
    }

    fn feature(&mut self, key: &Key, name: &str, feature: &Feature, config: &Config) {
        let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        if name.is_empty() || !name.bytes().all(fine) {
            self.at(key, "a name is lower-case letters, digits and underscores");
        }
        if feature.percent > 100 {
            self.at(&key.child("percent"), format!("{} is more than 100", feature.percent));
        }
        for tenant in feature.tenants.iter().filter(|tenant| !is_label(tenant)) {
            self.at(&key.child("tenants"), format!("{tenant:?} is no name of a tenant"));
        }
        if !feature.policy.is_empty() {
            self.known_policy(&key.child("policy"), &feature.policy, &config.pairing);
        }
        let all = [config.debate.rooms(), config.roulette.rooms()];
        let exists = |rooms: &Rooms<'_>| match feature.about(rooms.app) {
            None => false,
            Some(None) => true,
            Some(Some(queue)) => queue == DEFAULT || rooms.queues.contains_key(queue),
        };
        if !all.iter().any(exists) {
            let queue = &feature.queue;
            self.at(
                &key.child("queue"),
                format!("there is no queue {queue:?}; it is \"\", an app such as \"debate\", or \"debate.default\""),
            );
        }
    }

    fn analytics(&mut self, analytics: &Analytics) {
        if analytics.batch_max > analytics.queue_max {
            self.pair(
                "analytics.batch_max",
                "analytics.queue_max",
                "analytics.batch_max exceeds analytics.queue_max",
            );
        }
        if analytics.sink != Sink::Webhook {
            return;
        }
        match &analytics.url {
            None => self.wrong("analytics.sink", "a webhook needs analytics.url"),
            Some(url) if !url.username().is_empty() || url.password().is_some() => {
                self.wrong("analytics.url", "a user in it would not be sent; the signature says who calls");
            }
            Some(_) => {}
        }
        if analytics.secret.is_empty() {
            self.wrong(
                "analytics.sink",
                "a webhook needs analytics.secret, with which its owner checks who calls",
            );
        }
    }

    fn known_policy(&mut self, key: &Key, name: &str, pairing: &Pairing) {
        if !pairing.has(name) {
            self.at(key, format!("there is no policy {name:?}; [pairing.policies.{name}] would be one"));
        }
    }

    /// Names of queues and policies stand in metrics and in what clients send.
    fn name(&mut self, key: &Key, name: &str) {
        let fine = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_-".contains(&byte);
        if !(1..=NAME_BYTES_MAX).contains(&name.len()) || !name.bytes().all(fine) {
            self.at(
                key,
                format!(
                    "a name is 1 to {NAME_BYTES_MAX} lower-case letters, digits, underscores and hyphens"
                ),
            );
        }
    }
}
