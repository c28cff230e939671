//! What the apps are told: from the configuration to their own settings, and to what they share: the flags that are tried
//! out, and who hears of what happens.

use std::collections::BTreeMap;

use axum::Router;
use throng_apps::analytics::{self, Analytics, Delivery, Webhook};
use throng_apps::debate::{self, OwnTopics};
use throng_apps::experiments::{self, Audience, Experiments, Flag};
use throng_apps::rooms;
use throng_apps::roulette::{self, Ice};
use throng_node::{App, TenantName};

use crate::config::key::Key;
use crate::config::secret::Secret;
use crate::config::typed::{self, Config, Feature, Pairing, Sink};
use crate::policy::Fault;

/// The apps of a node, as far as they are told anything while it runs.
#[derive(Debug)]
pub(crate) struct Apps {
    /// By the app's name.
    experiments: BTreeMap<&'static str, Experiments>,
    analytics: Analytics,
    pairing: Pairing,
}

impl Apps {
    /// What the apps share, and what has to run for events to leave. Pseudonyms are made with `key`.
    pub(crate) fn new(config: &Config, key: &Secret) -> Result<(Self, Option<Delivery>), Fault> {
        let (analytics, delivery) = Analytics::new(told(&config.analytics, key)?);
        let experiments = ["debate", "roulette"].map(|app| (app, Experiments::default())).into();
        let apps = Self { experiments, analytics, pairing: config.pairing.clone() };
        apps.try_out(&config.features);
        Ok((apps, delivery))
    }

    /// Adds the apps to a node's. What comes back are their routes.
    pub(crate) fn install(&self, app: &mut App, config: &Config) -> Router {
        debate::install(app, self.debate(config));
        let routes = roulette::install(app, self.roulette(config));
        experiments::install(app, self.experiments.clone());
        let analytics = self.analytics.clone();
        app.metrics(move || analytics.metrics());
        routes
    }

    /// Makes the apps try out other flags.
    pub(crate) fn try_out(&self, features: &BTreeMap<String, Feature>) {
        for (app, experiments) in &self.experiments {
            let flags = features.iter().filter_map(|(name, feature)| self.flag(app, name, feature));
            experiments.replace(flags.collect());
        }
    }

    fn flag(&self, app: &str, name: &str, feature: &Feature) -> Option<Flag> {
        let audience = Audience {
            everyone: feature.on,
            percent: feature.percent,
            // A name that is none was refused by whoever judged the configuration, as was a policy that is none.
            tenants: feature.tenants.iter().filter_map(|tenant| TenantName::parse(tenant)).collect(),
        };
        let policy = Some(&feature.policy).filter(|policy| !policy.is_empty());
        Some(Flag {
            name: name.to_owned(),
            audience,
            queue: feature.about(app)?.map(ToOwned::to_owned),
            policy: policy.and_then(|policy| self.pairing.policy(policy).ok()),
        })
    }

    fn debate(&self, config: &Config) -> debate::Config {
        let typed::Debate { topics, own_topics, .. } = &config.debate;
        debate::Config {
            topics: topics.clone(),
            own_topics: if *own_topics { OwnTopics::Allowed } else { OwnTopics::Refused },
            rooms: self.rooms(config.debate.rooms()),
        }
    }

    fn roulette(&self, config: &Config) -> roulette::Config {
        let typed::Roulette { stun, turn, turn_secret, turn_lifetime, .. } = &config.roulette;
        let turn_secret = Some(turn_secret.expose()).filter(|secret| !secret.is_empty());
        roulette::Config {
            ice: Ice {
                stun: stun.clone(),
                turn: turn.clone(),
                turn_secret: turn_secret.map(Into::into),
                turn_lifetime: *turn_lifetime,
            },
            rooms: self.rooms(config.roulette.rooms()),
        }
    }

    fn rooms(&self, told: typed::Rooms<'_>) -> rooms::Config {
        let queue = |queue: &typed::Queue| rooms::Queue {
            duration: queue.duration.unwrap_or(told.duration),
            waiting_max: queue.waiting_max.unwrap_or(told.waiting_max).get(),
            // What is no policy was refused by whoever judged the configuration.
            policy: self.pairing.policy(queue.policy.as_deref().unwrap_or(told.policy)).unwrap_or_default(),
        };
        let mut queues: BTreeMap<_, _> =
            told.queues.iter().map(|(name, own)| (name.clone(), queue(own))).collect();
        queues.entry("default".to_owned()).or_insert_with(|| queue(&typed::Queue::default()));
        rooms::Config {
            queues,
            grace: told.grace,
            warning: told.warning,
            confirm_timeout: told.confirm_timeout,
            experiments: self.experiments.get(told.app).cloned().unwrap_or_default(),
            analytics: self.analytics.clone(),
            ..rooms::Config::default()
        }
    }
}

