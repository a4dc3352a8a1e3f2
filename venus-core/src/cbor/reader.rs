//! The decoder's source.

use cid::Cid;

use super::{CborError, CborErrorKind as Kind, Decode, MAX_BYTES};

const UINT: u8 = 0;
const NEGATIVE: u8 = 1;
const BYTES: u8 = 2;
const TEXT: u8 = 3;
const ARRAY: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;
const FALSE_BYTE: u8 = 0xf4;
const TRUE_BYTE: u8 = 0xf5;
const NULL_BYTE: u8 = 0xf6;
/// Longest key of a map.
const MAX_KEY: u64 = 64;

/// Reads canonical CBOR from a slice without copying it.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    input: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `input`.
    pub fn new(input: &'a [u8]) -> Self {
        Self { input, at: 0 }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.input.len() - self.at
    }

    /// Offset of the next byte.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// An error at the current offset.
    pub fn error(&self, kind: Kind) -> CborError {
        CborError::new(self.at, kind)
    }

    /// Fails if bytes are left.
    ///
    /// # Errors
    /// [`CborErrorKind::Trailing`](super::CborErrorKind::Trailing).
    pub fn finish(&self) -> Result<(), CborError> {
        match self.remaining() {
            0 => Ok(()),
            n => Err(self.error(Kind::Trailing(n))),
        }
    }

    /// An unsigned integer.
    ///
    /// # Errors
    /// If another type stands here, or the integer has a shorter form.
    pub fn uint(&mut self) -> Result<u64, CborError> {
        self.expect(UINT, "an unsigned integer")
    }

    /// A signed 64-bit integer.
    ///
    /// # Errors
    /// If another type stands here, or the integer has a shorter form or does not fit.
    pub fn int(&mut self) -> Result<i64, CborError> {
        let start = self.at;
        let (major, value) = self.head()?;
        let value =
            i64::try_from(value).map_err(|_| CborError::new(start, Kind::Invalid("exceeds 64 bits")))?;
        match major {
            UINT => Ok(value),
            NEGATIVE => Ok(!value),
            found => Err(CborError::new(start, Kind::WrongType { expected: "an integer", found })),
        }
    }

    /// A byte string of at most [`MAX_BYTES`].
    ///
    /// # Errors
    /// If another type stands here, or the string is too long or cut short.
    pub fn bytes(&mut self) -> Result<&'a [u8], CborError> {
        self.bytes_up_to(MAX_BYTES)
    }

    /// A byte string of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`].
    pub fn bytes_up_to(&mut self, limit: u64) -> Result<&'a [u8], CborError> {
        let start = self.at;
        let len = self.expect(BYTES, "a byte string")?;
        self.take_up_to(start, len, limit)
    }

    /// A text string of at most `limit` bytes.
    ///
    /// # Errors
    /// As [`Reader::bytes`], and if it is no UTF-8.
    pub fn text(&mut self, limit: u64) -> Result<&'a str, CborError> {
        let start = self.at;
        let len = self.expect(TEXT, "a text string")?;
        let bytes = self.take_up_to(start, len, limit)?;
        std::str::from_utf8(bytes).map_err(|_| CborError::new(start, Kind::Invalid("not UTF-8")))
    }

    /// The length of a list of at most `limit` elements.
    ///
    /// # Errors
    /// If another type stands here, or the list is too long.
    pub fn array(&mut self, limit: u64) -> Result<u64, CborError> {
        let start = self.at;
        let found = self.expect(ARRAY, "a list")?;
        if found > limit {
            return Err(CborError::new(start, Kind::TooLong { limit, found }));
        }
        Ok(found)
    }

    /// The head of a list of exactly `expected` elements.
    ///
    /// # Errors
    /// If another type stands here, or the list has another length.
    pub fn tuple(&mut self, expected: u64) -> Result<(), CborError> {
        let start = self.at;
        let found = self.expect(ARRAY, "a list")?;
        if found != expected {
            return Err(CborError::new(start, Kind::WrongLength { expected, found }));
        }
        Ok(())
    }

    /// The number of pairs in a map of at most `limit` pairs.
    ///
    /// # Errors
    /// If another type stands here, or the map is too long.
    pub fn map(&mut self, limit: u64) -> Result<u64, CborError> {
        let start = self.at;
        let found = self.expect(MAP, "a map")?;
        if found > limit {
            return Err(CborError::new(start, Kind::TooLong { limit, found }));
        }
        Ok(found)
    }

    /// The head of a map of exactly `expected` pairs.
    ///
    /// # Errors
    /// If another type stands here, or the map has another number of pairs.
    pub fn map_of(&mut self, expected: u64) -> Result<(), CborError> {
        let start = self.at;
        let found = self.expect(MAP, "a map")?;
        if found != expected {
            return Err(CborError::new(start, Kind::WrongLength { expected, found }));
        }
        Ok(())
    }

    /// One pair of a map: exactly this key, then its value.
    ///
    /// # Errors
    /// If another key stands here, and those of the value.
    pub fn entry<T: Decode>(&mut self, key: &str) -> Result<T, CborError> {
        let start = self.at;
        if self.text(MAX_KEY)? != key {
            return Err(CborError::new(start, Kind::Invalid("another key stands here")));
        }
        T::decode(self)
    }

    /// A link (tag 42).
    ///
    /// # Errors
    /// If another type stands here, or the bytes are no CID or hold more than one.
    pub fn cid(&mut self) -> Result<Cid, CborError> {
        let start = self.at;
        let invalid = |reason| CborError::new(start, Kind::Invalid(reason));
        if self.expect(TAG, "a link")? != 42 {
            return Err(invalid("tag is not 42"));
        }
        let bytes = self.bytes_up_to(128)?;
        let rest = bytes.strip_prefix(&[0]).ok_or_else(|| invalid("link without the identity prefix"))?;
        let cid = Cid::try_from(rest).map_err(|_| invalid("not a CID"))?;
        // The parser ignores what follows the CID and accepts long varints.
        if cid.to_bytes() != rest {
            return Err(CborError::new(start, Kind::NotCanonical("CID")));
        }
        Ok(cid)
    }

    /// A boolean.
    ///
    /// # Errors
    /// If another value stands here.
    pub fn bool(&mut self) -> Result<bool, CborError> {
        let value = match self.input.get(self.at) {
            Some(&FALSE_BYTE) => false,
            Some(&TRUE_BYTE) => true,
            Some(other) => {
                return Err(self.error(Kind::WrongType { expected: "a boolean", found: other >> 5 }));
            }
            None => return Err(self.error(Kind::Truncated)),
        };
        self.at += 1;
        Ok(value)
    }

    /// Whether a byte string stands here.
    pub fn at_bytes(&self) -> bool {
        self.input.get(self.at).is_some_and(|first| first >> 5 == BYTES)
    }

    /// Consumes a null if one stands here.
    pub fn try_null(&mut self) -> bool {
        let found = self.input.get(self.at) == Some(&NULL_BYTE);
        if found {
            self.at += 1;
        }
        found
    }

    fn expect(&mut self, major: u8, expected: &'static str) -> Result<u64, CborError> {
        let start = self.at;
        let (found, value) = self.head()?;
        if found != major {
            return Err(CborError::new(start, Kind::WrongType { expected, found }));
        }
        Ok(value)
    }

    fn head(&mut self) -> Result<(u8, u64), CborError> {
        let start = self.at;
        let first = self.take(1)?.first().copied().unwrap_or_default();
        let (major, info) = (first >> 5, first & 0x1f);
        let (value, least) = match info {
            0..=23 => (u64::from(info), 0),
            24 => (self.be(1)?, 24),
            25 => (self.be(2)?, 0x100),
            26 => (self.be(4)?, 0x1_0000),
            27 => (self.be(8)?, 0x1_0000_0000),
            _ => return Err(CborError::new(start, Kind::NotCanonical("indefinite or reserved length"))),
        };
        // Major type 7 holds simple values and floats, which have no shortest-form rule here and no use.
        if value < least && major != 7 {
            return Err(CborError::new(start, Kind::NotCanonical("integer has a shorter form")));
        }
        Ok((major, value))
    }

    fn be(&mut self, len: usize) -> Result<u64, CborError> {
        Ok(self.take(len)?.iter().fold(0, |acc, b| acc << 8 | u64::from(*b)))
    }

    fn take_up_to(&mut self, start: usize, found: u64, limit: u64) -> Result<&'a [u8], CborError> {
        if found > limit {
            return Err(CborError::new(start, Kind::TooLong { limit, found }));
        }
        let len =
            usize::try_from(found).map_err(|_| CborError::new(start, Kind::TooLong { limit, found }))?;
        self.take(len)
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CborError> {
        let end = self.at.checked_add(len);
        let slice =
            end.and_then(|end| self.input.get(self.at..end)).ok_or_else(|| self.error(Kind::Truncated))?;
        self.at += len;
        Ok(slice)
    }
}
