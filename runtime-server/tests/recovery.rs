//! Recovery against a model: seeded schedules of publishing, joining, reading, breaking off, waiting and coming back. Whatever
//! happens, a client sees what was published to it in order and once, or is told that something is lost.
//!
//! 10,000 schedules with `SSBUILD_SOAK=1`; `SSBUILD_SEED=n` runs one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use ssbuild_server::engine::{HostCall, PublishTo};

use crate::support::World;
use crate::support::client::Client;

const HISTORY: usize = 12;
const HISTORY_MS: u64 = 120_000;

/// Numbers from a seed: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// What was published, and what must arrive.
#[derive(Default)]
struct Model {
    /// Of each stream: what was published to it, with the time.
    streams: BTreeMap<String, Vec<(u64, u64)>>,
    /// Published and not yet seen by the client, in order; each number once.
    expected: Vec<u64>,
}

/// A page, with what it has reached.
struct Page {
    client: Client,
    /// Stream to epoch and offset.
    reached: BTreeMap<String, (String, u64)>,
}

struct Schedule<'a> {
    world: &'a World,
    chance: Chance,
    model: Model,
    /// The channels of this schedule; others have theirs.
    rooms: [String; 2],
    published: u64,
    now_ms: u64,
    /// The offset that each stream had before the first of the model's events: what nobody had was not counted.
    before: BTreeMap<String, i64>,
}

impl Schedule<'_> {
    /// Publishes to the broadcast, a channel or both channels.
    async fn publish(&mut self, joined: &[String]) {
        self.published += 1;
        let number = self.published;
        let streams: Vec<String> = match self.chance.below(4) {
            0 => vec!["*".to_owned()],
            1 => vec![format!("#{}", self.rooms[0])],
            2 => vec![format!("#{}", self.rooms[1])],
            _ => self.rooms.iter().map(|room| format!("#{room}")).collect(),
        };
        let to = if streams[0] == "*" {
            PublishTo::Broadcast
        } else {
            PublishTo::Channels(streams.iter().map(|stream| stream[1..].to_owned()).collect())
        };
        let params = Some(to_raw_value(&number).expect("a number is JSON"));
        let call = HostCall::Publish { to, event: "n".to_owned(), params, conflate: None };
        self.world.script.ask(call).await.expect("it is published");
        for stream in &streams {
            self.model.streams.entry(stream.clone()).or_default().push((number, self.now_ms));
        }
        if streams.iter().any(|stream| joined.contains(stream)) {
            self.model.expected.push(number);
        }
    }

    /// Whether the history still has everything of `stream` behind that place.
    fn is_kept(&self, stream: &str, offset: u64) -> bool {
        let published = self.model.streams.get(stream).map(Vec::as_slice).unwrap_or_default();
        let now = published.len() as i64 + self.before[stream];
        let missed = usize::try_from(now - offset as i64).expect("nobody is ahead");
        let oldest = published[published.len() - missed.min(published.len())..].first();
        missed <= HISTORY && oldest.is_none_or(|(_, at_ms)| *at_ms + HISTORY_MS >= self.now_ms)
    }
}

impl Page {
    /// Takes one message in; the number that it brought.
    fn take(&mut self, message: &Value) -> Option<u64> {
        match message[0].as_u64() {
            Some(3) => {
                let list = |value: &Value| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
                for (stream, offset) in list(&message[1]).iter().zip(list(&message[2])) {
                    let reached = self.reached.get_mut(stream.as_str().expect("a name")).expect("a stream that it has");
                    assert_eq!(offset.as_u64(), Some(reached.1 + 1), "offsets grow by one: {message}");
                    reached.1 += 1;
                }
                Some(message[4].as_u64().expect("a number"))
            }
            Some(4) => {
                let place =
                    (message[2].as_str().expect("an epoch").to_owned(), message[3].as_u64().expect("an offset"));
                self.reached.insert(message[1].as_str().expect("a name").to_owned(), place);
                None
            }
            Some(5) => {
                self.reached.remove(message[1].as_str().expect("a name"));
                None
            }
            _ => None,
        }
    }

    fn place(&mut self, welcome: &Value) {
        self.reached = welcome[4]
            .as_array()
            .expect("positions")
            .iter()
            .map(|place| {
                let text = |at: usize| place[at].as_str().expect("text").to_owned();
                (text(0), (text(1), place[2].as_u64().expect("an offset")))
            })
            .collect();
    }
}

