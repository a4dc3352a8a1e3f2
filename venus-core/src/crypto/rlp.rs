//! The part of Ethereum's RLP that a transaction needs: byte strings and one list.

use num_bigint::BigUint;

/// Collects the items of one RLP list.
#[derive(Debug, Default)]
pub(super) struct RlpList {
    items: Vec<u8>,
}

impl RlpList {
    /// A byte string.
    pub(super) fn bytes(mut self, bytes: &[u8]) -> Self {
        match bytes {
            [byte] if *byte < 0x80 => self.items.push(*byte),
            _ => {
                head(&mut self.items, 0x80, bytes.len());
                self.items.extend_from_slice(bytes);
            }
        }
        self
    }

    /// An integer: big-endian without leading zeros, so that zero is the empty string.
    pub(super) fn uint(self, value: u64) -> Self {
        self.bytes(minimal(&value.to_be_bytes()))
    }

    /// As [`RlpList::uint`], of any size.
    pub(super) fn big_uint(self, value: &BigUint) -> Self {
        self.bytes(minimal(&value.to_bytes_be()))
    }

    /// A list without items.
    pub(super) fn empty_list(mut self) -> Self {
        self.items.push(0xc0);
        self
    }

    /// The list behind `prefix`.
    pub(super) fn finish(self, prefix: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(prefix.len() + 9 + self.items.len());
        out.extend_from_slice(prefix);
        head(&mut out, 0xc0, self.items.len());
        out.extend_from_slice(&self.items);
        out
    }
}

/// Big-endian bytes without their leading zeros.
pub(super) fn minimal(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

/// A length up to 55 fits the first byte; longer ones follow it.
fn head(out: &mut Vec<u8>, base: u8, len: usize) {
    if len <= 55 {
        out.push(base + len as u8);
        return;
    }
    let be = (len as u64).to_be_bytes();
    let len = minimal(&be);
    out.push(base + 55 + len.len() as u8);
    out.extend_from_slice(len);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_encodings() {
        assert_eq!(RlpList::default().finish(&[]), [0xc0]);
        let list = RlpList::default().bytes(b"cat").bytes(b"").uint(0).uint(15).uint(1024).empty_list();
        assert_eq!(list.finish(&[2]), [2, 0xcb, 0x83, b'c', b'a', b't', 0x80, 0x80, 0x0f, 0x82, 4, 0, 0xc0]);
        assert_eq!(RlpList::default().bytes(&[0x80]).finish(&[]), [0xc2, 0x81, 0x80]);
        assert_eq!(RlpList::default().bytes(&[0]).finish(&[]), [0xc1, 0]);
        let long = RlpList::default().bytes(&[7; 56]).finish(&[]);
        assert_eq!(long[..4], [0xf8, 58, 0xb8, 56]);
        let longer = RlpList::default().bytes(&[7; 1024]).finish(&[]);
        assert_eq!(longer[..6], [0xf9, 4, 3, 0xb9, 4, 0]);
    }

    #[test]
    fn big_integers_have_no_leading_zero() {
        let list = RlpList::default().big_uint(&BigUint::ZERO).big_uint(&BigUint::from(u128::MAX));
        assert_eq!(list.finish(&[])[..3], [0xd2, 0x80, 0x90]);
    }
}
