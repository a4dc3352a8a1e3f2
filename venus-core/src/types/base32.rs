//! Base32 in lower case without padding (RFC 4648), which addresses and CIDs are written in.
//!
//! Works on buffers of the caller, because chain JSON is full of these texts and each is short.

/// One in every byte of a word: eight symbols are worked on at once.
const EACH: u64 = 0x0101_0101_0101_0101;
/// The highest bit of every byte, which no symbol has.
const HIGH: u64 = EACH << 7;
/// Between the symbol of 25, `z`, and that of 26, `2`, the code falls by this more than it should rise.
const FALL: u64 = (b'a' - (b'2' - 26)) as u64;

/// Symbols that `bytes` bytes are written with.
pub(crate) const fn symbols_for(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Decodes `text` into the beginning of `out` and gives the number of bytes; what lies behind them is undefined.
/// `None` if `text` is not the one text of any bytes, or if `out` is too short.
#[inline]
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let (groups, last) = text.as_chunks::<8>();
    let (whole, rest) = out.split_at_mut_checked(groups.len() * 5)?;
    for (group, block) in groups.iter().zip(whole.as_chunks_mut::<5>().0) {
        *block = low_five(bits_of(u64::from_be_bytes(*group))?);
    }
    // One, three or six symbols hold no whole number of bytes more than fewer symbols would.
    let extra = match last.len() {
        0 => return Some(whole.len()),
        2 => 1,
        4 => 2,
        5 => 3,
        7 => 4,
        _ => return None,
    };
    let bits = bits_of(last_group(text, last))?;
    if bits & (u64::MAX >> (24 + 8 * extra)) != 0 {
        return None;
    }
    let block = low_five(bits);
    match rest.first_chunk_mut() {
        Some(room) => *room = block,
        None => rest.get_mut(..extra)?.copy_from_slice(block.get(..extra)?),
    }
    Some(whole.len() + extra)
}

/// The symbols behind the last whole group, filled up with zeros: `a`.
#[inline]
fn last_group(text: &[u8], last: &[u8]) -> u64 {
    // One load and two shifts, where there is a group before to load with.
    let symbols = match text.last_chunk::<8>() {
        Some(end) => u64::from_be_bytes(*end) << (64 - 8 * last.len()),
        None => last.iter().rev().fold(0, |word, symbol| word >> 8 | u64::from(*symbol) << 56),
    };
    symbols | (u64::from(b'a') * EACH) >> (8 * last.len())
}

/// The 40 bits that eight symbols stand for.
#[inline]
fn bits_of(word: u64) -> Option<u64> {
    // A byte below 0x80 reaches the highest bit exactly if it is at least `least`; no byte carries into the next.
    let at_least = |least: u8| (word & !HIGH) + u64::from(0x80 - least) * EACH;
    let letters = at_least(b'a') & !at_least(b'z' + 1) & HIGH;
    let digits = at_least(b'2') & !at_least(b'7' + 1) & HIGH;
    if word & HIGH != 0 || letters | digits != HIGH {
        return None;
    }
    let values = word - u64::from(b'2' - 26) * EACH - (letters >> 7) * FALL;
    // Five bits of every eight, then ten of sixteen, then twenty of 32 move together.
    let tens = (values & 0x1f00_1f00_1f00_1f00) >> 3 | values & 0x001f_001f_001f_001f;
    let twenties = (tens & 0x03ff_0000_03ff_0000) >> 6 | tens & 0x0000_03ff_0000_03ff;
    Some((twenties >> 32) << 20 | twenties & 0xf_ffff)
}

#[inline]
fn low_five(bits: u64) -> [u8; 5] {
    let [_, _, _, a, b, c, d, e] = bits.to_be_bytes();
    [a, b, c, d, e]
}

/// Writes `bytes` into the beginning of `out` and gives the number of symbols; what lies behind them is undefined.
/// What `out` has no room for is left out.
#[inline]
pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) -> usize {
    let (blocks, last) = bytes.as_chunks::<5>();
    let whole = blocks.len() * 8;
    for ([a, b, c, d, e], group) in blocks.iter().zip(out.as_chunks_mut::<8>().0) {
        *group = symbols_of(u64::from_be_bytes([0, 0, 0, *a, *b, *c, *d, *e]));
    }
    let symbols = symbols_for(bytes.len());
    let rest = out.get_mut(whole..).unwrap_or_default();
    if !last.is_empty() {
        let bits = last.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)) << (40 - 8 * last.len());
        let group = symbols_of(bits);
        match rest.first_chunk_mut() {
            Some(room) => *room = group,
            None => rest.iter_mut().zip(group).for_each(|(to, from)| *to = from),
        }
    }
    symbols
}

/// The eight symbols of 40 bits.
#[inline]
fn symbols_of(bits: u64) -> [u8; 8] {
    let twenties = (bits >> 20) << 32 | bits & 0xf_ffff;
    let tens = (twenties & 0x000f_fc00_000f_fc00) << 6 | twenties & 0x0000_03ff_0000_03ff;
    let values = (tens & 0x03e0_03e0_03e0_03e0) << 3 | tens & 0x001f_001f_001f_001f;
    let digits = ((values + (0x80 - 26) * EACH) & HIGH) >> 7;
    (values + u64::from(b'a') * EACH - digits * FALL).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use data_encoding::{Encoding, Specification};
    use proptest::prelude::*;

    use super::*;

    fn reference() -> Encoding {
        let mut specification = Specification::new();
        specification.symbols.push_str("abcdefghijklmnopqrstuvwxyz234567");
        specification.encoding().unwrap()
    }

    #[test]
    fn too_little_room_is_refused() {
        assert_eq!(decode(b"aaaaaaaa", &mut [0; 4]), None);
        assert_eq!(decode(b"aa", &mut []), None);
        assert_eq!(decode(b"", &mut []), Some(0));
    }

    proptest! {
        #[test]
        fn writes_and_reads_as_the_reference(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let (mut text, mut back) = ([0; 128], [0; 80]);
            let len = encode(&bytes, &mut text);
            let expected = reference().encode(&bytes);
            prop_assert_eq!(&text[..len], expected.as_bytes());
            prop_assert_eq!(decode(&text[..len], &mut back), Some(bytes.len()));
            prop_assert_eq!(&back[..bytes.len()], &bytes);
        }

        #[test]
        fn refuses_as_the_reference(text in prop_oneof!["[a-z2-7]{0,40}", "[a-zA-Z0-9=]{0,24}", ".{0,24}"]) {
            let mut bytes = [0; 128];
            let ours = decode(text.as_bytes(), &mut bytes).map(|len| bytes[..len].to_vec());
            prop_assert_eq!(ours, reference().decode(text.as_bytes()).ok());
        }
    }
}
