//! The limits that the documents tell are those that requests are held to: what is just within one is taken, and what is just
//! beyond it refused by name.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use throng_apps::{debate, rooms, roulette};
use throng_testkit::Node;

use crate::people::{Person, callers, get, node_of, two};

/// A request with one of its fields at a limit, or just beyond it.
#[derive(Debug)]
struct Trial {
    /// The field, and what about it.
    limit: String,
    request: Value,
    fits: bool,
}

#[test]
fn a_wish_is_held_to_the_limits_of_the_documents() {
    let node = node_of(rooms::Config::default());
    let debater = Person::debating(node.address(), "one");
    let caller = Person::calling(node.address(), "one");
    let about = json!({
        "queue": "default", "tags": ["a"], "language": "en", "region": "de",
        "properties": {"level": 3, "team": "red"},
        "requires": {"language": true, "properties": {"level": {"min": 2}, "team": "red"}},
        "prefers": {"properties": {"level": 3, "team": "red"}},
    });
    for (namespace, own, mut person) in [
        (debate::NAMESPACE, json!({"topic": "tea", "side": "for", "otherTopics": ["art"]}), debater),
        (roulette::NAMESPACE, json!({"media": "text"}), caller),
    ] {
        let mut example = about.clone();
        example.as_object_mut().expect("fields").extend(own.as_object().expect("fields").clone());
        for trial in trials(&node, namespace, "queue:join", &[example]) {
            check(&mut person, "queue:join", &trial);
        }
    }
}

#[test]
fn what_is_said_in_a_room_is_held_to_the_limits_of_the_documents() {
    for (event, example) in [
        ("room:message", json!({"text": "hi"})),
        ("room:report", json!({"reason": "other", "text": "hi"})),
        ("room:feedback", json!({"rating": 3, "text": "hi"})),
    ] {
        let node = node_of(rooms::Config::default());
        for trial in trials(&node, debate::NAMESPACE, event, &[example]) {
            // A room is rated and reported once.
            let node = node_of(rooms::Config::default());
            let (mut one, _two, _) = two(&node);
            check(&mut one, event, &trial);
        }
    }
}

#[test]
fn what_calls_need_is_held_to_the_limits_of_the_documents() {
    let node = node_of(rooms::Config::default());
    let signals = [
        json!({"description": {"type": "offer", "sdp": "v=0"}}),
        json!({"candidate": {"candidate": "", "sdpMid": "", "sdpMLineIndex": 0, "usernameFragment": ""}}),
        json!({"renewal": {"asks": "a"}}),
        json!({"renewal": {"answers": "a"}}),
    ];
    let (mut one, _two, _) = callers(&node);
    for trial in trials(&node, roulette::NAMESPACE, "signal", &signals) {
        check(&mut one, "signal", &trial);
    }
    for trial in
        trials(&node, roulette::NAMESPACE, "call:report", &[json!({"phase": "connected", "setupMs": 1})])
    {
        one.done("call:report", json!({"phase": "started"}));
        check(&mut one, "call:report", &trial);
        one.ask("call:report", json!({"phase": "ended"}));
    }
}

#[track_caller]
fn check(person: &mut Person, event: &str, trial: &Trial) {
    let answer = person.ask(event, trial.request.clone());
    let code = answer["error"]["code"].as_str().unwrap_or("none");
    let is_named = code.starts_with("invalid_") || code == "signal_too_large";
    let expected = if trial.fits { answer["ok"] == true } else { is_named };
    assert!(expected, "{event}, {}, fits: {}: {answer}", trial.limit, trial.fits);
}

/// Trials of every limit of a request; the examples have all fields that have any.
fn trials(node: &Node, namespace: &str, event: &str, examples: &[Value]) -> Vec<Trial> {
    let document = get(node, "/api/asyncapi.json");
    let channel = namespace.trim_start_matches('/');
    let message = format!("{channel}.receive.{}", event.replace(':', "-"));
    let schema = &document["components"]["messages"][message]["payload"];
    let all: Vec<_> = examples.iter().flat_map(|example| of_schema(&document, schema, example)).collect();
    let tried: BTreeSet<_> = all.iter().map(|trial| trial.limit.clone()).collect();
    let mut told = BTreeSet::new();
    tell(&document, schema, "", &mut told);
    assert_eq!(tried, told, "{event}: the examples try all limits");
    assert!(!told.is_empty(), "{event} has limits");
    all
}

const LIMITS: [&str; 7] =
    ["minLength", "maxLength", "pattern", "minimum", "maximum", "maxItems", "maxProperties"];

