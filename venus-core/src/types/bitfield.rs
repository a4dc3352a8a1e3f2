//! Sets of sector and partition numbers: RLE+ bytes in CBOR, run lengths in JSON.
//!
//! The set itself is `fvm_ipld_bitfield`'s: its operators are `&`, `|`, `-` and `^`, and it never holds single
//! bits in memory where runs will do. Iterate with [`BitField::bounded_iter`] over what came from outside:
//! a run of 2^60 bits is three bytes long.

use std::fmt;

use fvm_ipld_bitfield::BitField;
use fvm_ipld_bitfield::iter::Ranges;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserializer, Serializer};

use crate::cbor::{CborError, CborErrorKind as Kind, Decode, Encode, Reader, Writer};
use crate::json::LotusJson;

/// Longest RLE+ encoding in bytes, as in every actor (builtin-actors and go-bitfield agree).
const MAX_ENCODED: u64 = 32 << 10;
/// Most runs of a JSON list: what [`MAX_ENCODED`] bytes can hold at one bit a run.
const MAX_RUNS: usize = (MAX_ENCODED as usize) * 8;

impl Encode for BitField {
    fn encode(&self, w: &mut Writer) {
        w.bytes(&self.to_bytes());
    }
}

/// Refuses what has a shorter form, although actors read it: no actor writes it, and what decodes must encode
/// to the same bytes.
impl Decode for BitField {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let bytes = r.bytes_up_to(MAX_ENCODED)?;
        let set = Self::from_bytes(bytes).map_err(|_| CborError::new(start, Kind::Invalid("not RLE+")))?;
        if set.to_bytes() != bytes {
            return Err(CborError::new(start, Kind::NotCanonical("RLE+")));
        }
        Ok(set)
    }
}

/// Run lengths that take turns, beginning with unset bits: `{}` is `[0]`, `{5}` is `[5,1]`, `{0,1}` is `[0,2]`.
impl LotusJson for BitField {
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut end = 0;
        let runs = self.ranges().flat_map(|run| {
            let lengths = [run.start - end, run.end - run.start];
            end = run.end;
            lengths
        });
        let mut runs = runs.peekable();
        if runs.peek().is_none() {
            return serializer.collect_seq([0u64]);
        }
        serializer.collect_seq(runs)
    }

    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RunsVisitor)
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }
}

struct RunsVisitor;

impl<'de> Visitor<'de> for RunsVisitor {
    type Value = BitField;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of run lengths or null")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(BitField::new())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let (mut ranges, mut end, mut index) = (Vec::new(), 0u64, 0usize);
        while let Some(length) = seq.next_element::<u64>()? {
            if length == 0 && index > 0 {
                return Err(A::Error::custom(format_args!("[{index}]: a run of no bits")));
            }
            if index == MAX_RUNS {
                return Err(A::Error::custom(format_args!("more than {MAX_RUNS} runs")));
            }
            let start = end;
            end = start
                .checked_add(length)
                .filter(|end| *end < u64::MAX)
                .ok_or_else(|| A::Error::custom(format_args!("[{index}]: bits beyond 2^64")))?;
            if index % 2 == 1 {
                ranges.push(start..end);
            }
            index += 1;
        }
        Ok(BitField::from_ranges(Ranges::new(ranges)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Json;
    use proptest::prelude::*;

    fn set(bits: &[u64]) -> BitField {
        BitField::try_from_bits(bits.iter().copied()).unwrap()
    }

    fn json(set: &BitField) -> String {
        serde_json::to_string(&Json(set.clone())).unwrap()
    }

    fn read(text: &str) -> Result<BitField, serde_json::Error> {
        serde_json::from_str::<Json<BitField>>(text).map(Json::into_inner)
    }

    #[test]
    fn golden_runs() {
        let golden: [(&[u64], &str); 5] = [
            (&[], "[0]"),
            (&[5], "[5,1]"),
            (&[0, 1, 2], "[0,3]"),
            (&[2, 3, 4, 5, 9, 10], "[2,4,3,2]"),
            (&[0, 2, 4], "[0,1,1,1,1,1]"),
        ];
        for (bits, text) in golden {
            assert_eq!(json(&set(bits)), text);
            assert_eq!(read(text).unwrap(), set(bits));
        }
        for empty in ["null", "[]", "[0]", "[7]"] {
            assert!(read(empty).unwrap().is_empty(), "{empty}");
        }
    }

    #[test]
    fn golden_rle_plus() {
        // Computed by hand: version 00, first bit, then 1 | 01+4 bits | 00+varint for each run, low bits first.
        let golden: [(&[u64], &[u8]); 4] = [
            (&[], &[0x40]),
            (&[0], &[0x41, 0b0000_1100]),
            (&[0, 1, 2], &[0x41, 0b0111_0100]),
            (&[5], &[0x42, 0b1011_0000, 0b0000_0010]),
        ];
        for (bits, bytes) in golden {
            assert_eq!(set(bits).to_cbor(), bytes);
            assert_eq!(BitField::from_cbor(bytes).unwrap(), set(bits));
        }
    }

    #[test]
    fn operators() {
        let (a, b) = (set(&[1, 2, 3, 100]), set(&[2, 100, 200]));
        assert_eq!(&a & &b, set(&[2, 100]));
        assert_eq!(&a | &b, set(&[1, 2, 3, 100, 200]));
        assert_eq!(&a - &b, set(&[1, 3]));
        assert!(a.contains_any(&b) && !a.contains_all(&b) && a.get(100));
        assert!(read("[0,1152921504606846976]").unwrap().bounded_iter(1000).is_none());
    }

    #[test]
    fn refuses_what_is_no_set() {
        for bad in
            ["[1,0]", "[0,0,1]", "[0,0]", "[-1]", "[1.5]", "[18446744073709551615]", "{}", "\"\"", "[true]"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert!(read("[0,18446744073709551614]").is_ok());
        assert!(read("[1,18446744073709551614]").is_err());
        let long = format!("[{}1]", "1,".repeat(MAX_RUNS));
        assert!(read(&long).unwrap_err().to_string().contains("more than"));
        // A trailing run of zeros, another version, a long block where a short one does, no bytes.
        for bad in [&[0x41, 0b0000_1000][..], &[0x41, 0b0000_0001], &[0x42, 0x64, 0x60], &[0x60]] {
            assert!(BitField::from_cbor(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn round_trips(bits in proptest::collection::vec(0u64..500, 0..60)) {
            let set = set(&bits);
            prop_assert_eq!(&read(&json(&set)).unwrap(), &set);
            prop_assert_eq!(&BitField::from_cbor(&set.to_cbor()).unwrap(), &set);
        }

        #[test]
        fn reads_only_its_own_bytes(bytes: Vec<u8>) {
            let mut w = Writer::new();
            w.bytes(&bytes);
            let cbor = w.into_vec();
            if let Ok(set) = BitField::from_cbor(&cbor) {
                prop_assert_eq!(set.to_cbor(), cbor);
            }
        }
    }
}
