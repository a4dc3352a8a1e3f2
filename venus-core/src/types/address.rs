//! Address text on any network.
//!
//! `fvm_shared` parses and prints only for a network that is set once for the whole process. A pool talks to
//! several networks and reads `f` and `t` alike, so here the network is an argument.

use fvm_shared::address::{Address, Network};

use crate::error::{Classify, ErrorKind};

/// Longest text of an address, as in Go: prefix, protocol, namespace and 54 + 4 bytes in base32.
pub const MAX_TEXT: usize = 115;

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AddressError {
    /// Shorter than 3 or longer than [`MAX_TEXT`] characters.
    #[error("address has {0} characters, expected 3 to {MAX_TEXT}")]
    Length(usize),
    /// The first character is neither `f` nor `t`.
    #[error("address must begin with f or t")]
    Network,
    /// The actor ID is no decimal number below 2^63 without leading zeros or sign.
    #[error("address: not an actor ID")]
    Id,
    /// Payload, checksum or protocol is wrong.
    #[error("address: {0}")]
    Malformed(String),
    /// Another text stands for the same address.
    #[error("address is not in canonical form")]
    NotCanonical,
}

impl Classify for AddressError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }
}

/// Reads an address of any network.
///
/// ```
/// use venus_core::types::address;
/// assert_eq!(address::parse("f01000")?, address::parse("t01000")?);
/// assert!(address::parse("f01000x").is_err());
/// # Ok::<(), address::AddressError>(())
/// ```
///
/// # Errors
/// [`AddressError`] if the text is no address or not the canonical text of one.
pub fn parse(text: &str) -> Result<Address, AddressError> {
    parse_with_network(text).map(|(address, _)| address)
}

/// Reads an address and the network that its prefix names.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_network(text: &str) -> Result<(Address, Network), AddressError> {
    if text.len() < 3 || text.len() > MAX_TEXT {
        return Err(AddressError::Length(text.len()));
    }
    let network = match text.as_bytes().first() {
        Some(b'f') => Network::Mainnet,
        Some(b't') => Network::Testnet,
        _ => return Err(AddressError::Network),
    };
    if let Some(id) = text.get(2..).filter(|_| text.as_bytes().get(1) == Some(&b'0')) {
        return parse_id(id).map(|id| (Address::new_id(id), network));
    }
    let address = network.parse_address(text).map_err(|e| AddressError::Malformed(e.to_string()))?;
    if format(&address, network) != text {
        return Err(AddressError::NotCanonical);
    }
    Ok((address, network))
}

fn parse_id(digits: &str) -> Result<u64, AddressError> {
    let canonical =
        digits.bytes().all(|b| b.is_ascii_digit()) && (digits.len() == 1 || !digits.starts_with('0'));
    let id = digits.parse().ok().filter(|id| canonical && *id <= i64::MAX as u64);
    id.ok_or(AddressError::Id)
}

/// Writes an address for `network`: `f…` on mainnet, `t…` elsewhere.
///
/// ```
/// use venus_core::types::{Address, Network, address};
/// assert_eq!(address::format(&Address::new_id(1000), Network::Testnet), "t01000");
/// ```
pub fn format(address: &Address, network: Network) -> String {
    // `fvm_shared` prints with the prefix of a process-wide setting, which may be either.
    let mut text = address.to_string();
    text.replace_range(..1, if network == Network::Mainnet { "f" } else { "t" });
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_networks_and_writes_either() {
        let text = "t17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq";
        let (address, network) = parse_with_network(text).unwrap();
        assert_eq!(network, Network::Testnet);
        assert_eq!(format(&address, Network::Testnet), text);
        assert_eq!(format(&address, Network::Mainnet), "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiq");
        assert_eq!(parse("f410fnz6o7a4owcgw33z2zvsxtuf64aoxlmcn4dh5hzy").unwrap().payload_bytes().len(), 21);
    }

    #[test]
    fn refuses_what_go_refuses() {
        let bad = [
            "",
            "f0",
            "x01000",
            "f0-1",
            "f001",
            "f0+1",
            "f09223372036854775808",
            "f51000",
            "f1",
            "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluiR",
            "f17rmoshisxovfjkrox2gpryaupmsalzy2tlaluia",
            "F01000",
            "f0１",
        ];
        for text in bad {
            assert!(parse(text).is_err(), "{text:?} was read");
        }
        assert!(parse(&"f".repeat(64 << 10)).is_err());
    }
}