/// The limits in a schema, each with its path.
fn tell(document: &Value, schema: &Value, path: &str, told: &mut BTreeSet<String>) {
    let schema = resolved(document, schema);
    let own = LIMITS.iter().filter(|limit| schema.get(limit).is_some());
    told.extend(own.map(|limit| format!("{path} {limit}")));
    for part in ["oneOf", "allOf"].into_iter().filter_map(|parts| schema[parts].as_array()).flatten() {
        tell(document, part, path, told);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        tell(document, field, &format!("{path}/{name}"), told);
    }
    for (inner, name) in [("items", "[]"), ("additionalProperties", "{}"), ("propertyNames", "{name}")] {
        if schema[inner].is_object() {
            tell(document, &schema[inner], &format!("{path}/{name}"), told);
        }
    }
}

/// Trials of what is like an example, of the limits that this reaches.
fn of_schema(document: &Value, schema: &Value, example: &Value) -> Vec<Trial> {
    let schema = resolved(document, schema);
    let mut all = own_limits(schema, example);
    for part in ["oneOf", "allOf"].into_iter().filter_map(|parts| schema[parts].as_array()).flatten() {
        let is_meant = schema["allOf"].is_array() || fits(document, part, example);
        all.extend(is_meant.then(|| of_schema(document, part, example)).into_iter().flatten());
    }
    for (name, value) in example.as_object().into_iter().flatten() {
        let (schema, step) = match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, inner @ Value::Object(_)) => (inner, "{}"),
            (field, _) => (field, name.as_str()),
        };
        all.extend(of_schema(document, schema, value).into_iter().map(|trial| {
            let mut request = example.clone();
            request[name] = trial.request;
            Trial { limit: format!("/{step}{}", trial.limit), request, ..trial }
        }));
    }
    for (at, value) in example.as_array().into_iter().flatten().enumerate() {
        all.extend(of_schema(document, &schema["items"], value).into_iter().map(|trial| {
            let mut request = example.clone();
            request[at] = trial.request;
            Trial { limit: format!("/[]{}", trial.limit), request, ..trial }
        }));
    }
    if let (names @ Value::Object(_), Some(entries)) = (&schema["propertyNames"], example.as_object()) {
        let mut entries = entries.clone();
        let (name, value) =
            entries.iter().next().map(|(name, value)| (name.clone(), value.clone())).expect("one");
        entries.remove(&name);
        all.extend(of_schema(document, names, &json!(name)).into_iter().map(|trial| {
            let mut request = entries.clone();
            request.insert(trial.request.as_str().expect("a name").to_owned(), value.clone());
            Trial { limit: format!("/{{name}}{}", trial.limit), request: request.into(), ..trial }
        }));
    }
    all
}

/// Trials of the limits that a schema itself has.
fn own_limits(schema: &Value, example: &Value) -> Vec<Trial> {
    let mut all = Vec::new();
    for limit in LIMITS {
        let Some(bound) = schema.get(limit) else { continue };
        let bound = || bound.as_i64().expect("a whole number");
        let (within, beyond) = match limit {
            "minLength" => (text(example, bound()), text(example, bound() - 1)),
            "maxLength" => (text(example, bound()), text(example, bound() + 1)),
            "pattern" => (example.clone(), json!("??")),
            "minimum" => (json!(bound()), json!(bound() - 1)),
            "maximum" => (json!(bound()), json!(bound() + 1)),
            "maxItems" => (items(bound()), items(bound() + 1)),
            "maxProperties" => (entries(bound()), entries(bound() + 1)),
            _ => unreachable!("the limits are listed"),
        };
        for (request, fits) in [(within, true), (beyond, false)] {
            all.push(Trial { limit: format!(" {limit}"), request, fits });
        }
    }
    all
}

/// A text of so many characters that begins as the example.
fn text(example: &Value, chars: i64) -> Value {
    let example = example.as_str().expect("a text").chars().chain(std::iter::repeat('a'));
    json!(example.take(usize::try_from(chars).expect("not negative")).collect::<String>())
}

fn items(count: i64) -> Value {
    (0..count).map(|at| format!("a{at}")).collect()
}

fn entries(count: i64) -> Value {
    (0..count).map(|at| (format!("a{at}"), at)).collect()
}

/// Whether an example is of this choice.
fn fits(document: &Value, schema: &Value, example: &Value) -> bool {
    let schema = resolved(document, schema);
    if let Some(choices) = schema["oneOf"].as_array() {
        return choices.iter().any(|choice| fits(document, choice, example));
    }
    let kind = schema["type"].as_str().unwrap_or_default();
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    match example {
        Value::Object(fields) => kind == "object" && { required }.all(|name| fields.contains_key(name)),
        Value::String(_) => kind == "string",
        Value::Number(_) => kind == "number" || kind == "integer",
        _ => false,
    }
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let Some(reference) = schema["$ref"].as_str() else { return schema };
    resolved(
        document,
        document.pointer(reference.trim_start_matches('#')).expect("references lead somewhere"),
    )
}