/// What analytics are told.
fn told(config: &typed::Analytics, key: &Secret) -> Result<analytics::Config, Fault> {
    let sink = match (config.sink, &config.url) {
        (Sink::None, _) => analytics::Sink::None,
        (Sink::Log, _) => analytics::Sink::Log,
        (Sink::Webhook, url) => {
            let wrong = |error: String| (Key::dotted("analytics.url"), error);
            let url = url.as_ref().map_or("", |url| url.as_str()).parse();
            let webhook = Webhook::new(
                url.map_err(|error: http::uri::InvalidUri| wrong(error.to_string()))?,
                &config.secret.expose().into(),
            );
            analytics::Sink::Webhook(webhook.map_err(|error| wrong(error.to_string()))?.into())
        }
    };
    Ok(analytics::Config {
        batch_max: config.batch_max,
        interval: config.interval,
        queue_max: config.queue_max,
        ..analytics::Config::new(sink, key.expose().into())
    })
}

#[cfg(test)]
mod tests {
    use throng_apps::experiments::Subject;

    use super::*;
    use crate::config::Sources;

    /// The apps of a node with this file.
    fn apps(text: &str) -> Apps {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
        let (config, _) = sources.read().accepted().unwrap_or_else(|problems| panic!("{problems}"));
        Apps::new(&config, &"key".into()).unwrap().0
    }

    #[test]
    fn a_feature_reaches_the_apps_and_queues_that_it_is_about() {
        let apps = apps(
            "[pairing.policies.quick]\nrecent_after = '7s'\n[debate.queues.ranked]\n\
             [features]\nchat = true\n[features.quick]\non = true\nqueue = 'debate.ranked'\npolicy = 'quick'\n\
             [features.rolled]\ntenants = ['acme']\nqueue = 'roulette'\n",
        );
        let tenant = TenantName::parse("acme").unwrap();
        let subject = |queue| Subject { tenant: &tenant, user: "ada", queue };
        let on = |app, flag| apps.experiments[app].is_on(flag, subject("ranked"));
        assert_eq!(["chat", "quick", "rolled"].map(|flag| on("debate", flag)), [true, true, false]);
        assert_eq!(["chat", "quick", "rolled"].map(|flag| on("roulette", flag)), [true, false, true]);
        let chosen = |queue| {
            let policy = apps.experiments["debate"].policy(subject(queue));
            policy.map(|policy| (policy.recent_after().as_secs(), policy.steps().len()))
        };
        assert_eq!((chosen("ranked"), chosen("default")), (Some((7, 3)), None));
        apps.try_out(&BTreeMap::new());
        assert_eq!(chosen("ranked"), None);
    }

    #[test]
    fn a_queue_is_as_the_app_says_but_for_what_is_its_own() {
        let text = "[debate]\nduration = '5m'\nwaiting_max = 7\n[debate.queues.fast]\nduration = '1m'\n\
            [roulette]\nturn = ['turn:a']\nturn_secret = 's'\n";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, text).unwrap();
        let sources = Sources { file: Some(file.path().into()), ..Sources::default() };
        let (config, _) = sources.read().accepted().unwrap_or_else(|problems| panic!("{problems}"));
        let apps = apps(text);
        let debates = apps.debate(&config).rooms.queues;
        let of = |name: &str| (debates[name].duration.as_secs(), debates[name].waiting_max);
        assert_eq!((debates.len(), of("default"), of("fast")), (2, (300, 7), (60, 7)));
        let calls = apps.roulette(&config);
        assert_eq!((calls.ice.turn.len(), calls.ice.turn_secret.is_some()), (1, true));
        assert_eq!(calls.rooms.queues["default"].waiting_max, 10_000);
    }

    #[test]
    fn a_webhook_is_made_of_its_settings() {
        let text = "[analytics]\nsink = 'webhook'\nurl = 'http://127.0.0.1:9/x'\nsecret = 's'\n";
        assert!(!apps(text).analytics.metrics().is_empty());
        assert!(apps("").analytics.metrics().is_empty());
    }

    #[test]
    fn the_default_policy_is_the_lobbys() {
        let (config, _) = Sources::default().read().accepted().unwrap();
        assert_eq!(*config.pairing.policy("default").unwrap(), throng_lobby::Policy::default());
    }
}
