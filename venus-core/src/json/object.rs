//! Objects: one table per type gives both directions.

use std::borrow::Cow;

use serde::de::{Deserialize, Deserializer, Error};

use super::{Json, LotusJson};

/// Longest text that is kept of an error about a member, in characters.
const MAX_REASON: usize = 256;

/// A member's name as it stands in the input.
#[doc(hidden)]
#[derive(Debug)]
pub struct Key<'a>(pub Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(transparent)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowed::deserialize(deserializer).map(|k| Key(k.0))
    }
}

/// A member that was read, or not yet.
#[doc(hidden)]
#[derive(Debug)]
pub struct Member<T> {
    value: Option<T>,
    seen: bool,
}

impl<T> Default for Member<T> {
    fn default() -> Self {
        Self { value: None, seen: false }
    }
}

impl<T: LotusJson> Member<T> {
    /// Takes the value of the member. Twice is an error: Go takes the last one and others the first, so whoever
    /// sends both wants two readers to understand different things. No Go program writes such an object.
    pub fn set<E: Error>(&mut self, name: &str, value: Result<Option<Json<T>>, E>) -> Result<(), E> {
        // An error may repeat the whole text that stood in the place of a number.
        let value = value.map_err(|e| E::custom(format_args!("{name}: {:.MAX_REASON$}", e.to_string())))?;
        if std::mem::replace(&mut self.seen, true) {
            return Err(E::custom(format_args!("{name}: stands twice")));
        }
        self.value = value.map(Json::into_inner);
        Ok(())
    }

    /// The value, or Go's zero value.
    pub fn get<E: Error>(self, name: &str) -> Result<T, E> {
        self.value.or_else(T::absent).ok_or_else(|| E::custom(format_args!("{name}: missing")))
    }
}

/// Implements [`LotusJson`] and serde for a struct, from a table of its fields and their names on the wire.
///
/// `null` behind a name makes an empty list `null`, as Go writes a nil slice. `opt` behind a name leaves the
/// member out when it is `None`, for members that only some services write, and `nonempty` when it is empty.
macro_rules! lotus_json {
    (@write $map:ident $name:literal $value:expr, null) => {
        if $value.is_empty() {
            $map.serialize_entry($name, &())?
        } else {
            $map.serialize_entry($name, &$crate::json::JsonRef($value))?
        }
    };
    (@write $map:ident $name:literal $value:expr, opt) => {
        if let Some(value) = $value {
            $map.serialize_entry($name, &$crate::json::JsonRef(value))?
        }
    };
    (@write $map:ident $name:literal $value:expr, nonempty) => {
        if !$value.is_empty() {
            $map.serialize_entry($name, &$crate::json::JsonRef($value))?
        }
    };
    (@write $map:ident $name:literal $value:expr,) => {
        $map.serialize_entry($name, &$crate::json::JsonRef($value))?
    };
    ($ty:ident { $($field:ident: $name:literal $($mode:ident)?),+ $(,)? }) => {
        $crate::json::lotus_json!(@read $ty { $($field: $name),+ });
        $crate::json::lotus_json!(@delegate $ty);

        impl serde::Serialize for $ty {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap as _;
                let mut map = serializer.serialize_map(Some(const { [$($name),+].len() }))?;
                $($crate::json::lotus_json!(@write map $name &self.$field, $($mode)?);)+
                map.end()
            }
        }
    };
    // Reading only, for types that write derived members besides their fields.
    (@read $ty:ident { $($field:ident: $name:literal),+ $(,)? }) => {
        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Visitor;
                impl<'de> serde::de::Visitor<'de> for Visitor {
                    type Value = $ty;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object ", stringify!($ty)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$ty, A::Error> {
                        $(let mut $field = $crate::json::Member::default();)+
                        while let Some($crate::json::Key(key)) = map.next_key()? {
                            match key.as_ref() {
                                $(k if k.eq_ignore_ascii_case($name) => $field.set($name, map.next_value())?,)+
                                _ => { map.next_value::<serde::de::IgnoredAny>()?; }
                            }
                        }
                        Ok($ty { $($field: $field.get($name)?),+ })
                    }
                }
                deserializer.deserialize_map(Visitor)
            }
        }
    };
    // Serde for types with a `LotusJson` of their own.
    (@serde $ty:ident) => {
        impl serde::Serialize for $ty {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::json::LotusJson::write(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $ty {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::LotusJson::read(deserializer)
            }
        }
    };
    // For types with serde of their own.
    (@delegate $ty:ident) => {
        impl $crate::json::LotusJson for $ty {
            fn write<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serde::Serialize::serialize(self, serializer)
            }

            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                serde::Deserialize::deserialize(deserializer)
            }
        }
    };
}
pub(crate) use lotus_json;
