//! A server for one file of tests: on a free port, with sessions of its own and a clock that tests move.

use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::channel;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::clock::ShiftedClock;
use super::net::Net;
use super::vm::{self, World};
use super::{Event, Options, Outcome, TestFile};
use crate::backplane::Backplane;
use crate::clock::Clock;
use crate::config::LogFormat;
use crate::load::Build;
use crate::log::{self, Log};
use crate::server::{Server, Surroundings};
use crate::settings::{self, Flags};

/// What the server wrote.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub(super) fn run(
    build: &Build,
    file: &TestFile,
    options: &Options,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), String> {
    let mut build = build.clone();
    if let Some(engine) = options.engine {
        build.manifest.server.engine = engine;
    }
    let (mut config, _) = settings::resolve(&build, [], &Flags::default()).map_err(|error| error.to_string())?;
    config.http.hostname = "127.0.0.1".to_owned();
    config.log.level = log::WARNINGS;
    let state = tempfile::tempdir().map_err(|error| format!("cannot make a folder for the server's state: {error}"))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let (shifted, lines) = (ShiftedClock::new(), Lines::default());
    let clock: Arc<dyn Clock> = Arc::new(shifted.clone());
    let log = Log::new(config.log.level, LogFormat::Text, Arc::clone(&clock), Box::new(lines.clone()));
    let state_dir = state.path().to_owned();
    let (stop, stopped) = oneshot::channel::<()>();
    let started = runtime.block_on(async {
        let backplane =
            Backplane::connect(&config, (Arc::clone(&clock), log.clone())).await.map_err(|error| error.to_string())?;
        let server = Server::start(&build, config, Surroundings { clock, log, state_dir, backplane })
            .map_err(|error| error.to_string())?;
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let running = tokio::spawn(server.clone().run(listener, async move {
            // Dropping it stops the server as well.
            let _ = stopped.await;
        }));
        Ok::<_, String>((server, address, running))
    });
    let (server, address, running) = started?;
    let (inbox, happenings) = channel();
    let net = Net::new(runtime.handle().clone(), address, server, inbox);
    let world = Rc::new(World::new(net, shifted));
    let mut failed = false;
    let result = vm::run(&world, &happenings, file, options, &mut |event| {
        failed |= match &event {
            Event::Test(test) => test.outcome == Outcome::Failed,
            Event::Broken(_) | Event::Stray(_) => true,
            Event::Printed(..) | Event::ServerLog(_) => false,
        };
        on_event(event);
    });
    drop(stop);
    // Its engine may still be busy with what a test left behind.
    running.abort();
    runtime.shutdown_background();
    let text = String::from_utf8_lossy(&lines.0.lock()).into_owned();
    if (failed || result.is_err()) && !text.trim().is_empty() {
        on_event(Event::ServerLog(text));
    }
    result
}
