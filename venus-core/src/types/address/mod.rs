//! Address text on any network.
//!
//! `fvm_shared` parses and prints only for a network that is set once for the whole process. A pool talks to
//! several networks and reads `f` and `t` alike, so here the network is an argument. It also passes over texts that
//! it would not write: here every address has one text a network.

mod text;

use fvm_shared::address::{Address, Network};

use self::text::{Draft, TOGETHER, checksum, checksums, has_sum};
pub(crate) use self::text::{Raw, Text};
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
    Malformed(&'static str),
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
    let mut raw = Raw::new();
    let draft = Draft::read(text, &mut raw)?;
    let sum = if draft.is_hashed() { checksum(&raw) } else { Default::default() };
    draft.finish(&raw, sum)
}

/// Reads an address and the network that its prefix names.
///
/// # Errors
/// As [`parse`].
pub fn parse_with_network(text: &str) -> Result<(Address, Network), AddressError> {
    let mut raw = Raw::new();
    let draft = Draft::read(text, &mut raw)?;
    let sum = if draft.is_hashed() { checksum(&raw) } else { Default::default() };
    Ok((draft.finish(&raw, sum)?, draft.network))
}

/// Reads many addresses of any network, each as [`parse`] does, but in less time together than one by one.
///
/// The results stand in the order of the texts. Collect them into a `Result` to stop at the first bad one.
///
/// ```
/// use venus_core::types::{Address, address};
/// let read: Result<Vec<_>, _> = address::parse_many(&["f01000", "t01001"]).into_iter().collect();
/// assert_eq!(read?, [Address::new_id(1000), Address::new_id(1001)]);
/// # Ok::<(), address::AddressError>(())
/// ```
pub fn parse_many<T: AsRef<str>>(texts: &[T]) -> Vec<Result<Address, AddressError>> {
    let mut addresses = Vec::with_capacity(texts.len());
    let mut drafts = Vec::with_capacity(TOGETHER);
    let mut raws = [const { Raw::new() }; TOGETHER];
    for together in texts.chunks(TOGETHER) {
        drafts.extend(together.iter().zip(&mut raws).map(|(text, raw)| Draft::read(text.as_ref(), raw)));
        let is_hashed = |draft: &Result<Draft, _>| draft.as_ref().is_ok_and(Draft::is_hashed);
        let hashed = drafts.iter().zip(&raws).filter(|(draft, _)| is_hashed(draft));
        let mut sums = checksums(hashed.map(|(_, raw)| raw)).into_iter();
        addresses.extend(drafts.drain(..).zip(&raws).map(|(draft, raw)| {
            let draft = draft?;
            let sum = if draft.is_hashed() { sums.next() } else { None };
            draft.finish(raw, sum.unwrap_or_default())
        }));
    }
    addresses
}

/// Writes an address for `network`: `f…` on mainnet, `t…` elsewhere.
///
/// ```
/// use venus_core::types::{Address, Network, address};
/// assert_eq!(address::format(&Address::new_id(1000), Network::Testnet), "t01000");
/// ```
pub fn format(address: &Address, network: Network) -> String {
    Text::of(address, network).as_str().to_owned()
}

/// Writes many addresses for `network`, each as [`format()`] does, but in less time together than one by one.
pub fn format_many(addresses: &[Address], network: Network) -> Vec<String> {
    let mut texts = Vec::with_capacity(addresses.len());
    let mut raws = Vec::with_capacity(TOGETHER);
    for together in addresses.chunks(TOGETHER) {
        raws.extend(together.iter().map(Raw::of));
        let hashed = together.iter().zip(&raws).filter(|(address, _)| has_sum(address));
        let mut sums = checksums(hashed.map(|(_, raw)| raw)).into_iter();
        for (address, mut raw) in together.iter().zip(raws.drain(..)) {
            let sum = if has_sum(address) { sums.next() } else { None };
            let text = Text::finish(address, network, &mut raw, sum.unwrap_or_default());
            texts.push(text.as_str().to_owned());
        }
    }
    texts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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

    fn addresses() -> impl Strategy<Value = Address> {
        let bytes = |n: usize| prop::collection::vec(any::<u8>(), n);
        prop_oneof![
            (0..=i64::MAX as u64).prop_map(Address::new_id),
            bytes(65).prop_map(|key| Address::new_secp256k1(&key).unwrap()),
            bytes(32).prop_map(|data| Address::new_actor(&data)),
            bytes(48).prop_map(|key| Address::new_bls(&key).unwrap()),
            (0..=i64::MAX as u64, prop::collection::vec(any::<u8>(), 0..=54))
                .prop_map(|(namespace, sub)| Address::new_delegated(namespace, &sub).unwrap()),
        ]
    }

    fn networks() -> impl Strategy<Value = Network> {
        prop_oneof![Just(Network::Mainnet), Just(Network::Testnet)]
    }

    /// `fvm_shared`'s text, with the prefix of `network` whatever the process is set to.
    fn reference_text(address: &Address, network: Network) -> String {
        let prefix = if network == Network::Mainnet { "f" } else { "t" };
        format!("{prefix}{}", &address.to_string()[1..])
    }

    /// What `fvm_shared` reads and writes back as it was, within Go's bounds.
    fn reference(text: &str) -> Option<(Address, Network)> {
        [Network::Mainnet, Network::Testnet].into_iter().find_map(|network| {
            let address = network.parse_address(text).ok()?;
            let id = address.id().unwrap_or_default();
            let written = reference_text(&address, network) == text;
            (written && id <= i64::MAX as u64 && text.len() <= MAX_TEXT).then_some((address, network))
        })
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference(address in addresses(), network in networks()) {
            let text = format(&address, network);
            prop_assert_eq!(&text, &reference_text(&address, network));
            prop_assert_eq!(parse_with_network(&text).unwrap(), (address, network));
        }

        #[test]
        fn takes_only_what_it_would_write(
            address in addresses(),
            network in networks(),
            at: prop::sample::Index,
            symbol in "[a-z0-9A-Z=+ é]",
            edit in 0..3,
        ) {
            let mut text: Vec<char> = format(&address, network).chars().collect();
            let at = at.index(text.len());
            let symbol = symbol.chars().next().unwrap();
            match edit {
                0 => text[at] = symbol,
                1 => text.insert(at, symbol),
                _ => drop(text.remove(at)),
            }
            let text: String = text.into_iter().collect();
            prop_assert_eq!(parse_with_network(&text).ok(), reference(&text));
        }

        #[test]
        fn takes_no_more_than_the_reference(
            text in prop_oneof![".{0,130}", "[ft][0-5][a-z2-7]{0,120}", "[ft]4[0-9]{0,21}f[a-z2-7]{0,100}", "[ft]0[0-9]{1,21}"],
        ) {
            prop_assert_eq!(parse_with_network(&text).ok(), reference(&text));
        }

        #[test]
        fn many_are_each_as_one(addresses in prop::collection::vec(addresses(), 0..40), bad: prop::sample::Index) {
            let mut texts = format_many(&addresses, Network::Testnet);
            let one_by_one: Vec<String> = addresses.iter().map(|a| format(a, Network::Testnet)).collect();
            prop_assert_eq!(&texts, &one_by_one);
            if !texts.is_empty() {
                texts[bad.index(addresses.len())].push('x');
            }
            let read: Vec<_> = texts.iter().map(|text| parse(text)).collect();
            prop_assert_eq!(parse_many(&texts), read);
        }
    }
}
