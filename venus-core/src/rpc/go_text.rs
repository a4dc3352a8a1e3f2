//! JSON text as Go's encoder writes it.

use std::borrow::Cow;

/// JSON text with what Go's encoder escapes and serde_json does not: `<`, `>`, `&`, U+2028 and U+2029.
///
/// In valid JSON these stand inside strings only, so no parsing is needed.
pub(crate) fn go_escape(json: &str) -> Cow<'_, str> {
    let Some(first) = suspicious(json.as_bytes()) else { return Cow::Borrowed(json) };
    let (clean, rest) = json.split_at(first);
    let mut out = String::with_capacity(json.len() + 32);
    out.push_str(clean);
    for c in rest.chars() {
        match c {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            other => out.push(other),
        }
    }
    Cow::Owned(out)
}

/// Where something that is escaped may begin. Looks at many bytes at once, because most text has nothing to find.
fn suspicious(text: &[u8]) -> Option<usize> {
    // 0xE2 begins U+2028 and U+2029, and few other characters of practice.
    let hit = |byte: &u8| matches!(byte, b'<' | b'>' | b'&' | 0xE2);
    const AT_ONCE: usize = 64;
    let chunk =
        text.chunks(AT_ONCE).position(|chunk| chunk.iter().fold(false, |any, byte| any | hit(byte)))?;
    let from = chunk * AT_ONCE;
    text.get(from..)?.iter().position(hit).map(|at| from + at)
}

/// Appends `text` as a JSON string with Go's escapes.
pub(crate) fn write_go_string(text: &str, out: &mut String) {
    // Serialising a &str does not fail.
    let json = serde_json::to_string(text).unwrap_or_default();
    out.push_str(&go_escape(&json));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_escape_like_go() {
        let mut out = String::new();
        write_go_string("boom \"quoted\" <&> \u{2028} é \u{1}\n", &mut out);
        assert_eq!(out, "\"boom \\\"quoted\\\" \\u003c\\u0026\\u003e \\u2028 é \\u0001\\n\"");
        assert!(matches!(go_escape("[1,\"é\"]"), Cow::Borrowed(_)));
        assert_eq!(go_escape("\"€\u{2029}\""), "\"€\\u2029\"");
        for at in 0..200 {
            let text = format!("{}<é", "x".repeat(at));
            assert_eq!(go_escape(&text), text.replace('<', "\\u003c"), "{at}");
        }
    }
}
