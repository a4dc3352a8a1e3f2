//! What is asked of records, and what they answer: the shapes of Go's `ListSignedRecord`.

use std::fmt;

use data_encoding::BASE64;
use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::OffsetDateTime;
use venus_core::json::{Json, JsonRef, Key, LotusJson, Member};
use venus_core::types::{Address, MaybeAddress, Signature};

#[cfg(feature = "sqlite")]
use super::stamp;

/// Which records to list. The default lists all.
///
/// JSON has the members of Go's `QuerySignRecordParams`, any of which may be absent: `ID`, `Type`, `Signer` (`<empty>`
/// for any), `IsError`, `Skip`, `Limit`, `After`, `Before` (Go's zero time for none). Other members are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordQuery {
    /// This record only; all else is ignored then.
    pub id: Option<String>,
    /// Of this type.
    pub msg_type: Option<String>,
    /// Of this key.
    pub signer: Option<Address>,
    /// Only requests that got no signature.
    pub is_error: bool,
    /// Leaves out so many of the latest.
    pub skip: u64,
    /// At most so many; 0 for as many as an answer may have.
    pub limit: u64,
    /// At this time or later.
    pub after: Option<OffsetDateTime>,
    /// At this time or earlier.
    pub before: Option<OffsetDateTime>,
}

impl Serialize for RecordQuery {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let zero = <OffsetDateTime as LotusJson>::absent();
        let time = |time: Option<OffsetDateTime>| Json(time.or(zero).unwrap_or(OffsetDateTime::UNIX_EPOCH));
        let mut object = serializer.serialize_struct("RecordQuery", 8)?;
        object.serialize_field("ID", self.id.as_deref().unwrap_or_default())?;
        object.serialize_field("Type", self.msg_type.as_deref().unwrap_or_default())?;
        object.serialize_field("Signer", &Json(MaybeAddress(self.signer)))?;
        object.serialize_field("IsError", &self.is_error)?;
        object.serialize_field("Skip", &self.skip)?;
        object.serialize_field("Limit", &self.limit)?;
        object.serialize_field("After", &time(self.after))?;
        object.serialize_field("Before", &time(self.before))?;
        object.end()
    }
}

impl<'de> Deserialize<'de> for RecordQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = RecordQuery;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object QuerySignRecordParams")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RecordQuery, A::Error> {
                read(map)
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read<'de, A: MapAccess<'de>>(mut map: A) -> Result<RecordQuery, A::Error> {
    let (mut id, mut msg_type) = (Member::<String>::default(), Member::<String>::default());
    let (mut signer, mut is_error) = (Member::<MaybeAddress>::default(), Member::<bool>::default());
    let (mut skip, mut limit) = (Member::<i64>::default(), Member::<i64>::default());
    let mut after = Member::<OffsetDateTime>::default();
    let mut before = Member::<OffsetDateTime>::default();
    while let Some(Key(key)) = map.next_key()? {
        match key.to_ascii_lowercase().as_str() {
            "id" => id.set("ID", map.next_value())?,
            "type" => msg_type.set("Type", map.next_value())?,
            "signer" => signer.set("Signer", map.next_value())?,
            "iserror" => is_error.set("IsError", map.next_value())?,
            "skip" => skip.set("Skip", map.next_value())?,
            "limit" => limit.set("Limit", map.next_value())?,
            "after" => after.set("After", map.next_value())?,
            "before" => before.set("Before", map.next_value())?,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
    }
    let text = |text: String| Some(text).filter(|text| !text.is_empty());
    // Go sets neither OFFSET nor LIMIT below 1, and no bound for its zero time.
    let number = |number: i64| u64::try_from(number).unwrap_or_default();
    let bound = |time: OffsetDateTime| Some(time).filter(|time| time.year() > 1);
    Ok(RecordQuery {
        id: text(id.get("ID")?),
        msg_type: text(msg_type.get("Type")?),
        signer: signer.get::<A::Error>("Signer")?.0,
        is_error: is_error.get("IsError")?,
        skip: number(skip.get("Skip")?),
        limit: number(limit.get("Limit")?),
        after: bound(after.get("After")?),
        before: bound(before.get("Before")?),
    })
}

/// A record in the shape of Go's `ListSignedRecord`: `ID`, `Type`, `Signer`, `Err` (null or text), `RawMsg` (base64 or
/// null), `Signature` (of type 0 without data if there is none), `CreateAt`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignRecord {
    /// A UUID.
    pub id: String,
    /// The type as on the wire.
    pub msg_type: String,
    /// The key's address.
    pub signer: String,
    /// Why there is no signature.
    pub err: Option<String>,
    /// CBOR of what was to be signed.
    pub raw_msg: Option<Vec<u8>>,
    /// The signature; Go's wallet never wrote it.
    pub signature: Option<Signature>,
    /// When.
    pub created_at: OffsetDateTime,
}

