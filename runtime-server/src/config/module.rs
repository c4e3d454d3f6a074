//! Configuration that is a program: evaluated in an engine of its own, with little time and memory, and nothing in reach.

use std::{
    cell::Cell,
    collections::BTreeMap,
    rc::Rc,
    time::{Duration, Instant},
};

use rquickjs::{CatchResultExt, CaughtError, Context, Ctx, Function, Object, Runtime, context::EvalOptions};
use serde_json::{Map, Value, json};

use crate::engine::prelude;

/// How long a configuration may take.
const DEADLINE_MS: u64 = 2_000;
/// How much memory it may take.
const MEMORY_BYTES: usize = 64 * 1024 * 1024;
/// How deep it may call.
const STACK_BYTES: usize = 512 * 1024;
/// Name of the script that prepares the engine, in stacks.
const SETUP: &str = "ss:config";

/// When a configuration is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// The app is built: there is no clock and no chance.
    Build,
    /// The server starts.
    Start,
}

/// What a configuration can ask about.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The environment's name: `SS.env`.
    pub env: String,
    /// `process.env`.
    pub variables: BTreeMap<String, String>,
    /// When.
    pub moment: Moment,
}

/// Why a configuration has no values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ModuleError {
    /// What it threw.
    pub message: String,
    /// Line and column in the bundle, from 1, as far as the engine knows.
    pub at: Option<(u32, u32)>,
}

/// Evaluates a configuration in the bundle format; its start names the module `config` of the tree `config`.
pub fn evaluate(name: &str, bundle: &str, surroundings: &Surroundings) -> Result<Map<String, Value>, ModuleError> {
    evaluate_within(name, bundle, surroundings, Duration::from_millis(DEADLINE_MS))
}

fn evaluate_within(
    name: &str,
    bundle: &str,
    surroundings: &Surroundings,
    longest: Duration,
) -> Result<Map<String, Value>, ModuleError> {
    let broken = |error: rquickjs::Error| ModuleError { message: error.to_string(), at: None };
    let runtime = Runtime::new().map_err(broken)?;
    runtime.set_memory_limit(MEMORY_BYTES);
    runtime.set_max_stack_size(STACK_BYTES);
    let (deadline, stopped) = (Instant::now() + longest, Rc::new(Cell::new(false)));
    let barked = Rc::clone(&stopped);
    runtime.set_interrupt_handler(Some(Box::new(move || {
        barked.set(barked.get() || Instant::now() >= deadline);
        barked.get()
    })));
    let context = Context::full(&runtime).map_err(broken)?;
    let text = context.with(|ctx| {
        run(&ctx, name, bundle, surroundings).catch(&ctx).map_err(|error| match stopped.get() {
            true => ModuleError { message: format!("it was not done after {} ms", longest.as_millis()), at: None },
            false => thrown(name, &error),
        })
    })?;
    match serde_json::from_str(&text) {
        Ok(Value::Object(values)) => Ok(values),
        _ => Err(ModuleError { message: "the configuration has to be an object".to_owned(), at: None }),
    }
}

fn run(ctx: &Ctx<'_>, name: &str, bundle: &str, surroundings: &Surroundings) -> rquickjs::Result<String> {
    let shared = Object::new(ctx.clone())?;
    shared.set_prototype(None)?;
    shared.set("host", Object::new(ctx.clone())?)?;
    shared.set("env", surroundings.env.as_str())?;
    for (name, source) in prelude::loading() {
        ctx.eval_with_options::<Function<'_>, _>(source, options(name))?.call::<_, ()>((shared.clone(),))?;
    }
    let moment = if surroundings.moment == Moment::Build { "build" } else { "start" };
    let given = json!({"env": surroundings.env, "variables": surroundings.variables, "moment": moment});
    let setup: Function<'_> = ctx.eval_with_options(include_str!("module.js"), options(SETUP))?;
    setup.call::<_, ()>((shared.clone(), ctx.json_parse(given.to_string())?))?;
    ctx.eval_with_options::<(), _>(bundle, options(name))?;
    shared.get::<_, Function<'_>>("values")?.call(())
}

fn options(name: &str) -> EvalOptions {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.replace('\0', ""));
    options
}

fn thrown(name: &str, error: &CaughtError<'_>) -> ModuleError {
    match error {
        CaughtError::Exception(exception) => {
            let kind: String = exception.get("name").unwrap_or_default();
            let message = exception.message().unwrap_or_default();
            let message = match kind.as_str() {
                "" | "Error" => message,
                kind => format!("{kind}: {message}"),
            };
            let at = exception.stack().and_then(|stack| frame(name, &stack));
            ModuleError { message, at }
        }
        // There is not even the memory for an error then.
        CaughtError::Value(value) if value.is_null() => ModuleError { message: "out of memory".to_owned(), at: None },
        CaughtError::Value(value) => {
            let text = value.as_string().and_then(|text| text.to_string().ok());
            ModuleError {
                message: text.unwrap_or_else(|| "something that is no error was thrown".to_owned()),
                at: None,
            }
        }
        CaughtError::Error(rquickjs::Error::Allocation) => {
            ModuleError { message: "out of memory".to_owned(), at: None }
        }
        CaughtError::Error(error) => ModuleError { message: error.to_string(), at: None },
    }
}

