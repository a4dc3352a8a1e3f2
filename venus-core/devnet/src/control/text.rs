//! Members of the control's types that are written as nodes write them: addresses, CIDs, lists of them.

/// One.
pub(super) mod one {
    use serde::{Deserializer, Serializer};
    use venus_core::json::LotusJson;

    pub(in super::super) fn serialize<T: LotusJson, S: Serializer>(
        value: &T,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        value.write(s)
    }

    pub(in super::super) fn deserialize<'de, T: LotusJson, D: Deserializer<'de>>(
        d: D,
    ) -> Result<T, D::Error> {
        T::read(d)
    }
}

/// A list, never null.
pub(super) mod list {
    use serde::{Deserialize, Deserializer, Serializer};
    use venus_core::json::{Json, JsonRef, LotusJson};

    pub(in super::super) fn serialize<T: LotusJson, S: Serializer>(
        list: &[T],
        s: S,
    ) -> Result<S::Ok, S::Error> {
        s.collect_seq(list.iter().map(JsonRef))
    }

    pub(in super::super) fn deserialize<'de, T: LotusJson, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Vec<T>, D::Error> {
        Ok(Vec::<Json<T>>::deserialize(d)?.into_iter().map(Json::into_inner).collect())
    }
}

/// A list, or null.
pub(super) mod maybe_list {
    use serde::{Deserialize, Deserializer, Serializer};
    use venus_core::json::{Json, LotusJson};

    pub(in super::super) fn serialize<T: LotusJson, S: Serializer>(
        list: &Option<Vec<T>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match list {
            Some(list) => super::list::serialize(list, s),
            None => s.serialize_none(),
        }
    }

    pub(in super::super) fn deserialize<'de, T: LotusJson, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Option<Vec<T>>, D::Error> {
        let list = Option::<Vec<Json<T>>>::deserialize(d)?;
        Ok(list.map(|list| list.into_iter().map(Json::into_inner).collect()))
    }
}
