//! The readable page of the documents: plain HTML written here once, with a style sheet of its own and no script, so that
//! it runs under the strictest policy. Every text goes through the template's escaping.

use std::collections::BTreeMap;

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use super::words::in_words;

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
            p { (prose(text(&tag["description"]))) }
            @for (path, item) in entries(&openapi["paths"]) {
                @for (method, operation) in entries(item).filter(|(_, operation)| of_tag(operation)) {
                    (route(openapi, method, path, operation))
                }
            }
        }
    }
}

fn route(openapi: &Value, method: &str, path: &str, operation: &Value) -> Markup {
    let shape = |schema: &Value| prose(&in_words(openapi, schema));
    let body = operation.pointer("/requestBody/content").and_then(|content| entries(content).next());
    html! {
        article {
            h3 { code class="method" { (method.to_uppercase()) } " " code { (path) } }
            p {
                (text(&operation["summary"])) "."
                @if needs_token(operation) { " " span class="role" { "operator" } }
            }
            @if operation["description"].is_string() { p { (prose(text(&operation["description"]))) } }
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
                                td { (prose(text(&parameter["description"]))) }
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
                            td { (prose(text(&response["description"]))) }
                        }
                    }
                }
            }
        }
    }
}

/// A text in which backquotes mark what is code.
fn prose(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
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
                    (columns(&["Event", "Sent by", "Payload", "Acknowledged with", "Refused with", "Meaning"]))
                    tbody {
                        @for operation in operations(asyncapi, channel) { (event(asyncapi, operation)) }
                    }
                }
                table {
                    caption { "Refusals in " code { (text(&about["address"])) } }
                    (columns(&["Code", "Meaning"]))
                    tbody {
                        @for (code, meaning) in meanings(asyncapi, about) {
                            tr {
                                td { code { (code) } }
                                td { (prose(meaning)) }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn event(asyncapi: &Value, operation: &Value) -> Markup {
    let sent = message(asyncapi, &operation["messages"][0]);
    let replies = list(&operation["reply"]["messages"]).iter().map(|reply| message(asyncapi, reply));
    let (refusals, answers): (Vec<_>, Vec<_>) = replies.partition(|reply| codes(reply).next().is_some());
    html! {
        tr {
            td { code { (text(&sent["name"])) } }
            td { @if operation["action"] == "send" { "server" } @else { "client" } }
            td { (prose(&in_words(asyncapi, &sent["payload"]))) }
            td { @for answer in answers { (prose(&in_words(asyncapi, &answer["payload"]))) } }
            td { @for (code, _) in refusals.into_iter().flat_map(codes) { code { (code) } " " } }
            td { (prose(text(&sent["summary"]))) }
        }
    }
}

/// The codes of a message that refuses, with their meanings.
fn codes(message: &Value) -> impl Iterator<Item = (&str, &str)> {
    let codes = message.pointer("/payload/properties/error/properties/code/oneOf").map_or(&[][..], list);
    codes.iter().map(|code| (text(&code["const"]), text(&code["description"])))
}

/// All codes of a namespace, in order.
fn meanings<'a>(asyncapi: &'a Value, channel: &'a Value) -> BTreeMap<&'a str, &'a str> {
    entries(&channel["messages"]).flat_map(|(_, reference)| codes(message(asyncapi, reference))).collect()
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
    use crate::app::App;

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
    fn events_are_shown_with_limits_and_codes() {
        let mut app = App::new();
        app.namespace("/chat", |nsp| {
            nsp.describe::<Said, ()>("say", "Says something.", &[("muted", "be silent")]);
        });
        let page = render(&json!({}), &app.event_document());
        let said = "<code>text</code> (string, 1 to 9 characters)";
        for expect in [said, "<code>muted</code>", "be silent", "<code>invalid_arguments</code>"] {
            assert!(page.contains(expect), "{expect}: {page}");
        }
    }

    #[derive(utoipa::ToSchema)]
    #[expect(dead_code, reason = "only its schema counts")]
    struct Said {
        #[schema(min_length = 1, max_length = 9)]
        text: String,
    }
}
