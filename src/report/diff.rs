use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use super::{Composition, composition::package, size};

/// How a bundle, or what is in one, has changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The bundle.
    pub output: String,
    /// The package or folder in it; nothing for the bundle as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Bytes before and after.
    pub bytes: [u64; 2],
    /// Bytes as they are sent, before and after.
    pub bytes_sent: [u64; 2],
}

type Sizes = BTreeMap<(String, Option<String>), [u64; 2]>;

/// What has changed from one composition to another; bundles first, then what is in each.
pub fn diff(before: &Composition, after: &Composition) -> Vec<Change> {
    let (before, after) = (sizes(before), sizes(after));
    let keys: std::collections::BTreeSet<&(String, Option<String>)> = before.keys().chain(after.keys()).collect();
    let changes = keys.into_iter().filter_map(|key| {
        let of = |sizes: &Sizes| sizes.get(key).copied().unwrap_or_default();
        let ([bytes, sent], [bytes_now, sent_now]) = (of(&before), of(&after));
        let (output, package) = key.clone();
        let change = Change { output, package, bytes: [bytes, bytes_now], bytes_sent: [sent, sent_now] };
        (bytes != bytes_now || sent != sent_now).then_some(change)
    });
    changes.collect()
}

fn sizes(composition: &Composition) -> Sizes {
    let mut sizes = Sizes::new();
    for (name, output) in &composition.outputs {
        sizes.insert((name.clone(), None), [output.bytes, output.bytes_sent]);
        for (source, share) in &output.inputs {
            let size = sizes.entry((name.clone(), Some(package(source)))).or_default();
            size[0] += share.bytes_in_output;
            size[1] += share.bytes_sent_in_output;
        }
    }
    sizes
}

/// The changes for a person.
pub fn diff_text(changes: &[Change]) -> String {
    if changes.is_empty() {
        return "  nothing has changed\n".to_owned();
    }
    let name = |change: &Change| match &change.package {
        Some(package) => format!("  {package}"),
        None => change.output.clone(),
    };
    let width = changes.iter().map(|change| name(change).chars().count()).max().unwrap_or_default();
    let mut text = format!("  {:<width$}  {:>10}  {:>10}  {:>10}\n", "bundle", "raw", "change", "sent");
    for change in changes {
        let [before, after] = change.bytes;
        let sent = signed(change.bytes_sent);
        let (bytes, changed) = (size(after), signed([before, after]));
        writeln!(text, "  {:<width$}  {bytes:>10}  {changed:>10}  {sent:>10}", name(change)).expect("a string");
    }
    text
}

fn signed([before, after]: [u64; 2]) -> String {
    let sign = if after >= before { "+" } else { "-" };
    format!("{sign}{}", size(after.abs_diff(before)))
}
