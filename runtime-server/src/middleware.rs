//! Middleware of the app (config/http.*): each request goes through it before anything else looks at it.

mod messages;
mod socket;
mod tee;

use axum::body::Body;
use http::header::{HeaderName, SET_COOKIE, VARY};
use http::{HeaderMap, Request, Response, StatusCode, Uri};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

use crate::app::App;
use crate::engine::Door;
use crate::http::{Caller, later, plain};
use crate::peer::Peer;

/// Begins the names of headers that pass between server and worker only.
const OWN: &str = "x-ss-";

/// What became of a request.
#[expect(clippy::large_enum_variant, reason = "one for each request, taken apart where it is made")]
pub(crate) enum Looked {
    /// It goes on, and these headers belong to its answer.
    Passed(Request<Body>, HeaderMap),
    /// It is answered.
    Answered(Response<Body>),
}

/// Lets the app's middleware look at a request; without any, it goes on at once. What is ours alone is not shown.
pub(crate) async fn look(app: &App, request: Request<Incoming>) -> Looked {
    let generation = app.generations.enter();
    if !generation.actions.has_middleware() || request.uri().path().starts_with("/_ss/") {
        return Looked::Passed(request.map(Body::new), HeaderMap::new());
    }
    let peer = request.extensions().get::<Peer>().expect("every request has its peer");
    let caller = Caller::of(&generation.config, peer, request.uri(), request.headers());
    let limits = &app.hub.limits;
    let looked = match generation.actions.door().await {
        Some(Door::Socket { path, secret }) => socket::ask(&path, &secret, &caller, request, limits).await,
        Some(Door::Messages) => messages::ask(&generation.actions, &caller, request, (limits, &app.hub.log)).await,
        None => Err("it is being replaced".to_owned()),
    };
    match looked {
        Ok(Looked::Answered(response)) => {
            // The engine stays as long as the answer.
            let stays = generation;
            Looked::Answered(response.map(|body| {
                Body::new(body.map_frame(move |frame| {
                    let _ = &stays;
                    frame
                }))
            }))
        }
        Ok(passed) => passed,
        Err(why) => {
            app.hub.log.error(format_args!("config/http did not answer: {why}"));
            Looked::Answered(later(StatusCode::SERVICE_UNAVAILABLE, "the server could not answer this"))
        }
    }
}

/// Adds what middleware has set to the server's own answer, whose headers say what it is.
pub(crate) fn add_headers(answer: &mut HeaderMap, set: HeaderMap) {
    let mut last = None;
    for (name, value) in set {
        let Some(name) = name.or_else(|| last.clone()) else { continue };
        last = Some(name.clone());
        if name == SET_COOKIE || name == VARY || !answer.contains_key(&name) {
            answer.append(name, value);
        }
    }
}

/// Headers that mean one connection only, or only server and worker.
fn is_between(name: &HeaderName) -> bool {
    let name = name.as_str();
    let hop =
        ["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"];
    hop.contains(&name) || name.starts_with(OWN)
}

/// The same request for another path and query of this server.
fn readdress(uri: &mut Uri, url: &str) {
    let mut parts = uri.clone().into_parts();
    if let Ok(path) = url.parse() {
        parts.path_and_query = Some(path);
        if let Ok(changed) = Uri::from_parts(parts) {
            *uri = changed;
        }
    }
}

fn too_large() -> Looked {
    Looked::Answered(plain(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than limits.body_bytes"))
}
