//! JSON that is most frequent on the wire, known without a parser: whole numbers, texts without escapes, and lists of them.
//! What is not plain may be JSON all the same.

/// How many values a text has when it certainly is a JSON array of plain ones.
pub(crate) fn array(text: &str) -> Option<usize> {
    let inner = text.as_bytes().strip_prefix(b"[")?.strip_suffix(b"]")?;
    if inner.is_empty() {
        return Some(0);
    }
    let mut rest = inner;
    let mut values = 1;
    loop {
        match &rest[value(rest)?..] {
            [] => return Some(values),
            [b',', more @ ..] => rest = more,
            _ => return None,
        }
        values += 1;
    }
}

/// Whether a text is certainly a JSON value.
pub(crate) fn is_value(text: &str) -> bool {
    value(text.as_bytes()) == Some(text.len())
}

/// The length of the plain value that a text begins with.
fn value(text: &[u8]) -> Option<usize> {
    match text {
        [b'"', rest @ ..] => {
            let end = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            end.filter(|end| rest[*end] == b'"').map(|end| end + 2)
        }
        [b'1'..=b'9', rest @ ..] => Some(1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()),
        [b'0', ..] => Some(1),
        [b't', b'r', b'u', b'e', ..] | [b'n', b'u', b'l', b'l', ..] => Some(4),
        [b'f', b'a', b'l', b's', b'e', ..] => Some(5),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plain_is_json() {
        for text in ["[]", "[1]", r#"[12,"a b",true,null,false,0]"#] {
            let values: Vec<serde_json::Value> = serde_json::from_str(text).expect("it is JSON");
            assert_eq!(array(text), Some(values.len()), "{text}");
        }
        for text in ["1", "\"a \u{e4}\"", "null"] {
            assert!(is_value(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_json_is_not_plain() {
        for text in ["", "[", "]", "[01]", "[1,]", "[,1]", "[1 2]", "[\"\n\"]", r#"["a]"#, "[truer]", "[1]2]", "[[1]"] {
            assert_eq!(array(text), None, "{text}");
        }
        for text in ["", "01", "1 ", "\"", "nul", "1,2", "tru"] {
            assert!(!is_value(text), "{text}");
        }
    }
}
