//! The pages, embedded when they were built before the binary was.

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{HeaderValue, StatusCode, header};
use rust_embed::RustEmbed;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
#[allow_missing = true]
struct Pages;

/// Runs nothing that is not ours, and is shown in nobody's frame.
const POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'self'; frame-ancestors 'none'; base-uri 'none'");

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

/// `/`, what it refers to, and the official client at the path that Node serves it from.
pub(crate) fn router() -> Router {
    let policy = SetResponseHeaderLayer::if_not_present(header::CONTENT_SECURITY_POLICY, POLICY);
    Router::new()
        .route("/", get(index))
        .route("/assets/{file}", get(asset))
        .route("/socket.io/{file}", get(client))
        .layer(CompressionLayer::new().gzip(true))
        .layer(policy)
}

async fn index() -> Response {
    file("index.html", "no-cache").unwrap_or_else(|| NOT_BUILT.into_response())
}

async fn asset(Path(name): Path<String>) -> Response {
    // Their names carry a hash of their content.
    found(file(&format!("assets/{name}"), "public, max-age=31536000, immutable"))
}

async fn client(Path(name): Path<String>) -> Response {
    found(file(&format!("socket.io/{name}"), "no-cache"))
}

fn found(response: Option<Response>) -> Response {
    response.unwrap_or_else(|| (StatusCode::NOT_FOUND, "There is no such page.\n").into_response())
}

fn file(path: &str, caching: &'static str) -> Option<Response> {
    let file = Pages::get(path)?;
    let kind = file.metadata.mimetype().to_owned();
    Some(
        ([(header::CONTENT_TYPE, kind.as_str()), (header::CACHE_CONTROL, caching)], file.data)
            .into_response(),
    )
}
