//! BLAKE2b (RFC 7693) of a few bytes.
//!
//! An address has 21 to 65 bytes, and its checksum costs more than all the rest of reading or writing it. Most words
//! of its only block are zero; here they are zero for the compiler too, which a library for any length cannot have.

/// RFC 7693, section 2.6.
const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// What the first word of the state differs by from [`IV`], for a digest of four bytes without a key (section 2.5).
const PARAMETERS: u64 = 0x0101_0004;

/// The digest of four bytes of at most eight times `WORDS` bytes; `None` for more.
#[inline]
pub(crate) fn blake2b_32<const WORDS: usize>(bytes: &[u8]) -> Option<[u8; 4]> {
    let mut words = [0_u64; WORDS];
    let (whole, last) = bytes.as_chunks::<8>();
    for (word, bytes) in words.iter_mut().zip(whole) {
        *word = u64::from_le_bytes(*bytes);
    }
    match (words.get_mut(whole.len()), last) {
        (Some(word), last) => *word = last.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        (None, []) if whole.len() == WORDS => {}
        (None, _) => return None,
    }
    let state = compress(&words, bytes.len() as u64);
    state.to_le_bytes().first_chunk().copied()
}

/// One round of section 3.2: where the words of the message stand in it is a constant, as is whether there is one.
macro_rules! round {
    ($v:ident $m:ident: $a:literal $b:literal $c:literal $d:literal $e:literal $f:literal $g:literal $h:literal
     $i:literal $j:literal $k:literal $l:literal $n:literal $o:literal $p:literal $q:literal) => {
        let [v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, va, vb, vc, vd, ve, vf] = $v;
        let word = |at: usize| $m.get(at).copied().unwrap_or(0);
        let (v0, v4, v8, vc) = mix(v0, v4, v8, vc, word($a), word($b));
        let (v1, v5, v9, vd) = mix(v1, v5, v9, vd, word($c), word($d));
        let (v2, v6, va, ve) = mix(v2, v6, va, ve, word($e), word($f));
        let (v3, v7, vb, vf) = mix(v3, v7, vb, vf, word($g), word($h));
        let (v0, v5, va, vf) = mix(v0, v5, va, vf, word($i), word($j));
        let (v1, v6, vb, vc) = mix(v1, v6, vb, vc, word($k), word($l));
        let (v2, v7, v8, vd) = mix(v2, v7, v8, vd, word($n), word($o));
        let (v3, v4, v9, ve) = mix(v3, v4, v9, ve, word($p), word($q));
        $v = [v0, v1, v2, v3, v4, v5, v6, v7, v8, v9, va, vb, vc, vd, ve, vf];
    };
}

/// The first word of the state behind the only and last block.
#[inline]
fn compress<const WORDS: usize>(m: &[u64; WORDS], length: u64) -> u64 {
    let [i0, i1, i2, i3, i4, i5, i6, i7] = IV;
    let h0 = i0 ^ PARAMETERS;
    let mut v = [h0, i1, i2, i3, i4, i5, i6, i7, i0, i1, i2, i3, i4 ^ length, i5, !i6, i7];
    round!(v m: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    round!(v m: 14 10 4 8 9 15 13 6 1 12 0 2 11 7 5 3);
    round!(v m: 11 8 12 0 5 2 15 13 10 14 3 6 7 1 9 4);
    round!(v m: 7 9 3 1 13 12 11 14 2 6 5 10 4 0 15 8);
    round!(v m: 9 0 5 7 2 4 10 15 14 1 11 12 6 8 3 13);
    round!(v m: 2 12 6 10 0 11 8 3 4 13 7 5 15 14 1 9);
    round!(v m: 12 5 1 15 14 13 4 10 0 7 6 3 9 2 8 11);
    round!(v m: 13 11 7 14 12 1 3 9 5 0 15 4 8 6 2 10);
    round!(v m: 6 15 14 9 11 3 0 8 12 2 13 7 1 4 10 5);
    round!(v m: 10 2 8 4 7 6 1 5 15 11 9 14 3 12 13 0);
    round!(v m: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    round!(v m: 14 10 4 8 9 15 13 6 1 12 0 2 11 7 5 3);
    let [first, _, _, _, _, _, _, _, ninth, ..] = v;
    h0 ^ first ^ ninth
}

/// Section 3.1.
#[inline(always)]
fn mix(a: u64, b: u64, c: u64, d: u64, x: u64, y: u64) -> (u64, u64, u64, u64) {
    let a = a.wrapping_add(b).wrapping_add(x);
    let d = (d ^ a).rotate_right(32);
    let c = c.wrapping_add(d);
    let b = (b ^ c).rotate_right(24);
    let a = a.wrapping_add(b).wrapping_add(y);
    let d = (d ^ a).rotate_right(16);
    let c = c.wrapping_add(d);
    (a, (b ^ c).rotate_right(63), c, d)
}

#[cfg(test)]
mod tests {
    use blake2b_simd::Params;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_the_library(bytes in prop::collection::vec(any::<u8>(), 0..70)) {
            let hash = Params::new().hash_length(4).hash(&bytes);
            let expected: Option<[u8; 4]> = hash.as_bytes().try_into().ok();
            prop_assert_eq!(blake2b_32::<3>(&bytes), expected.filter(|_| bytes.len() <= 24));
            prop_assert_eq!(blake2b_32::<7>(&bytes), expected.filter(|_| bytes.len() <= 56));
        }
    }
}
