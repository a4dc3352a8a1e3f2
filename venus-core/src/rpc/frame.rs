//! One JSON-RPC object: read as leniently as Go reads it, written with Go's bytes.

use std::{borrow::Cow, fmt};

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::{
    error::RpcError,
    go_text::{go_escape, write_go_string},
    id::{FrameId, Id},
};

/// Cancels the call, or the channel opened by the call, whose id is the only parameter.
pub(crate) const CANCEL: &str = "xrpc.cancel";
/// A value on a channel: `[channel, value]`.
pub(crate) const CHANNEL_VALUE: &str = "xrpc.ch.val";
/// The end of a channel: `[channel]`.
pub(crate) const CHANNEL_CLOSE: &str = "xrpc.ch.close";

/// Text that is no frame. The error names the member, and repeats no more than a beginning of what stands there.
#[derive(Debug, thiserror::Error)]
#[error("malformed frame: {:.256}", .0.to_string())]
pub struct FrameError(#[from] serde_json::Error);

/// What came in one message. Values are borrowed and not looked into.
///
/// Member names match in any case, unknown members are ignored, the last of equal members counts, and `jsonrpc`
/// may be missing: that is how Go decodes.
#[derive(Debug, Default)]
pub struct Frame<'a> {
    /// The id.
    pub id: FrameId,
    /// The method; absent or empty in a response.
    pub method: Cow<'a, str>,
    /// The parameters of a call.
    pub params: Option<&'a RawValue>,
    /// The result of a response. A response of the fork to a void method has none.
    pub result: Option<&'a RawValue>,
    /// The error of a response.
    pub error: Option<RpcError>,
}

impl<'a> Frame<'a> {
    /// Reads the first object of `text`; also tells whether anything but white space follows it.
    ///
    /// # Errors
    /// [`FrameError`] if there is no well-formed object whose members have the right kinds.
    pub fn decode(text: &'a str) -> Result<(Self, bool), FrameError> {
        let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Frame<'a>>();
        let frame = match stream.next() {
            Some(frame) => frame?,
            None => return Err(FrameError(de::Error::custom("empty"))),
        };
        let rest = text.get(stream.byte_offset()..).unwrap_or_default();
        Ok((frame, !rest.trim_ascii().is_empty()))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Frame<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FrameVisitor)
    }
}

/// Strings with escapes cannot be borrowed, and serde's `Cow` never borrows by itself.
#[derive(Default)]
struct Text<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

struct FrameVisitor;

impl<'de> Visitor<'de> for FrameVisitor {
    type Value = Frame<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    // Go decodes null into an untouched struct.
    fn visit_unit<E>(self) -> Result<Frame<'de>, E> {
        Ok(Frame::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Frame<'de>, A::Error> {
        let mut frame = Frame::default();
        while let Some(Text(key)) = map.next_key()? {
            match Member::named(&key) {
                Member::Id => frame.id = at("id", map.next_value())?,
                Member::Method => {
                    if let Some(Text(method)) = at("method", map.next_value())? {
                        frame.method = method;
                    }
                }
                Member::Params => frame.params = Some(at("params", map.next_value())?),
                Member::Result => frame.result = Some(at("result", map.next_value())?),
                Member::Error => frame.error = at("error", map.next_value())?,
                Member::Version => {
                    at("jsonrpc", map.next_value::<Option<Text<'de>>>())?;
                }
                Member::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(frame)
    }
}

/// Puts the name of the member before its error.
fn at<T, E: de::Error>(member: &str, value: Result<T, E>) -> Result<T, E> {
    value.map_err(|error| E::custom(format_args!("{member}: {error}")))
}

enum Member {
    Id,
    Method,
    Params,
    Result,
    Error,
    Version,
    Other,
}

impl Member {
    fn named(key: &str) -> Self {
        const NAMES: [(&str, Member); 6] = [
            ("id", Member::Id),
            ("method", Member::Method),
            ("params", Member::Params),
            ("result", Member::Result),
            ("error", Member::Error),
            ("jsonrpc", Member::Version),
        ];
        NAMES.into_iter().find(|(name, _)| key.eq_ignore_ascii_case(name)).map_or(Member::Other, |(_, m)| m)
    }
}

/// A call without the newline that WebSocket frames end with. `params` is a JSON array, or nothing for none.
pub(crate) fn call(id: u64, method: &str, params: Option<&str>) -> String {
    let params = go_escape(params.unwrap_or("[]"));
    let mut out = String::with_capacity(params.len() + method.len() + 64);
    out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
    Id::from(id).write(&mut out);
    push_method(method, &params, &mut out);
    out
}

/// A call that wants no answer.
pub(crate) fn notification(method: &str, params: Option<&str>) -> String {
    let params = go_escape(params.unwrap_or("[]"));
    let mut out = String::with_capacity(params.len() + method.len() + 48);
    out.push_str("{\"jsonrpc\":\"2.0\"");
    push_method(method, &params, &mut out);
    out
}

fn push_method(method: &str, params: &str, out: &mut String) {
    out.push_str(",\"method\":");
    write_go_string(method, out);
    out.push_str(",\"params\":");
    out.push_str(params);
    out.push('}');
}

/// The frame that cancels the call `id`.
pub(crate) fn cancel(id: u64) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{CANCEL}\",\"params\":[{id}]}}\n")
}

/// A value on channel `channel`.
pub(crate) fn channel_value(channel: u64, value: &str) -> String {
    let value = go_escape(value);
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{CHANNEL_VALUE}\",\"params\":[{channel},{value}]}}\n")
}

