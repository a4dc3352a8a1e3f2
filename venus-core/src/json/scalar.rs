//! Numbers, texts, bytes, lists and options.

use std::fmt;
use std::marker::PhantomData;

use data_encoding::BASE64;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Json, JsonRef, LotusJson};

macro_rules! plain {
    ($($ty:ty),+) => {$(
        impl LotusJson for $ty {
            fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                self.serialize(serializer)
            }

            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Self::deserialize(deserializer)
            }

            fn absent() -> Option<Self> {
                Some(Self::default())
            }
        }
    )+};
}
plain!(bool, i64, u64, i32, u32, String);

/// `[]byte`: standard base64 with padding, `null` when empty as Go's nil slice.
impl LotusJson for Vec<u8> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() { serializer.serialize_none() } else { BASE64.encode(self).serialize(serializer) }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text: Option<CowText<'de>> = Option::deserialize(deserializer)?;
        let text = text.as_ref().map_or("", |t| t.0.as_ref());
        BASE64.decode(text.as_bytes()).map_err(|e| D::Error::custom(format_args!("base64: {e}")))
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

/// A text that borrows from the input where the format allows.
#[derive(Deserialize)]
#[serde(transparent)]
pub(crate) struct CowText<'a>(#[serde(borrow)] pub(crate) std::borrow::Cow<'a, str>);

impl<T: LotusJson> LotusJson for Option<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Some(value) => value.write(serializer),
            None => serializer.serialize_none(),
        }
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<Json<T>>::deserialize(deserializer).map(|v| v.map(Json::into_inner))
    }

    fn absent() -> Option<Self> {
        Some(None)
    }
}

impl<T: LotusJson> LotusJson for std::sync::Arc<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).write(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }
}

/// JSON of a shape that the caller knows better.
impl LotusJson for serde_json::Value {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }

    fn absent() -> Option<Self> {
        Some(Self::Null)
    }
}

/// A list; `[]` when empty. Where Go writes `null`, the field says so in its `lotus_json!` table.
impl<T: LotusJson> LotusJson for Vec<T> {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(JsonRef))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: LotusJson> Visitor<'de> for ListVisitor<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Vec::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        loop {
            let index = items.len();
            match seq
                .next_element::<Json<T>>()
                .map_err(|e| A::Error::custom(format_args!("[{index}]: {e}")))?
            {
                Some(item) => items.push(item.0),
                None => return Ok(items),
            }
        }
    }
}
