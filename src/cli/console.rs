use std::{path::PathBuf, process::ExitCode, sync::mpsc::channel};

use ssbuild::{
    cache::Mode,
    disk::{Disk, RealDisk},
    pipeline::{self, Purpose, Warnings},
};
use ssbuild_server::{
    console::{attach, socket_in},
    load::Build,
    serve::{Served, serve_until},
    settings::Flags,
};

use super::{
    APP_ERRORS,
    args::{AppArgs, CacheArgs, OutputArgs},
    screen::{self, Findings},
};

/// Evaluate lines where the app runs: in its running server, else in a fresh one
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Console {
    #[command(flatten)]
    app: AppArgs,
    /// State folder of the running server (`server.state_dir`) [default: `.ssserve` in the app's folder]
    #[arg(long, value_name = "DIR")]
    state_dir: Option<PathBuf>,
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild console                                      a prompt in the server of the app in this folder
  echo 'SS.users.online.now()' | ssbuild console talk  one line, from a script";

impl Console {
    pub(super) fn run(&self) -> ExitCode {
        let root = self.app.root();
        let history = root.join(".ssbuild/console.history");
        let running = self.state_dir.clone().unwrap_or_else(|| root.join(".ssserve"));
        let socket = socket_in(&running);
        if self.state_dir.is_some() || std::os::unix::net::UnixStream::connect(&socket).is_ok() {
            return finish(attach(&socket, &history));
        }
        self.fresh(&history)
    }

    /// A server of its own, on a free port, gone with the console.
    fn fresh(&self, history: &std::path::Path) -> ExitCode {
        let folder = match tempfile::tempdir() {
            Ok(folder) => folder,
            Err(error) => return screen::could_not_run(&format!("cannot make a temporary folder: {error}")),
        };
        let (dist, state) = (folder.path().join("dist"), folder.path().join("state"));
        let request = match self.app.request("development", Purpose::Publish(dist.clone()), Warnings::Allow) {
            Ok(request) => request,
            Err(error) => return screen::could_not_run(&error),
        };
        let disk: std::sync::Arc<dyn Disk> = std::sync::Arc::new(RealDisk);
        let session = self.cache.session(&self.app.root(), Mode::ReadWrite);
        let outcome = match pipeline::build(&disk, &request, &session) {
            Ok(outcome) => outcome,
            Err(error) => return screen::failed(&error),
        };
        if screen::findings(&self.output, outcome.report) == Findings::Errors {
            return ExitCode::from(APP_ERRORS);
        }
        let build = match Build::load(&dist, None) {
            Ok(build) => build,
            Err(error) => return screen::could_not_run(&error.to_string()),
        };
        let (tell, told) = channel();
        let socket = socket_in(&state);
        let flags =
            Flags { hostname: Some("127.0.0.1".to_owned()), port: Some(0), log_level: Some(0), ..Flags::default() };
        let (leave, left) = tokio::sync::oneshot::channel::<()>();
        let server = std::thread::spawn(move || {
            let ready = tell.clone();
            let ready = |_: &Served| {
                // The console may have been left already.
                let _ = ready.send(Ok(()));
                Ok(())
            };
            let ended = serve_until(&build, &flags, &state, ready, async {
                // Dropping the sender is leaving as well.
                let _ = left.await;
            });
            if let Err(error) = ended {
                let _ = tell.send(Err(error.to_string()));
            }
        });
        match told.recv() {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return screen::could_not_run(&error),
            Err(_) => return screen::could_not_run("the server ended"),
        }
        let attached = attach(&socket, history);
        // Its folder goes after it: a server that still runs would look for its build.
        drop(leave);
        let _ = server.join();
        finish(attached)
    }
}

fn finish(attached: Result<bool, ssbuild_server::console::AttachError>) -> ExitCode {
    match attached {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(APP_ERRORS),
        Err(error) => screen::could_not_run(&error.to_string()),
    }
}