/// The end of channel `channel`.
pub(crate) fn channel_close(channel: u64) -> String {
    format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{CHANNEL_CLOSE}\",\"params\":[{channel}]}}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &str) -> Frame<'_> {
        Frame::decode(text).unwrap().0
    }

    #[test]
    fn members_match_as_in_go() {
        let frame =
            decode(r#" {"JSONRPC":"2.0","ID":1,"Method":"T.Add","Params":[1,2],"meta":{"x":[]},"z":0}"#);
        assert_eq!(frame.id, FrameId::Id(Id::Number(1.0)));
        assert_eq!(frame.method, "T.Add");
        assert_eq!(frame.params.unwrap().get(), "[1,2]");
        assert_eq!(decode(r#"{"method":"a","method":"b"}"#).method, "b");
        assert_eq!(decode(r#"{"method":"\u0061"}"#).method, "a");
        assert_eq!(decode("null").method, "");
    }

    #[test]
    fn a_void_response_of_the_fork_has_neither_result_nor_error() {
        let frame = decode("{\"jsonrpc\":\"2.0\",\"id\":1}\n");
        assert!(frame.result.is_none() && frame.error.is_none() && frame.method.is_empty());
    }

    #[test]
    fn errors_may_carry_meta_and_unknown_members() {
        let text = r#"{"error":{"code":1001,"message":"coded","meta":{"Message":"coded"},"x":1},"id":1}"#;
        let error = decode(text).error.unwrap();
        assert_eq!((error.code, error.message.as_str()), (1001, "coded"));
        assert_eq!(error.meta.unwrap().get(), r#"{"Message":"coded"}"#);
        assert!(decode(r#"{"id":1,"error":null,"result":1}"#).error.is_none());
    }

    #[test]
    fn what_follows_the_object_is_reported() {
        for (text, more) in [("{}", false), ("{} \n", false), ("{}{}", true), ("{}xyz", true)] {
            assert_eq!(Frame::decode(text).unwrap().1, more, "{text}");
        }
    }

    #[test]
    fn garbage_is_an_error() {
        for text in [
            "",
            "  ",
            "{",
            "{\"jsonrpc\":",
            "[1]",
            "[]",
            "1",
            "\"x\"",
            r#"{"method":5}"#,
            r#"{"error":5}"#,
            r#"{"jsonrpc":2}"#,
            r#"{"id":1e999}"#,
        ] {
            assert!(Frame::decode(text).is_err(), "{text}");
        }
    }

    #[test]
    fn errors_name_the_member_and_stay_short() {
        let long = "x".repeat(64 << 10);
        let cases = [
            (r#"{"method":5}"#.to_owned(), "method: "),
            (r#"{"id":1e999}"#.to_owned(), "id: "),
            (format!(r#"{{"error":"{long}"}}"#), "error: "),
            (format!("\"{long}\""), "an object"),
            (format!(r#"{{"id":1,"jsonrpc":{{"{long}":1}}}}"#), "jsonrpc: "),
        ];
        for (text, named) in cases {
            let error = Frame::decode(&text).unwrap_err().to_string();
            assert!(error.len() < 300, "{} bytes", error.len());
            assert!(error.contains(named) || named == "an object", "{error}");
        }
    }

    #[test]
    fn frames_out() {
        assert_eq!(
            call(1, "T.Add", Some("[1,2]")),
            r#"{"jsonrpc":"2.0","id":1,"method":"T.Add","params":[1,2]}"#
        );
        assert_eq!(notification("T.Note", None), r#"{"jsonrpc":"2.0","method":"T.Note","params":[]}"#);
        assert_eq!(cancel(16), "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.cancel\",\"params\":[16]}\n");
        assert_eq!(
            channel_value(1, "0"),
            "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.val\",\"params\":[1,0]}\n"
        );
        assert_eq!(channel_close(1), "{\"jsonrpc\":\"2.0\",\"method\":\"xrpc.ch.close\",\"params\":[1]}\n");
    }
}
