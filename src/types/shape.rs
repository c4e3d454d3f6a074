use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::tree::key;

/// What values of the configuration look like.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    /// Types without parts: `string`, `null`.
    plain: BTreeSet<&'static str>,
    /// Of arrays: their items, nothing for empty ones.
    items: Option<Option<Box<Shape>>>,
    /// Of objects: each key, and whether it is always there.
    keys: Option<BTreeMap<String, (Shape, bool)>>,
}

impl Shape {
    /// The shape of one value.
    pub(super) fn of(value: &Value) -> Self {
        let mut shape = Self::default();
        match value {
            Value::Null => drop(shape.plain.insert("null")),
            Value::Bool(_) => drop(shape.plain.insert("boolean")),
            Value::Number(_) => drop(shape.plain.insert("number")),
            Value::String(_) => drop(shape.plain.insert("string")),
            Value::Array(items) => shape.items = Some(items.iter().map(Self::of).reduce(Self::or).map(Box::new)),
            Value::Object(object) => {
                shape.keys = Some(object.iter().map(|(key, value)| (key.clone(), (Self::of(value), true))).collect());
            }
        }
        shape
    }

    /// What is of one shape or of the other.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.plain.extend(other.plain);
        self.items = match (self.items, other.items) {
            (Some(Some(one)), Some(Some(two))) => Some(Some(Box::new(one.or(*two)))),
            (Some(Some(items)), _) | (_, Some(Some(items))) => Some(Some(items)),
            (one, two) => one.or(two),
        };
        self.keys = match (self.keys, other.keys) {
            (Some(mut one), Some(mut two)) => {
                for (key, (shape, always)) in &mut one {
                    match two.remove(key) {
                        Some((other, too)) => {
                            *shape = std::mem::take(shape).or(other);
                            *always &= too;
                        }
                        None => *always = false,
                    }
                }
                one.extend(two.into_iter().map(|(key, (shape, _))| (key, (shape, false))));
                Some(one)
            }
            (one, two) => one.or(two),
        };
        self
    }

    /// As a type.
    pub(super) fn text(&self, indent: usize) -> String {
        let mut types: Vec<String> = self.plain.iter().map(|&name| name.to_owned()).collect();
        if let Some(items) = &self.items {
            types.push(
                items.as_ref().map_or_else(|| "any[]".to_owned(), |items| format!("Array<{}>", items.text(indent))),
            );
        }
        if let Some(keys) = &self.keys {
            types.push(format!("{{{}}}", members(keys, indent)));
        }
        if types.is_empty() { "any".to_owned() } else { types.join(" | ") }
    }

    /// The members of an object, for an interface.
    pub(super) fn members(&self, indent: usize) -> String {
        self.keys.as_ref().map_or_else(String::new, |keys| members(keys, indent))
    }
}

fn members(keys: &BTreeMap<String, (Shape, bool)>, indent: usize) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let blank = " ".repeat(indent);
    let member = |(name, (shape, always)): (&String, &(Shape, bool))| {
        let mark = if *always { "" } else { "?" };
        format!("{blank}  readonly {}{mark}: {};\n", key(name), shape.text(indent + 2))
    };
    format!("\n{}{blank}", keys.iter().map(member).collect::<String>())
}

/// Values over others: objects are merged, everything else is replaced.
pub(super) fn merged(base: &Value, over: &Value) -> Value {
    let (Value::Object(base), Value::Object(over)) = (base, over) else { return over.clone() };
    let mut result = base.clone();
    for (key, value) in over {
        let value = base.get(key).map_or_else(|| value.clone(), |base| merged(base, value));
        result.insert(key.clone(), value);
    }
    Value::Object(result)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Configured;

    #[test]
    fn keys_of_some_environments_are_optional_and_types_are_joined() {
        let app = json!({"client": {"title": "T", "log": {"level": 1}, "tags": [], "a b": null}});
        let environments = [json!({"client": {"log": {"level": "all", "file": true}, "tags": ["x", 2]}}), json!({})];
        let text = Configured::new(&app, &environments).client.text(0);
        assert_eq!(
            text,
            "{\n  readonly \"a b\": null;\n  readonly log: {\n    readonly file?: boolean;\n    readonly level: number | string;\n  };\n  \
             readonly tags: Array<number | string>;\n  readonly title: string;\n}"
        );
    }
}
