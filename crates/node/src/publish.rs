//! `POST /api/publish`: events from other programs, sent to sockets of every node as an app would send them. Who may is
//! decided here, message by message; a request is taken whole or not at all.

mod publisher;
pub(crate) mod repeats;

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use throng_protocol::socket::args::Args;
use throng_protocol::socket::codec::{Assembler, Codec, Parser};
use throng_protocol::socket::packet::{Body, Packet};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::publisher::Publisher;
use self::repeats::{Request, Turn};
use crate::envelope::{Envelope, Operation, Reach, Selection, Standing, Urgency};
use crate::node::Node;
use crate::operator::documents::Refused;
use crate::operator::extract::Json;
use crate::outgoing::Outgoing;
use crate::problem::Problem;
use crate::shard::Shard;
use crate::tenants::Space;

/// Messages of one request.
const MESSAGES_MAX: usize = 100;
/// Rooms that one message names, and as many that it excludes.
const ROOMS_MAX: usize = 100;
/// Says that this is the answer to an earlier request of the same key.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The route.
pub(crate) fn routes(node: &Arc<Node>) -> OpenApiRouter<Arc<Node>> {
    OpenApiRouter::new().routes(routes!(publish)).layer(from_fn_with_state(node.clone(), publisher::identify))
}

/// An event for sockets.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Publication {
    /// Whose sockets; left out, the sender's own tenant, or `default`.
    tenant: Option<String>,
    /// Such as `/` or `/chat`.
    namespace: String,
    /// Their members are reached, each once; all sockets of the namespace when empty. A socket's identifier is a room.
    #[serde(default)]
    #[schema(max_items = 100)]
    rooms: Vec<Box<str>>,
    /// Members of these are left out.
    #[serde(default)]
    #[schema(max_items = 100)]
    except: Vec<Box<str>>,
    /// The name of the event.
    #[schema(max_length = 256)]
    event: String,
    /// What comes with it.
    #[serde(default)]
    #[schema(value_type = Vec<serde_json::Value>)]
    arguments: Vec<Box<RawValue>>,
}

/// One message, or up to 100.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `envelopes` reads")]
enum Publications {
    One(Publication),
    Several(Vec<Publication>),
}

/// What was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Published {
    ok: bool,
    /// How many messages.
    messages: usize,
}

/// Sends events to sockets, whichever node they are connected to
///
/// One message, or an array of up to 100, which are sent in this order or not at all. For staff, for servers with one of the
/// configured keys as bearer token, and for users where the namespace allows it. That it was taken does not say that anybody
/// has received it. A request with an `Idempotency-Key` of 1 to 255 characters may be repeated for an hour, with the same
/// body: the answer is that of the first, and nothing is sent again.
#[utoipa::path(
    post, path = "/api/publish", operation_id = "publish", tag = "publish", security(("token" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Names the request, should it be repeated.")),
    request_body = Publications,
    responses(
        (status = 202, body = Published, description = "Sent.",
            headers(("idempotency-replayed" = String, description = "`true` where it was sent by an earlier request."))),
        (status = 503, body = Refused, description = "The key cannot be remembered now; nothing was sent."),
        (status = "4XX", body = Refused, description = "Refused; nothing was sent.")
    )
)]
async fn publish(
    State(node): State<Arc<Node>>,
    publisher: Publisher,
    headers: HeaderMap,
    Json(body): Json<Box<RawValue>>,
) -> Result<Response, Problem> {
    let envelopes = envelopes(&node, &publisher, body.get())?;
    let published = Published { ok: true, messages: envelopes.len() };
    let Some(key) = repeats::key(&headers)? else {
        send(&node, envelopes);
        return Ok(answer(&published));
    };
    let request = Request { publisher: &publisher.name(), key, body: body.get() };
    match node.repeats.begin(request).await? {
        Turn::Repeat(published) => {
            let mut response = answer(&published);
            response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Turn::First(first) => {
            send(&node, envelopes);
            // Whoever hangs up now must still find that it was sent.
            let (node, done) = (node.clone(), published.clone());
            let remembering = tokio::spawn(async move { node.repeats.finish(first, &done).await });
            let _ = remembering.await;
            Ok(answer(&published))
        }
    }
}

fn answer(published: &Published) -> Response {
    (StatusCode::ACCEPTED, axum::Json(published)).into_response()
}

fn send(node: &Arc<Node>, envelopes: Vec<Envelope>) {
    if let Some(shard) = Shard::here() {
        shard.metrics().messages_published.add(envelopes.len() as u64);
    }
    envelopes.into_iter().for_each(|envelope| node.send(envelope, Reach::Fleet));
}

/// What is to be sent, or why none of it is.
fn envelopes(node: &Node, publisher: &Publisher, body: &str) -> Result<Vec<Envelope>, Problem> {
    if !body.starts_with('[') {
        return Ok(vec![envelope(node, publisher, read(body)?)?]);
    }
    let messages: Vec<Publication> = read(body)?;
    if !(1..=MESSAGES_MAX).contains(&messages.len()) {
        return Err(malformed(format!("A request carries 1 to {MESSAGES_MAX} messages.")));
    }
    let one = |(at, message)| {
        envelope(node, publisher, message).map_err(|problem: Problem| Problem {
            message: format!("Message {at}: {}", problem.message).into(),
            ..problem
        })
    };
    messages.into_iter().enumerate().map(one).collect()
}

fn read<'a, T: Deserialize<'a>>(body: &'a str) -> Result<T, Problem> {
    serde_json::from_str(body).map_err(|error| malformed(error.to_string()))
}

fn envelope(node: &Node, publisher: &Publisher, message: Publication) -> Result<Envelope, Problem> {
    let tenant = publisher.tenant(node, message.tenant.as_deref())?;
    publisher.may(node, &tenant, &message.namespace)?;
    if message.rooms.len().max(message.except.len()) > ROOMS_MAX {
        return Err(malformed(format!("A message names up to {ROOMS_MAX} rooms.")));
    }
    let (event, args) = event(node, &message)?;
    let space = Space { tenant, nsp: message.namespace.into() };
    let out = Outgoing::event(&node.codec, &space.nsp, None, &event, &args);
    let spoken = node.overheard.then(|| Arc::new((event, args)));
    let rooms = |names: Vec<Box<str>>| names.into_iter().map(Into::into).collect();
    let to = Selection { rooms: rooms(message.rooms), except: rooms(message.except), sender: None };
    Ok(Envelope {
        space,
        to,
        operation: Operation::Emit { out, spoken, urgency: Urgency::Queued, standing: Standing::Unrecorded },
    })
}

/// The event, read as if a client had sent it: with the same names refused and the same limits.
fn event(node: &Node, message: &Publication) -> Result<(String, Args), Problem> {
    let mut packet = format!("2[{}", serde_json::Value::from(message.event.as_str()));
    for argument in &message.arguments {
        write!(packet, ",{argument}").expect("a text takes what is written to it");
    }
    packet.push(']');
    let codec = Codec { parser: Parser::Default, limits: node.codec.limits };
    let mut assembler = Assembler::default();
    match assembler.text(&codec, &packet) {
        Ok(Some(Packet { body: Body::Event { name, args, .. }, .. })) => {
            Ok((name.into_owned(), args.to_owned()))
        }
        Ok(_) => Err(malformed("This is no event.".to_owned())),
        Err(error) => Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_event", error.to_string())),
    }
}

fn malformed(message: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "malformed_body", message)
}
