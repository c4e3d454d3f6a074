use ssbuild_server::manifest::Segment;

/// What goes into a text, and at which offset.
pub(super) type Cut = (usize, Vec<Segment>);

/// The text with all cuts in it; neighbouring texts are joined.
pub(super) fn cut(text: &str, mut cuts: Vec<Cut>) -> Vec<Segment> {
    cuts.sort_by_key(|cut| cut.0);
    let mut segments = Vec::new();
    let mut done = 0;
    for (at, inserted) in cuts {
        push_text(&mut segments, &text[done..at]);
        done = at;
        for segment in inserted {
            match segment {
                Segment::Text(text) => push_text(&mut segments, &text),
                other => segments.push(other),
            }
        }
    }
    push_text(&mut segments, &text[done..]);
    segments
}

fn push_text(segments: &mut Vec<Segment>, text: &str) {
    match segments.last_mut() {
        _ if text.is_empty() => {}
        Some(Segment::Text(last)) => last.push_str(text),
        _ => segments.push(Segment::Text(text.to_owned())),
    }
}
