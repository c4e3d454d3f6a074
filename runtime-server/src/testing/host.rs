//! The functions that a realm's scripts get of the host.

use std::rc::Rc;
use std::time::Duration;

use rquickjs::context::EvalOptions;
use rquickjs::{Ctx, Function, Object, Value};

use super::net::PageRequest;
use super::timers::{TimerId, TimerKind};
use super::vm::World;
use crate::engine::embedded::{functions, web};

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counters of our own scripts")]
fn number(value: f64) -> u64 {
    value as u64
}

/// An object without a prototype that holds them. Realm 0 is the tests' own; the others are browsers with a jar.
pub(super) fn make<'js>(ctx: &Ctx<'js>, world: &Rc<World>, realm: u64, jar: usize) -> rquickjs::Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    host.set_prototype(None)?;
    let set = |name: &str, function: rquickjs::Result<Function<'js>>| host.set(name, function?);
    macro_rules! give {
        ($name:literal, |$of:ident $(, $arg:ident: $kind:ty)*| $body:expr) => {{
            let $of = Rc::clone(world);
            set($name, Function::new(ctx.clone(), move |$($arg: $kind),*| $body))?;
        }};
    }
    give!("send", |of, text: String| of.printed(&text));
    give!("now", |of| of.timers.borrow().now_ms());
    give!("real", |of| of.timers.borrow().real_ms());
    give!("timer", |of, id: f64, delay_ms: f64| {
        of.timers.borrow_mut().set(TimerId { realm, kind: TimerKind::Moved, id: number(id) }, delay_ms);
    });
    give!("realTimer", |of, id: f64, delay_ms: f64| {
        of.timers.borrow_mut().set(TimerId { realm, kind: TimerKind::Real, id: number(id) }, delay_ms);
    });
    give!("advance", |of, ms: f64| {
        let by = Duration::from_millis(number(ms));
        of.timers.borrow_mut().advance(by);
        of.clock.advance(number(ms));
    });
    give!("report", |of, text: String| of.reported(&text));
    give!("done", |of| of.done.set(true));
    give!("realm", |of, id: f64, jar: f64| {
        of.wanted.borrow_mut().push((number(id), usize::try_from(number(jar)).unwrap_or_default()));
    });
    give!("jar", |of| of.net.jar());
    give!("signIn", |of, question: f64, jar: f64, user: String| {
        of.net.sign_in(number(question), usize::try_from(number(jar)).unwrap_or_default(), user);
    });
    give!("connect", |of, id: f64, url: String, protocol: String| {
        of.net.connect((realm, number(id)), jar, &url, &protocol);
    });
    give!("write", |of, id: f64, text: String| of.net.write((realm, number(id)), text));
    give!("end", |of, id: f64, code: f64| {
        of.net.end((realm, number(id)), u16::try_from(number(code)).unwrap_or(1000));
    });
    give!("break", |of, id: f64| of.net.break_off((realm, number(id))));
    give!("request", |of, id: f64, method: String, url: String, headers: String, body: String| {
        let headers = serde_json::from_str(&headers).unwrap_or_default();
        of.net.request((realm, number(id)), jar, PageRequest { method, url, headers, body });
    });
    let of = Rc::clone(world);
    let stray = move |ctx: Ctx<'js>, error: Value<'js>| of.strayed(&ctx, error);
    set("stray", Function::new(ctx.clone(), stray))?;
    set("evaluate", Function::new(ctx.clone(), evaluate))?;
    set("random", Function::new(ctx.clone(), functions::random_hex))?;
    set("parseUrl", Function::new(ctx.clone(), |input: String, base: Option<String>| web::parse_url(&input, base)))?;
    let set_url = |href: String, part: String, value: String| web::set_url(&href, &part, &value);
    set("setUrl", Function::new(ctx.clone(), set_url))?;
    let digest = |algorithm: String, bytes: String| web::digest(&algorithm, &bytes);
    set("digest", Function::new(ctx.clone(), digest))?;
    Ok(host)
}

/// Runs a script of a page.
fn evaluate(ctx: Ctx<'_>, name: String, code: String) -> rquickjs::Result<()> {
    ctx.eval_with_options::<(), _>(code, sloppy(&name))
}

/// As browsers run scripts: strict only where they say so.
pub(super) fn sloppy(name: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.replace('\0', ""));
    options
}
