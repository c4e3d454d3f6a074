//! A world for one test: a build on disk, a server over it, and clients.

pub(crate) mod client;
pub(crate) mod dist;
pub(crate) mod http;
pub(crate) mod redis;
pub(crate) mod script;
pub(crate) mod secure;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use ssbuild_server::actions::Actions;
use ssbuild_server::backplane::Backplane;
use ssbuild_server::clock::{Clock, ManualClock};
use ssbuild_server::config::{Config, LogFormat};
use ssbuild_server::front::Door;
use ssbuild_server::load::Build;
use ssbuild_server::log::Log;
use ssbuild_server::server::{Server, ServerError, Surroundings};
use ssbuild_server::tls::{CertificatePlaces, Tls};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use client::Client;
use dist::Dist;
use http::{Reply, Request};
use script::Script;

/// A server that runs.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) clock: ManualClock,
    pub(crate) script: Arc<Script>,
    pub(crate) log: Lines,
    /// Where TLS is, when it is configured.
    pub(crate) tls_address: Option<SocketAddr>,
    pub(crate) tls: Option<Tls>,
    pub(crate) server: Option<Server>,
    carries: Carries,
    folder: TempDir,
    config: Config,
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<std::io::Result<()>>>,
}

/// What answers calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    /// [`Script`].
    Script,
    /// The server code of the build, in its engine.
    ServerCode,
}

