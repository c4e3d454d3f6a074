//! The few functions that the prelude gets of the host.

use std::rc::Rc;
use std::time::{Duration, Instant};

use rquickjs::{Ctx, Exception, Function, Object, Value};

use super::bridge::Bridge;
use super::web;
use crate::hex;

/// Most random bytes that one question gives.
const MOST_RANDOM_BYTES: usize = 65_536;

/// An object without a prototype that holds them.
pub(super) fn make<'js>(ctx: &Ctx<'js>, bridge: &Rc<Bridge>) -> rquickjs::Result<Object<'js>> {
    let host = Object::new(ctx.clone())?;
    host.set_prototype(None)?;

    let to = bridge.clone();
    host.set("send", Function::new(ctx.clone(), move |text: String| to.sent(&text))?)?;

    let of = bridge.clone();
    let answer = move |call: f64, value: Value<'_>| -> rquickjs::Result<()> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the prelude got it from us")]
        let call = call as u64;
        #[expect(clippy::cast_possible_truncation, reason = "numbers are sent as such when they have 32 bits")]
        let text = match (value.as_number(), value.as_string()) {
            (Some(number), _) => (number as i32).to_string(),
            (None, Some(text)) => text.to_string()?,
            (None, None) => String::new(),
        };
        of.answered(call, &text);
        Ok(())
    };
    host.set("answer", Function::new(ctx.clone(), answer)?)?;

    let born = Instant::now();
    host.set("now", Function::new(ctx.clone(), move || born.elapsed().as_secs_f64() * 1000.0)?)?;

    host.set("random", Function::new(ctx.clone(), random_hex)?)?;

    let of = bridge.clone();
    let timer = move |id: f64, delay_ms: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a counter of the prelude")]
        let id = id as u64;
        let mut timers = of.timers.borrow_mut();
        if delay_ms < 0.0 {
            timers.clear(id);
        } else {
            timers.set(id, Duration::from_secs_f64(delay_ms / 1000.0));
        }
    };
    host.set("timer", Function::new(ctx.clone(), timer)?)?;

    let of = bridge.clone();
    host.set("memoryWasFull", Function::new(ctx.clone(), move || of.heap.was_full())?)?;

    let parse = |input: String, base: Option<String>| web::parse_url(&input, base);
    host.set("parseUrl", Function::new(ctx.clone(), parse)?)?;
    let set = |href: String, part: String, value: String| web::set_url(&href, &part, &value);
    host.set("setUrl", Function::new(ctx.clone(), set)?)?;
    let digest = |algorithm: String, bytes: String| web::digest(&algorithm, &bytes);
    host.set("digest", Function::new(ctx.clone(), digest)?)?;
    Ok(host)
}

/// So many random bytes, in hex.
pub(crate) fn random_hex(ctx: Ctx<'_>, bytes: usize) -> rquickjs::Result<String> {
    let mut random = vec![0; bytes.min(MOST_RANDOM_BYTES)];
    if getrandom::fill(&mut random).is_err() {
        return Err(Exception::throw_internal(&ctx, "the machine gives no random bytes"));
    }
    Ok(hex::encode(&random))
}
