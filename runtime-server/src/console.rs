//! The console: a socket in the state folder, through which the user that runs the server evaluates lines where the app
//! runs. What can be typed there can do everything that server code can, so nobody else is let in but the superuser.

mod attach;

use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::app::App;
use crate::engine::{CallContext, Origin, RequestView};
use crate::session::{Opened, Session};

pub use attach::{AttachError, attach};

/// Name of the socket in the state folder.
const SOCKET: &str = "console.sock";
/// Longest line that is taken, in bytes.
const LINE_BYTES: u64 = 1024 * 1024;

/// Where a server with this state folder has its console.
pub fn socket_in(state_dir: &Path) -> PathBuf {
    state_dir.join(SOCKET)
}

/// What is asked, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    /// To evaluate this.
    Evaluate(String),
    /// How this may go on.
    Complete(String),
}

/// What is answered, as one line of JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    /// A value, as it is shown.
    Value(String),
    /// It failed.
    Failed(String),
    /// Names.
    Names(Vec<String>),
}

/// A console that can be attached to from now on, and is answered while it runs.
pub(crate) struct Console {
    listener: UnixListener,
    /// The user that runs the server.
    own: u32,
    _there: There,
}

impl Console {
    /// Listens in the state folder; dropping it takes the socket away again.
    pub(crate) fn open(state_dir: &Path) -> io::Result<Self> {
        let path = socket_in(state_dir);
        std::fs::create_dir_all(state_dir)?;
        // The folder's lock says that no other server is here: what is left is of one that was killed.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&path)?;
        let there = There(path);
        std::fs::set_permissions(&there.0, std::fs::Permissions::from_mode(0o600))?;
        let own = std::fs::metadata(&there.0)?.uid();
        Ok(Self { listener, own, _there: there })
    }

    /// Answers until the future is dropped.
    pub(crate) async fn run(self, app: Arc<App>) -> io::Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await?;
            let peer = stream.peer_cred()?.uid();
            // The superuser could become that user anyway.
            if peer != self.own && peer != 0 {
                app.hub.log.warn(format_args!("a console of user {peer} was refused"));
                continue;
            }
            let app = Arc::clone(&app);
            tokio::spawn(async move {
                // How a console ends is of no interest.
                let _ = talk(&app, stream).await;
            });
        }
    }
}

/// The socket's file, while it is listened on.
struct There(PathBuf);

impl Drop for There {
    fn drop(&mut self) {
        // It may have been taken away by hand.
        let _ = std::fs::remove_file(&self.0);
    }
}

async fn talk(app: &App, stream: UnixStream) -> io::Result<()> {
    let opened = app.hub.sessions.open(None, app.hub.clock.now_ms()).await.map_err(io::Error::other)?;
    let (Opened::Known(session, _) | Opened::SetCookie(session, _)) = opened else {
        return Err(io::Error::other("a new session has no old id"));
    };
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::new(from);
    loop {
        let mut line = String::new();
        let count = (&mut from).take(LINE_BYTES).read_line(&mut line).await?;
        if count == 0 {
            return Ok(());
        }
        let told = match serde_json::from_str(&line) {
            Ok(asked) => answer(app, &session, asked).await,
            Err(error) => Told::Failed(format!("this is not understood: {error}")),
        };
        let mut text = serde_json::to_string(&told).expect("an answer is JSON");
        text.push('\n');
        to.write_all(text.as_bytes()).await?;
    }
}

async fn answer(app: &App, session: &Arc<Session>, asked: Asked) -> Told {
    let request =
        RequestView { id: "console".to_owned(), origin: Origin::Console, ip: None, connection: None, post: None };
    let context = CallContext { session: Some(session.view()), request };
    let actions = Arc::clone(&app.current().actions);
    match asked {
        Asked::Evaluate(code) => {
            app.hub.log.say(crate::log::CALLS, format_args!("console: {code}"));
            match actions.evaluate(&code, context).await {
                Ok(value) => {
                    Told::Value(value.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default())
                }
                Err(error) => {
                    Told::Failed(error.stack.unwrap_or(format!("{}: {}", error.code.as_str(), error.message)))
                }
            }
        }
        Asked::Complete(text) => {
            let names = actions.complete(&text, context).await.ok().flatten();
            Told::Names(names.and_then(|json| serde_json::from_str(json.get()).ok()).unwrap_or_default())
        }
    }
}
