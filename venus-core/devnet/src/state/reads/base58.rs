//! The text of libp2p peer IDs.

const DIGITS: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Writes bytes in base 58, as Bitcoin does. Takes time by the square of the length: for short texts only.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let zeros = bytes.iter().take_while(|byte| **byte == 0).map(|_| 0);
    let ordered = zeros.chain(digits.iter().rev().copied());
    ordered.filter_map(|digit| DIGITS.get(usize::from(digit))).map(|c| char::from(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_texts() {
        // From the Bitcoin test vectors.
        for (bytes, text) in [
            (&b""[..], ""),
            (&[0x61], "2g"),
            (&[0x51, 0x6b, 0x6f, 0xcd, 0x0f], "ABnLTmg"),
            (&[0, 0, 0, 0x28, 0x7f, 0xb4, 0xcd], "111233QC4"),
        ] {
            assert_eq!(encode(bytes), text);
        }
        let mut peer = vec![0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
        peer.extend([7; 32]);
        assert!(encode(&peer).starts_with("12D3KooW"));
    }
}
