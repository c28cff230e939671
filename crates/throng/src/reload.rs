//! A configuration that changes while the node serves: on SIGHUP and when its files change every layer is read again,
//! what is safe to change is applied, the rest is named, and a wrong one changes nothing.

mod watch;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch::Sender;

use crate::config::key::Key;
use crate::config::problem::Problems;
use crate::config::secret::Secret;
use crate::config::typed::{Auth, Config, Feature, Limits, Tenants, Tls};
use crate::config::values::Values;
use crate::config::{Effective, Sources, reloading};
use crate::log;

pub(crate) use watch::Watch;

/// What a running node takes over, whole and consistent. `auth.cookie`, `auth.guests` and `auth.guest_lifetime` are
/// always those of the start.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reloadable {
    pub(crate) log_level: String,
    pub(crate) origins: Vec<String>,
    pub(crate) tls: Tls,
    /// Its secret is never empty: where none is configured it is a random one, the same for the life of the process.
    pub(crate) auth: Auth,
    pub(crate) limits: Limits,
    pub(crate) tenants: Tenants,
    pub(crate) features: BTreeMap<String, Feature>,
}

impl Reloadable {
    /// The part of a configuration that may change, with `spare` in the place of a secret that is not set.
    pub(crate) fn of(config: &Config, spare: &Secret) -> Self {
        let mut auth = config.auth.clone();
        if auth.secret.is_empty() {
            auth.secret = spare.clone();
        }
        Self {
            log_level: config.log.level.clone(),
            origins: config.origins.clone(),
            tls: config.tls.clone(),
            auth,
            limits: config.limits.clone(),
            tenants: config.tenants.clone(),
            features: config.features.clone(),
        }
    }
}

/// Where a new configuration goes.
pub(crate) struct Target {
    /// Which logs are written.
    pub(crate) log: log::Handle,
    /// Everybody who keeps to the rest. A snapshot is sent after each reading, also when only a file that it names changed.
    pub(crate) policy: Sender<Arc<Reloadable>>,
}

impl Target {
    /// Applies a snapshot. A level that was changed by hand stays until the configuration names another.
    fn apply(&self, new: &Reloadable) {
        let differs = self.policy.borrow().log_level != new.log_level;
        if differs && let Err(error) = self.log.set(&new.log_level) {
            tracing::error!(error, "log level not changed");
        }
        self.policy.send_replace(Arc::new(new.clone()));
    }
}

/// The configuration in force, and how to read it again.
pub(crate) struct Reloader {
    sources: Sources,
    values: Values,
    spare: Secret,
    target: Target,
}

/// What a reading of the configuration came to.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// It is wrong, and the old one stays.
    Refused(Problems),
    /// `applied` are in force, `kept` need a restart. Both may be empty.
    Taken { applied: Vec<Key>, kept: Vec<Key> },
}

impl Reloader {
    /// Starts from a configuration in force. `spare` is used wherever no secret is set.
    pub(crate) fn new(sources: Sources, values: Values, spare: Secret, target: Target) -> Self {
        Self { sources, values, spare, target }
    }

    /// Reads every layer again and applies what may change.
    pub(crate) fn read_again(&mut self) -> Outcome {
        let new = self.sources.read();
        let refusals = new.refusals();
        if !refusals.is_empty() {
            return Outcome::Refused(refusals);
        }
        // Another certificate is for the connections to come; whether they are TLS at all is settled when listening begins.
        let same_tls = self.target.policy.borrow().tls.is_on() == new.config.tls.is_on();
        let takes = |key: &Key| reloading::takes(key) && (same_tls || !key.is_in("tls"));
        let (applied, kept): (Vec<Key>, Vec<Key>) =
            self.values.changed(&new.values).into_iter().partition(takes);
        let mut values = self.values.clone();
        for key in &applied {
            values.take(key, &new.values);
        }
        // What stays may forbid what is new: `origins = ["*"]` came along with another profile, say.
        let mixed = Effective::of(values, Problems::default());
        let refusals = mixed.refusals();
        if !refusals.is_empty() {
            return Outcome::Refused(refusals);
        }
        self.target.apply(&Reloadable::of(&mixed.config, &self.spare));
        self.values = mixed.values;
        Outcome::Taken { applied, kept }
    }

    /// Reads again whenever there is a reason to, for ever.
    pub(crate) async fn run(mut self, mut watch: Watch) {
        loop {
            let cause = watch.changed().await;
            match self.read_again() {
                Outcome::Refused(problems) => {
                    for problem in problems.iter() {
                        tracing::error!(cause, %problem, "new configuration refused, the old one stays");
                    }
                }
                Outcome::Taken { applied, kept } => {
                    for key in &kept {
                        tracing::warn!(cause, %key, "changed setting needs a restart");
                    }
                    let keys: Vec<String> = applied.iter().map(ToString::to_string).collect();
                    tracing::info!(cause, keys = keys.join(" "), "configuration read again");
                    watch.follow(files(&self.sources, &self.target.policy.borrow()));
                }
            }
        }
    }
}

/// Every file whose change is a reason to read the configuration again.
pub(crate) fn files(sources: &Sources, now: &Reloadable) -> Vec<PathBuf> {
    let tenants = now.tenants.list.values().flat_map(|tenant| &tenant.public_keys);
    let named = [&now.tls.certificate, &now.tls.key].into_iter().chain(&now.auth.public_keys).chain(tenants);
    sources.file.iter().chain(named).filter(|path| !path.as_os_str().is_empty()).cloned().collect()
}

#[cfg(test)]
mod tests;
