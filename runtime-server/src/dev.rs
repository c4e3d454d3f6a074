//! Development: the server tells pages what their author changed and what is wrong, and the author what pages say.
//!
//! Who compiles is an [`Author`]; the server knows nothing of sources. Without one, none of this is to be had.

use std::sync::Arc;

use axum::body::Body;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

use crate::connection::Connection;
use crate::engine::CallError;
use crate::http::plain;
use crate::hub::Hub;
use crate::protocol;

/// Who makes the builds that are served.
pub trait Author: Send + Sync + 'static {
    /// What turns a page of the build `from` into one of the newest, as a JSON object; nothing when there is nothing to do.
    fn update(&self, from: &str) -> Option<String>;

    /// What is wrong with the sources now: a JSON array, `[]` when nothing is.
    fn problems(&self) -> String;

    /// A script that an update names, by its path below `/_ss/dev/`.
    fn script(&self, path: &str) -> Option<String>;

    /// An action failed by its own fault: the problem to show for it, as a JSON object.
    fn failed(&self, action: &str, error: &CallError) -> Option<String>;

    /// A page has something to say: 0 an error, 1 a warning.
    fn page_said(&self, level: u8, text: &str);
}

impl Hub {
    /// The page on `connection` has been welcomed: brings it up to date.
    pub(crate) fn brief(&self, connection: &Connection) {
        let Some(author) = self.author.get() else { return };
        self.update(&**author, connection);
        let problems = author.problems();
        if problems != "[]" {
            connection.send(protocol::problems(&problems));
        }
    }

    /// The author has a new build, which is served already.
    pub(crate) fn tell_update(&self) {
        let Some(author) = self.author.get() else { return };
        // Nobody is greeted meanwhile: a page hears of this build in its welcome or now.
        let bus = self.streams();
        for connection in self.all_connections().iter().filter(|connection| connection.is_greeted()) {
            self.update(&**author, connection);
        }
        drop(bus);
    }

    fn update(&self, author: &dyn Author, connection: &Connection) {
        connection.bring_page(|from| {
            let update = author.update(from)?;
            connection.send(protocol::update(&update));
            serde_json::from_str(&update).ok().map(|Target { to }| to)
        });
    }

    /// What is wrong with the sources has changed.
    pub(crate) fn tell_problems(&self) {
        if let Some(author) = self.author.get() {
            let text = protocol::problems(&author.problems());
            for connection in self.all_connections().iter().filter(|connection| connection.is_greeted()) {
                connection.send(text.clone());
            }
        }
    }

    /// An action failed: shows it in every page, when it is the action's fault.
    pub(crate) fn tell_failure(&self, action: &str, error: &CallError) {
        let Some(author) = self.author.get() else { return };
        if let Some(problem) = author.failed(action, error) {
            let text = protocol::failure(&problem);
            for connection in self.all_connections().iter().filter(|connection| connection.is_greeted()) {
                connection.send(text.clone());
            }
        }
    }
}

/// Which build an update leads to.
#[derive(serde::Deserialize)]
struct Target {
    to: String,
}

/// `GET /_ss/dev/…`: a script of an update.
pub(crate) fn answer(author: Option<&Arc<dyn Author>>, path: &str) -> Response<Body> {
    let Some(script) = author.and_then(|author| author.script(path)) else {
        return plain(StatusCode::NOT_FOUND, "there is no such update");
    };
    let mut response = Response::new(Body::from(script));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
