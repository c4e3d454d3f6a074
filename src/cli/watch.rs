use std::{path::PathBuf, process::ExitCode};

use ssbuild::{
    pipeline::Purpose,
    watch::{self, Listening, Round, Signal, Site},
};
use ssbuild_server::{config::Config, serve::Served, settings::Flags};

use self::board::Board;
use super::{
    args::{AppArgs, OutputArgs, StrictArgs, absolute},
    screen,
};

mod board;
mod browser;
mod keys;
mod progress;
mod screen_text;

/// Compile an app, serve it, and bring every change to the browsers
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Watch {
    #[command(flatten)]
    app: AppArgs,
    /// Folder to write to [default: .ssbuild/watch in the app's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Address to bind (`http.hostname`)
    #[arg(long, value_name = "ADDRESS")]
    host: Option<String>,
    /// TCP port to bind, 0 for a free one (`http.port`)
    #[arg(long, value_name = "N")]
    port: Option<u16>,
    /// Open the app in the browser
    #[arg(long)]
    open: bool,
    /// Show where the time of each build went, line by line instead of on the screen
    #[arg(long)]
    timings: bool,
    /// Look for changes again and again instead of being told of them
    #[arg(long)]
    poll: bool,
    #[command(flatten)]
    strict: StrictArgs,
    #[command(flatten)]
    output: OutputArgs,
}

const EXAMPLES: &str = "\
Examples:
  ssbuild watch                     work on the app in this folder
  ssbuild watch talk --port 8080    another app, another port
  ssbuild watch --open              and open it in the browser";

impl Watch {
    pub(super) fn run(&self) -> ExitCode {
        match self.until_quit() {
            Ok(()) => ExitCode::SUCCESS,
            Err(message) => screen::could_not_run(&message),
        }
    }

    fn until_quit(&self) -> Result<(), String> {
        let said = |error: &dyn std::error::Error| error.to_string();
        let root = self.app.root();
        let out = self.out.as_deref().map_or_else(|| root.join(".ssbuild/watch"), absolute);
        let purpose = Purpose::Publish(out.clone());
        let request = self.app.request("development", purpose, self.strict.warnings())?;
        let listening = match self.poll {
            true => Listening::Polling("`--poll` says so".to_owned()),
            false => watch::listening(&root),
        };
        let mut watch = watch::Watch::start(request, &listening).map_err(|error| said(&error))?;
        if self.timings {
            watch = watch.timed();
        }
        let flags = Flags {
            hostname: self.host.clone(),
            port: self.port,
            log_level: self.output.server_level(),
            ..Flags::default()
        };
        let mut board = Board::new(&self.output, self.timings, &listening, &watch.signals());
        let site = Site::new(&root, &out, flags.clone(), board.log());
        let mut site = site.map_err(|error| format!("cannot start the server's threads: {error}"))?;
        site.quit_on_signal(watch.signals()).map_err(|error| format!("cannot listen for signals: {error}"))?;
        let mut changed = Vec::new();
        let (mut first, mut opened) = (true, !self.open);
        loop {
            let progress = first.then(|| board.begin(watch.progress())).flatten();
            let built = watch.build(changed);
            drop(progress);
            first = false;
            let mut round = built.map_err(|error| said(&error))?;
            let shown = show(&mut site, &mut round, || watch.configuration(&flags))?;
            board.round(&round, &shown);
            watch.timings().phase("bring it to the browsers");
            if let Some(table) = watch.timings().table() {
                screen::to_stderr(&table);
            }
            if let (Some(served), false) = (shown.place(), opened) {
                opened = true;
                browser::open(&served.url);
            }
            changed = match watch.wait() {
                Signal::Changed(paths) => paths,
                Signal::Rebuild => Vec::new(),
                Signal::Quit => break,
            };
        }
        site.close();
        Ok(())
    }
}

/// What browsers see of a build.
#[derive(Debug)]
enum Shown {
    /// The app, here.
    App(Served),
    /// Not this build: why not, when it is a good one, and where what is wrong is shown when there is no app yet.
    Not { why: Option<String>, waiting: Option<Served> },
}

impl Shown {
    /// Where there is something to be seen.
    fn place(&self) -> Option<&Served> {
        match self {
            Self::App(served) => Some(served),
            Self::Not { waiting, .. } => waiting.as_ref(),
        }
    }
}

/// Brings a build to the browsers. The error is one that no other build would mend.
fn show(site: &mut Site, round: &mut Round, config: impl Fn() -> Config) -> Result<Shown, String> {
    let why = match site.take(round, &config) {
        Ok(Some(served)) => return Ok(Shown::App(served)),
        Ok(None) => None,
        Err(error) if error.is_of_build() => Some(error.to_string()),
        Err(error) => return Err(error.to_string()),
    };
    let waiting = site.wait(config).map_err(|error| error.to_string())?;
    Ok(Shown::Not { why, waiting })
}
