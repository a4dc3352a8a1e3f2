//! Maps. Go writes integer keys as decimal text.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserializer, Serialize, Serializer};

use super::{Json, JsonRef, LotusJson};

/// An object whose members are named by a text or a number; `{}` when empty, read from `null` as well.
impl<K, T> LotusJson for BTreeMap<K, T>
where
    K: Ord + fmt::Display + Serialize + DeserializeOwned,
    T: LotusJson,
{
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(key, value)| (key, JsonRef(value))))
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MapVisitor(PhantomData))
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

struct MapVisitor<K, T>(PhantomData<(K, T)>);

impl<'de, K, T> Visitor<'de> for MapVisitor<K, T>
where
    K: Ord + fmt::Display + DeserializeOwned,
    T: LotusJson,
{
    type Value = BTreeMap<K, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut items = BTreeMap::new();
        while let Some(key) = map.next_key::<K>()? {
            let value =
                map.next_value::<Json<T>>().map_err(|e| A::Error::custom(format_args!("{key}: {e}")))?;
            items.insert(key, value.0);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_text() {
        let text = r#"{"2":"b","10":"a"}"#;
        let map: Json<BTreeMap<u64, String>> = serde_json::from_str(text).unwrap();
        assert_eq!(map.0[&10], "a");
        assert_eq!(serde_json::to_string(&map).unwrap(), text);
        assert!(serde_json::from_str::<Json<BTreeMap<u64, String>>>("null").unwrap().0.is_empty());
    }

    #[test]
    fn errors_name_the_key() {
        let wrong = serde_json::from_str::<Json<BTreeMap<u64, String>>>(r#"{"7":1}"#).unwrap_err();
        assert!(wrong.to_string().starts_with("7: "), "{wrong}");
        assert!(serde_json::from_str::<Json<BTreeMap<u64, String>>>(r#"{"x":""}"#).is_err());
    }
}
