/// Text as the value of an attribute in double quotes.
pub(super) fn attribute(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;")
}

/// JSON that can stand in a script element: neither `</script` nor `<!--` appears in it.
pub(super) fn json(value: &serde_json::Value) -> String {
    // `<` only occurs inside of JSON's strings, where it may be written as an escape.
    value.to_string().replace('<', "\\u003c")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_end_its_element() {
        let value = serde_json::json!({"</script><!--": ["</SCRIPT >", "a<b"]});
        let text = json(&value);
        assert!(!text.contains('<'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }
}
