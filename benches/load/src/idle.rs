//! Connections that have made one call each, and are quiet.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Got;
use crate::server::Server;
use crate::swarm::Swarm;

/// How memory is looked at.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Time between the last answer and the look at the memory.
    #[arg(long, default_value_t = 3000)]
    settle_ms: u64,
}

pub(crate) fn run(
    options: &Options,
    server: &Server,
    open: impl FnOnce() -> Result<Swarm, String>,
) -> Result<Value, Box<dyn Error>> {
    let before = server.memory_bytes()?;
    let mut swarm = open()?;
    let all = swarm.clients.len();
    let now = Instant::now();
    swarm.clients.iter_mut().for_each(|client| client.call("square", "25", now));
    let (mut answers, late) = (0, now + Duration::from_secs(60));
    while answers < all {
        let soon = Instant::now() + Duration::from_millis(100);
        swarm.turn(soon, &mut |_, got| answers += usize::from(matches!(got, Got::Answer(_, Ok(())))))?;
        if Instant::now() > late {
            return Err(format!("only {answers} of {all} calls were answered").into());
        }
    }
    let until = Instant::now() + Duration::from_millis(options.settle_ms);
    while Instant::now() < until {
        swarm.turn(until, &mut |_, _| {})?;
    }
    let after = server.memory_bytes()?;
    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    Ok(json!({
        "operations": all,
        "base_bytes": before,
        "bytes": after,
        "bytes_each": (after as f64 - before as f64) / all as f64,
    }))
}
