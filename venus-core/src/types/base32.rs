//! Base32 in lower case without padding (RFC 4648), which addresses and CIDs are written in.
//!
//! Works on buffers of the caller, because chain JSON is full of these texts and each is short.

const SYMBOLS: [u8; 32] = *b"abcdefghijklmnopqrstuvwxyz234567";
/// No value of a symbol has this bit.
const BAD: u8 = 0x80;
const VALUES: [u8; 256] = values();

const fn values() -> [u8; 256] {
    let mut values = [BAD; 256];
    let mut value = 0;
    while value < SYMBOLS.len() {
        #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
        {
            values[SYMBOLS[value] as usize] = value as u8;
        }
        value += 1;
    }
    values
}

/// Symbols that `bytes` bytes are written with.
pub(crate) const fn symbols_for(bytes: usize) -> usize {
    (bytes * 8).div_ceil(5)
}

/// Decodes `text` into the beginning of `out` and gives the number of bytes. `None` if `text` is not the one text of
/// any bytes, or if `out` is too short.
pub(crate) fn decode(text: &[u8], out: &mut [u8]) -> Option<usize> {
    let (groups, last) = text.as_chunks::<8>();
    let (whole, rest) = out.split_at_mut_checked(groups.len() * 5)?;
    for (group, block) in groups.iter().zip(whole.as_chunks_mut::<5>().0) {
        *block = bytes_of(group)?;
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
    let mut group = [b'a'; 8];
    group.get_mut(..last.len())?.copy_from_slice(last);
    let block = bytes_of(&group)?;
    let (bytes, unused) = block.split_at_checked(extra)?;
    if unused.iter().any(|byte| *byte != 0) {
        return None;
    }
    rest.get_mut(..extra)?.copy_from_slice(bytes);
    Some(whole.len() + extra)
}

fn bytes_of(group: &[u8; 8]) -> Option<[u8; 5]> {
    let (mut bits, mut seen) = (0_u64, 0_u8);
    for symbol in group {
        let value = VALUES.get(usize::from(*symbol)).copied().unwrap_or(BAD);
        seen |= value;
        bits = bits << 5 | u64::from(value & 31);
    }
    let [_, _, _, a, b, c, d, e] = bits.to_be_bytes();
    (seen & BAD == 0).then_some([a, b, c, d, e])
}

/// Writes `bytes` into the beginning of `out` and gives the number of symbols; as many as fit.
pub(crate) fn encode(bytes: &[u8], out: &mut [u8]) -> usize {
    let (blocks, last) = bytes.as_chunks::<5>();
    let (groups, _) = out.as_chunks_mut::<8>();
    for (block, group) in blocks.iter().zip(groups) {
        *group = symbols_of(block);
    }
    let mut block = [0; 5];
    block.iter_mut().zip(last).for_each(|(to, from)| *to = *from);
    let rest = out.get_mut(blocks.len() * 8..symbols_for(bytes.len())).unwrap_or_default();
    rest.iter_mut().zip(symbols_of(&block)).for_each(|(to, from)| *to = from);
    symbols_for(bytes.len())
}

fn symbols_of(block: &[u8; 5]) -> [u8; 8] {
    let [a, b, c, d, e] = *block;
    let bits = u64::from_be_bytes([0, 0, 0, a, b, c, d, e]);
    let symbol = |shift: u32| SYMBOLS.get((bits >> shift & 31) as usize).copied().unwrap_or_default();
    [35, 30, 25, 20, 15, 10, 5, 0].map(symbol)
}

#[cfg(test)]
mod tests {
    use data_encoding::{Encoding, Specification};
    use proptest::prelude::*;

    use super::*;

    fn reference() -> Encoding {
        let mut specification = Specification::new();
        specification.symbols.push_str(std::str::from_utf8(&SYMBOLS).unwrap());
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
