//! The table of socket events in docs/ is what the apps' code says. After a change run this test with `UPDATE=1`.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use throng_apps::{debate, roulette};
use throng_node::App;

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

fn table(document: &Value) -> String {
    let mut page =
        "# Socket events\n\nWritten by `UPDATE=1 cargo test -p throng-apps --test events` from the code; \
        a running node serves the same\nas AsyncAPI at `/api/asyncapi.json` and as a page at `/api/docs`. A field with \
        `?` may be missing. Every request is\nacknowledged with `{ok: true}` and what the column `answer` adds, or with \
        `{ok: false, error: {code, message}}`; the codes are\nin [debate.md](debate.md) and [roulette.md](roulette.md).\n"
            .to_owned();
    for (channel, about) in document["channels"].as_object().expect("channels") {
        let here =
            |operation: &&Value| text(&operation["channel"]["$ref"]) == format!("#/channels/{channel}");
        let operations = document["operations"].as_object().expect("operations");
        let (mut events, mut fields) = (String::new(), String::new());
        for operation in operations.values().filter(here) {
            let message = message(document, &operation["messages"][0]);
            let sender = if operation["action"] == "send" { "server" } else { "client" };
            let answer = &self::message(document, &operation["reply"]["messages"][0])["payload"];
            let name = text(&message["name"]);
            let _ = writeln!(
                events,
                "| `{name}` | {sender} | {} | {} | {} |",
                shape(document, &message["payload"]),
                shape(document, success(document, answer)),
                text(&message["summary"]),
            );
            let told = described(document, &message["payload"]).into_iter();
            for (field, meaning) in told.chain(described(document, success(document, answer))) {
                let line = format!("| `{name}` | `{field}` | {meaning} |\n");
                if !fields.contains(&line) {
                    fields += &line;
                }
            }
        }
        let _ = write!(
            page,
            "\n## Namespace `{}`\n\n| event | sent by | fields | answer | meaning |\n|---|---|---|---|---|\n{events}\n\
            | event | field | |\n|---|---|---|\n{fields}",
            text(&about["address"])
        );
    }
    page
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

/// Of an answer the part that is sent when it was done.
fn success<'a>(document: &'a Value, answer: &'a Value) -> &'a Value {
    let answer = resolved(document, answer);
    answer["oneOf"].get(0).map_or(answer, |done| resolved(document, done))
}

/// A schema as a person would write it, with what it refers to in its place.
fn shape(document: &Value, schema: &Value) -> String {
    let schema = resolved(document, schema);
    let all = |list: &Value, between: &str| {
        let shapes = list.as_array().into_iter().flatten().map(|one| shape(document, one));
        shapes.filter(|shape| !shape.is_empty()).collect::<Vec<_>>().join(between)
    };
    if schema["oneOf"].is_array() {
        return all(&schema["oneOf"], " or ");
    }
    if schema["allOf"].is_array() {
        return all(&schema["allOf"], ", ");
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|value| format!("`{}`", text(value))).collect::<Vec<_>>().join(", ");
    }
    if let Some(kinds) = schema["type"].as_array() {
        return kinds.iter().map(text).collect::<Vec<_>>().join(" or ");
    }
    match text(&schema["type"]) {
        "object" if schema["additionalProperties"].is_object() => {
            format!("by name: {}", shape(document, &schema["additionalProperties"]))
        }
        "object" => {
            let required = |name: &str| {
                schema["required"].as_array().is_some_and(|names| names.iter().any(|one| one == name))
            };
            let fields = schema["properties"].as_object().into_iter().flatten();
            // That it was done is said once, above.
            let fields = fields.filter(|(name, _)| *name != "ok").map(|(name, field)| {
                let may = if required(name) { "" } else { "?" };
                format!("`{name}`{may} ({})", shape(document, field))
            });
            fields.collect::<Vec<_>>().join(", ")
        }
        "array" => format!("list of {}", shape(document, &schema["items"])),
        kind => kind.to_owned(),
    }
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
