use super::Composition;

/// Where the data goes.
const DATA: &str = "\"{{data}}\"";

/// One page that needs nothing else: the composition as nested rectangles, raw or as it is sent.
pub fn treemap(app: &str, composition: &Composition) -> String {
    let data = serde_json::json!({"app": app, "outputs": composition.outputs}).to_string();
    // Inside a script element, only this could end it.
    let data = data.replace('<', "\\u003c");
    include_str!("treemap.html").replace(DATA, &data)
}
