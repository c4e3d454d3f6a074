//! `ssbuild-load`: puts load on a server and says what that costs it, as one line of JSON (`book/src/operations/measurements.md`).
//!
//! One thread with one poll loop, so that it is pinned to a core of its own, beside that of the server.

mod broadcast;
mod calls;
mod client;
mod dialect;
mod figures;
mod frame;
mod idle;
mod latency;
mod leave;
mod outbox;
mod server;
mod swarm;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use dialect::Dialect;
use server::Server;
use swarm::Swarm;

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    target: Target,
    #[command(subcommand)]
    case: Case,
}

/// Who is put under load.
#[derive(clap::Args)]
struct Target {
    /// What the server speaks.
    #[arg(long)]
    dialect: Dialect,
    /// Where it listens.
    #[arg(long)]
    address: SocketAddr,
    /// Its process; those that it has started count too.
    #[arg(long)]
    pid: u32,
    /// Sockets to open.
    #[arg(long, default_value_t = 1)]
    connections: usize,
}

#[derive(Subcommand)]
enum Case {
    /// Calls an action: at a fixed rate, or with so many calls in flight on each connection.
    Calls(calls::Options),
    /// Publishes to all connections.
    Broadcast(broadcast::Options),
    /// Opens connections and leaves them alone.
    Idle(idle::Options),
    /// Stops the server, and sees its connections go to another one.
    Leave(leave::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(figures) => {
            #[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
            {
                println!("{figures}");
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "this is the place where errors are shown")]
            {
                eprintln!("ssbuild-load: {error}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<serde_json::Value, Box<dyn Error>> {
    rlimit::increase_nofile_limit(rlimit::INFINITY)?;
    let Target { dialect, address, pid, connections } = arguments.target;
    let server = Server::of(pid);
    let open = |more: usize| Swarm::open(address, dialect, connections + more);
    match &arguments.case {
        Case::Calls(options) => calls::run(options, &server, open(usize::from(options.beside.is_some()))?),
        Case::Broadcast(options) => broadcast::run(options, &server, open(0)?),
        Case::Idle(options) => idle::run(options, &server, || open(0)),
        Case::Leave(options) => leave::run(options, pid, open(0)?),
    }
}
