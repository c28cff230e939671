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
        a running node serves the same\nas AsyncAPI at `/api/asyncapi.json` and as a page at `/api/docs`.\n"
            .to_owned();
    for (channel, about) in document["channels"].as_object().expect("channels") {
        let _ = write!(
            page,
            "\n## Namespace `{}`\n\n| event | sent by | fields | answer | meaning |\n|---|---|---|---|---|\n",
            text(&about["address"])
        );
        let here =
            |operation: &&Value| text(&operation["channel"]["$ref"]) == format!("#/channels/{channel}");
        for operation in document["operations"].as_object().expect("operations").values().filter(here) {
            let message = message(document, &operation["messages"][0]);
            let sender = if operation["action"] == "send" { "server" } else { "client" };
            let answer = &self::message(document, &operation["reply"]["messages"][0])["payload"];
            let _ = writeln!(
                page,
                "| `{}` | {sender} | {} | {} | {} |",
                text(&message["name"]),
                shape(document, &message["payload"]),
                shape(document, answer),
                text(&message["summary"]),
            );
        }
    }
    page
}

fn message<'a>(document: &'a Value, reference: &Value) -> &'a Value {
    let name = text(&reference["$ref"]).rsplit('/').next().unwrap_or_default();
    &document["components"]["messages"][name]
}

/// A schema as a person would write it, with what it refers to in its place.
fn shape(document: &Value, schema: &Value) -> String {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').expect("references stay inside");
        return shape(document, document.pointer(pointer).expect("references lead somewhere"));
    }
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
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields: Vec<_> =
        fields.map(|(name, field)| format!("`{name}` ({})", shape(document, field))).collect();
    match text(&schema["type"]) {
        "object" => fields.join(", "),
        "array" => format!("list of {}", shape(document, &schema["items"])),
        kind => kind.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
