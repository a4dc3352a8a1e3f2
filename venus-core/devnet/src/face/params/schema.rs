//! What parameters look like, in CBOR and in JSON at once.

use serde_json::{Map, Value};
use venus_core::cbor::{Decode, Encode, MAX_ARRAY, Reader, Writer};
use venus_core::json::{Json, LotusJson};

/// A value of the actors' interfaces.
pub(super) enum Shape {
    /// No bytes at all, and `{}` (Go: `abi.EmptyValue`).
    Empty,
    /// A value whose type knows both forms.
    Leaf(fn(&mut Reader<'_>) -> Result<Value, String>, fn(&Value, &mut Writer) -> Result<(), String>),
    /// A list; `null` if it is empty, as Go's decoder leaves it.
    List(&'static Shape),
    /// An array of fields in CBOR, an object with their Go names in JSON.
    Tuple(&'static [(&'static str, Shape)]),
    /// Null or a value, in both forms.
    Optional(&'static Shape),
}

/// The shape of a type that has both forms of its own.
pub(super) const fn leaf<T: Decode + Encode + LotusJson>() -> Shape {
    Shape::Leaf(read_leaf::<T>, write_leaf::<T>)
}

fn read_leaf<T: Decode + LotusJson>(r: &mut Reader<'_>) -> Result<Value, String> {
    let value = T::decode(r).map_err(|e| e.to_string())?;
    serde_json::to_value(Json(value)).map_err(|e| e.to_string())
}

/// A member that is not there has Go's zero value.
fn write_leaf<T: Encode + LotusJson>(value: &Value, w: &mut Writer) -> Result<(), String> {
    let value = match value {
        Value::Null => T::absent().ok_or("missing")?,
        value => serde_json::from_value::<Json<T>>(value.clone()).map_err(|e| e.to_string())?.into_inner(),
    };
    value.encode(w);
    Ok(())
}

impl Shape {
    /// Reads CBOR, and answers what Go writes as JSON. Addresses are written for the network of the context.
    pub(super) fn read(&self, r: &mut Reader<'_>) -> Result<Value, String> {
        match self {
            Self::Empty => Ok(Value::Object(Map::new())),
            Self::Leaf(read, _) => read(r),
            Self::Optional(shape) => {
                if r.try_null() {
                    Ok(Value::Null)
                } else {
                    shape.read(r)
                }
            }
            Self::List(shape) => read_list(shape, r),
            Self::Tuple(fields) => {
                r.tuple(fields.len() as u64).map_err(|e| e.to_string())?;
                let field = |(name, shape): &(&str, Self)| {
                    let value = shape.read(r).map_err(|e| format!("{name}: {e}"))?;
                    Ok(((*name).to_owned(), value))
                };
                fields.iter().map(field).collect::<Result<_, String>>().map(Value::Object)
            }
        }
    }

    /// Writes CBOR of JSON. Names of members are taken in any case, what is not there is Go's zero value.
    pub(super) fn write(&self, value: &Value, w: &mut Writer) -> Result<(), String> {
        match (self, value) {
            (Self::Empty, _) => Ok(()),
            (Self::Leaf(_, write), value) => write(value, w),
            (Self::Optional(_), Value::Null) => {
                w.null();
                Ok(())
            }
            (Self::Optional(shape), value) => shape.write(value, w),
            (Self::List(_), Value::Null) => {
                w.array(0);
                Ok(())
            }
            (Self::List(shape), Value::Array(items)) => write_list(shape, items, w),
            (Self::Tuple(fields), Value::Object(members)) => write_tuple(fields, members, w),
            (Self::Tuple(fields), Value::Null) => write_tuple(fields, &Map::new(), w),
            (Self::List(_), _) => Err("expected a list".into()),
            (Self::Tuple(_), _) => Err("expected an object".into()),
        }
    }
}

fn read_list(shape: &Shape, r: &mut Reader<'_>) -> Result<Value, String> {
    let len = r.array(MAX_ARRAY).map_err(|e| e.to_string())?;
    let item = |i| shape.read(r).map_err(|e| format!("[{i}]: {e}"));
    let items: Vec<Value> = (0..len).map(item).collect::<Result<_, _>>()?;
    Ok(if items.is_empty() { Value::Null } else { Value::Array(items) })
}

fn write_list(shape: &Shape, items: &[Value], w: &mut Writer) -> Result<(), String> {
    let len = items.len() as u64;
    if len > MAX_ARRAY {
        return Err(format!("{len} items, expected at most {MAX_ARRAY}"));
    }
    w.array(len);
    items.iter().enumerate().try_for_each(|(i, item)| shape.write(item, w).map_err(|e| format!("[{i}]: {e}")))
}

fn write_tuple(fields: &[(&str, Shape)], members: &Map<String, Value>, w: &mut Writer) -> Result<(), String> {
    w.array(fields.len() as u64);
    fields.iter().try_for_each(|(name, shape)| {
        let member = members.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        let value = member.map_or(&Value::Null, |(_, value)| value);
        shape.write(value, w).map_err(|e| format!("{name}: {e}"))
    })
}
