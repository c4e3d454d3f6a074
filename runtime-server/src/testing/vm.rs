//! One thread's engine: the realm of the tests, and one for each browser.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rquickjs::{CatchResultExt as _, Context, Ctx, Function, Object, Persistent, Runtime, Value};
use serde_json::json;

use super::clock::ShiftedClock;
use super::net::{Given, Happening, Net};
use super::timers::{TimerKind, Timers};
use super::{BUSY, Event, Failure, Options, STACK_BYTES, TestFile, TestResult, host};
use crate::engine::prelude;

/// Memory of a file's engine.
const MEMORY_BYTES: usize = 1024 * 1024 * 1024;

/// What the host functions of all realms share.
pub(super) struct World {
    pub(super) net: Net,
    pub(super) clock: ShiftedClock,
    pub(super) timers: RefCell<Timers>,
    pub(super) done: Cell<bool>,
    /// Realms that are to be made, with their jars.
    pub(super) wanted: RefCell<Vec<(u64, usize)>>,
    events: RefCell<Vec<Event>>,
    rejections: RefCell<Vec<(Persistent<Value<'static>>, Persistent<Value<'static>>)>>,
    stray: RefCell<Option<Persistent<Function<'static>>>>,
}

impl World {
    pub(super) fn new(net: Net, clock: ShiftedClock) -> Self {
        Self {
            net,
            clock,
            timers: RefCell::new(Timers::new()),
            done: Cell::new(false),
            wanted: RefCell::default(),
            events: RefCell::default(),
            rejections: RefCell::default(),
            stray: RefCell::default(),
        }
    }

    /// `["log", level, text]` of the prelude's console.
    pub(super) fn printed(&self, message: &str) {
        if let Ok((_, level, text)) = serde_json::from_str::<(String, u8, String)>(message) {
            self.events.borrow_mut().push(Event::Printed(level, text));
        }
    }

    /// What the harness reports.
    pub(super) fn reported(&self, message: &str) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(message) else { return };
        let failure = || serde_json::from_value::<Failure>(value["failure"].clone()).ok();
        let event = match value["kind"].as_str() {
            Some("test") => serde_json::from_value::<TestResult>(value).ok().map(Event::Test),
            Some("broken") => failure().map(Event::Broken),
            _ => failure().map(Event::Stray),
        };
        self.events.borrow_mut().extend(event);
    }

    /// An error of a browser that no code took.
    pub(super) fn strayed<'js>(&self, ctx: &Ctx<'js>, error: Value<'js>) {
        let stray = self.stray.borrow().clone();
        let told = stray.map(|stray| stray.restore(ctx).and_then(|stray| stray.call::<_, ()>(("", error))));
        if let Some(Err(_)) = told {
            drop(ctx.catch());
        }
    }
}

struct Realm {
    context: Context,
    receive: Persistent<Function<'static>>,
}

/// Runs a file to its end.
pub(super) fn run(
    world: &Rc<World>,
    inbox: &Receiver<Happening>,
    file: &TestFile,
    options: &Options,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), String> {
    let broken = |error: rquickjs::Error| error.to_string();
    let runtime = Runtime::new().map_err(broken)?;
    runtime.set_memory_limit(MEMORY_BYTES);
    runtime.set_max_stack_size(STACK_BYTES / 2);
    let busy_since = Rc::new(Cell::new(None::<Instant>));
    let (since, stopped) = (Rc::clone(&busy_since), Rc::new(Cell::new(false)));
    let barked = Rc::clone(&stopped);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        let late = since.get().is_some_and(|since| since.elapsed() > BUSY);
        barked.set(barked.get() || late);
        late
    })));
    let of = Rc::clone(world);
    runtime.set_host_promise_rejection_tracker(Some(Box::new(move |ctx, promise, reason, handled| {
        let promise = Persistent::save(&ctx, promise);
        let mut rejections = of.rejections.borrow_mut();
        if handled {
            rejections.retain(|(other, _)| *other != promise);
        } else {
            rejections.push((promise, Persistent::save(&ctx, reason)));
        }
    })));
    let mut realms = BTreeMap::new();
    let result = work(world, inbox, (file, options), &runtime, &mut realms, &busy_since, on_event);
    let result = if stopped.get() {
        Err(format!("the tests kept their engine busy for more than {} seconds, and were stopped", BUSY.as_secs()))
    } else {
        result
    };
    // Nothing may outlive the engine.
    world.rejections.take();
    world.stray.take();
    world.events.take().into_iter().for_each(&mut *on_event);
    drop(realms);
    runtime.set_host_promise_rejection_tracker(None);
    runtime.run_gc();
    result
}

