//! The tables of docs/configuration.md, made from the default file, the environment's table and the command line. The
//! test keeps the page equal to them: `UPDATE=1 cargo test -p throng --bin throng reference` writes it anew.

use std::path::Path;

use clap::CommandFactory as _;

use super::environment::{FEATURE, Reading, VARIABLES};
use super::key::Key;
use super::{file, reloading, schema};
use crate::cli::Cli;

/// A key of the default file with the comment above it.
struct Documented {
    key: Key,
    default: String,
    meaning: String,
}

fn documented() -> Vec<Documented> {
    let text = schema::with_free_tables(schema::DEFAULTS);
    let lines: Vec<&str> = text.lines().collect();
    let written = file::read(&text).unwrap();
    let meaning = |line: usize| {
        let above = lines[..line - 1].iter().rev().take_while(|line| line.starts_with('#'));
        let mut above: Vec<&str> = above.map(|line| line.trim_start_matches('#').trim()).collect();
        above.reverse();
        above.join(" ")
    };
    let one = |one: file::Written| Documented {
        key: one.key,
        default: one.value.to_string(),
        meaning: meaning(one.line),
    };
    written.into_iter().map(one).collect()
}

/// One table for each table of the file.
fn keys() -> String {
    let (mut page, mut table) = (String::new(), None);
    for Documented { key, default, meaning } in documented() {
        let names = key.names();
        let own: Key = names[..names.len() - 1].iter().cloned().collect();
        if table.as_ref() != Some(&own) {
            if own != Key::default() {
                page += &format!("\n### `[{own}]`\n");
            }
            page += "\n| key | default | environment, flag | reload | meaning |\n|---|---|---|---|---|\n";
            table = Some(own);
        }
        let dotted = key.to_string();
        let variables = VARIABLES
            .iter()
            .filter(|variable| variable.key == dotted)
            .map(|variable| variable.name.to_owned());
        let feature = (key.is_in("features") && key.last() == "on").then(|| format!("{FEATURE}*"));
        let said: Vec<String> =
            variables.chain(feature).chain(flag(&dotted)).map(|name| format!("`{name}`")).collect();
        let reload = if reloading::takes(&key) { "yes" } else { "no" };
        let effect = if reloading::has_effect(&key) { "" } else { " No effect in this version." };
        page += &format!(
            "| `{}` | `{default}` | {} | {reload} | {meaning}{effect} |\n",
            key.last(),
            said.join(" ")
        );
    }
    page
}

/// The flag of `throng serve` that says this key.
fn flag(key: &str) -> Option<String> {
    let command = Cli::command();
    let mut arguments = command.find_subcommand("serve")?.get_arguments();
    arguments
        .find(|argument| argument.get_id() == key)
        .map(|argument| format!("--{}", argument.get_long().unwrap()))
}

/// What each variable means, in the order in which one wins over another.
fn variables() -> String {
    let mut page = String::from("\n| variable | key | read as |\n|---|---|---|\n");
    for variable in &VARIABLES {
        page += &format!("| `{}` | `{}` | {} |\n", variable.name, variable.key, read_as(variable.reading));
    }
    page + &format!("| `{FEATURE}X_Y` | `features.x_y.on` | {} |\n", read_as(Reading::Plain))
}

fn read_as(reading: Reading) -> &'static str {
    match reading {
        Reading::Plain => "it is",
        Reading::Milliseconds => "milliseconds, or a time with its unit",
        Reading::Hours => "hours, or a time with its unit",
        Reading::Count => "a number, `auto` is 0",
        Reading::Word => "a word, in any case, with `_` or `-`",
        Reading::NodeEnvironment => "`production` or `staging`, `development` or `test`",
        Reading::NodeLevel => {
            "a level of winston or pino: `fatal` is `error`, `http` and `verbose` are `debug`, `silly` is `trace`"
        }
        Reading::Host => "a URL or a host; the host counts",
        Reading::Origins => "origins separated by commas, or `*`; paths are left away",
        Reading::OneMoreOrigin => "one more origin; the only one where none are listed",
    }
}

/// The page with the part between two marks made anew.
fn with_part(page: &str, name: &str, part: &str) -> String {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("\n<!-- end of {name} -->"));
    let from = page.find(&begin).unwrap_or_else(|| panic!("no {begin:?} in the page")) + begin.len();
    let to = page.find(&end).unwrap_or_else(|| panic!("no {end:?} in the page"));
    format!("{}{part}{}", &page[..from], &page[to..])
}

#[test]
fn the_page_says_what_the_code_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let anew = with_part(&with_part(&page, "keys", &keys()), "environment", &variables());
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&path, &anew).unwrap();
    }
    assert!(
        page == anew,
        "docs/configuration.md differs; `UPDATE=1 cargo test -p throng --bin throng reference` writes it anew"
    );
}

#[test]
fn every_key_has_a_meaning() {
    let silent: Vec<String> = documented()
        .into_iter()
        .filter(|one| one.meaning.is_empty() || !one.meaning.ends_with('.') || one.meaning.contains('|'))
        .map(|one| one.key.to_string())
        .collect();
    assert_eq!(silent, Vec::<String>::new());
}
