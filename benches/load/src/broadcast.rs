//! One connection publishes to all: so many publications in flight, or at a fixed rate.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::client::{Client, Got};
use crate::figures::figures;
use crate::latency::Latency;
use crate::server::Server;
use crate::swarm::Swarm;

/// Longest silence before the run is given up.
const SILENCE: Duration = Duration::from_secs(20);

/// What stands before the time in an event, so that it is found in every dialect.
const MARK: &str = "sent@";

/// How events are published.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Publications that have not reached everybody.
    #[arg(long, default_value_t = 1, conflicts_with = "rate")]
    in_flight: u64,
    /// Publications a second.
    #[arg(long)]
    rate: Option<u32>,
    /// Length of an event's text.
    #[arg(long, default_value_t = 120)]
    bytes: usize,
    /// Time before anything is measured.
    #[arg(long, default_value_t = 1000)]
    warm_ms: u64,
    /// Time that is measured.
    #[arg(long, default_value_t = 3000)]
    run_ms: u64,
}

pub(crate) fn run(options: &Options, server: &Server, mut swarm: Swarm) -> Result<Value, Box<dyn Error>> {
    let start = Instant::now();
    let from = start + Duration::from_millis(options.warm_ms);
    let to = from + Duration::from_millis(options.run_ms);
    let everybody = swarm.clients.len() as u64;
    let gap = options.rate.map(|rate| Duration::from_secs(1) / rate.max(1));
    let (mut due, mut published, mut delivered) = (start, 0_u64, 0_u64);
    let mut before = None;
    let mut latency = Latency::new();
    let mut heard = start;
    loop {
        let now = Instant::now();
        if now >= from && before.is_none() {
            before = Some((server.cpu_ns()?, delivered, Instant::now()));
        }
        if now >= to {
            break;
        }
        if now > heard + SILENCE {
            return Err(format!("{} events have not arrived", published * everybody - delivered).into());
        }
        let mut until = if now < from { from } else { to };
        match gap {
            Some(gap) => {
                while due <= now {
                    publish(&mut swarm.clients[0], options, start, due);
                    published += 1;
                    due += gap;
                }
                until = until.min(due);
            }
            None => {
                while published < delivered / everybody + options.in_flight {
                    publish(&mut swarm.clients[0], options, start, now);
                    published += 1;
                }
            }
        }
        swarm.turn(until, &mut |_, got| {
            let Got::Event(text) = got else { return };
            heard = Instant::now();
            delivered += 1;
            if let Some(sent) = sent_at(text, start).filter(|sent| (from..to).contains(sent)) {
                latency.record(heard - sent);
            }
        })?;
    }
    let (cpu_ns, count, since) = before.ok_or("there was no time to measure")?;
    let (cpu_ns, count, measured) = (server.cpu_ns()?.saturating_sub(cpu_ns), delivered - count, since.elapsed());
    Ok(figures(count, cpu_ns, measured, &latency).into())
}

fn publish(publisher: &mut Client, options: &Options, start: Instant, due: Instant) {
    let text = format!("{MARK}{};", (due - start).as_nanos());
    publisher.call("publish", &format!("\"{text:.<width$}\"", width = options.bytes), due);
}

fn sent_at(event: &str, start: Instant) -> Option<Instant> {
    let (_, rest) = event.split_once(MARK)?;
    let (nanoseconds, _) = rest.split_once(';')?;
    Some(start + Duration::from_nanos(nanoseconds.parse().ok()?))
}