fn work(
    world: &Rc<World>,
    inbox: &Receiver<Happening>,
    (file, options): (&TestFile, &Options),
    runtime: &Runtime,
    realms: &mut BTreeMap<u64, Realm>,
    busy_since: &Cell<Option<Instant>>,
    on_event: &mut dyn FnMut(Event),
) -> Result<(), String> {
    busy_since.set(Some(Instant::now()));
    let tests = first_realm(world, runtime, (file, options))?;
    realms.insert(0, tests);
    loop {
        busy_since.set(Some(Instant::now()));
        settle(world, runtime, &realms[&0])?;
        world.events.take().into_iter().for_each(&mut *on_event);
        let wanted = world.wanted.take();
        for (id, jar) in wanted {
            let (realm, global) = browser(world, runtime, id, jar)?;
            realms.insert(id, realm);
            enter(&realms[&0], |ctx, receive| receive.call::<_, ()>(("realm", id, global.restore(ctx)?)))?;
        }
        settle(world, runtime, &realms[&0])?;
        if world.done.get() {
            return Ok(());
        }
        if !world.wanted.borrow().is_empty() {
            continue;
        }
        busy_since.set(None);
        let due = world.timers.borrow_mut().take_due();
        if let Some(timer) = due {
            busy_since.set(Some(Instant::now()));
            let kind = if timer.kind == TimerKind::Real { "real" } else { "timer" };
            if let Some(realm) = realms.get(&timer.realm) {
                enter(realm, |_, receive| receive.call::<_, ()>((kind, timer.id)))?;
            }
            continue;
        }
        // Something always ends: every test has a deadline.
        let wait = world.timers.borrow().wait().unwrap_or(Duration::from_millis(100));
        match inbox.recv_timeout(wait) {
            Ok(happening) => {
                busy_since.set(Some(Instant::now()));
                if let Some(realm) = realms.get(&happening.realm) {
                    happen(realm, happening)?;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err("the private server is gone".to_owned()),
        }
    }
}

fn happen(realm: &Realm, happening: Happening) -> Result<(), String> {
    let Happening { kind, id, value, more, .. } = happening;
    enter(realm, |_, receive| match value {
        Given::Text(text) => receive.call::<_, ()>((kind, id, text, more)),
        Given::Number(number) => receive.call((kind, id, number, more)),
        Given::Nothing => receive.call((kind, id, (), more)),
    })
}

/// Runs what promises wait for, and tells of rejections that nobody took.
fn settle(world: &World, runtime: &Runtime, tests: &Realm) -> Result<(), String> {
    loop {
        match runtime.execute_pending_job() {
            Ok(true) => {}
            Ok(false) => break,
            // What a job throws is its promise's.
            Err(_) => {}
        }
    }
    let rejections = world.rejections.take();
    for (_, reason) in rejections {
        enter(tests, |ctx, _| {
            let reason = reason.restore(ctx)?;
            world.strayed(ctx, reason);
            Ok(())
        })?;
    }
    Ok(())
}

/// Calls into a realm. What its own scripts do not catch is a fault of theirs.
fn enter<R>(
    realm: &Realm,
    call: impl for<'js> FnOnce(&Ctx<'js>, Function<'js>) -> rquickjs::Result<R>,
) -> Result<R, String> {
    realm.context.with(|ctx| {
        let receive = realm.receive.clone().restore(&ctx).map_err(|error| error.to_string())?;
        call(&ctx, receive).catch(&ctx).map_err(|error| error.to_string())
    })
}

const EXPECT: prelude::File = ("ss:prelude/expect.js", include_str!("js/expect.js"));
const HARNESS: prelude::File = ("ss:prelude/harness.js", include_str!("js/harness.js"));
const BROWSER: prelude::File = ("ss:prelude/browser.js", include_str!("js/browser.js"));

fn first_realm(world: &Rc<World>, runtime: &Runtime, (file, options): (&TestFile, &Options)) -> Result<Realm, String> {
    let context = Context::full(runtime).map_err(|error| error.to_string())?;
    let program = json!({"pattern": options.pattern, "timeout_ms": options.timeout_ms, "env": "test"});
    let receive = context.with(|ctx| {
        let made = || -> rquickjs::Result<_> {
            let shared = prepare(&ctx, world, (0, 0), &program.to_string())?;
            for part in prelude::testing().chain([EXPECT, HARNESS]) {
                evaluate(&ctx, part, &shared)?;
            }
            ctx.eval_with_options::<(), _>(file.bundle.as_str(), host::sloppy(&file.name))?;
            ctx.globals().remove("__ss")?;
            let stray: Function<'_> = shared.get("failOwner")?;
            *world.stray.borrow_mut() = Some(Persistent::save(&ctx, stray));
            let receive: Function<'_> = shared.get("receive")?;
            shared.get::<_, Function<'_>>("run")?.call::<_, ()>(())?;
            Ok(Persistent::save(&ctx, receive))
        };
        made().catch(&ctx).map_err(|error| error.to_string())
    })?;
    Ok(Realm { context, receive })
}

fn browser(
    world: &Rc<World>,
    runtime: &Runtime,
    id: u64,
    jar: usize,
) -> Result<(Realm, Persistent<Object<'static>>), String> {
    let context = Context::full(runtime).map_err(|error| error.to_string())?;
    let program = json!({"origin": world.net.origin(), "env": "test"});
    let (receive, global) = context.with(|ctx| {
        let made = || -> rquickjs::Result<_> {
            let shared = prepare(&ctx, world, (id, jar), &program.to_string())?;
            for part in prelude::browser().chain([BROWSER]) {
                evaluate(&ctx, part, &shared)?;
            }
            let receive: Function<'_> = shared.get("receive")?;
            Ok((Persistent::save(&ctx, receive), Persistent::save(&ctx, ctx.globals())))
        };
        made().catch(&ctx).map_err(|error| error.to_string())
    })?;
    Ok((Realm { context, receive }, global))
}

fn prepare<'js>(
    ctx: &Ctx<'js>,
    world: &Rc<World>,
    (realm, jar): (u64, usize),
    program: &str,
) -> rquickjs::Result<Object<'js>> {
    let shared = Object::new(ctx.clone())?;
    shared.set_prototype(None)?;
    shared.set("host", host::make(ctx, world, realm, jar)?)?;
    shared.set("program", ctx.json_parse(program)?)?;
    Ok(shared)
}

fn evaluate<'js>(ctx: &Ctx<'js>, (name, source): prelude::File, shared: &Object<'js>) -> rquickjs::Result<()> {
    ctx.eval_with_options::<Function<'_>, _>(source, host::sloppy(name))?.call((shared.clone(),))
}
