//! The AsyncAPI 3 document of the socket events: what listeners are registered for, and what descriptions say of it. An
//! event that nobody described is there with its name, so that the document is complete even where it is terse. An
//! acknowledgement that refuses is a message of its own: one with the codes of the event, and one of the namespace with those
//! that the node refuses any event with.

use serde_json::{Map, Value, json};

use crate::app::Service;
use crate::namespace::{Direction, EventDoc, Namespace};
use crate::{own_events, refusals};

/// The document.
pub(crate) fn document(service: &Service) -> Value {
    let mut document = Document::default();
    if let Service::Sockets(namespaces) = service {
        namespaces.fixed().for_each(|(name, nsp)| document.add(name, nsp));
    }
    let Document { channels, operations, messages, schemas } = document;
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Throng socket events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Socket.IO events by namespace. An operation that is received with a reply is acknowledged.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    })
}

#[derive(Default)]
struct Document {
    channels: Map<String, Value>,
    operations: Map<String, Value>,
    messages: Map<String, Value>,
    schemas: Map<String, Value>,
}

impl Document {
    fn add(&mut self, name: &str, nsp: &Namespace) {
        let channel = key(name);
        self.channels.insert(channel.clone(), json!({"address": name, "messages": {}}));
        let (any, mut payload) = (any_refusal(&channel), refused(&refusals::ALL));
        payload["properties"]["error"]["properties"]["retryAfterMs"] =
            json!({"type": "integer", "minimum": 0});
        self.message(&channel, &any, json!({"name": "any event (refusal)", "payload": payload}));
        for doc in own_events::docs().iter().chain(&nsp.described) {
            self.described(&channel, doc);
        }
        for event in nsp.undescribed() {
            let message = format!("{channel}.{}", key(event));
            self.message(&channel, &message, json!({"name": event}));
            self.operation(&channel, &message, "receive", &[]);
        }
    }

    fn described(&mut self, channel: &str, doc: &EventDoc) {
        let action = match doc.direction {
            Direction::Received => "receive",
            Direction::Sent => "send",
        };
        let message = format!("{channel}.{action}.{}", key(&doc.event));
        let about = json!({"name": doc.event, "summary": doc.summary, "payload": doc.payload});
        self.message(channel, &message, about);
        let mut replies = Vec::new();
        if let Some(answer) = &doc.answer {
            let mut reply = |kind: &str, name: &str, payload: Value| {
                let reply = format!("{message}.{kind}");
                self.message(
                    channel,
                    &reply,
                    json!({"name": format!("{} ({name})", doc.event), "payload": payload}),
                );
                replies.push(reply);
            };
            reply("reply", "acknowledgement", json!(answer));
            if !doc.refusals.is_empty() {
                reply("refusal", "refusal", refused(&doc.refusals));
            }
            replies.push(any_refusal(channel));
        }
        self.operation(channel, &message, action, &replies);
        for (name, schema) in &doc.schemas {
            self.schemas.insert(name.clone(), json!(schema));
        }
    }

    fn message(&mut self, channel: &str, message: &str, about: Value) {
        self.messages.insert(message.to_owned(), about);
        if let Some(messages) =
            self.channels.get_mut(channel).and_then(|channel| channel["messages"].as_object_mut())
        {
            messages.insert(message.to_owned(), json!({"$ref": format!("#/components/messages/{message}")}));
        }
    }

    fn operation(&mut self, channel: &str, message: &str, action: &str, replies: &[String]) {
        let of = |message: &str| json!({"$ref": format!("#/channels/{channel}/messages/{message}")});
        let at = json!({"$ref": format!("#/channels/{channel}")});
        let mut operation = json!({"action": action, "channel": at, "messages": [of(message)]});
        if !replies.is_empty() {
            let messages: Vec<_> = replies.iter().map(|reply| of(reply)).collect();
            operation["reply"] = json!({"channel": at, "messages": messages});
        }
        self.operations.insert(message.to_owned(), operation);
    }
}

/// The message of what the node refuses any event of a namespace with.
fn any_refusal(channel: &str) -> String {
    format!("{channel}.any.refusal")
}

/// The schema of an acknowledgement that refuses, with these codes and their meanings.
fn refused(codes: &[(&str, &str)]) -> Value {
    let codes: Vec<_> =
        codes.iter().map(|(code, meaning)| json!({"const": code, "description": meaning})).collect();
    json!({
        "type": "object",
        "required": ["ok", "error"],
        "properties": {
            "ok": {"type": "boolean", "enum": [false]},
            "error": {
                "type": "object",
                "required": ["code", "message"],
                "properties": {
                    "code": {"type": "string", "oneOf": codes},
                    "message": {"type": "string", "description": "A sentence for people."},
                },
            },
        },
    })
}

/// A name as a key that references can point to.
fn key(name: &str) -> String {
    let key: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' })
        .collect();
    let key = key.trim_matches('-');
    if key.is_empty() { "root".to_owned() } else { key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::App;
    use crate::socket::Socket;

    #[test]
    fn described_and_undescribed_events_are_all_there() {
        let mut app = App::new();
        app.namespace("/chat", |nsp| {
            nsp.on("room:say", |_: Socket, _: String| async {});
            nsp.on("quiet", |_: Socket| async {});
            nsp.describe::<String, ()>("room:say", "Says something.", &[("muted", "be silent")]);
            nsp.describe_sent::<String>("room:said", "Somebody said something.");
        });
        assert_eq!(app.undescribed_events(), ["/chat quiet"]);
        let document = app.event_document();
        let operations = document["operations"].as_object().unwrap();
        let mut actions: Vec<_> =
            operations.iter().map(|(key, of)| (key.as_str(), of["action"].as_str().unwrap())).collect();
        actions.sort_unstable();
        assert_eq!(
            actions,
            [
                ("chat.quiet", "receive"),
                ("chat.receive.room-say", "receive"),
                ("chat.receive.token-guest", "receive"),
                ("chat.receive.token-refresh", "receive"),
                ("chat.send.room-said", "send"),
                ("chat.send.socket-ended", "send"),
            ]
        );
        assert_eq!(document["components"]["messages"]["chat.receive.room-say"]["payload"]["type"], "string");
        for of in operations.values() {
            let reference = of["messages"][0]["$ref"].as_str().unwrap().trim_start_matches('#');
            assert!(document.pointer(reference).is_some(), "{reference}");
        }
        let replies = operations["chat.receive.room-say"]["reply"]["messages"].as_array().unwrap();
        let codes = replies.iter().flat_map(|reply| {
            let name = reply["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let code = "/payload/properties/error/properties/code/oneOf";
            document["components"]["messages"][name]
                .pointer(code)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
        });
        let codes: Vec<_> = codes.map(|code| code["const"].as_str().unwrap()).collect();
        assert_eq!(codes, ["muted", "invalid_arguments", "rate_limited"]);
    }

    #[test]
    fn a_bare_server_has_no_events() {
        let document = App::websocket(|message| Some(message)).event_document();
        assert_eq!(document["channels"], json!({}));
    }
}
