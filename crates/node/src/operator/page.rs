//! The readable page of the documents: plain HTML written here once, with a style sheet of its own and no script, so that
//! it runs under the strictest policy. Every text goes through the template's escaping.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

/// What the page may load: its style sheet.
pub(super) const POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// The style sheet.
pub(super) const STYLE: &str = include_str!("page/style.css");

/// The page of an OpenAPI and an AsyncAPI document.
pub(super) fn render(openapi: &Value, asyncapi: &Value) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Throng: routes and events" }
                link rel="stylesheet" href="/api/docs/style.css";
            }
            body {
                header {
                    h1 { "Throng " (text(&openapi["info"]["version"])) }
                    p {
                        "The same for programs: " a href="/api/openapi.json" { "openapi.json" } ", "
                        a href="/api/asyncapi.json" { "asyncapi.json" } "."
                    }
                }
                main {
                    @for tag in list(&openapi["tags"]) { (section(openapi, tag)) }
                    (events(asyncapi))
                }
            }
        }
    };
    page.into_string()
}

/// The routes of one tag.
fn section(openapi: &Value, tag: &Value) -> Markup {
    let name = text(&tag["name"]);
    let of_tag = |operation: &Value| list(&operation["tags"]).iter().any(|tag| text(tag) == name);
    html! {
        section aria-labelledby=(name) {
            h2 id=(name) { (name) }
            p { (prose(&tag["description"])) }
            @for (path, item) in entries(&openapi["paths"]) {
                @for (method, operation) in entries(item).filter(|(_, operation)| of_tag(operation)) {
                    (route(method, path, operation))
                }
            }
        }
    }
}

fn route(method: &str, path: &str, operation: &Value) -> Markup {
    let body = operation.pointer("/requestBody/content").and_then(|content| entries(content).next());
    html! {
        article {
            h3 { code class="method" { (method.to_uppercase()) } " " code { (path) } }
            p {
                (text(&operation["summary"])) "."
                @if needs_token(operation) { " " span class="role" { "operator" } }
            }
            @if operation["description"].is_string() { p { (prose(&operation["description"])) } }
            @if !list(&operation["parameters"]).is_empty() {
                table {
                    caption { "Parameters" }
                    (columns(&["Name", "In", "Type", "Meaning"]))
                    tbody {
                        @for parameter in list(&operation["parameters"]) {
                            tr {
                                td { code { (text(&parameter["name"])) } @if parameter["required"] == true { " *" } }
                                td { (text(&parameter["in"])) }
                                td { (shape(&parameter["schema"])) }
                                td { (prose(&parameter["description"])) }
                            }
                        }
                    }
                }
            }
            @if let Some((kind, content)) = body { p { "Body: " code { (kind) } ", " (shape(&content["schema"])) } }
            table {
                caption { "Answers" }
                (columns(&["Status", "Body", "Meaning"]))
                tbody {
                    @for (status, response) in entries(&operation["responses"]) {
                        tr {
                            td { code { (status) } }
                            td { @for (_, content) in entries(&response["content"]) { (shape(&content["schema"])) } }
                            td { (prose(&response["description"])) }
                        }
                    }
                }
            }
        }
    }
}

/// A text in which backquotes mark what is code.
fn prose(value: &Value) -> Markup {
    html! {
        @for (index, part) in text(value).split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The socket events, namespace by namespace.
fn events(asyncapi: &Value) -> Markup {
    html! {
        section aria-labelledby="events" {
            h2 id="events" { "socket events" }
            @for (channel, about) in entries(&asyncapi["channels"]) {
                table {
                    caption { "Namespace " code { (text(&about["address"])) } }
                    (columns(&["Event", "Sent by", "Payload", "Acknowledged with", "Meaning"]))
                    tbody {
                        @for operation in operations(asyncapi, channel) {
                            @let message = message(asyncapi, &operation["messages"][0]);
                            @let answer = self::message(asyncapi, &operation["reply"]["messages"][0]);
                            tr {
                                td { code { (text(&message["name"])) } }
                                td { @if operation["action"] == "send" { "server" } @else { "client" } }
                                td { (shape(&message["payload"])) }
                                td { (shape(&answer["payload"])) }
                                td { (prose(&message["summary"])) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn columns(names: &[&str]) -> Markup {
    html! { thead { tr { @for name in names { th scope="col" { (name) } } } } }
}

/// The operations of a namespace.
fn operations<'a>(asyncapi: &'a Value, channel: &str) -> impl Iterator<Item = &'a Value> {
    let reference = format!("#/channels/{channel}");
    let of = move |operation: &&Value| text(&operation["channel"]["$ref"]) == reference;
    entries(&asyncapi["operations"]).map(|(_, operation)| operation).filter(of)
}

/// The message behind a reference of an operation.
fn message<'a>(asyncapi: &'a Value, reference: &Value) -> &'a Value {
    let name = text(&reference["$ref"]).rsplit('/').next().unwrap_or_default();
    &asyncapi["components"]["messages"][name]
}

fn needs_token(operation: &Value) -> bool {
    let ways = list(&operation["security"]);
    !ways.is_empty() && ways.iter().all(|way| way.get("token").is_some())
}

/// A schema in a few words: its name, or its type, or the names of its fields.
fn shape(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_owned();
    }
    if let Some(kinds) = schema["type"].as_array() {
        return kinds.iter().map(text).collect::<Vec<_>>().join(" or ");
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(choices) = schema[choice].as_array() {
            return choices.iter().map(shape).collect::<Vec<_>>().join(" or ");
        }
    }
    let values = list(&schema["enum"]);
    if !values.is_empty() {
        return values.iter().map(text).collect::<Vec<_>>().join(" or ");
    }
    match text(&schema["type"]) {
        "array" => format!("list of {}", shape(&schema["items"])),
        "object" => {
            let fields: Vec<_> =
                entries(&schema["properties"]).map(|(name, of)| format!("{name}: {}", shape(of))).collect();
            if fields.is_empty() { "object".to_owned() } else { format!("{{{}}}", fields.join(", ")) }
        }
        kind => kind.to_owned(),
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.as_str(), value))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_are_escaped_and_nothing_runs() {
        let openapi = json!({
            "info": {"version": "1"}, "tags": [{"name": "t", "description": "<script>alert(1)</script>"}],
            "paths": {"/<b>": {"get": {"tags": ["t"], "summary": "\"quoted\"", "responses": {}}}},
        });
        let page = render(&openapi, &json!({}));
        assert!(page.contains("&lt;script&gt;") && page.contains("/&lt;b&gt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("<b>"), "{page}");
    }

    #[test]
    fn a_schema_is_told_in_a_few_words() {
        for (schema, expect) in [
            (json!({"$ref": "#/components/schemas/Page"}), "Page"),
            (json!({"type": ["string", "null"]}), "string or null"),
            (json!({"type": "array", "items": {"type": "integer"}}), "list of integer"),
            (json!({"type": "object", "properties": {"a": {"type": "string"}}}), "{a: string}"),
            (json!({"type": "string", "enum": ["on", "off"]}), "on or off"),
            (json!({}), ""),
        ] {
            assert_eq!(shape(&schema), expect);
        }
    }
}
