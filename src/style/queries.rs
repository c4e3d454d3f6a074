//! Queries of browserslist, answered from the tables that are compiled in: nothing here knows what day it is.

use std::collections::BTreeSet;

use browserslist_data::{
    baseline,
    caniuse::{self, VersionDetail, features, region},
};

/// A browser and one of its versions, by the names of Can I Use.
pub(super) type Found = BTreeSet<(&'static str, &'static str)>;

const DEFAULTS: &str = "> 0.5%, last 2 versions, firefox esr, not dead";
const DEAD: &str = "baidu >= 0, ie <= 11, ie_mob <= 11, bb <= 10, op_mob <= 12.1, samsung 4";
/// The extended support release of these tables' time.
const FIREFOX_ESR: (&str, &str) = ("firefox", "140");
/// How long after its first day something is widely available.
const BASELINE_MONTHS: u32 = 30;

/// What a list of queries asks for; the first that is not understood is the error. `,` and `or` add, `and` keeps what is in both,
/// `not` takes away.
pub(super) fn resolve(list: &str) -> Result<Found, String> {
    let mut found = Found::new();
    let list = list.to_lowercase().split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let added = list.split(',').flat_map(|part| part.split(" or ")).map(str::trim).filter(|part| !part.is_empty());
    for (n, part) in added.enumerate() {
        for (m, query) in part.split(" and ").map(str::trim).enumerate() {
            let (is_not, query) = query.strip_prefix("not ").map_or((false, query), |query| (true, query));
            let answer = one(query).ok_or_else(|| query.to_owned())?;
            match (is_not, m) {
                (true, 0) if n == 0 => return Err(format!("not {query}")),
                (true, _) => found.retain(|browser| !answer.contains(browser)),
                (false, 0) => found.extend(answer),
                (false, _) => found.retain(|browser| answer.contains(browser)),
            }
        }
    }
    Ok(found)
}

/// A single query; nothing when it is not understood.
fn one(query: &str) -> Option<Found> {
    let words: Vec<&str> = query.split(' ').collect();
    match words[..] {
        ["defaults"] => resolve(DEFAULTS).ok(),
        ["dead"] => resolve(DEAD).ok(),
        ["firefox" | "ff" | "fx", "esr"] => Some([FIREFOX_ESR].into()),
        ["op_mini" | "operamini", "all"] => versions("op_mini", |_| true),
        ["last", count, "version" | "versions"] => every(|name, list| Some(last(name, list, count.parse().ok()?))),
        ["last", count, "major", "version" | "versions"] => every(|name, list| last_major(name, list, count)),
        ["last", count, name, "version" | "versions"] => {
            let (name, list) = caniuse::get_browser_stat(name, false)?;
            Some(named(name, last(name, list, count.parse().ok()?)))
        }
        ["last", count, name, "major", "version" | "versions"] => {
            let (name, list) = caniuse::get_browser_stat(name, false)?;
            Some(named(name, last_major(name, list, count)?))
        }
        ["since", date] => since(date),
        ["cover", share] => Some(cover(share.strip_suffix('%')?.parse().ok()?, caniuse::iter_global_usage())),
        ["cover", share, "in", place] => {
            Some(cover(share.strip_suffix('%')?.parse().ok()?, usage_in(place)?.into_iter()))
        }
        ["supports", feature] | ["partially", "supports", feature] => supports(feature, 1 | 2),
        ["fully", "supports", feature] => supports(feature, 1),
        ["baseline", "widely", "available", "on", date, ..] => widely_available(date),
        ["baseline", year, ..] if year.parse::<u32>().is_ok() => baseline_by(year.parse::<u32>().ok()? * 10_000 + 1231),
        // Not browsers: what they run is no CSS.
        ["node" | "electron", ..] => Some(Found::new()),
        _ if query.starts_with(['>', '<']) => by_share(query),
        _ => by_version(query),
    }
}

type Versions = Vec<&'static str>;

fn named(name: &'static str, versions: Versions) -> Found {
    versions.into_iter().map(|version| (name, version)).collect()
}

