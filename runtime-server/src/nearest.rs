//! "Did you mean …": the known names nearest to one that is not known.

/// At most three names that are likely meant, nearest first.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let folded = name.to_lowercase();
    let mut close: Vec<(usize, &str)> = known
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(&folded, &known.to_lowercase()), known))
        // A third of the letters may be wrong; a single one in short names.
        .filter(|(distance, known)| *distance <= (known.chars().count().max(folded.chars().count()) / 3).max(1))
        .collect();
    close.sort();
    close.dedup();
    close.into_iter().take(3).map(|(_, known)| known).collect()
}

/// The same as a sentence, when there is one to say.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let names: Vec<String> = nearest(name, known).into_iter().map(|name| format!("`{name}`")).collect();
    let (last, first) = names.split_last()?;
    Some(if first.is_empty() {
        format!("Did you mean {last}?")
    } else {
        format!("Did you mean {} or {last}?", first.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_names_are_offered_and_far_ones_not() {
        let known = ["minify", "maps", "compress", "http"];
        assert_eq!(did_you_mean("minfy", known).as_deref(), Some("Did you mean `minify`?"));
        assert_eq!(did_you_mean("HTTP", known).as_deref(), Some("Did you mean `http`?"));
        assert_eq!(did_you_mean("banana", known), None);
    }
}
