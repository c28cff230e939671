//! The Engine.IO endpoint in the OpenAPI document. Its path is configured, so no attribute can say it; and what follows an
//! upgrade is a WebSocket, which OpenAPI has no words for.

use utoipa::openapi::path::{HttpMethod, OperationBuilder, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Required, ResponseBuilder};

/// Adds the endpoint.
pub(super) fn describe(document: &mut OpenApi, path: &str) {
    let parameter = |name: &str, required, values: Option<&[&str]>, about: &str| -> Parameter {
        let text = ObjectBuilder::new().schema_type(Type::String);
        let text = text.enum_values(values.map(<[&str]>::to_vec));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Query)
            .required(required)
            .description(Some(about))
            .schema(Some(text))
            .build()
    };
    let session = || parameter("sid", Required::False, None, "The session; left out to open one.");
    let operation = |summary: &str| {
        let text =
            || ContentBuilder::new().schema(Some(ObjectBuilder::new().schema_type(Type::String))).build();
        let answer =
            |about: &str| ResponseBuilder::new().description(about).content("text/plain", text()).build();
        OperationBuilder::new()
            .tag("sockets")
            .summary(Some(summary))
            .parameter(parameter("EIO", Required::True, Some(&["4"]), "The version of Engine.IO."))
            .parameter(parameter(
                "transport",
                Required::True,
                Some(&["polling", "websocket"]),
                "The transport.",
            ))
            .response("200", answer("A payload of Engine.IO packets."))
            .response("4XX", ResponseBuilder::new().description("Refused.").build())
            .response("503", answer("The node is draining, or full."))
    };
    let get = operation("Opens a session, polls it, or becomes its WebSocket").parameter(session()).build();
    let packets = ObjectBuilder::new().schema_type(Type::String);
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("text/plain", ContentBuilder::new().schema(Some(packets)).build())
        .build();
    let post = operation("Sends packets").parameter(session()).request_body(Some(body)).build();
    let mut item = PathItem::new(HttpMethod::Get, get);
    item.merge_operations(PathItem::new(HttpMethod::Post, post));
    document.paths.paths.insert(format!("{}/", path.trim_end_matches('/')), item);
}
