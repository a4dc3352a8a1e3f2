//! Why bytes are no JSON, in the words of Go: clients look for them.

use venus_core::error::BoxError;

/// Lists in lists that Go reads.
const DEEPEST: usize = 10_000;
const END: &str = "unexpected end of JSON input";

/// What is wrong with `bytes`; nothing if they are JSON.
pub(super) fn syntax_error(bytes: &[u8]) -> Option<String> {
    Scanner { bytes, at: 0, open: Vec::new() }.document().err()
}

/// An error's text, cut to what an answer should carry.
pub(super) fn bounded(error: impl Into<BoxError>) -> String {
    crate::register::bounded(&error.into().to_string(), 300)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Object,
    List,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    open: Vec<Open>,
}

type Scanned<T = ()> = Result<T, String>;

impl Scanner<'_> {
    /// Value by value, without recursion: the depth is the sender's choice.
    fn document(mut self) -> Scanned {
        loop {
            let first = self.token()?;
            let opened = self.value(first)?;
            if !opened && !self.close()? {
                return self.nothing_else();
            }
        }
    }

    /// Begins a value. Whether it is a list or an object that has something in it; then the next value comes.
    fn value(&mut self, first: u8) -> Scanned<bool> {
        match first {
            b'{' => {
                self.push(Open::Object)?;
                match self.token()? {
                    b'}' => self.pop(),
                    other => self.key(other).map(|()| true),
                }
            }
            b'[' => {
                self.push(Open::List)?;
                match self.token()? {
                    b']' => self.pop(),
                    _ => {
                        self.at -= 1;
                        Ok(true)
                    }
                }
            }
            b'"' => self.string().map(|()| false),
            b't' => self.literal("true").map(|()| false),
            b'f' => self.literal("false").map(|()| false),
            b'n' => self.literal("null").map(|()| false),
            b'-' | b'0'..=b'9' => self.number(first).map(|()| false),
            other => bad(other, "looking for beginning of value"),
        }
    }

    /// After a value: closes what ends here. Whether another value comes.
    fn close(&mut self) -> Scanned<bool> {
        while let Some(open) = self.open.last().copied() {
            match (open, self.token()?) {
                (Open::Object, b',') => {
                    let next = self.token()?;
                    self.key(next)?;
                    return Ok(true);
                }
                (Open::List, b',') => return Ok(true),
                (Open::Object, b'}') | (Open::List, b']') => {
                    self.open.pop();
                }
                (Open::Object, other) => return bad(other, "after object key:value pair"),
                (Open::List, other) => return bad(other, "after array element"),
            }
        }
        Ok(false)
    }

    fn key(&mut self, first: u8) -> Scanned {
        if first != b'"' {
            return bad(first, "looking for beginning of object key string");
        }
        self.string()?;
        match self.token()? {
            b':' => Ok(()),
            other => bad(other, "after object key"),
        }
    }

    fn push(&mut self, open: Open) -> Scanned {
        if self.open.len() >= DEEPEST {
            return Err("exceeded max depth".to_owned());
        }
        self.open.push(open);
        Ok(())
    }

    fn pop(&mut self) -> Scanned<bool> {
        self.open.pop();
        Ok(false)
    }

    fn nothing_else(&mut self) -> Scanned {
        match self.token() {
            Err(_) => Ok(()),
            Ok(other) => bad(other, "after top-level value"),
        }
    }

    /// After the first quote, to the last.
    fn string(&mut self) -> Scanned {
        loop {
            match self.next()? {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                control @ 0..0x20 => return bad(control, "in string literal"),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Scanned {
        match self.next()? {
            b'b' | b'f' | b'n' | b'r' | b't' | b'\\' | b'/' | b'"' => Ok(()),
            b'u' => (0..4).try_for_each(|_| match self.next()? {
                digit if digit.is_ascii_hexdigit() => Ok(()),
                other => bad(other, "in \\u hexadecimal character escape"),
            }),
            other => bad(other, "in string escape code"),
        }
    }

    fn literal(&mut self, word: &str) -> Scanned {
        for expected in word.bytes().skip(1) {
            let found = self.next()?;
            if found != expected {
                let place = format!("in literal {word} (expecting {})", quoted(expected));
                return bad(found, &place);
            }
        }
        Ok(())
    }

    fn number(&mut self, first: u8) -> Scanned {
        let first = if first == b'-' { self.digit("in numeric literal")? } else { first };
        if first != b'0' {
            self.digits();
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digit("after decimal point in numeric literal")?;
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digit("in exponent of numeric literal")?;
            self.digits();
        }
        Ok(())
    }

    fn digit(&mut self, place: &str) -> Scanned<u8> {
        match self.next()? {
            digit if digit.is_ascii_digit() => Ok(digit),
            other => bad(other, place),
        }
    }

    fn digits(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
    }

    /// The next byte that is no space.
    fn token(&mut self) -> Scanned<u8> {
        loop {
            match self.next()? {
                b' ' | b'\t' | b'\r' | b'\n' => {}
                other => return Ok(other),
            }
        }
    }

    fn next(&mut self) -> Scanned<u8> {
        let byte = self.peek().ok_or(END)?;
        self.at += 1;
        Ok(byte)
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }
}

fn bad<T>(byte: u8, place: &str) -> Scanned<T> {
    Err(format!("invalid character {} {place}", quoted(byte)))
}

/// A byte as Go quotes it: it takes each for a character of its own.
fn quoted(byte: u8) -> String {
    match byte {
        b'\'' => r"'\''".to_owned(),
        b'"' => "'\"'".to_owned(),
        b'\\' => r"'\\'".to_owned(),
        0x07 => r"'\a'".to_owned(),
        0x08 => r"'\b'".to_owned(),
        0x0c => r"'\f'".to_owned(),
        b'\n' => r"'\n'".to_owned(),
        b'\r' => r"'\r'".to_owned(),
        b'\t' => r"'\t'".to_owned(),
        0x0b => r"'\v'".to_owned(),
        0..0x20 | 0x7f => format!(r"'\x{byte:02x}'"),
        0x80..=0xa0 | 0xad => format!(r"'\u{byte:04x}'"),
        _ => format!("'{}'", char::from(byte)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn errors_have_gos_words() {
        for (bytes, text) in [
            ("", END),
            ("  ", END),
            ("{not json", "invalid character 'n' looking for beginning of object key string"),
            ("{\"a\" 1}", "invalid character '1' after object key"),
            ("{\"a\":1 \"b\"", "invalid character '\"' after object key:value pair"),
            ("{\"a\":1,}", "invalid character '}' looking for beginning of object key string"),
            ("[1 2]", "invalid character '2' after array element"),
            ("[1,]", "invalid character ']' looking for beginning of value"),
            ("[[1]", END),
            ("truE", "invalid character 'E' in literal true (expecting 'e')"),
            ("nul", END),
            ("null null", "invalid character 'n' after top-level value"),
            ("-x", "invalid character 'x' in numeric literal"),
            ("01", "invalid character '1' after top-level value"),
            ("1.", END),
            ("1.x", "invalid character 'x' after decimal point in numeric literal"),
            ("1e+x", "invalid character 'x' in exponent of numeric literal"),
            ("\"a\nb\"", r"invalid character '\n' in string literal"),
            ("\"\\q\"", "invalid character 'q' in string escape code"),
            ("\"\\u12g4\"", "invalid character 'g' in \\u hexadecimal character escape"),
            ("'", r"invalid character '\'' looking for beginning of value"),
            ("\u{0}", r"invalid character '\x00' looking for beginning of value"),
            ("é", "invalid character 'Ã' looking for beginning of value"),
        ] {
            assert_eq!(syntax_error(bytes.as_bytes()).as_deref(), Some(text), "{bytes:?}");
        }
        for good in ["null", " [1, {\"a\": [], \"b\": {}}, \"\\u00e9\\n\", -0.5e-7] ", "{}", "true"] {
            assert_eq!(syntax_error(good.as_bytes()), None, "{good}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = "[".repeat(20_000);
        assert_eq!(syntax_error(deep.as_bytes()).as_deref(), Some("exceeded max depth"));
    }

    proptest! {
        #[test]
        fn it_agrees_with_another_reader(text in r#"[\[\]{}:,"\\a0-2.eEtrufalsn \-+]{0,12}"#) {
            let valid = serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok();
            prop_assert_eq!(syntax_error(text.as_bytes()).is_none(), valid, "{}", text);
        }

        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let _ = syntax_error(&bytes);
        }
    }
}
