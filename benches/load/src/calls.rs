//! Calls of an action. At a fixed rate, a call counts from the moment when it was to be sent, whether or not the server had
//! let its client get that far: a server that stands still is seen by every call that it kept waiting.

use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Client, Got};
use crate::figures::figures;
use crate::latency::Latency;
use crate::server::Server;
use crate::swarm::Swarm;

/// Time for the last answers.
const LAST_ANSWERS: Duration = Duration::from_secs(10);

/// How the action is called.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// Its name.
    #[arg(long, default_value = "square")]
    action: String,
    /// Its argument, as JSON.
    #[arg(long, default_value = "25")]
    argument: String,
    /// Calls in flight on each connection.
    #[arg(long, default_value_t = 1, conflicts_with = "rate")]
    depth: usize,
    /// Calls a second, on all connections in turns, however long they take.
    #[arg(long)]
    rate: Option<u32>,
    /// An action that one further connection calls again and again meanwhile.
    #[arg(long)]
    pub(crate) beside: Option<String>,
    /// Time before anything is measured.
    #[arg(long, default_value_t = 1000)]
    warm_ms: u64,
    /// Time that is measured.
    #[arg(long, default_value_t = 3000)]
    run_ms: u64,
}

/// What is counted.
struct Tally<'a> {
    options: &'a Options,
    from: Instant,
    to: Instant,
    latency: Latency,
    /// Answers that came in the time that is measured.
    answers: u64,
    failed: u64,
    first_failure: Option<String>,
    /// The connection that calls the other action, and what came of that.
    beside: Option<usize>,
    beside_answers: u64,
}

pub(crate) fn run(options: &Options, server: &Server, mut swarm: Swarm) -> Result<Value, Box<dyn Error>> {
    let start = Instant::now();
    let from = start + Duration::from_millis(options.warm_ms);
    let to = from + Duration::from_millis(options.run_ms);
    let callers = swarm.clients.len() - usize::from(options.beside.is_some());
    let mut tally = Tally {
        options,
        from,
        to,
        latency: Latency::new(),
        answers: 0,
        failed: 0,
        first_failure: None,
        beside: options.beside.is_some().then_some(callers),
        beside_answers: 0,
    };
    if let (Some(action), Some(number)) = (&options.beside, tally.beside) {
        swarm.clients[number].call(action, &options.argument, start);
    }
    let gap = options.rate.map(|rate| Duration::from_secs(1) / rate.max(1));
    let (mut due, mut turn) = (start, 0);
    if gap.is_none() {
        for client in &mut swarm.clients[..callers] {
            (0..options.depth).for_each(|_| client.call(&options.action, &options.argument, start));
        }
    }
    let mut cpu_before = None;
    loop {
        let now = Instant::now();
        if now >= from && cpu_before.is_none() {
            cpu_before = Some((server.cpu_ns()?, Instant::now()));
        }
        if now >= to {
            break;
        }
        let mut until = if now < from { from } else { to };
        if let Some(gap) = gap {
            while due <= now {
                swarm.clients[turn].call(&options.action, &options.argument, due);
                turn = (turn + 1) % callers;
                due += gap;
            }
            until = until.min(due);
        }
        swarm.turn(until, &mut |client, got| tally.got(client, got))?;
    }
    let (cpu_ns, since) = cpu_before.ok_or("there was no time to measure")?;
    let (cpu_ns, measured) = (server.cpu_ns()?.saturating_sub(cpu_ns), since.elapsed());
    let answers = tally.answers;
    let unanswered = if gap.is_some() { wait_for_last(&mut swarm, &mut tally)? } else { 0 };
    if let Some(why) = &tally.first_failure {
        #[expect(clippy::print_stderr, reason = "figures with failures in them must not look like others")]
        {
            eprintln!("ssbuild-load: {} calls failed; the first: {why}", tally.failed);
        }
    }
    let mut all = figures(answers, cpu_ns, measured, &tally.latency);
    all.insert("failed".to_owned(), json!(tally.failed));
    all.insert("unanswered".to_owned(), json!(unanswered));
    all.insert("beside".to_owned(), json!(tally.beside_answers));
    Ok(all.into())
}

/// Waits for the calls that were to be sent in the time that is measured; those that stay unanswered count as long as this
/// waited for them.
fn wait_for_last(swarm: &mut Swarm, tally: &mut Tally<'_>) -> Result<usize, String> {
    let (from, to, beside) = (tally.from, tally.to, tally.beside);
    let late = Instant::now() + LAST_ANSWERS;
    loop {
        let callers = swarm.clients.iter().filter(|client| Some(client.number) != beside);
        let left: Vec<Instant> = callers.flat_map(Client::unanswered).filter(|due| (from..to).contains(due)).collect();
        if left.is_empty() || Instant::now() > late {
            left.iter().for_each(|due| tally.latency.record(due.elapsed()));
            return Ok(left.len());
        }
        swarm.turn(Instant::now() + Duration::from_millis(10), &mut |client, got| tally.got(client, got))?;
    }
}

impl Tally<'_> {
    fn got(&mut self, client: &mut Client, got: Got<'_>) {
        let Got::Answer(due, outcome) = got else { return };
        let now = Instant::now();
        if Some(client.number) == self.beside {
            // How it ends is not its callers' affair here.
            self.beside_answers += 1;
            if let Some(action) = self.options.beside.as_ref().filter(|_| now < self.to) {
                client.call(action, &self.options.argument, now);
            }
            return;
        }
        if let Err(why) = outcome {
            self.failed += 1;
            self.first_failure.get_or_insert_with(|| why.to_owned());
        }
        if (self.from..self.to).contains(&due) {
            self.latency.record(now - due);
        }
        if (self.from..self.to).contains(&now) {
            self.answers += 1;
        }
        if self.options.rate.is_none() && now < self.to {
            client.call(&self.options.action, &self.options.argument, now);
        }
    }
}
