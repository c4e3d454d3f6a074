//! The messages between host and prelude: JSON arrays as text (`book/src/internals/engine.md`).
//!
//! Values that only pass through are cut out of the text and never read.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::known::{SessionText, push_json, write_session};
use super::{
    Answered, CallContext, CallError, ClientEvent, ErrorCode, HostCall, HttpRequest, Program, PublishTo, RequestView,
    SessionView, prelude,
};
use crate::limits::Limits;
use crate::manifest::Style;
use crate::plain;

/// What the prelude is told at its start.
pub(super) fn program(program: &Program, limits: &Limits) -> String {
    let actions: serde_json::Map<String, Value> = program
        .actions
        .iter()
        .map(|(path, action)| {
            let style = match action.style {
                Style::Callback => 0,
                Style::Value => 1,
            };
            (path.clone(), json!([action.params.len(), action.rest, style, action.guard]))
        })
        .collect();
    json!({
        "actions": actions,
        "config": program.config,
        "env": program.env,
        "version": program.version,
        "answer_bytes": limits.answer_bytes,
        "folder": program.folder,
    })
    .to_string()
}

/// A call of an action: its parts between tabs, which JSON has only where it may as well have spaces. `known` is
/// `[session,request]`.
pub(super) fn call(id: u64, action: &str, args: &RawValue, known: &str) -> String {
    let args = args.get();
    let mut message = String::with_capacity(32 + action.len() + args.len() + known.len());
    write!(message, ">{id}\t").expect("a string takes all text");
    push_json(&mut message, action);
    message.push('\t');
    if args.bytes().any(|byte| byte < b' ') {
        message.extend(args.chars().map(|c| if c < ' ' { ' ' } else { c }));
    } else {
        message.push_str(args);
    }
    message.push('\t');
    message.push_str(known);
    message
}

/// What a call may know, as text.
pub(super) fn known(context: &CallContext) -> String {
    format!("[{}]", context_parts(context))
}