fn every(select: impl Fn(&'static str, &'static [VersionDetail]) -> Option<Versions>) -> Option<Found> {
    let mut found = Found::new();
    for (name, list) in caniuse::iter_browser_stat(false) {
        found.extend(named(name, select(name, list)?));
    }
    Some(found)
}

fn versions(name: &str, is_wanted: impl Fn((u32, u32)) -> bool) -> Option<Found> {
    let (name, list) = caniuse::get_browser_stat(name, false)?;
    let wanted = released(list).filter(|version| is_wanted(number(version)));
    Some(named(name, wanted.collect()))
}

fn released(list: &'static [VersionDetail]) -> impl DoubleEndedIterator<Item = &'static str> {
    list.iter().filter(|version| version.released).map(VersionDetail::version)
}

/// `13.4-13.7` and `TP` as numbers: the first, and one above all.
fn number(version: &str) -> (u32, u32) {
    let mut parts = version.split('-').next().unwrap_or_default().split('.').map(|part| part.parse::<u32>().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), minor) => (major, minor.unwrap_or(0)),
        (None, _) => (u32::MAX, 0),
    }
}

fn last(name: &str, list: &'static [VersionDetail], count: usize) -> Versions {
    released(list).rev().take(counted(name, count)).collect()
}

fn last_major(name: &str, list: &'static [VersionDetail], count: &str) -> Option<Versions> {
    let mut majors: Vec<u32> = released(list).rev().map(|version| number(version).0).collect();
    majors.dedup();
    let oldest = majors.get(counted(name, count.parse().ok()?).checked_sub(1)?).copied().unwrap_or(0);
    Some(released(list).filter(|version| number(version).0 >= oldest).collect())
}

/// Can I Use leaves out the versions of Android and of Opera Mobile between the old ones and the one that follows Chrome.
fn counted(name: &str, count: usize) -> usize {
    let latest = || {
        let (_, list) = caniuse::get_browser_stat("android", false)?;
        released(list).next_back().map(|version| number(version).0)
    };
    let left_out = match name {
        "android" => latest().map_or(0, |latest| latest.saturating_sub(37)),
        "op_mob" => latest().map_or(0, |latest| latest.saturating_sub(13)),
        _ => return count,
    };
    let left_out = usize::try_from(left_out).unwrap_or(usize::MAX);
    if count <= left_out { 1 } else { count + 1 - left_out }
}

