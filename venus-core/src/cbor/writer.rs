//! The encoder's sink.

use cid::Cid;

use crate::types::cids::{MAX_CID, cid_bytes};

/// Collects canonical CBOR. Every method picks the shortest head, as DAG-CBOR demands.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    buf: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::with_capacity(256)
    }

    /// An empty writer that allocates when it is first written to.
    pub const fn unallocated() -> Self {
        Self { buf: Vec::new() }
    }

    /// An empty writer with room for `capacity` bytes.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { buf: Vec::with_capacity(capacity) }
    }

    /// An unsigned integer.
    #[inline]
    pub fn uint(&mut self, value: u64) {
        self.head(0, value);
    }

    /// A signed integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        match u64::try_from(value) {
            Ok(v) => self.head(0, v),
            // CBOR stores -1-n, which is the complement.
            Err(_) => self.head(1, !(value as u64)),
        }
    }

    /// A byte string.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.head(2, bytes.len() as u64);
        self.buf.extend_from_slice(bytes);
    }

    /// A byte string made of two pieces, without joining them first.
    #[inline]
    pub fn bytes2(&mut self, a: &[u8], b: &[u8]) {
        self.head(2, (a.len() + b.len()) as u64);
        self.buf.extend_from_slice(a);
        self.buf.extend_from_slice(b);
    }

    /// A text string.
    pub fn text(&mut self, text: &str) {
        self.head(3, text.len() as u64);
        self.buf.extend_from_slice(text.as_bytes());
    }

    /// The head of a list; its elements follow.
    #[inline]
    pub fn array(&mut self, len: u64) {
        self.head(4, len);
    }

    /// The head of a map; its keys and values follow.
    pub fn map(&mut self, len: u64) {
        self.head(5, len);
    }

    /// A link: tag 42 over the CID's bytes with the identity multibase prefix.
    pub fn cid(&mut self, cid: &Cid) {
        self.buf.extend_from_slice(&[0xd8, 0x2a]);
        self.bytes2(&[0], cid_bytes(cid, &mut [0; MAX_CID]));
    }

    /// Null.
    pub fn null(&mut self) {
        self.buf.push(0xf6);
    }

    /// A boolean.
    pub fn bool(&mut self, value: bool) {
        self.buf.push(if value { 0xf5 } else { 0xf4 });
    }

    /// Bytes that are CBOR already.
    pub fn raw(&mut self, encoded: &[u8]) {
        self.buf.extend_from_slice(encoded);
    }

    /// Forgets what was written and keeps the room for it.
    pub fn clear(&mut self) {
        self.buf.clear();
    }

    /// The bytes that there is room for.
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }

    /// What was written so far.
    pub fn as_slice(&self) -> &[u8] {
        &self.buf
    }

    /// The encoding.
    pub fn into_vec(self) -> Vec<u8> {
        self.buf
    }

    #[inline]
    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        match value {
            0..=23 => self.buf.push(major | value as u8),
            24..=0xff => self.buf.extend_from_slice(&[major | 24, value as u8]),
            0x100..=0xffff => {
                self.buf.push(major | 25);
                self.buf.extend_from_slice(&(value as u16).to_be_bytes());
            }
            0x1_0000..=0xffff_ffff => {
                self.buf.push(major | 26);
                self.buf.extend_from_slice(&(value as u32).to_be_bytes());
            }
            _ => {
                self.buf.push(major | 27);
                self.buf.extend_from_slice(&value.to_be_bytes());
            }
        }
    }
}
