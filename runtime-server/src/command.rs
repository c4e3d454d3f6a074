use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, Subcommand};
use ssbuild_server::console;
use ssbuild_server::load::Build;
use ssbuild_server::rollback::rollback;
use ssbuild_server::serve::{Served, serve};
use ssbuild_server::settings::Flags;

/// Serves a build of ssbuild: pages, files, actions over one websocket, sessions and channels.
#[derive(Debug, Parser)]
#[command(
    name = "ssserve",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  ssserve\n  ssserve dist --port 8080\n  SS__HTTP__PORT=8080 ssserve dist --env production\n  ssserve rollback dist"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    /// The build's folder.
    #[arg(default_value = "dist")]
    dist: PathBuf,
    /// Refuse a build that was made for another environment.
    #[arg(long, value_name = "NAME", env = "SS_ENV")]
    env: Option<String>,
    /// Address to bind (`http.hostname`).
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// TCP port to bind, 0 for a free one (`http.port`).
    #[arg(long)]
    port: Option<u16>,
    /// Folder for sessions, for this server alone (`server.state_dir`); by default `.ssserve` beside the build.
    #[arg(long, value_name = "FOLDER")]
    state_dir: Option<PathBuf>,
    /// Redis or Valkey to share sessions and events with other servers (`redis.url`).
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// What is logged: 0 errors, 1 warnings, 2 calls and events, 3 with parameters, 4 everything (`log.level`).
    #[arg(long, value_name = "LEVEL", value_parser = clap::value_parser!(u8).range(0..=4))]
    log_level: Option<u8>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Evaluate lines where the app of a running server runs: a prompt, or standard input.
    Console {
        /// The builds' folder.
        #[arg(default_value = "dist")]
        dist: PathBuf,
        /// The server's state folder (`server.state_dir`); by default `.ssserve` beside the build.
        #[arg(long, value_name = "FOLDER")]
        state_dir: Option<PathBuf>,
    },
    /// Select the build before the selected one; a server that runs serves it from then on.
    Rollback {
        /// The builds' folder.
        #[arg(default_value = "dist")]
        dist: PathBuf,
        /// The build to select instead, by its id.
        #[arg(long, value_name = "BUILD")]
        to: Option<String>,
    },
}

impl Arguments {
    /// From the command line; ends the process for `--help` and for what cannot be read.
    pub(crate) fn read() -> Self {
        Self::parse()
    }
}

/// Serves until a signal asks to stop, or does what the subcommand says.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if let Some(Command::Console { dist, state_dir }) = &arguments.command {
        let folder = state_dir.clone().unwrap_or_else(|| beside(dist));
        let fine = console::attach(&console::socket_in(&folder), &folder.join("console.history"))?;
        return if fine { Ok(()) } else { Err("a line failed".into()) };
    }
    if let Some(Command::Rollback { dist, to }) = &arguments.command {
        let done = rollback(dist, to.as_deref())?;
        writeln!(std::io::stdout(), "build {} is selected, after {}", done.to, done.from)?;
        return Ok(());
    }
    let started = Instant::now();
    let build = Build::load(&arguments.dist, arguments.env.as_deref())?;
    let flags = Flags {
        hostname: arguments.host.clone(),
        port: arguments.port,
        state_dir: arguments.state_dir.clone(),
        redis: arguments.redis.clone(),
        log_level: arguments.log_level,
    };
    serve(&build, &flags, &beside(&build.dist), |served| banner(&build, served, started))
}

/// Where sessions are kept unless configured: never inside the build, which is replaced by the next one.
fn beside(dist: &Path) -> PathBuf {
    let whole = dist.canonicalize().unwrap_or_else(|_| dist.to_owned());
    whole.parent().unwrap_or(Path::new(".")).join(".ssserve")
}

fn banner(build: &Build, served: &Served, started: Instant) -> std::io::Result<()> {
    let manifest = &build.manifest;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} on {}  ({}, build {}, {}, {}, {}, ready in {} ms)",
        manifest.app,
        served.url,
        manifest.env,
        manifest.build_id,
        count(manifest.pages.len(), "page"),
        count(manifest.assets.len() + manifest.files.len(), "file"),
        count(manifest.api.server.len(), "action"),
        started.elapsed().as_millis(),
    )?;
    out.flush()
}

fn count(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// Says why the server does not run.
pub(crate) fn refuse(error: &dyn Error) -> ExitCode {
    let style = anstyle::Style::new().fg_color(Some(anstyle::AnsiColor::Red.into())).bold();
    // When standard error is gone there is nobody to tell.
    let _ = writeln!(anstream::stderr().lock(), "{style}error{style:#}: {error}");
    ExitCode::from(2)
}