/// A call of an authentication module.
pub(super) fn authenticate(id: u64, module: &str, params: &RawValue, context: &CallContext) -> String {
    let params = params.get();
    format!(r#"["authenticate",{id},{},{params},{}]"#, text(module), context_parts(context))
}

/// A line of a console.
pub(super) fn evaluate(id: u64, code: &str, context: &CallContext) -> String {
    format!(r#"["evaluate",{id},{},{}]"#, text(code), context_parts(context))
}

/// The beginning of a path at a console.
pub(super) fn complete(id: u64, path: &str, context: &CallContext) -> String {
    format!(r#"["complete",{id},{},{}]"#, text(path), context_parts(context))
}

/// The answer to a question of the prelude.
pub(super) fn reply(question: u64, answer: &Result<Value, String>) -> String {
    match answer {
        Ok(value) => format!(r#"["reply",{question},true,{value}]"#),
        Err(message) => format!(r#"["reply",{question},false,{}]"#, text(message)),
    }
}

/// A connection that the prelude watches is gone.
pub(super) fn disconnected(connection: u64, session: &SessionView) -> String {
    format!(r#"["disconnected",{connection},{}]"#, session_parts(session))
}

/// Something has happened to a connection.
pub(super) fn event(event: ClientEvent, connection: u64, session: &SessionView) -> String {
    format!(r#"["event",{},{},{connection}]"#, text(event.name()), session_parts(session))
}

/// A request for middleware that takes whole bodies.
pub(super) fn http(id: u64, request: &HttpRequest) -> String {
    let HttpRequest { method, url, headers, ip, secure, body } = request;
    format!(r#"["http",{id},{}]"#, json!([method, url, headers, ip, secure, body]))
}

/// A timer is due.
pub(super) fn timer(id: u64) -> String {
    format!(r#"["timer",{id}]"#)
}

/// The host has answered a call by itself.
pub(super) fn end(id: u64) -> String {
    format!(r#"["end",{id}]"#)
}

fn text(value: &str) -> String {
    json_text(value)
}

fn context_parts(context: &CallContext) -> String {
    let session = context.session.as_ref().map_or_else(|| "null".to_owned(), session_parts);
    let RequestView { id, origin, ip, connection, post } = &context.request;
    let request = json_text(&(id, origin, ip, connection, post));
    format!("{session},{request}")
}

fn session_parts(session: &SessionView) -> String {
    let SessionView { key, id, created_at, user_id, attributes, channels } = session;
    let (key, created_at, user_id) = (*key, *created_at, user_id.as_deref());
    let mut text = String::new();
    write_session(&mut text, &SessionText { key, id, created_at, user_id, attributes, channels });
    text
}

fn json_text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).expect("maps, lists, texts and numbers are JSON")
}

/// What the prelude sends.
#[derive(Debug)]
pub(super) enum Sent {
    /// A call has failed.
    Failure {
        /// Which.
        call: u64,
        /// Why.
        error: CallError,
    },
    /// An effect, with the number of the question when the script waits for an answer.
    Effect(HostCall, Option<u64>),
    /// Nothing that can be performed; the question is answered with the message.
    Refused(String, Option<u64>),
}

/// Reads a message of the prelude.
pub(super) fn read(sent: &str) -> Sent {
    let parts: Vec<&RawValue> = match serde_json::from_str(sent) {
        Ok(parts) => parts,
        Err(error) => return Sent::Refused(format!("a message that is not JSON: {error}"), None),
    };
    let mut question = None;
    read_parts(&parts, &mut question).unwrap_or_else(|error| Sent::Refused(error.to_string(), question))
}

/// What comes most, cut by hand: the answers of calls that follow each other, as `<7\tvalue\tvalue>`. Gives the number of the
/// first, and the values between tabs. The end shows that nothing is missing.
pub(super) fn read_answers(sent: &str) -> Option<(u64, &str)> {
    let (first, values) = sent.strip_prefix('<')?.strip_suffix('>')?.split_once('\t')?;
    Some((first.parse().ok()?, values))
}

/// What a call has answered as JSON, nothing for `undefined`.
pub(super) fn answer(value: &str, answer_bytes: usize) -> Answered<'_> {
    if value.is_empty() {
        return Ok(None);
    }
    if value.len() > answer_bytes {
        let bytes = value.len();
        let message = format!("The answer has {bytes} bytes, which is more than limits.answer_bytes ({answer_bytes})");
        return Err(CallError::new(ErrorCode::TooLarge, message));
    }
    if !plain::is_value(value) {
        serde_json::from_str::<&RawValue>(value)
            .map_err(|error| CallError::new(ErrorCode::NotSerializable, error.to_string()))?;
    }
    Ok(Some(value))
}

fn read_parts(parts: &[&RawValue], question: &mut Option<u64>) -> Result<Sent, serde_json::Error> {
    let op: &str = part(parts, 0)?;
    let mut asked = || -> Result<(), serde_json::Error> {
        let number: u64 = part(parts, 1)?;
        *question = (number != 0).then_some(number);
        Ok(())
    };
    let effect = match op {
        "fail" => {
            let name: &str = part(parts, 2)?;
            let stack: Option<String> = part(parts, 4)?;
            let error = CallError {
                code: ErrorCode::from_name(name).unwrap_or(ErrorCode::ActionError),
                message: part(parts, 3)?,
                // A stack of the prelude alone says nothing that the message does not.
                stack: stack.map(|stack| app_frames(&stack)).filter(|stack| stack.contains("\n    at ")),
            };
            return Ok(Sent::Failure { call: part(parts, 1)?, error });
        }
        "publish" => {
            let conflated = parts.get(2).is_some_and(|name| name.get().starts_with('['));
            let (event, conflate) = if conflated { part(parts, 2)? } else { (part(parts, 2)?, None) };
            let params = parts.get(3).map(|params| (*params).to_owned());
            HostCall::Publish { to: publish_to(parts)?, event, params, conflate }
        }
        "save" => {
            asked()?;
            HostCall::SessionSave { session: part(parts, 2)?, set: part(parts, 3)?, unset: part(parts, 4)? }
        }
        "user" => {
            asked()?;
            HostCall::SessionUser { session: part(parts, 2)?, user_id: part(parts, 3)?, connection: part(parts, 4)? }
        }
        "subscribe" => {
            asked()?;
            HostCall::ChannelSubscribe { session: part(parts, 2)?, names: part(parts, 3)? }
        }
        "unsubscribe" => {
            asked()?;
            HostCall::ChannelUnsubscribe { session: part(parts, 2)?, names: part(parts, 3)? }
        }
        "watch" => HostCall::WatchDisconnect { connection: part(parts, 1)? },
        "fetch" => {
            asked()?;
            HostCall::Fetch { request: part(parts, 2)? }
        }
        "events" => HostCall::WatchEvents { events: part(parts, 1)? },
        "online" => {
            asked()?;
            HostCall::UsersOnline {}
        }
        "redis" => {
            asked()?;
            HostCall::Redis { command: part(parts, 2)? }
        }
        "log" => HostCall::Log { level: part(parts, 1)?, text: part(parts, 2)? },
        other => return Ok(Sent::Refused(format!("a message of unknown kind: {other}"), None)),
    };
    Ok(Sent::Effect(effect, *question))
}

fn publish_to(parts: &[&RawValue]) -> Result<PublishTo, serde_json::Error> {
    let to: Vec<&RawValue> = part(parts, 1)?;
    Ok(match part(&to, 0)? {
        "broadcast" => PublishTo::Broadcast,
        "channels" => PublishTo::Channels(part(&to, 1)?),
        "users" => PublishTo::Users(part(&to, 1)?),
        _ => PublishTo::Socket(part(&to, 1)?),
    })
}

fn part<'a, T: Deserialize<'a>>(parts: &[&'a RawValue], index: usize) -> Result<T, serde_json::Error> {
    let text = parts.get(index).map_or("null", |part| part.get());
    serde_json::from_str(text)
}

/// A stack without the prelude's own frames, and without the native ones by which it called the app.
pub(super) fn app_frames(stack: &str) -> String {
    let mut frames: Vec<&str> = Vec::new();
    for line in stack.lines() {
        // Node.js itself stands below the prelude; its frames say nothing either.
        if !line.contains(prelude::PREFIX) && !line.contains("(node:internal/") && !line.contains("at node:internal/") {
            frames.push(line);
        } else if frames.last().is_some_and(|line| line.trim() == "at apply (native)") {
            frames.pop();
        }
    }
    frames.join("\n")
}
