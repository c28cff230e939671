//! `throng check`: the configuration that a node would serve with, where each value comes from, what is wrong with it and
//! what is unsafe before the internet.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use crate::config::problem::Problems;
use crate::config::reloading::has_effect;
use crate::config::safety::Danger;
use crate::config::shown::shown;
use crate::config::typed::Profile;
use crate::config::values::{Origin, Setting};
use crate::config::{Effective, Sources, key::Key, schema};
use crate::pages;

const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const GOOD: Style = AnsiColor::Green.on_default();
const WARNING: Style = AnsiColor::Yellow.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// The widest value that origins are aligned behind.
const VALUE_WIDTH_MAX: usize = 36;

/// Prints the annotated default file.
pub(crate) fn defaults() -> io::Result<()> {
    io::stdout().write_all(schema::DEFAULTS.as_bytes())
}

/// Prints the configuration; `Ok(false)` when a node would refuse to start with it.
pub(crate) fn run(sources: &Sources, json: bool) -> io::Result<bool> {
    let effective = sources.read();
    let refusals = effective.refusals();
    if json {
        to_json(&effective, &refusals)?;
    } else {
        to_people(&mut anstream::stdout().lock(), &effective, sources)?;
        verdict(&mut anstream::stdout().lock(), &effective)?;
        if !refusals.is_empty() {
            writeln!(anstream::stderr().lock(), "{BAD}{refusals}{BAD:#}")?;
        }
    }
    Ok(refusals.is_empty())
}

fn to_people(out: &mut impl Write, effective: &Effective, sources: &Sources) -> io::Result<()> {
    let file = sources.file.as_ref().map_or("no file".into(), |path| path.display().to_string());
    let profile = if effective.config.profile == Profile::Production { "production" } else { "development" };
    writeln!(out, "{BOLD}Throng {}{BOLD:#}, profile {profile}, {file}\n", env!("CARGO_PKG_VERSION"))?;
    let settings = effective.values.in_order();
    let key_width = settings.iter().map(|(key, _)| key.to_string().len()).max().unwrap_or_default();
    let mut table = None;
    for (key, setting) in settings {
        let own = (key.names().len() > 1).then(|| key.names()[0].clone());
        if table.as_ref().is_some_and(|last| *last != own) {
            writeln!(out)?;
        }
        table = Some(own);
        line(out, key, setting, key_width)?;
    }
    Ok(())
}

fn line(out: &mut impl Write, key: &Key, setting: &Setting, key_width: usize) -> io::Result<()> {
    let said = setting.origin != Origin::Default;
    let style = if said { BOLD } else { Style::new() };
    let (key_text, value) = (key.to_string(), shown(key, &setting.value));
    let note = if said && !has_effect(key) { ", no effect in this version" } else { "" };
    let origin = &setting.origin;
    writeln!(
        out,
        "{key_text:key_width$} = {style}{value:VALUE_WIDTH_MAX$}{style:#}  {DIM}({origin}{note}){DIM:#}"
    )
}

/// What is unsafe, and whether a node would start.
fn verdict(out: &mut impl Write, effective: &Effective) -> io::Result<()> {
    let production = effective.config.profile == Profile::Production;
    if effective.dangers.is_empty() {
        writeln!(out, "\n{GOOD}Nothing is unsafe for production.{GOOD:#}")?;
    } else if !production {
        writeln!(out, "\n{WARNING}Unsafe for production, which would refuse to start:{WARNING:#}")?;
        for danger in &effective.dangers {
            writeln!(out, "  {BOLD}{}{BOLD:#}: {}", danger.key, danger.message)?;
        }
    }
    for key in pages::cut_off_by(&effective.config.socket) {
        writeln!(out, "\n{WARNING}{key}: the pages of this binary cannot connect{WARNING:#}")?;
    }
    Ok(())
}

#[derive(Serialize)]
struct Report<'a> {
    /// Whether a node would start.
    ok: bool,
    profile: Profile,
    settings: Vec<Shown>,
    #[serde(rename = "unsafe")]
    dangers: &'a [Danger],
    /// The settings with which the pages of this binary cannot connect.
    #[serde(rename = "cutsOffPages")]
    cuts_off_pages: Vec<&'static str>,
    problems: &'a Problems,
}

#[derive(Serialize)]
struct Shown {
    key: String,
    /// As TOML writes it.
    value: String,
    origin: String,
    effect: bool,
}

fn to_json(effective: &Effective, refusals: &Problems) -> io::Result<()> {
    let shown = |(key, setting): (&Key, &Setting)| Shown {
        key: key.to_string(),
        value: shown(key, &setting.value),
        origin: setting.origin.to_string(),
        effect: has_effect(key),
    };
    let report = Report {
        ok: refusals.is_empty(),
        profile: effective.config.profile,
        settings: effective.values.in_order().into_iter().map(shown).collect(),
        dangers: &effective.dangers,
        cuts_off_pages: pages::cut_off_by(&effective.config.socket),
        problems: refusals,
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &report)?;
    writeln!(out)
}
