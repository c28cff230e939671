//! Texts of the configuration as what they stand for.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use serde::de::{Error, IntoDeserializer as _};
use serde::{Deserialize as _, Deserializer};
use url::Url;

/// The longest time that anything may take; what is added to a clock must not run over it.
const TIME_MAX: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// `25s`, `1h 30m`, `500ms`.
pub(super) fn duration<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(from)?;
    match humantime::parse_duration(&text) {
        Ok(time) if time <= TIME_MAX => Ok(time),
        Ok(_) => Err(D::Error::custom(format!("{text:?} is more than a hundred years"))),
        Err(_) => {
            Err(D::Error::custom(format!("{text:?} is not a time such as \"25s\", \"1h 30m\" or \"500ms\"")))
        }
    }
}

/// The same where there may be none.
pub(super) fn some_duration<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    duration(from).map(Some)
}

/// An IP address, or `localhost`.
pub(super) fn host<'de, D: Deserializer<'de>>(from: D) -> Result<IpAddr, D::Error> {
    let text = String::deserialize(from)?;
    match text.as_str() {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        other => other.parse().map_err(|_| D::Error::custom(format!("{text:?} is not an IP address"))),
    }
}

/// The same; nothing for "".
pub(super) fn some_host<'de, D: Deserializer<'de>>(from: D) -> Result<Option<IpAddr>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() { Ok(None) } else { host(text.into_deserializer()).map(Some) }
}

/// The end of a day (UTC) such as `2027-12-31`; nothing for "".
pub(super) fn last_day<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SystemTime>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let begin = humantime::parse_rfc3339(&format!("{text}T00:00:00Z"))
        .map_err(|_| D::Error::custom(format!("{text:?} is not a day such as \"2027-12-31\"")))?;
    Ok(Some(begin + Duration::from_secs(24 * 60 * 60)))
}

/// A URL over HTTP; nothing for "".
pub(super) fn web_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
    url.map(Some).ok_or_else(|| D::Error::custom("not a URL such as \"https://id.example/jwks.json\""))
}

/// Addresses and CIDRs.
pub(super) fn networks<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<IpNet>, D::Error> {
    let read = |text: String| {
        let network = text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
        network.ok_or_else(|| {
            D::Error::custom(format!("{text:?} is neither an IP address nor a CIDR such as \"10.0.0.0/8\""))
        })
    };
    Vec::<String>::deserialize(from)?.into_iter().map(read).collect()
}

/// The URL of a Redis; nothing for "". Its text is not repeated, since it may hold a password.
pub(super) fn redis_address<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Ok(None);
    }
    let url =
        Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
    url.map(Some).ok_or_else(|| D::Error::custom("not a URL such as \"redis://user:password@host:6379/0\""))
}
