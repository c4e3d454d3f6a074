//! What `ssbuild check --against` warns of is what the server refuses: one rule, tried on builds that nobody thought of.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prelude::*, test_runner::TestRunner};
use serde_json::json;
use ssbuild::check::against::{Deployed, Offered};
use ssbuild_server::{
    manifest::{Action, Style},
    skew::{Fate, Signature},
};

/// Actions by their paths.
type Actions = BTreeMap<String, Action>;

fn actions() -> impl Strategy<Value = Actions> {
    let params = prop::sample::subsequence(vec!["a", "b", "c"], 0..=3).prop_shuffle();
    let style = prop_oneof![Just(Style::Value), Just(Style::Callback)];
    let action = (params, any::<bool>(), style, any::<bool>()).prop_map(|(params, rest, style, guard)| Action {
        rest: rest && !params.is_empty(),
        params: params.into_iter().map(str::to_owned).collect(),
        style,
        guard,
    });
    let path = prop::sample::select(vec!["app/a", "app/b", "room/a", "room/deep/a"]);
    prop::collection::btree_map(path.prop_map(str::to_owned), action, 0..5)
}

/// The actions that a page of `before` gets `stale_client` for, as the check says it.
fn warned(before: &Actions, now: &Actions) -> BTreeSet<String> {
    let manifest = json!({"schema": 1, "app": "x", "api": {"server": before}, "pages": {}, "files": {}});
    let deployed = Deployed::parse(manifest.to_string().as_bytes()).expect("a manifest");
    let mut offered = Offered { app: "x".to_owned(), ..Offered::default() };
    offered.api.server = now.clone();
    let stale = deployed
        .compare(&offered)
        .into_iter()
        .filter(|found| found.help.iter().any(|help| help.contains("stale_client")));
    stale
        .map(|found| {
            let (_, rest) = found.message.split_once("`SS.server.").expect("the action's name");
            rest.split('`').next().expect("its end").replace('.', "/")
        })
        .collect()
}

#[test]
fn the_check_warns_of_what_the_server_refuses_and_of_nothing_else() {
    let mut runner = TestRunner::deterministic();
    let tried = runner.run(&(actions(), actions()), |(before, now)| {
        let refused: BTreeSet<String> = before
            .iter()
            .filter(|(path, action)| Signature::from(*action).fate(now.get(*path)) != Fate::Same)
            .map(|(path, _)| path.clone())
            .collect();
        prop_assert_eq!(warned(&before, &now), refused);
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
}
