//! The table of socket events in docs/ is what the apps' code says. After a change run this test with `UPDATE=1`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use throng_apps::{debate, roulette};
use throng_node::{App, in_words};

fn app() -> App {
    let mut app = App::new();
    debate::install(&mut app, debate::Config::default());
    let _routes = roulette::install(&mut app, roulette::Config::default());
    app
}

#[test]
fn every_event_is_described() {
    assert_eq!(app().undescribed_events(), Vec::<String>::new());
}

#[test]
fn the_table_in_docs_is_up_to_date() {
    let table = table(&app().event_document());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/events.md");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &table).expect("docs/ is writable");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        written, table,
        "docs/events.md is behind the code: UPDATE=1 cargo test -p throng-apps --test events"
    );
}

const INTRODUCTION: &str = "\
# Socket events

Written by `UPDATE=1 cargo test -p throng-apps --test events` from the code; a running node serves the same
as AsyncAPI at `/api/asyncapi.json` and as a page at `/api/docs`. A field with `?` may be missing; no integer is negative. Texts of
people are counted after they have been [cleaned](edge.md#user-text). Every request is acknowledged with `{ok: true}` and what the
column `answer` adds, or with `{ok: false, error: {code, message}}`; the codes of each are below its namespace's events.
";

fn table(document: &Value) -> String {
    let mut page = INTRODUCTION.to_owned();
    for (channel, about) in document["channels"].as_object().expect("channels") {
        let here =
            |operation: &&Value| text(&operation["channel"]["$ref"]) == format!("#/channels/{channel}");
        let operations = document["operations"].as_object().expect("operations");
        let (mut events, mut fields, mut refused) = (String::new(), String::new(), String::new());
        let mut meanings = BTreeMap::new();
        for operation in operations.values().filter(here) {
            let message = message(document, &operation["messages"][0]);
            let sender = if operation["action"] == "send" { "server" } else { "client" };
            let answer = &self::message(document, &operation["reply"]["messages"][0])["payload"];
            let name = text(&message["name"]);
            let _ = writeln!(
                events,
                "| `{name}` | {sender} | {} | {} | {} |",
                cell(&in_words(document, &message["payload"])),
                cell(&in_words(document, answer)),
                text(&message["summary"]),
            );
            let told = described(document, &message["payload"]).into_iter();
            for (field, meaning) in told.chain(described(document, answer)) {
                let line = format!("| `{name}` | `{field}` | {meaning} |\n");
                if !fields.contains(&line) {
                    fields += &line;
                }
            }
            let mut of_event = Vec::new();
            for reply in operation["reply"]["messages"].as_array().into_iter().flatten() {
                let reply = self::message(document, reply);
                let codes = codes(reply);
                if text(&reply["name"]).starts_with(name) {
                    of_event.extend(codes.iter().map(|(code, _)| format!("`{code}`")));
                }
                meanings.extend(codes);
            }
            if !of_event.is_empty() {
                let _ = writeln!(refused, "| `{name}` | {} |", of_event.join(", "));
            }
        }
        let of_any: Vec<_> = codes(&document["components"]["messages"][format!("{channel}.any.refusal")])
            .into_iter()
            .map(|(code, _)| format!("`{code}`"))
            .collect();
        let meanings: String =
            meanings.into_iter().map(|(code, meaning)| format!("| `{code}` | {meaning} |\n")).collect();
        let _ = write!(
            page,
            "\n## Namespace `{}`\n\n| event | sent by | fields | answer | meaning |\n|---|---|---|---|---|\n{events}\n\
            | event | field | |\n|---|---|---|\n{fields}\n\
            | event | is refused with |\n|---|---|\n| any | {} |\n{refused}\n\
            | code | |\n|---|---|\n{meanings}",
            text(&about["address"]),
            of_any.join(", "),
        );
    }
    page
}

/// What may stand in a cell of a table.
fn cell(words: &str) -> String {
    words.replace('|', "\\|")
}

/// The codes of a message that refuses, with their meanings.
fn codes(message: &Value) -> Vec<(&str, &str)> {
    let codes = message.pointer("/payload/properties/error/properties/code/oneOf").and_then(Value::as_array);
    codes.into_iter().flatten().map(|code| (text(&code["const"]), text(&code["description"]))).collect()
}

fn message<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let name = text(&reference["$ref"]).rsplit('/').next().unwrap_or_default();
    &document["components"]["messages"][name]
}

/// What a reference refers to; a schema that is none is itself.
fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    let pointer = reference.strip_prefix('#').expect("references stay inside");
    let target = document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"));
    resolved(document, target)
}

/// The fields of a schema that say more of themselves, with what they say.
fn described(document: &Value, schema: &Value) -> Vec<(String, String)> {
    let schema = resolved(document, schema);
    let parts = ["allOf", "oneOf"].into_iter().filter_map(|parts| schema[parts].as_array()).flatten();
    let mut all: Vec<_> = parts.flat_map(|part| described(document, part)).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(meaning) = field["description"].as_str() {
            all.push((name.clone(), meaning.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    all
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
