//! Canonical DAG-CBOR, hand-written.
//!
//! Filecoin hashes and signs these bytes, so the codec is exact in both directions: what [`Decode`] accepts,
//! [`Encode`] writes back byte for byte. Anything else (long integers, indefinite lengths, leading zeros in a
//! big integer, trailing bytes, lengths that lie) is a [`CborError`] that names the field. Memory stays within
//! a small multiple of the input, because a collection never reserves more than the bytes that are left.
//!
//! ```
//! use venus_core::cbor::{Decode, Encode};
//! use venus_core::types::Ticket;
//!
//! let ticket = Ticket { vrf_proof: vec![1, 2, 3] };
//! assert_eq!(ticket.to_cbor(), [0x81, 0x43, 1, 2, 3]);
//! assert_eq!(Ticket::from_cbor(&[0x81, 0x43, 1, 2, 3])?, ticket);
//! assert!(Ticket::from_cbor(&[0x81, 0x43, 1, 2]).is_err());
//! # Ok::<(), venus_core::cbor::CborError>(())
//! ```

mod error;
mod fvm;
mod reader;
mod writer;

pub use error::{CborError, CborErrorKind, FieldContext};
pub use reader::Reader;
pub use writer::Writer;

/// Longest list a decoder accepts, as in Go's cbor-gen.
pub const MAX_ARRAY: u64 = 8192;
/// Longest byte string a decoder accepts (2 MiB), as in Go's cbor-gen.
pub const MAX_BYTES: u64 = 2 << 20;
/// Longest big integer in bytes, sign byte included.
pub const MAX_BIGINT: usize = 128;

/// Writes a value as canonical CBOR.
pub trait Encode {
    /// Appends the encoding of `self`.
    fn encode(&self, w: &mut Writer);

    /// The encoding as a fresh vector.
    fn to_cbor(&self) -> Vec<u8> {
        let mut w = Writer::new();
        self.encode(&mut w);
        w.into_vec()
    }
}

/// Reads a value from canonical CBOR.
pub trait Decode: Sized {
    /// Reads one value and leaves the reader behind it.
    ///
    /// # Errors
    /// [`CborError`] with the path of the field and the byte offset at which it stands.
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError>;

    /// Reads one value that must fill `bytes` to the end.
    ///
    /// # Errors
    /// As [`Decode::decode`], and for trailing bytes.
    fn from_cbor(bytes: &[u8]) -> Result<Self, CborError> {
        let mut r = Reader::new(bytes);
        let value = Self::decode(&mut r)?;
        r.finish()?;
        Ok(value)
    }
}

impl<T: Encode + ?Sized> Encode for &T {
    fn encode(&self, w: &mut Writer) {
        (**self).encode(w);
    }
}

impl Encode for u64 {
    fn encode(&self, w: &mut Writer) {
        w.uint(*self);
    }
}

impl Decode for u64 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.uint()
    }
}

impl Encode for i64 {
    fn encode(&self, w: &mut Writer) {
        w.int(*self);
    }
}

impl Decode for i64 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.int()
    }
}

impl Encode for u32 {
    fn encode(&self, w: &mut Writer) {
        w.uint(u64::from(*self));
    }
}

impl Decode for u32 {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let value = Self::try_from(r.uint()?);
        value.map_err(|_| CborError::new(start, CborErrorKind::Invalid("exceeds 32 bits")))
    }
}

impl Encode for bool {
    fn encode(&self, w: &mut Writer) {
        w.bool(*self);
    }
}

impl Decode for bool {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.bool()
    }
}

impl Encode for Vec<u8> {
    fn encode(&self, w: &mut Writer) {
        w.bytes(self);
    }
}

impl Decode for Vec<u8> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.bytes().map(<[u8]>::to_vec)
    }
}

impl Encode for String {
    fn encode(&self, w: &mut Writer) {
        w.text(self);
    }
}

impl Decode for String {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.text(MAX_ARRAY).map(str::to_owned)
    }
}

impl<T: Encode> Encode for Vec<T> {
    fn encode(&self, w: &mut Writer) {
        w.array(self.len() as u64);
        for item in self {
            item.encode(w);
        }
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let len = r.array(MAX_ARRAY)?;
        // Every element takes a byte at least, so a lying length cannot reserve more than the input is long.
        let mut items = Vec::with_capacity(usize::try_from(len).unwrap_or(0).min(r.remaining()).min(64));
        for i in 0..len {
            items.push(T::decode(r).in_item(i)?);
        }
        Ok(items)
    }
}

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, w: &mut Writer) {
        match self {
            Some(value) => value.encode(w),
            None => w.null(),
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        if r.try_null() { Ok(None) } else { T::decode(r).map(Some) }
    }
}

/// Implements [`Encode`] and [`Decode`] for a struct that travels as a CBOR array of its fields in order.
///
/// The second member of each pair is the name of the field in the Filecoin specification, used in errors.
macro_rules! cbor_tuple {
    ($ty:ident { $($field:ident: $name:literal),+ $(,)? }) => {
        impl $crate::cbor::Encode for $ty {
            fn encode(&self, w: &mut $crate::cbor::Writer) {
                w.array(const { [$($name),+].len() as u64 });
                $(self.$field.encode(w);)+
            }
        }

        impl $crate::cbor::Decode for $ty {
            fn decode(r: &mut $crate::cbor::Reader<'_>) -> Result<Self, $crate::cbor::CborError> {
                use $crate::cbor::FieldContext;
                r.tuple(const { [$($name),+].len() as u64 }).in_field(stringify!($ty))?;
                Ok(Self { $($field: $crate::cbor::Decode::decode(r).in_field($name).in_field(stringify!($ty))?),+ })
            }
        }
    };
}
pub(crate) use cbor_tuple;

/// Implements [`Encode`] and [`Decode`] for a struct of one field that travels as that field alone.
macro_rules! cbor_transparent {
    ($ty:ident { $field:ident }) => {
        impl $crate::cbor::Encode for $ty {
            fn encode(&self, w: &mut $crate::cbor::Writer) {
                self.$field.encode(w);
            }
        }

        impl $crate::cbor::Decode for $ty {
            fn decode(r: &mut $crate::cbor::Reader<'_>) -> Result<Self, $crate::cbor::CborError> {
                use $crate::cbor::FieldContext;
                Ok(Self { $field: $crate::cbor::Decode::decode(r).in_field(stringify!($ty))? })
            }
        }
    };
}
pub(crate) use cbor_transparent;

/// Implements [`Encode`] and [`Decode`] for a struct that travels as a CBOR map with text keys in this order: the
/// shorter key first, then by bytes, as Go's cbor-gen writes maps. A map in another order is an error.
macro_rules! cbor_map {
    ($ty:ident { $($field:ident: $name:literal),+ $(,)? }) => {
        impl $crate::cbor::Encode for $ty {
            fn encode(&self, w: &mut $crate::cbor::Writer) {
                w.map(const { [$($name),+].len() as u64 });
                $(w.text($name); self.$field.encode(w);)+
            }
        }

        impl $crate::cbor::Decode for $ty {
            fn decode(r: &mut $crate::cbor::Reader<'_>) -> Result<Self, $crate::cbor::CborError> {
                use $crate::cbor::FieldContext;
                r.map_of(const { [$($name),+].len() as u64 }).in_field(stringify!($ty))?;
                Ok(Self { $($field: r.entry($name).in_field($name).in_field(stringify!($ty))?),+ })
            }
        }
    };
}
pub(crate) use cbor_map;