/// Days since 1970 of `2020`, `2020-02` or `2020-02-15`, as seconds.
fn since(date: &str) -> Option<Found> {
    let mut parts = date.split('-').map(str::parse::<i64>);
    let year = parts.next()?.ok()?;
    let month = parts.next().unwrap_or(Ok(1)).ok().filter(|month| (1..=12).contains(month))?;
    let day = parts.next().unwrap_or(Ok(1)).ok().filter(|day| (1..=31).contains(day))?;
    // Days before a month, with years that begin in March so that a leap day is the last.
    let (shifted, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * shifted + shifted.div_euclid(4) - shifted.div_euclid(100)
        + shifted.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    let seconds = days * 86_400;
    every(|_, list| {
        let wanted = list.iter().filter(|version| version.released && version.release_date >= seconds);
        Some(wanted.map(VersionDetail::version).collect())
    })
}

fn cover(share: f32, usage: impl Iterator<Item = (&'static str, &'static str, f32)>) -> Found {
    let (mut found, mut total) = (Found::new(), 0.0);
    for (name, version, used) in usage {
        if total >= share || used == 0.0 {
            break;
        }
        found.insert((name, version));
        total += used;
    }
    found
}

fn usage_in(place: &str) -> Option<Vec<(&'static str, &'static str, f32)>> {
    let place = if place.len() == 2 { place.to_uppercase() } else { place.to_owned() };
    Some(region::get_usage_by_region(&place)?.iter().collect())
}

/// `> 0.5%`, `>=1% in de`.
fn by_share(query: &str) -> Option<Found> {
    let (compare, rest) = comparison(query)?;
    let (share, place) = rest.split_once('%')?;
    let share: f32 = share.trim().parse().ok()?;
    let is_wanted = |used: f32| used.partial_cmp(&share).is_some_and(&compare);
    let place = place.trim();
    if place.is_empty() {
        return every(|_, list| {
            Some(list.iter().filter(|version| is_wanted(version.global_usage)).map(VersionDetail::version).collect())
        });
    }
    let usage = usage_in(place.strip_prefix("in ")?)?;
    Some(usage.into_iter().filter(|(.., used)| is_wanted(*used)).map(|(name, version, _)| (name, version)).collect())
}

/// `chrome 80`, `ie 9-11`, `safari >= 13.1`, `safari tp`.
fn by_version(query: &str) -> Option<Found> {
    let end = query.find(|c: char| !c.is_ascii_alphabetic() && c != '_').unwrap_or(query.len());
    let (name, rest) = (&query[..end], query[end..].trim());
    let (name, list) = caniuse::get_browser_stat(name, false)?;
    let is_number = |text: &str| !text.is_empty() && text.split('.').all(|part| part.parse::<u32>().is_ok());
    if let Some((compare, version)) = comparison(rest) {
        let version = version.trim();
        let limit = number(caniuse::get_browser_version_alias(name, version).unwrap_or(version));
        return is_number(version).then(|| versions(name, |version| compare(version.cmp(&limit))))?;
    }
    if let Some((from, to)) = rest.split_once('-').map(|(from, to)| (from.trim(), to.trim()))
        && is_number(from)
        && is_number(to)
    {
        let (from, to) = (number(from), number(to));
        return versions(name, |version| from <= version && version <= to);
    }
    let rest = if rest == "tp" { "TP" } else { rest };
    let other = rest.strip_suffix(".0").map_or_else(|| format!("{rest}.0"), str::to_owned);
    let known = [rest, &other].into_iter().filter(|version| !version.is_empty());
    let version = known.into_iter().find_map(|version| {
        let version = caniuse::normalize_version(name, list, version)?;
        list.iter().map(VersionDetail::version).find(|known| *known == version)
    });
    Some([(name, version?)].into())
}

/// Whether an order is what was asked for.
type Compare = fn(std::cmp::Ordering) -> bool;

/// What `>`, `>=`, `<` or `<=` at the beginning asks for, and what is behind it.
fn comparison(text: &str) -> Option<(Compare, &str)> {
    let operators: [(&str, Compare); 4] = [
        (">=", std::cmp::Ordering::is_ge),
        ("<=", std::cmp::Ordering::is_le),
        (">", std::cmp::Ordering::is_gt),
        ("<", std::cmp::Ordering::is_lt),
    ];
    operators.into_iter().find_map(|(operator, compare)| Some((compare, text.strip_prefix(operator)?)))
}

fn supports(feature: &str, flags: u8) -> Option<Found> {
    let feature = features::get_feature_stat(feature)?;
    let mut found = Found::new();
    for (name, supported) in feature.iter() {
        let Some((name, list)) = caniuse::get_browser_stat(name, false) else { continue };
        let is_supported = |version: &&'static str| supported.get(version).is_some_and(|known| known & flags != 0);
        found.extend(named(name, list.iter().map(VersionDetail::version).filter(is_supported).collect()));
    }
    Some(found)
}

fn widely_available(date: &str) -> Option<Found> {
    let mut parts = date.split('-').map(str::parse::<u32>);
    let [year, month, day] = [parts.next()?.ok()?, parts.next()?.ok()?, parts.next()?.ok()?];
    let months = (year * 12 + month.checked_sub(1)?).checked_sub(BASELINE_MONTHS)?;
    baseline_by(months / 12 * 10_000 + (months % 12 + 1) * 100 + day)
}

/// What is available since a day, written as `yyyymmdd`.
fn baseline_by(day: u32) -> Option<Found> {
    let mut found = Found::new();
    for (name, version) in baseline::min_versions_on(day)?.filter(|(name, _)| baseline::is_core_browser(name)) {
        let oldest = number(version);
        found.extend(versions(name, |version| version >= oldest)?);
    }
    Some(found)
}
