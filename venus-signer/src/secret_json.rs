//! JSON that holds secrets: every text is wiped after use, and no error repeats any of it.
//!
//! Files of other wallets are read with it. Members are found in any case, as Go finds them, and a member that stands
//! twice is an error: two readers could take two different keys.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::error::KeyError;

/// A value that was read.
pub(crate) enum Node {
    Text(Zeroizing<String>),
    Number(u64),
    Object(Vec<(Zeroizing<String>, Node)>),
    List(Vec<Node>),
    /// `null`, `true`, `1.5`: nothing that stands in a file of keys.
    Other,
}

impl Node {
    /// Reads one value that is the whole text. The parser's own reason is left out, for it quotes the input.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The member of an object; `None` if it is missing or `null`, or if this is no object.
    pub(crate) fn member(&self, name: &'static str) -> Result<Option<&Self>, KeyError> {
        let Self::Object(members) = self else { return Ok(None) };
        let mut found = members.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (_, Some(_)) => Err(KeyError::Field { field: name, reason: "stands twice" }),
            (first, None) => Ok(first.map(|(_, value)| value).filter(|value| !matches!(value, Self::Other))),
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

/// A member's name, wiped like a value: what stands in the wrong place may still be a key.
struct Name(Zeroizing<String>);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match deserializer.deserialize_str(Any)? {
            Node::Text(name) => Ok(Self(name)),
            _ => Err(D::Error::custom("a name is a text")),
        }
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(Zeroizing::new(text)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Node, E> {
        Ok(Node::Number(number))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Node, E> {
        Ok(Node::Other)
    }

    // The text is bounded before it is parsed, and with it what these two collect; the parser bounds the depth.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Node, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Node::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some((Name(name), value)) = map.next_entry()? {
            members.push((name, value));
        }
        Ok(Node::Object(members))
    }
}
