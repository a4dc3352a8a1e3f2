//! Splitting and mending parameter arrays without decoding them.

use std::borrow::Cow;

/// The elements of `json`, a valid JSON array or null.
///
/// # Errors
/// Go's name of the kind that `json` has instead.
pub(crate) fn elements(json: &str) -> Result<Vec<&str>, &'static str> {
    let json = json.trim_ascii();
    match json.as_bytes() {
        [b'n', ..] => Ok(Vec::new()),
        [b'[', inner @ .., b']'] if inner.trim_ascii().is_empty() => Ok(Vec::new()),
        [b'[', .., b']'] => Ok(split(json)),
        _ => Err(go_kind(json)),
    }
}

/// Cuts a non-empty valid array at its top-level commas.
fn split(json: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start, mut next) = (0usize, 1usize, 0usize);
    let mut cut = |from: usize, to: usize| parts.push(json.get(from..to).unwrap_or_default().trim_ascii());
    while let Some(byte) = json.as_bytes().get(next) {
        let at = next;
        next += 1;
        match byte {
            b'"' => next = end_of_text(json, next),
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    cut(start, at);
                }
            }
            b',' if depth == 1 => {
                cut(start, at);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

/// The place behind the text of a string that begins at `from`. Most of what is sent is long strings, so they are
/// searched and not walked through.
fn end_of_text(json: &str, mut from: usize) -> usize {
    while let Some(text) = json.get(from..)
        && let Some(quote) = text.find('"')
    {
        from += quote + 1;
        let before = text.as_bytes().get(..quote).unwrap_or_default();
        if before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            return from;
        }
    }
    json.len()
}

/// What Go's decoder calls the kind of a JSON value.
pub(crate) fn go_kind(json: &str) -> &'static str {
    match json.trim_ascii().as_bytes().first() {
        Some(b'"') => "string",
        Some(b'{') => "object",
        Some(b'[') => "array",
        Some(b't' | b'f') => "bool",
        Some(b'n') => "null",
        _ => "number",
    }
}

/// The value that Go leaves in a variable of type `go_type` when it decodes null, for types where serde refuses null.
pub(crate) fn zero_of(go_type: &str) -> Option<&'static str> {
    match go_type {
        "string" => Some("\"\""),
        "bool" => Some("false"),
        "int" | "int8" | "int16" | "int32" | "int64" | "uint" | "uint8" | "uint16" | "uint32" | "uint64"
        | "float32" | "float64" | "time.Duration" | "abi.ChainEpoch" => Some("0"),
        _ => None,
    }
}

/// Joins `parts` to an array again.
pub(crate) fn join(parts: &[Cow<'_, str>]) -> String {
    let mut out = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum::<usize>() + 2);
    out.push('[');
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(part);
    }
    out.push(']');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrays_are_cut_at_top_level_commas_only() {
        let json = r#" [1, "a,]\"b\\", [2,[3]], {"x":[4,5],"y":"}"} ,null] "#;
        let parts = elements(json).unwrap();
        assert_eq!(parts, ["1", r#""a,]\"b\\""#, "[2,[3]]", r#"{"x":[4,5],"y":"}"}"#, "null"]);
        for empty in ["[]", " [ ] ", "null"] {
            assert!(elements(empty).unwrap().is_empty());
        }
        assert_eq!(elements("[[]]").unwrap(), ["[]"]);
        assert_eq!(elements(r#"["é\\\"","\\\\",""]"#).unwrap(), [r#""é\\\"""#, r#""\\\\""#, "\"\""]);
    }

    #[test]
    fn other_kinds_are_named_like_go_names_them() {
        for (json, kind) in
            [("{}", "object"), ("5", "number"), ("-1", "number"), ("\"x\"", "string"), ("true", "bool")]
        {
            assert_eq!(elements(json), Err(kind));
        }
    }
}
