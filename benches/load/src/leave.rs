//! Connections of a server that stops: when each is told to leave, and when it is with the next server.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::error::Error;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::Got;
use crate::swarm::Swarm;

/// The span whose fullest one counts.
const SPAN: Duration = Duration::from_secs(1);

/// Where they go.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The next server.
    #[arg(long)]
    to: SocketAddr,
    /// Time for all to be there.
    #[arg(long, default_value_t = 30_000)]
    longest_ms: u64,
}

pub(crate) fn run(options: &Options, pid: u32, mut swarm: Swarm) -> Result<Value, Box<dyn Error>> {
    let all = swarm.clients.len();
    if !Command::new("kill").arg(pid.to_string()).status()?.success() {
        return Err("the server cannot be told to stop".into());
    }
    let began = Instant::now();
    let late = began + Duration::from_millis(options.longest_ms);
    // When each is to go, the first on top.
    let mut due: BinaryHeap<Reverse<(Instant, usize)>> = BinaryHeap::new();
    let (mut planned, mut asked, mut there) = (Vec::new(), Vec::new(), Vec::new());
    while there.len() < all {
        let now = Instant::now();
        if now > late {
            return Err(
                format!("only {} of {all} are with the next server after {:?}", there.len(), now - began).into()
            );
        }
        while let Some(&Reverse((_, number))) = due.peek().filter(|Reverse((at, _))| *at <= now) {
            due.pop();
            swarm.reopen(number, options.to)?;
            asked.push(now);
        }
        let next = due.peek().map(|Reverse((at, _))| *at);
        let until = next.unwrap_or(now + Duration::from_millis(100)).min(late);
        swarm.turn(until, &mut |client, got| match got {
            Got::Leaves(after) => {
                let at = Instant::now() + after;
                planned.push(at);
                due.push(Reverse((at, client.number)));
            }
            Got::Ready => there.push(Instant::now()),
            Got::Answer(..) | Got::Event(_) => {}
        })?;
    }
    let last = there.last().map_or(0, |at| (*at - began).as_millis());
    Ok(json!({
        "operations": all,
        "planned_peak": peak(planned),
        "asked_peak": peak(asked),
        "arrived_peak": peak(there),
        "last_ms": last,
    }))
}

/// How many there are in the fullest span.
fn peak(mut times: Vec<Instant>) -> usize {
    times.sort_unstable();
    let within = |from: usize| times[from..].iter().take_while(|at| **at < times[from] + SPAN).count();
    (0..times.len()).map(within).max().unwrap_or_default()
}