async fn run(world: &World, seed: u64) {
    let mut client = Client::connect(world.address, None).await;
    client.hello(json!(null)).await;
    let welcome = client.welcome().await;
    let mut page = Page { client, reached: BTreeMap::new() };
    page.place(&welcome);
    let rooms = [format!("{seed}a"), format!("{seed}b")];
    // The first draws of small seeds are much alike.
    let mut schedule = Schedule {
        world,
        chance: Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1),
        model: Model::default(),
        rooms,
        published: 0,
        now_ms: 0,
        before: page.reached.iter().map(|(stream, (_, offset))| (stream.clone(), *offset as i64)).collect(),
    };
    for _ in 0..4 + schedule.chance.below(14) {
        let joined: Vec<String> = page.reached.keys().cloned().collect();
        match schedule.chance.below(8) {
            0..=3 => {
                for _ in 0..=schedule.chance.below(4) {
                    schedule.publish(&joined).await;
                }
            }
            4 => {
                let room = schedule.rooms[schedule.chance.below(2) as usize].clone();
                let action = if schedule.chance.below(3) == 0 { "room/leave" } else { "room/join" };
                let id = page.client.start(action, json!([[room]])).await;
                read_up_to(&mut page, &mut schedule, |message| message[0] == 1 && message[1] == id).await;
            }
            5 => {
                page.client.send(&json!([2])).await;
                read_up_to(&mut page, &mut schedule, |message| message[0] == 9).await;
                assert_eq!(schedule.model.expected, [] as [u64; 0], "everything has arrived");
            }
            6 => {
                let wait_ms = 1 + schedule.chance.below(70_000);
                schedule.now_ms += wait_ms;
                world.clock.advance(wait_ms);
                page.client.send(&json!([2])).await;
                read_up_to(&mut page, &mut schedule, |message| message[0] == 9).await;
            }
            _ => page = cut(page, &mut schedule).await,
        }
    }
    page = cut(page, &mut schedule).await;
    page.client.send(&json!([2])).await;
    read_up_to(&mut page, &mut schedule, |message| message[0] == 9).await;
    assert_eq!(schedule.model.expected, [] as [u64; 0], "everything has arrived");
}

/// Breaks off, after having read some; meanwhile things happen; comes back.
async fn cut(mut page: Page, schedule: &mut Schedule<'_>) -> Page {
    // What is read is read; the rest is on its way and lost.
    for _ in 0..schedule.chance.below(1 + schedule.model.expected.len() as u64) {
        let message = page.client.next().await;
        let number = page.take(&message);
        assert_eq!(number, Some(schedule.model.expected.remove(0)), "in order: {message}");
    }
    let joined: Vec<String> = page.reached.keys().cloned().collect();
    let before = std::mem::take(&mut page.reached);
    let (id, cookie) = page.client.cut();
    for _ in 0..schedule.chance.below(3) {
        for _ in 0..schedule.chance.below(8) {
            schedule.publish(&joined).await;
        }
        if schedule.chance.below(4) == 0 {
            // Twice in all: a stream that nobody has is forgotten after the history's time.
            let wait_ms = 1 + schedule.chance.below(HISTORY_MS / 2);
            schedule.now_ms += wait_ms;
            schedule.world.clock.advance(wait_ms);
        }
    }
    let positions: Vec<_> = before.iter().map(|(stream, (epoch, offset))| json!([stream, epoch, offset])).collect();
    let mut client = Client::come_back(schedule.world.address, &id, cookie.as_deref(), json!(positions)).await;
    let welcome = client.welcome().await;
    let mut page = Page { client, reached: BTreeMap::new() };
    page.place(&welcome);
    assert_eq!(page.reached.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>(), "its streams come back");
    if before.iter().all(|(stream, (_, offset))| schedule.is_kept(stream, *offset)) {
        assert_eq!(welcome[3], true, "all of it is there: {welcome}, {positions:?}");
        assert_eq!(page.reached, before, "it goes on from where it was");
    } else {
        assert_eq!(welcome[3], false, "something is lost: {welcome}, {positions:?}");
        schedule.model.expected.clear();
    }
    page
}

/// Reads up to a message; events must be those that are expected, in order.
async fn read_up_to(page: &mut Page, schedule: &mut Schedule<'_>, last: impl Fn(&Value) -> bool) {
    loop {
        let message = page.client.next().await;
        if last(&message) {
            return;
        }
        if message[0] == 4 {
            let stream = message[1].as_str().expect("a name");
            let known = schedule.model.streams.get(stream).map_or(0, Vec::len);
            schedule.before.insert(stream.to_owned(), message[3].as_i64().expect("an offset") - known as i64);
        }
        if let Some(number) = page.take(&message) {
            assert!(!schedule.model.expected.is_empty(), "nothing was to come: {message}");
            assert_eq!(number, schedule.model.expected.remove(0), "in order: {message}");
        }
    }
}

#[tokio::test]
async fn whatever_happens_events_come_in_order_and_once_or_are_said_to_be_lost() {
    let world = World::with(|config| {
        config.log.level = 0;
        config.limits.history_events = HISTORY;
        config.limits.history_ms = HISTORY_MS;
        config.limits.idle_ms = u64::MAX / 2;
        config.limits.connects_burst = u32::MAX;
        config.limits.unsaved_session_ms = u64::MAX / 2;
        config.limits.messages_burst = u32::MAX;
    })
    .await;
    let schedules = if std::env::var_os("SSBUILD_SOAK").is_some() { 10_000 } else { 250 };
    let one = std::env::var("SSBUILD_SEED").ok().and_then(|seed| seed.parse::<u64>().ok());
    let world = Arc::new(world);
    for seed in one.map_or(1..=schedules, |seed| seed..=seed) {
        let schedule = {
            let world = Arc::clone(&world);
            tokio::spawn(async move { run(&world, seed).await })
        };
        assert!(schedule.await.is_ok(), "seed {seed}");
    }
}
