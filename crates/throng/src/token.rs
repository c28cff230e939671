//! `throng token`: mints a development token with the configured secret.

use std::io::Write as _;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, bail};
use throng_node::identity::mint::{NewToken, mint};

use crate::cli::TokenFlags;
use crate::config::Sources;

/// Prints a token, and nothing else, so that it can be used where it is printed.
pub(crate) fn run(flags: &TokenFlags) -> anyhow::Result<()> {
    let (config, _) = Sources::of_process(flags.config.clone(), Vec::new()).read().accepted()?;
    let list = &config.tenants.list;
    let unknown =
        |name| format!("there is no tenant {name:?} in tenants.list, so no server would accept the token");
    let tenant = match &flags.tenant {
        Some(name) if !list.is_empty() => Some(list.get(name).with_context(|| unknown(name))?),
        _ => None,
    };
    let own = tenant.map(|tenant| &tenant.secret);
    let secret = own.filter(|secret| !secret.is_empty()).unwrap_or(&config.auth.secret);
    if secret.is_empty() {
        bail!(
            "no secret is set, so no server would accept the token; set one for both, such as\n  \
             export JWT_SECRET=$(openssl rand -hex 32)"
        );
    }
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let token = NewToken {
        sub: flags.user.clone(),
        role: flags.role.into(),
        tenant: flags.tenant.clone(),
        ttl: ttl(&flags.expires)?,
        jti: flags.jti.clone(),
        issuer: some(&config.auth.issuer),
        audience: some(&config.auth.audience),
    };
    let token = mint(&secret.expose().into(), token, SystemTime::now())?;
    writeln!(std::io::stdout(), "{token}")?;
    Ok(())
}

fn ttl(text: &str) -> anyhow::Result<Duration> {
    humantime::parse_duration(text).with_context(|| format!("--expires {text:?} is no time such as \"1h\""))
}