/// What was logged.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    /// All of it.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }

    /// Waits until the log holds this.
    pub(crate) async fn has(&self, wanted: &str) {
        let there = async {
            while !String::from_utf8_lossy(&self.0.lock()).contains(wanted) {
                tokio::task::yield_now().await;
            }
        };
        if tokio::time::timeout(client::PATIENCE, there).await.is_err() {
            panic!("{wanted:?} is not in the log:\n{}", String::from_utf8_lossy(&self.0.lock()));
        }
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl World {
    /// A server with everything as it is by default, in the environment `test`.
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with another configuration.
    pub(crate) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::of(&Dist::new(), change).await
    }

    /// A server of another build.
    pub(crate) async fn of(dist: &Dist, change: impl FnOnce(&mut Config)) -> Self {
        Self::within(tempfile::tempdir().expect("a folder for the test"), dist, change).await
    }

    /// A server in a folder that may already hold something.
    pub(crate) async fn within(folder: TempDir, dist: &Dist, change: impl FnOnce(&mut Config)) -> Self {
        Self::carrying(Carries::Script, folder, dist, change).await
    }

    /// A server whose calls are answered by the build's server code.
    pub(crate) async fn with_engine(dist: &Dist, change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        Self::carrying(Carries::ServerCode, folder, dist, change).await
    }

    async fn carrying(carries: Carries, folder: TempDir, dist: &Dist, change: impl FnOnce(&mut Config)) -> Self {
        dist.write(&folder.path().join("dist"));
        let mut config = Config::default();
        config.log.level = 4;
        config.log.format = LogFormat::Text;
        change(&mut config);
        let mut world = Self {
            address: ([127, 0, 0, 1], 0).into(),
            clock: ManualClock::new(1_700_000_000_000),
            script: Arc::default(),
            log: Lines::default(),
            tls_address: None,
            tls: None,
            server: None,
            carries,
            folder,
            config,
            stop: None,
            task: None,
        };
        world.start().await;
        world
    }

    fn server(&self, backplane: Option<Arc<Backplane>>) -> Result<Server, ServerError> {
        let build = Build::load(&self.dist(), None).expect("the build is whole");
        let (clock, log) = self.clock_and_log();
        let surroundings = Surroundings { clock, log, state_dir: self.folder.path().join("state"), backplane };
        if self.carries == Carries::ServerCode {
            return Server::start(&build, self.config.clone(), surroundings);
        }
        let script = Arc::clone(&self.script);
        Server::new(&build, self.config.clone(), surroundings, |host| {
            script.attach(host);
            Ok(Arc::new(script::Shared(script)) as Arc<dyn Actions>)
        })
    }

    fn clock_and_log(&self) -> (Arc<dyn Clock>, Log) {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let (level, format) = (self.config.log.level, self.config.log.format);
        let log = Log::new(level, format, Arc::clone(&clock), Box::new(self.log.clone()));
        (clock, log)
    }

    /// Why a second server over the same folders does not start.
    pub(crate) fn second_server(&self) -> String {
        self.server(None).err().expect("it does not start").to_string()
    }

    async fn start(&mut self) {
        let backplane = Backplane::connect(&self.config, self.clock_and_log()).await.expect("Redis is there");
        let server = self.server(backplane).expect("the server starts");
        let listener = TcpListener::bind(self.address).await.expect("a port for the test");
        self.address = listener.local_addr().expect("a bound listener has an address");
        let (stop, stopped) = oneshot::channel::<()>();
        self.stop = Some(stop);
        self.server = Some(server.clone());
        let mut doors = Vec::new();
        if self.config.https.enabled {
            let secure = TcpListener::bind("127.0.0.1:0").await.expect("a port for the test");
            self.tls_address = Some(secure.local_addr().expect("an address"));
            let places = CertificatePlaces { folder: self.certificates(), state_dir: self.folder.path().join("state") };
            let log = Log::new(4, LogFormat::Text, Arc::new(self.clock.clone()), Box::new(self.log.clone()));
            let tls = Tls::start(&self.config.https, places, &log).expect("there are certificates");
            self.tls = Some(tls.clone());
            doors.push(Door::tls(secure, tls));
            doors.push(Door::redirecting(listener));
        } else {
            doors.push(Door::plain(listener));
        }
        self.task = Some(tokio::spawn(server.run_doors(doors, async move {
            // Dropping the world stops it as well.
            let _ = stopped.await;
        })));
    }

    /// Serves another build, whose actions have a script of their own.
    pub(crate) async fn swap(&self, dist: &Dist) -> Arc<Script> {
        dist.write(&self.dist());
        let build = Build::load(&self.dist(), None).expect("the build is whole");
        let script: Arc<Script> = Arc::default();
        let actions = Arc::clone(&script);
        let swapped = self.server.as_ref().expect("the server runs").swap_with(&build, self.config.clone(), |host| {
            actions.attach(host);
            Ok(Arc::new(script::Shared(actions)) as Arc<dyn Actions>)
        });
        swapped.await.expect("the build is served");
        script
    }

    /// Asks the server to stop, without waiting.
    pub(crate) fn ask_to_stop(&mut self) {
        self.server = None;
        drop(self.stop.take());
    }

    /// Waits until the server has stopped.
    pub(crate) async fn stopped(&mut self) {
        let task = self.task.take().expect("the server runs");
        let task =
            tokio::time::timeout(client::PATIENCE, task).await.expect("the server stops: is a client still open?");
        task.expect("the server does not panic").expect("the server ends well");
    }

    /// Stops the server and starts another one over the same folders, on the same port.
    pub(crate) async fn restart(&mut self) {
        self.ask_to_stop();
        self.stopped().await;
        self.start().await;
    }

    /// Waits until the server has looked for what is too old: a connection without hello is ended then.
    pub(crate) async fn swept(&self) {
        let mut probe = Client::connect(self.address, None).await;
        self.clock.advance(self.config.limits.handshake_ms);
        assert_eq!(probe.closed().await, 4005);
    }

    /// The folder of certificates.
    pub(crate) fn certificates(&self) -> PathBuf {
        self.folder.path().join("ssl_certs")
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn dist(&self) -> PathBuf {
        self.folder.path().join("dist")
    }

    /// A tab of a browser that has no cookie yet; the server has welcomed it.
    pub(crate) async fn tab(&self) -> Client {
        self.tab_with(None).await
    }

    /// A tab of a browser with this cookie.
    pub(crate) async fn tab_with(&self, cookie: Option<&str>) -> Client {
        let mut client = Client::connect(self.address, cookie).await;
        client.hello(serde_json::Value::Null).await;
        client.welcome().await;
        client
    }

    /// One request.
    pub(crate) async fn send(&self, request: Request) -> Reply {
        request.send(self.address).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(Request::get(path)).await
    }

    /// The origin of the server's own pages.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Redeems a login's ticket; the new cookie.
    pub(crate) async fn redeem(&self, ticket: &str) -> String {
        let reply = self.send(self.redemption(ticket)).await;
        assert_eq!(reply.status, 204, "{}", reply.text());
        reply.cookie().expect("a redeemed ticket gives a cookie")
    }

    /// The request that redeems a ticket.
    pub(crate) fn redemption(&self, ticket: &str) -> Request {
        let body = serde_json::json!({"ticket": ticket}).to_string();
        Request::post("/_ss/session", "application/json", &body).header("Origin", &self.origin())
    }
}
