use std::process::ExitCode;

use ssbuild_server::{
    load::Build,
    serve::{Served, serve},
    settings::Flags,
};

use super::{build, screen};

/// Compile an app and serve it, as it will be when it is deployed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Serve {
    #[command(flatten)]
    build: build::Build,
    /// Address to bind (`http.hostname`)
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// TCP port to bind, 0 for a free one (`http.port`)
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild serve                     compile the app in this folder and serve it on its own port
  ssbuild serve talk --port 8080    another app, another port
  ssbuild serve --log-level 4       with everything that the server can say";

impl Serve {
    pub(super) fn run(&self) -> ExitCode {
        let built = self.build.run();
        if built != ExitCode::SUCCESS {
            return built;
        }
        let flags = Flags {
            hostname: self.host.clone(),
            port: self.port,
            log_level: self.build.output.server_level(),
            ..Flags::default()
        };
        let state_dir = self.build.app.root().join(".ssserve");
        let ready = |served: &Served| {
            screen::to_stdout(&format!("  serving on {}\n", served.url));
            Ok(())
        };
        let build = Build::load(&self.build.out(), None);
        match build.map_err(Into::into).and_then(|build| serve(&build, &flags, &state_dir, ready)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => screen::could_not_run(&error.to_string()),
        }
    }
}