impl Serialize for SignRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("SignRecord", 7)?;
        self.members::<S>(&mut object)?;
        object.end()
    }
}

/// What Go writes for a signature that was never set.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Unset {
    r#type: u8,
    data: Option<String>,
}

impl SignRecord {
    fn members<S: Serializer>(&self, object: &mut S::SerializeStruct) -> Result<(), S::Error> {
        object.serialize_field("ID", &self.id)?;
        object.serialize_field("Type", &self.msg_type)?;
        object.serialize_field("Signer", &self.signer)?;
        object.serialize_field("Err", &self.err)?;
        object.serialize_field("RawMsg", &self.raw_msg.as_ref().map(|raw| BASE64.encode(raw)))?;
        match &self.signature {
            Some(signature) => object.serialize_field("Signature", &JsonRef(signature))?,
            None => object.serialize_field("Signature", &Unset { r#type: 0, data: None })?,
        }
        object.serialize_field("CreateAt", &JsonRef(&self.created_at))
    }
}

impl<'de> Deserialize<'de> for SignRecord {
    /// Reads what Go's wallet answers too: an `Err` of `{}` says that there was an error, and no more.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Wire {
            #[serde(rename = "ID")]
            id: String,
            r#type: String,
            signer: String,
            #[serde(default)]
            err: Option<serde_json::Value>,
            #[serde(default)]
            raw_msg: Option<String>,
            #[serde(default)]
            signature: Option<Unset>,
            create_at: Json<OffsetDateTime>,
        }
        let wire = Wire::deserialize(deserializer)?;
        let base64 = |text: String| BASE64.decode(text.as_bytes()).map_err(D::Error::custom);
        let signature = match wire.signature {
            Some(Unset { r#type, data: Some(data) }) => {
                let sig_type =
                    r#type.try_into().map_err(|t| D::Error::custom(format_args!("signature type {t}")))?;
                Some(Signature { sig_type, data: base64(data)? })
            }
            _ => None,
        };
        Ok(Self {
            id: wire.id,
            msg_type: wire.r#type,
            signer: wire.signer,
            err: wire.err.map(|err| err.as_str().map_or_else(|| "not told".into(), str::to_owned)),
            raw_msg: wire.raw_msg.map(base64).transpose()?,
            signature,
            created_at: wire.create_at.0,
        })
    }
}

/// How a recorded request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// Signed.
    Signed,
    /// A check or slashing protection refused it.
    Denied,
    /// Something else went wrong.
    Failed,
}

impl Outcome {
    /// The text in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "signed",
            Self::Denied => "denied",
            Self::Failed => "failed",
        }
    }

    #[cfg(feature = "sqlite")]
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Signed, Self::Denied, Self::Failed].into_iter().find(|outcome| outcome.as_str() == name)
    }
}

/// A record with all that this wallet knows of it. JSON has the members of [`SignRecord`], then `Seq`, `Outcome`,
/// `DeniedBy`, `Caller` and `Cid`, each null if unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoredRecord {
    /// What Go's wallet knows too.
    pub record: SignRecord,
    /// The place in the chain, from 1; none if another program wrote it since.
    pub seq: Option<u64>,
    /// How it ended; none for records of Go's wallet.
    pub outcome: Option<Outcome>,
    /// Which check refused it.
    pub denied_by: Option<String>,
    /// Who asked, as [`crate::Caller::label`] tells.
    pub caller: Option<String>,
    /// The message's CID.
    pub cid: Option<String>,
}

impl Serialize for StoredRecord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("StoredRecord", 12)?;
        self.record.members::<S>(&mut object)?;
        object.serialize_field("Seq", &self.seq)?;
        object.serialize_field("Outcome", &self.outcome)?;
        object.serialize_field("DeniedBy", &self.denied_by)?;
        object.serialize_field("Caller", &self.caller)?;
        object.serialize_field("Cid", &self.cid)?;
        object.end()
    }
}

#[cfg(feature = "sqlite")]
impl RecordQuery {
    /// The bounds as the database keeps times.
    pub(super) fn bounds(&self) -> (Option<i64>, Option<i64>) {
        (self.after.map(stamp::nanoseconds), self.before.map(stamp::nanoseconds))
    }
}
