//! Evaluating the prelude and the app in a new VM.

use std::rc::Rc;

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Function, Object, Persistent, Value};

use super::bridge::Bridge;
use super::functions;
use crate::engine::{EngineError, Program, message, prelude};
use crate::limits::Limits;

/// The prelude's functions that the host calls.
pub(super) struct Entry {
    /// Runs a message.
    pub(super) receive: Persistent<Function<'static>>,
    /// Takes a message about several calls.
    pub(super) take: Persistent<Function<'static>>,
    /// Runs the next of them.
    pub(super) next: Persistent<Function<'static>>,
    /// The call that the last message was about.
    pub(super) owner: Persistent<Function<'static>>,
    /// Logs a rejection that nobody handled.
    pub(super) unhandled: Persistent<Function<'static>>,
}

/// Evaluates all of it, with the microtasks that follow.
pub(super) fn load(
    ctx: &Ctx<'_>,
    program: &Program,
    limits: &Limits,
    bridge: &Rc<Bridge>,
) -> Result<Entry, EngineError> {
    let entry = evaluate(ctx, program, limits, bridge).map_err(|error| load_error(ctx, &error, bridge))?;
    while !bridge.watchdog.overrun() && ctx.execute_pending_job() {}
    if bridge.watchdog.has_interrupted() || bridge.watchdog.overrun() {
        return Err(EngineError::Load { message: too_long(), stack: None });
    }
    Ok(entry)
}

fn evaluate(ctx: &Ctx<'_>, program: &Program, limits: &Limits, bridge: &Rc<Bridge>) -> rquickjs::Result<Entry> {
    let shared = Object::new(ctx.clone())?;
    shared.set_prototype(None)?;
    shared.set("host", functions::make(ctx, bridge)?)?;
    shared.set("program", ctx.json_parse(message::program(program, limits))?)?;
    for (name, source) in prelude::embedded() {
        let part: Function<'_> = ctx.eval_with_options(source, script(name, Mode::Strict))?;
        part.call::<_, ()>((shared.clone(),))?;
    }
    let entry: Object<'_> = shared.get("entry")?;
    let globals = ctx.globals();
    globals.set("__ss", entry.get::<_, Object<'_>>("bundle")?)?;
    let bundle = program.bundle.as_bytes();
    ctx.eval_with_options::<Value<'_>, _>(bundle, script(&program.bundle_name, Mode::Sloppy))?;
    globals.remove("__ss")?;
    entry.get::<_, Function<'_>>("load")?.call::<_, ()>(())?;
    let keep = |name: &str| entry.get::<_, Function<'_>>(name).map(|function| Persistent::save(ctx, function));
    let [receive, take, next] = [keep("receive")?, keep("take")?, keep("next")?];
    Ok(Entry { receive, take, next, owner: keep("owner")?, unhandled: keep("unhandled")? })
}

#[derive(PartialEq, Eq)]
enum Mode {
    Strict,
    /// How 2011's code was written; ES modules say "use strict" themselves.
    Sloppy,
}

fn script(name: &str, mode: Mode) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = mode == Mode::Strict;
    options.filename = Some(name.replace('\0', ""));
    options
}

fn load_error(ctx: &Ctx<'_>, error: &rquickjs::Error, bridge: &Bridge) -> EngineError {
    if !error.is_exception() {
        return EngineError::Load { message: error.to_string(), stack: None };
    }
    let thrown = Thrown::read(&ctx.catch());
    let message = if bridge.watchdog.has_interrupted() { too_long() } else { thrown.message };
    EngineError::Load { message, stack: thrown.stack }
}

fn too_long() -> String {
    "it did not end in time".to_owned()
}

/// What a script threw.
pub(super) struct Thrown {
    pub(super) message: String,
    pub(super) stack: Option<String>,
}

impl Thrown {
    pub(super) fn read(value: &Value<'_>) -> Self {
        let Some(object) = value.as_object() else {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            return Self { message: text.unwrap_or_else(|| value.type_name().to_owned()), stack: None };
        };
        let text = |name: &str| object.get::<_, Option<String>>(name).ok().flatten();
        let message = text("message").unwrap_or_else(|| "an object was thrown".to_owned());
        let name = text("name").unwrap_or_else(|| "Error".to_owned());
        let stack = text("stack").map(|stack| message::app_frames(&format!("{name}: {message}\n{stack}")));
        Self { message, stack }
    }
}
