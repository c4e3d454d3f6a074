//! `cargo run --example echo -- 127.0.0.1:9001`: a websocket that echoes, for Autobahn's test suite (`make conformance`).

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program that says where it listens")]

use std::process::ExitCode;

use tokio::net::TcpListener;

/// The suite's largest message has 16 MiB.
const MESSAGE_BYTES: usize = 32 * 1024 * 1024;

#[tokio::main]
async fn main() -> ExitCode {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:0".to_owned());
    let run = async {
        let listener = TcpListener::bind(&address).await?;
        println!("{}", listener.local_addr()?);
        ssbuild_server::conformance::echo(listener, MESSAGE_BYTES).await
    };
    match run.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echo on {address}: {error}");
            ExitCode::from(2)
        }
    }
}
