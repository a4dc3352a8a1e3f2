//! Recognising what an Ethereum key signs.
//!
//! The reading is generous: lengths need not be minimal and fields need not be valid, because a wrong alarm costs a
//! refusal and a missed transaction costs money.

use venus_core::crypto::delegated::EAM_NAMESPACE;
use venus_core::types::Address;

/// Fewest items of any transaction: nonce, price, limit, to, value, input.
const MIN_ITEMS: usize = 6;
/// First byte of the Ethereum form of an actor ID: `ff`, eleven zeros, the ID big-endian.
const MASKED_ID: u8 = 0xff;

/// The form of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EthKind {
    /// The first form, without a chain ID.
    Homestead,
    /// The first form with a chain ID.
    Eip155,
    /// A list behind a type byte; 2 is EIP-1559, the one that Filecoin takes.
    Typed(u8),
    /// Not a transaction, but data in the envelope of EIP-191 version 0 or 1, which contracts take for consent.
    TypedData,
}

/// What could be read of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EthTransaction {
    /// Its form.
    pub kind: EthKind,
    /// The chain that it is for, if it says so.
    pub chain_id: Option<u64>,
    /// Whom it calls, an `f410f` address or an ID; `None` deploys a contract.
    pub to: Option<Address>,
}

/// Reads a transaction without signature, or the envelope of typed data.
pub(super) fn transaction(bytes: &[u8]) -> Option<EthTransaction> {
    match bytes {
        [0x19, 0, rest @ ..] if rest.len() >= 20 => Some(TYPED_DATA),
        [0x19, 1, rest @ ..] if rest.len() == 64 => Some(TYPED_DATA),
        [kind @ 1..=4, list @ ..] => {
            let items = Items::of(list)?;
            // Chain ID, nonce, two fees (one in type 1), gas limit, recipient.
            let to = if *kind == 1 { 4 } else { 5 };
            Some(EthTransaction {
                kind: EthKind::Typed(*kind),
                chain_id: items.uint(0),
                to: items.address(to),
            })
        }
        list => {
            let items = Items::of(list)?;
            let (kind, chain_id) = match items.count {
                6 => (EthKind::Homestead, None),
                9 => (EthKind::Eip155, items.uint(6)),
                _ => return None,
            };
            Some(EthTransaction { kind, chain_id, to: items.address(3) })
        }
    }
}

const TYPED_DATA: EthTransaction = EthTransaction { kind: EthKind::TypedData, chain_id: None, to: None };

/// The items of an RLP list that fills its input.
struct Items<'a> {
    content: &'a [u8],
    count: usize,
}

impl<'a> Items<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (Item { list: true, content }, []) = item(bytes)? else { return None };
        let (mut rest, mut count) = (content, 0);
        while !rest.is_empty() {
            rest = item(rest)?.1;
            count += 1;
        }
        (count >= MIN_ITEMS).then_some(Self { content, count })
    }

    fn string(&self, index: usize) -> Option<&'a [u8]> {
        let mut rest = self.content;
        for _ in 0..index {
            rest = item(rest)?.1;
        }
        let (Item { list: false, content }, _) = item(rest)? else { return None };
        Some(content)
    }

    fn uint(&self, index: usize) -> Option<u64> {
        let bytes = self.string(index).filter(|bytes| bytes.len() <= 8)?;
        Some(bytes.iter().fold(0, |acc, byte| acc << 8 | u64::from(*byte)))
    }

    fn address(&self, index: usize) -> Option<Address> {
        let bytes: &[u8; 20] = self.string(index)?.try_into().ok()?;
        match bytes {
            [MASKED_ID, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, id @ ..] => {
                Some(Address::new_id(u64::from_be_bytes(*id)))
            }
            _ => Address::new_delegated(EAM_NAMESPACE, bytes).ok(),
        }
    }
}

struct Item<'a> {
    list: bool,
    content: &'a [u8],
}

/// The first item and what follows it.
fn item(bytes: &[u8]) -> Option<(Item<'_>, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let (list, base) = match *first {
        0..=0x7f => {
            return bytes.split_at_checked(1).map(|(content, rest)| (Item { list: false, content }, rest));
        }
        0x80..=0xbf => (false, 0x80),
        0xc0.. => (true, 0xc0),
    };
    let short = usize::from(first - base);
    let (len, rest) = match short.checked_sub(55) {
        None | Some(0) => (short, rest),
        Some(len_of_len) => {
            let (len, rest) = rest.split_at_checked(len_of_len)?;
            let len =
                len.iter().try_fold(0_usize, |acc, b| acc.checked_mul(256)?.checked_add((*b).into()))?;
            (len, rest)
        }
    };
    let (content, rest) = rest.split_at_checked(len)?;
    Some((Item { list, content }, rest))
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    /// Recorded from venus-wallet v1.20.0: a call of a contract with parameters.
    const EIP_1559: &str =
        "02ee82013a07830186a083018a88831e848094ff000000000000000000000000000000000003e88203e884deadbeefc0";

    #[test]
    fn forms_of_transactions() {
        let bytes = HEXLOWER.decode(EIP_1559.as_bytes()).unwrap();
        let read = transaction(&bytes).unwrap();
        assert_eq!((read.kind, read.chain_id), (EthKind::Typed(2), Some(314)));
        assert_eq!(read.to, Some(Address::new_id(1000)));
        let mut key = bytes.clone();
        key[19] = 1;
        assert_eq!(transaction(&key).unwrap().to.unwrap().to_bytes()[2..], key[19..39]);
        assert!(
            transaction(&bytes[1..]).is_some_and(|t| t.kind == EthKind::Eip155),
            "nine items are nine items"
        );
        assert_eq!(transaction(&bytes[..bytes.len() - 1]), None);
        assert_eq!(transaction(&[&bytes[..], &[0]].concat()), None);
        let homestead = [0xc6, 1, 2, 3, 0x80, 5, 0x80];
        let deploys = EthTransaction { kind: EthKind::Homestead, chain_id: None, to: None };
        assert_eq!(transaction(&homestead), Some(deploys));
        assert_eq!(transaction(&[0xc5, 1, 2, 3, 4, 5]), None);
        assert_eq!(transaction(&[&[0x19, 1][..], &[7; 64]].concat()), Some(TYPED_DATA));
        // A length of 2^64 - 1 bytes, and one that is longer than any.
        assert_eq!(transaction(&[[0xff].as_slice(), &[0xff; 8]].concat()), None);
        assert_eq!(transaction(&[]), None);
    }
}
