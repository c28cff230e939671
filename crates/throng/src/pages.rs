//! The pages, embedded when they were built before the binary was.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use throng_node::Problem;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::config::typed::{Parser, Socket};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Pages;

/// Runs nothing that is not ours, and is shown in nobody's frame.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'; base-uri 'none'");

/// Which pages may ask for the camera and the microphone: the roulette, for itself.
const PERMISSIONS: HeaderName = HeaderName::from_static("permissions-policy");
const NO_DEVICES: &str = "camera=(), microphone=()";
const OWN_DEVICES: &str = "camera=(self), microphone=(self)";

const NOT_BUILT: &str = "\
Throng is running, but this binary was built without its pages.

  make run                         builds the pages and the binary, and serves both

or by hand, with Node 20:

  cd web && npm ci && npm run build
  cargo run --release
";

/// Whether there are any.
pub(crate) fn are_built() -> bool {
    Pages::get("index.html").is_some()
}

/// The settings with which the pages of this binary, if there are any, reach no server.
pub(crate) fn cut_off_by(socket: &Socket) -> Vec<&'static str> {
    if are_built() { foreign(socket) } else { Vec::new() }
}

/// The settings that the pages do not follow: they speak JSON at `/socket.io/`.
fn foreign(socket: &Socket) -> Vec<&'static str> {
    let path = (socket.path.trim_end_matches('/') != "/socket.io").then_some("socket.path");
    let parser = (socket.parser != Parser::Default).then_some("socket.parser");
    path.into_iter().chain(parser).collect()
}

/// `/` and `/roulette`, what they refer to, the official client at the path that Node serves it from, and what every other
/// path is answered with.
pub(crate) fn router(socket: &Socket) -> Router {
    let clients = format!("{}/{{file}}", socket.path.trim_end_matches('/'));
    let policy = SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, POLICY);
    Router::new()
        .route("/", get(debate))
        .route("/roulette", get(roulette))
        .route("/favicon.svg", get(icon))
        .route("/assets/{file}", get(asset))
        .route(&clients, get(client))
        .fallback(async || nothing())
        .layer(CompressionLayer::new().gzip(true))
        .layer(policy)
}

async fn debate(headers: HeaderMap) -> Response {
    page("index.html", NO_DEVICES, &headers)
}

async fn roulette(headers: HeaderMap) -> Response {
    page("roulette.html", OWN_DEVICES, &headers)
}

fn page(path: &str, permissions: &'static str, headers: &HeaderMap) -> Response {
    let page = file(path, "no-cache", headers).unwrap_or_else(|| NOT_BUILT.into_response());
    ([(PERMISSIONS, permissions)], page).into_response()
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    // Their names carry a hash of their content.
    found(file(&format!("assets/{name}"), "public, max-age=31536000, immutable", &headers))
}

async fn icon(headers: HeaderMap) -> Response {
    found(file("favicon.svg", "no-cache", &headers))
}

async fn client(Path(name): Path<String>, headers: HeaderMap) -> Response {
    found(file(&format!("socket.io/{name}"), "no-cache", &headers))
}

fn found(file: Option<Response>) -> Response {
    file.unwrap_or_else(|| nothing().into_response())
}

fn nothing() -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this path.")
}

/// A file, or 304 when the client has it already.
fn file(path: &str, caching: &'static str, headers: &HeaderMap) -> Option<Response> {
    let file = Pages::get(path)?;
    let hash = file.metadata.sha256_hash()[..12].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let tag = format!("\"{hash}\"");
    let theirs = headers.get(header::IF_NONE_MATCH).and_then(|theirs| theirs.to_str().ok());
    let known = theirs.is_some_and(|theirs| is_among(theirs, &tag));
    let about = [(header::CACHE_CONTROL, caching.to_owned()), (header::ETAG, tag)];
    if known {
        return Some((StatusCode::NOT_MODIFIED, about).into_response());
    }
    let kind = [(header::CONTENT_TYPE, kind(path, file.metadata.mimetype()).to_owned())];
    Some((about, kind, file.data).into_response())
}

/// Whether a tag is one of those that a client has. A proxy that compresses makes weak ones of ours.
fn is_among(theirs: &str, tag: &str) -> bool {
    let mut theirs = theirs.split(',').map(str::trim);
    theirs.any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

/// The type of a file, which is `guessed` by its ending: of those of source maps nothing is known there.
fn kind<'a>(path: &str, guessed: &'a str) -> &'a str {
    if path.rsplit('.').next() == Some("map") { "application/json" } else { guessed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Sources;

    #[test]
    fn a_client_may_have_several_versions_also_weak_ones() {
        for (theirs, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
        ] {
            assert_eq!(is_among(theirs, "\"a\""), known, "{theirs}");
        }
    }

    #[test]
    fn source_maps_are_json() {
        assert_eq!(kind("socket.io/socket.io.js.map", "text/plain"), "application/json");
        assert_eq!(kind("socket.io/socket.io.js", "text/javascript"), "text/javascript");
    }

    #[test]
    fn the_pages_follow_neither_the_path_nor_the_parser() {
        let socket = Sources::default().read().config.socket;
        assert_eq!(foreign(&socket), Vec::<&str>::new());
        assert_eq!(foreign(&Socket { path: "/socket.io".into(), ..socket.clone() }), Vec::<&str>::new());
        assert_eq!(foreign(&Socket { path: "/io/".into(), ..socket.clone() }), ["socket.path"]);
        assert_eq!(foreign(&Socket { parser: Parser::Msgpack, ..socket }), ["socket.parser"]);
    }
}
