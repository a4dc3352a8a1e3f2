//! Reading as Go does: members in any case, null for what is missing, and its words for what does not fit.

use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// Reads an object whose members may be written in any case; null is one without members.
pub(super) fn members<'de, D: Deserializer<'de>>(
    deserializer: D,
    go_type: &'static str,
    take: impl FnMut(&str, Member) -> Result<(), String>,
) -> Result<(), D::Error> {
    struct Members<F>(&'static str, F);
    impl<'de, F: FnMut(&str, Member) -> Result<(), String>> Visitor<'de> for Members<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_unit<E>(self) -> Result<(), E> {
            Ok(())
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
            let mut seen = Vec::new();
            while let Some(name) = map.next_key::<String>()? {
                let name = name.to_lowercase();
                let value = Member(map.next_value()?);
                // Two readers could understand different things.
                if seen.contains(&name) {
                    return Err(de::Error::custom(format_args!("{name} stands twice")));
                }
                (self.1)(&name, value).map_err(de::Error::custom)?;
                seen.push(name);
            }
            Ok(())
        }

        fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
            Err(unfit("string", self.0))
        }

        fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
            Err(unfit("number", self.0))
        }

        fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
            Err(unfit("number", self.0))
        }

        fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
            Err(unfit("number", self.0))
        }

        fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
            Err(unfit("bool", self.0))
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Err(unfit("array", self.0))
        }
    }
    deserializer.deserialize_any(Members(go_type, take))
}

/// The value of a member, not looked at yet. What it holds may be secret, so errors never quote it.
pub(super) struct Member(Box<serde_json::value::RawValue>);

impl Drop for Member {
    fn drop(&mut self) {
        // The text of a private key is in here as it was sent.
        let text = std::mem::replace(&mut self.0, serde_json::value::RawValue::NULL.to_owned());
        drop(Zeroizing::new(String::from(Box::<str>::from(text))));
    }
}

impl Member {
    pub(super) fn decode<T: for<'a> Deserialize<'a>>(&self) -> Result<T, String> {
        serde_json::from_str(self.0.get()).map_err(|error| without_place(&error))
    }

    pub(super) fn text(&self, go_type: &'static str) -> Result<String, String> {
        let mut reader = serde_json::Deserializer::from_str(self.0.get());
        reader.deserialize_any(GoText(go_type)).map_err(|error| without_place(&error))
    }
}

pub(super) fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map_or(text.clone(), str::to_owned)
}

/// A text; null is an empty one.
pub(super) struct GoText(pub(super) &'static str);

impl<'de> Visitor<'de> for GoText {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }

    fn visit_unit<E>(self) -> Result<String, E> {
        Ok(String::new())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<String, E> {
        Err(unfit("number", self.0))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<String, E> {
        Err(unfit("number", self.0))
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<String, E> {
        Err(unfit("number", self.0))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<String, E> {
        Err(unfit("bool", self.0))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<String, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Err(unfit("array", self.0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(unfit("object", self.0))
    }
}

pub(super) fn unfit<E: de::Error>(kind: &str, go_type: &str) -> E {
    E::custom(format_args!("json: cannot unmarshal {kind} into Go value of type {go_type}"))
}
