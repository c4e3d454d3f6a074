//! The command line: what was typed becomes library calls. The only file that prints.

use std::{
    io::{self, BufReader, IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Instant,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use ssbuild_server::{load::Build, serve::serve, settings::Flags};

use ssbuild::{
    disk::{Disk, RealDisk},
    pipeline::{self, Outcome, Purpose, Request, Warnings},
    report,
    style::{self, WorkerCommand},
};

/// The app has errors.
const APP_ERRORS: u8 = 1;
/// The work could not be done.
const COULD_NOT_RUN: u8 = 2;

/// Compiles a realtime single-page app: its folder in, one build out.
#[derive(Debug, Parser)]
#[command(name = "ssbuild", version, args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    build: BuildArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild                          compile the app in this folder into dist
  ssbuild talk --env staging       compile the app in `talk` for staging
  ssbuild check --deny warnings    find what is wrong, write nothing
  ssbuild serve talk --port 8080   compile the app in `talk` and serve it";

#[derive(Debug, Subcommand)]
enum Command {
    /// Compile an app (also without the word)
    Build(BuildArgs),
    /// Find what is wrong with an app; nothing is written
    Check(CheckArgs),
    /// Compile an app and serve it, as it will be when it is deployed
    Serve(ServeArgs),
    /// Compile stylesheets for a parent process
    #[command(name = WorkerCommand::SUBCOMMAND, hide = true)]
    StyleWorker,
}

#[derive(Debug, Args)]
struct BuildArgs {
    #[command(flatten)]
    app: AppArgs,
    /// Folder to write to [default: dist in the app's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CheckArgs {
    #[command(flatten)]
    app: AppArgs,
}

#[derive(Debug, Args)]
struct ServeArgs {
    #[command(flatten)]
    build: BuildArgs,
    /// Address to bind (`http.hostname`)
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// TCP port to bind, 0 for a free one (`http.port`)
    #[arg(long, value_name = "N")]
    port: Option<u16>,
}

#[derive(Debug, Args)]
struct AppArgs {
    /// The app's folder
    #[arg(default_value = ".")]
    dir: PathBuf,
    /// Environment to compile for
    #[arg(long, env = "SS_ENV", default_value = "production", value_name = "NAME", value_parser = parse_env)]
    env: String,
    /// Treat warnings as errors
    #[arg(long, value_name = "WHAT")]
    deny: Option<Deny>,
    /// Print one JSON object a line on stdout
    #[arg(long)]
    json: bool,
    /// Print findings only
    #[arg(long, short, conflicts_with = "verbose")]
    quiet: bool,
    /// Print notes too
    #[arg(long, short)]
    verbose: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Deny {
    Warnings,
}

/// An environment is the name of a file in `config/environments`.
fn parse_env(name: &str) -> Result<String, String> {
    let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.len() <= 64 && name.chars().all(sound) {
        Ok(name.to_owned())
    } else {
        Err("an environment's name has letters, digits, `-` and `_`".to_owned())
    }
}

/// Does what the command line says; the result is the process's exit code.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { COULD_NOT_RUN } else { 0 };
            // Nothing is left to be done when the terminal is gone.
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    match cli.command {
        None => build(&cli.build),
        Some(Command::Build(args)) => build(&args),
        Some(Command::Check(args)) => compile(&args.app, Purpose::Check),
        Some(Command::Serve(args)) => build_and_serve(&args),
        Some(Command::StyleWorker) => style_worker(),
    }
}

fn build(args: &BuildArgs) -> ExitCode {
    compile(&args.app, Purpose::Publish(args.out()))
}

impl BuildArgs {
    fn out(&self) -> PathBuf {
        absolute(&self.out.clone().unwrap_or_else(|| self.app.dir.join("dist")))
    }
}

fn build_and_serve(args: &ServeArgs) -> ExitCode {
    let built = build(&args.build);
    if built != ExitCode::SUCCESS {
        return built;
    }
    let flags = Flags { hostname: args.host.clone(), port: args.port, state_dir: None };
    let state_dir = absolute(&args.build.app.dir).join(".ssserve");
    let ready = |address: SocketAddr| {
        let host = if address.ip().is_unspecified() { "localhost".to_owned() } else { address.ip().to_string() };
        to_stdout(&format!("  serving on http://{host}:{}\n", address.port()));
        Ok(())
    };
    let build = Build::load(&args.build.out(), None);
    match build.map_err(Into::into).and_then(|build| serve(&build, &flags, &state_dir, ready)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => could_not_run(&error.to_string()),
    }
}

fn compile(args: &AppArgs, purpose: Purpose) -> ExitCode {
    let started = Instant::now();
    let style_worker = match WorkerCommand::this_program() {
        Ok(command) => command,
        Err(error) => return could_not_run(&format!("cannot find this program: {error}")),
    };
    let warnings = if args.deny.is_some() { Warnings::Deny } else { Warnings::Allow };
    let request = Request { root: absolute(&args.dir), env: args.env.clone(), purpose, warnings, style_worker };
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    match pipeline::build(&disk, &request) {
        Ok(outcome) => finish(args, outcome, started),
        Err(error) => could_not_run(&error.to_string()),
    }
}

fn finish(args: &AppArgs, outcome: Outcome, started: Instant) -> ExitCode {
    let found = if args.verbose { outcome.report } else { outcome.report.without_notes() };
    if args.json {
        to_stdout(&found.to_json_lines());
    } else {
        to_stderr(&found.to_text(wants_color()));
    }
    if found.has_errors() {
        return ExitCode::from(APP_ERRORS);
    }
    if let Some(manifest) = &outcome.manifest {
        if args.json {
            to_stdout(&format!("{}\n", report::json(manifest, &outcome.modules, started.elapsed())));
        } else if !args.quiet {
            to_stdout(&report::text(manifest, &outcome.modules, started.elapsed()));
        }
    }
    ExitCode::SUCCESS
}

fn style_worker() -> ExitCode {
    match style::run_worker(BufReader::new(io::stdin()), io::stdout()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => could_not_run(&format!("the style worker cannot speak to its parent: {error}")),
    }
}

fn could_not_run(message: &str) -> ExitCode {
    let style = anstyle::Style::new().fg_color(Some(anstyle::AnsiColor::Red.into())).bold();
    to_stderr(&format!("{style}error{style:#}: {message}\n"));
    ExitCode::from(COULD_NOT_RUN)
}

/// The stream takes colours away again that nobody can see; this spares the work of making them.
fn wants_color() -> bool {
    io::stderr().is_terminal() || std::env::var_os("CLICOLOR_FORCE").is_some()
}

/// Prints data. Whoever reads it may have gone: that is no failure of the build.
fn to_stdout(text: &str) {
    drop(anstream::stdout().lock().write_all(text.as_bytes()));
    drop(io::stdout().flush());
}

/// Prints what is for people.
fn to_stderr(text: &str) {
    drop(anstream::stderr().lock().write_all(text.as_bytes()));
}

/// The compiler works with absolute paths; messages name the app's own.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}
