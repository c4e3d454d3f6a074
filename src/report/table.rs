use std::{collections::BTreeMap, fmt::Write};

use super::{Composition, Output, Share, composition::package, size};

/// How much of it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// Packages and folders of the app.
    Packages,
    /// Every module.
    Modules,
}

/// The composition for a person: each bundle, and what it is made of, the largest first.
pub fn table(composition: &Composition, detail: Detail) -> String {
    let mut rows: Vec<(String, u64, u64, u64)> = Vec::new();
    let (mut all, mut all_sent) = (0, 0);
    for (name, output) in &composition.outputs {
        rows.push((name.clone(), output.bytes, output.bytes_sent, 1000));
        all += output.bytes;
        all_sent += output.bytes_sent;
        for (name, share, modules) in groups(output, detail) {
            let name = if modules > 1 { format!("  {name} ({modules})") } else { format!("  {name}") };
            let (bytes, part) = (share.bytes_in_output, share.bytes_in_output * 1000 / output.bytes.max(1));
            rows.push((name, bytes, share.bytes_sent_in_output, part));
        }
    }
    rows.push(("all".to_owned(), all, all_sent, 1000));
    let width = rows.iter().map(|row| row.0.chars().count()).max().unwrap_or_default();
    let mut text = format!("  {:<width$}  {:>10}  {:>10}  {:>6}\n", "bundle", "raw", "sent", "share");
    for (name, bytes, sent, part) in rows {
        let part = if part == 1000 && !name.starts_with(' ') {
            String::new()
        } else {
            format!("{}.{} %", part / 10, part % 10)
        };
        let (bytes, sent) = (size(bytes), size(sent));
        let line = format!("  {name:<width$}  {bytes:>10}  {sent:>10}  {part:>6}");
        writeln!(text, "{}", line.trim_end()).expect("writing to a string works");
    }
    text
}

/// Shares by package or by module with the count of modules in each, the largest first.
fn groups(output: &Output, detail: Detail) -> Vec<(String, Share, usize)> {
    let mut groups: BTreeMap<String, (Share, usize)> = BTreeMap::new();
    for (name, share) in &output.inputs {
        let name = if detail == Detail::Packages { package(name) } else { name.clone() };
        let (sum, modules) = groups.entry(name).or_default();
        sum.bytes_in_output += share.bytes_in_output;
        sum.bytes_sent_in_output += share.bytes_sent_in_output;
        *modules += 1;
    }
    let mut groups: Vec<(String, Share, usize)> =
        groups.into_iter().map(|(name, (share, modules))| (name, share, modules)).collect();
    groups.sort_by_key(|(_, share, _)| std::cmp::Reverse(share.bytes_in_output));
    groups
}
