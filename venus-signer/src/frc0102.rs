//! FRC-0102: an envelope that keeps signed texts apart from everything that has a meaning on chain.
//!
//! `0x19 "Filecoin Signed Message:\n"`, the length in decimal digits, the message. The client wraps what a person
//! signs, and the one who verifies wraps it again; a wallet signs the wrapped bytes as `unknown`.
//!
//! ```
//! use venus_signer::frc0102;
//!
//! let wrapped = frc0102::wrap(b"hello");
//! assert_eq!(wrapped, b"\x19Filecoin Signed Message:\n5hello");
//! assert_eq!(frc0102::unwrap(&wrapped), Some(&b"hello"[..]));
//! ```

use venus_core::api::{ISigner, SignerError};
use venus_core::crypto::{self, CryptoError};
use venus_core::types::{Address, MsgMeta, MsgType, Signature};

const FILECOIN: &[u8] = b"\x19Filecoin Signed Message:\n";
const ETHEREUM: &[u8] = b"\x19Ethereum Signed Message:\n";
/// Digits of the longest length there can be.
const MAX_DIGITS: usize = 20;

/// Puts a message into the envelope.
pub fn wrap(message: &[u8]) -> Vec<u8> {
    enclose(FILECOIN, message)
}

/// Puts a message into Ethereum's envelope (`personal_sign`), which `f4` keys are asked to sign by Ethereum tools.
pub fn wrap_ethereum(message: &[u8]) -> Vec<u8> {
    enclose(ETHEREUM, message)
}

/// The message inside the envelope; `None` if it is none, or its length is wrong.
pub fn unwrap(bytes: &[u8]) -> Option<&[u8]> {
    disclose(FILECOIN, bytes)
}

/// As [`unwrap`], of Ethereum's envelope.
pub fn unwrap_ethereum(bytes: &[u8]) -> Option<&[u8]> {
    disclose(ETHEREUM, bytes)
}

/// Signs a text in the envelope.
///
/// # Errors
/// As [`ISigner::sign`].
pub async fn sign_text(
    signer: &(impl ISigner + ?Sized),
    address: &Address,
    text: &str,
) -> Result<Signature, SignerError> {
    signer.sign(address, &wrap(text.as_bytes()), &MsgMeta::of(MsgType::Unknown)).await
}

/// Checks a signature of [`sign_text`].
///
/// # Errors
/// As [`crypto::verify`].
pub fn verify_text(signature: &Signature, address: &Address, text: &str) -> Result<(), CryptoError> {
    crypto::verify(signature, address, &wrap(text.as_bytes()))
}

fn enclose(prefix: &[u8], message: &[u8]) -> Vec<u8> {
    [prefix, message.len().to_string().as_bytes(), message].concat()
}

/// The digits end where the rest is as long as they say. A message that begins with digits makes no two such places:
/// one digit more is ten times the length.
fn disclose<'a>(prefix: &[u8], bytes: &'a [u8]) -> Option<&'a [u8]> {
    let rest = bytes.strip_prefix(prefix)?;
    let mut len = 0_usize;
    for (at, digit) in rest.iter().enumerate().take(MAX_DIGITS) {
        if !digit.is_ascii_digit() || (at == 1 && len == 0) {
            return None;
        }
        len = len.checked_mul(10)?.checked_add(usize::from(digit - b'0'))?;
        let (_, message) = rest.split_at_checked(at + 1)?;
        if message.len() == len {
            return Some(message);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use venus_core::entropy::SeededEntropy;

    use super::*;
    use crate::{KeyType, LocalWallet};

    #[test]
    fn envelopes_byte_by_byte() {
        let cases: [(&[u8], &[u8]); 3] = [
            (b"", b"\x19Filecoin Signed Message:\n0"),
            (b"\xde\xad\xbe\xef", b"\x19Filecoin Signed Message:\n4\xde\xad\xbe\xef"),
            (b"1234567890", b"\x19Filecoin Signed Message:\n101234567890"),
        ];
        for (message, wrapped) in cases {
            assert_eq!(wrap(message), wrapped);
            assert_eq!(unwrap(wrapped), Some(message));
            assert_eq!(unwrap_ethereum(wrapped), None);
        }
        assert_eq!(wrap_ethereum(b"hi"), b"\x19Ethereum Signed Message:\n2hi");
        assert_eq!(unwrap_ethereum(&wrap_ethereum(b"hi")), Some(&b"hi"[..]));
        for broken in ["", "5hell", "5hello!", "05hello", "x", "-1", "99999999999999999999999999"] {
            assert_eq!(
                unwrap(format!("\x19Filecoin Signed Message:\n{broken}").as_bytes()),
                None,
                "{broken}"
            );
        }
        assert_eq!(unwrap(b"Filecoin Signed Message:\n5hello"), None);
    }

    #[tokio::test]
    async fn a_text_is_signed_in_its_envelope() {
        let wallet = LocalWallet::in_memory();
        let address = wallet.generate(KeyType::Secp256k1, &SeededEntropy::new(1, "text")).await.unwrap();
        let signature = sign_text(&wallet, &address, "I agree").await.unwrap();
        verify_text(&signature, &address, "I agree").unwrap();
        verify_text(&signature, &address, "I disagree").unwrap_err();
        crypto::verify(&signature, &address, b"I agree").unwrap_err();
    }

    proptest! {
        #[test]
        fn what_is_wrapped_is_unwrapped(message in proptest::collection::vec(any::<u8>(), 0..300), digits in "[0-9]{0,30}") {
            for message in [&message[..], digits.as_bytes()] {
                let wrapped = wrap(message);
                prop_assert_eq!(unwrap(&wrapped), Some(message));
            }
        }

        #[test]
        fn what_is_unwrapped_is_wrapped(tail in "[0-9]{0,3}.{0,40}") {
            let bytes = [FILECOIN, tail.as_bytes()].concat();
            if let Some(message) = unwrap(&bytes) {
                prop_assert_eq!(wrap(message), bytes);
            }
        }
    }
}