/// The first place of the bundle in a stack.
fn frame(name: &str, stack: &str) -> Option<(u32, u32)> {
    stack.lines().find_map(|line| {
        let (_, at) = line.split_once(&format!("{name}:"))?;
        let (line, column) = at.trim_end_matches(')').split_once(':')?;
        Some((line.parse().ok()?, column.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use super::{Moment, Surroundings, evaluate, evaluate_within};

    fn bundle(code: &str) -> String {
        format!(
            "__ss.define({{0:[function(module,exports,require){{\n{code}\n}},[]]}});\n__ss.start({{\"config\":{{\"config\":0}}}},[]);"
        )
    }

    fn surroundings(moment: Moment) -> Surroundings {
        let variables = BTreeMap::from([("REDIS_HOST".to_owned(), "10.0.0.1".to_owned())]);
        Surroundings { env: "staging".to_owned(), variables, moment }
    }

    fn values(code: &str, moment: Moment) -> String {
        match evaluate("app.js", &bundle(code), &surroundings(moment)) {
            Ok(values) => serde_json::to_string(&values).expect("JSON"),
            Err(error) => format!("{error} {:?}", error.at),
        }
    }

    #[test]
    fn every_form_of_export_is_read() {
        for code in [
            "exports.config = {http: {port: 1}};",
            "module.exports = {http: {port: 1}};",
            "module.exports = {config: {http: {port: 1}}};",
            "require.e(exports, {default: () => ({http: {port: 1}})});",
            "exports.config = {http: {port: 1, f: function () {}, u: undefined}};",
        ] {
            assert_eq!(values(code, Moment::Build), r#"{"http":{"port":1}}"#, "{code}");
        }
    }

    #[test]
    fn it_knows_its_environment_and_the_variables_and_nothing_else() {
        let code = "exports.config = {a: SS.env, b: process.env.REDIS_HOST, c: typeof fetch, d: typeof setTimeout, e: typeof __ss};";
        assert_eq!(
            values(code, Moment::Start),
            r#"{"a":"staging","b":"10.0.0.1","c":"undefined","d":"undefined","e":"undefined"}"#
        );
    }

    #[test]
    fn what_it_throws_has_a_place() {
        assert_eq!(
            values("\nlet x = nothing.here;", Moment::Start),
            "ReferenceError: nothing is not defined Some((3, 9))"
        );
        assert_eq!(values("throw 'no'", Moment::Start), "no None");
        assert!(values("", Moment::Start).starts_with("it exports no configuration: "));
        assert!(values("exports.config = async () => 1", Moment::Start).starts_with("the configuration is a function"));
        assert!(
            values("exports.config = Promise.resolve({})", Moment::Start).starts_with("the configuration is a promise")
        );
        assert!(values("exports.config = [1]", Moment::Start).contains("an array"));
        assert!(values("exports.config = {}; exports.config.a = exports", Moment::Start).contains("circular"));
    }

    #[test]
    fn a_build_has_neither_clock_nor_chance() {
        for code in ["new Date()", "Date.now()", "Date()", "Math.random()", "new (new Date(0).constructor)()"] {
            let code = format!("exports.config = {{name: String({code})}};");
            assert!(values(&code, Moment::Build).contains("the same folder"), "{code}");
            assert!(values(&code, Moment::Start).starts_with(r#"{"name":"#), "{code}");
        }
        assert_eq!(values("exports.config = {y: new Date(0).getTime()};", Moment::Build), r#"{"y":0}"#);
    }

    #[test]
    fn it_cannot_take_more_than_its_share() {
        let endless = bundle("for (;;) {}");
        let error = evaluate_within("app.js", &endless, &surroundings(Moment::Build), Duration::from_millis(50));
        assert_eq!(error.expect_err("it is stopped").message, "it was not done after 50 ms");
        let caught = bundle("for (;;) { try { for (;;) {} } catch (e) {} }");
        assert!(evaluate_within("app.js", &caught, &surroundings(Moment::Build), Duration::from_millis(50)).is_err());
        let greedy = values("const a = []; for (;;) a.push(new Array(1000).fill(a.length));", Moment::Build);
        assert!(greedy.contains("memory"), "{greedy}");
        assert!(values("(function f() { f(); })()", Moment::Build).contains("call stack"));
    }
}
