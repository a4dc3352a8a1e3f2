//! The two halves of reading and of writing an address, before and after its checksum is known: many checksums at
//! once are far cheaper than one by one.

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use fvm_shared::address::{Address, Network, Payload};

use super::{AddressError, MAX_TEXT};
use crate::types::base32;

/// Bytes of a checksum.
const SUM: usize = 4;
/// Longest address as bytes: protocol, namespace in LEB128, 54 bytes.
const MAX_RAW: usize = 1 + 10 + 54;
/// Addresses whose checksums are computed together. They and their hash states should stay in the first cache.
pub(super) const TOGETHER: usize = 16;

/// An address as bytes, as it stands in CBOR, with room for a checksum behind it.
#[derive(Clone, Copy)]
pub(crate) struct Raw {
    bytes: [u8; MAX_RAW + SUM],
    len: usize,
    /// Where the part that is written in base32 begins.
    body: usize,
}

impl Raw {
    fn new(protocol: u8) -> Self {
        let mut bytes = [0; MAX_RAW + SUM];
        if let Some(first) = bytes.first_mut() {
            *first = protocol;
        }
        Self { bytes, len: 1, body: 1 }
    }

    pub(crate) fn of(address: &Address) -> Self {
        match address.payload() {
            Payload::ID(id) => Self::new(0).varint(*id),
            Payload::Secp256k1(hash) => Self::new(1).with(hash),
            Payload::Actor(hash) => Self::new(2).with(hash),
            Payload::BLS(key) => Self::new(3).with(key),
            Payload::Delegated(to) => Self::new(4).varint(to.namespace()).with(to.subaddress()),
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// What does not fit is left out; nothing that is an address is longer.
    fn with(mut self, part: &[u8]) -> Self {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        }
        self
    }

    fn varint(mut self, mut value: u64) -> Self {
        loop {
            let low = (value & 0x7f) as u8;
            value >>= 7;
            let more = if value == 0 { 0 } else { 0x80 };
            self = self.with(&[low | more]);
            if value == 0 {
                self.body = self.len;
                return self;
            }
        }
    }

    /// Decodes payload and checksum, and gives the checksum.
    fn read(&mut self, text: &[u8]) -> Option<[u8; SUM]> {
        let read = base32::decode(text, self.bytes.get_mut(self.len..)?)?;
        self.len = (self.len + read).checked_sub(SUM).filter(|len| *len >= self.body)?;
        self.bytes.get(self.len..)?.first_chunk().copied()
    }
}

/// A text that was read but for its checksum.
pub(super) enum Draft {
    Id(u64),
    Hashed { raw: Raw, sum: [u8; SUM] },
}

impl Draft {
    pub(super) fn read(text: &str) -> Result<(Self, Network), AddressError> {
        if text.len() < 3 || text.len() > MAX_TEXT {
            return Err(AddressError::Length(text.len()));
        }
        let (network, rest) = match text.as_bytes() {
            [b'f', rest @ ..] => (Network::Mainnet, rest),
            [b't', rest @ ..] => (Network::Testnet, rest),
            _ => return Err(AddressError::Network),
        };
        let draft = match rest {
            [b'0', ..] => read_id(text.get(2..).unwrap_or_default())?,
            [b'1', body @ ..] => hashed(Raw::new(1), body, 20)?,
            [b'2', body @ ..] => hashed(Raw::new(2), body, 20)?,
            [b'3', body @ ..] => hashed(Raw::new(3), body, 48)?,
            [b'4', ..] => read_delegated(text.get(2..).unwrap_or_default())?,
            _ => return Err(AddressError::Malformed("unknown protocol")),
        };
        Ok((draft, network))
    }

    pub(super) fn raw(&self) -> Option<&Raw> {
        match self {
            Self::Id(_) => None,
            Self::Hashed { raw, .. } => Some(raw),
        }
    }

    pub(super) fn finish(self, computed: [u8; SUM]) -> Result<Address, AddressError> {
        match self {
            Self::Id(id) => Ok(Address::new_id(id)),
            Self::Hashed { sum, .. } if sum != computed => Err(AddressError::Malformed("wrong checksum")),
            Self::Hashed { raw, .. } => Address::from_bytes(raw.as_slice())
                .map_err(|_| AddressError::Malformed("wrong length of the payload")),
        }
    }
}

fn read_id(digits: &str) -> Result<Draft, AddressError> {
    let id = decimal(digits).filter(|id| *id <= i64::MAX as u64);
    id.map(Draft::Id).ok_or(AddressError::Id)
}

fn read_delegated(text: &str) -> Result<Draft, AddressError> {
    let (namespace, body) = text.split_once('f').ok_or(AddressError::Malformed("no namespace"))?;
    let namespace = decimal(namespace).ok_or(AddressError::Malformed("namespace is no canonical number"))?;
    read_body(Raw::new(4).varint(namespace), body.as_bytes())
}

fn hashed(raw: Raw, body: &[u8], payload: usize) -> Result<Draft, AddressError> {
    if body.len() != base32::symbols_for(payload + SUM) {
        return Err(AddressError::Malformed("wrong length of the payload"));
    }
    read_body(raw, body)
}

fn read_body(mut raw: Raw, body: &[u8]) -> Result<Draft, AddressError> {
    let sum = raw.read(body).ok_or(AddressError::Malformed("payload is no canonical base32"))?;
    Ok(Draft::Hashed { raw, sum })
}

/// A number without sign and leading zeros.
fn decimal(digits: &str) -> Option<u64> {
    let canonical = match digits.as_bytes() {
        [b'0'..=b'9'] => true,
        [first, ..] => matches!(first, b'1'..=b'9'),
        [] => false,
    };
    digits.parse().ok().filter(|_| canonical)
}

/// The text of an address, on the stack.
pub(crate) struct Text {
    bytes: [u8; MAX_TEXT + 1],
    len: usize,
}

impl Text {
    pub(crate) fn of(address: &Address, network: Network) -> Self {
        let raw = Raw::of(address);
        let sum = if has_sum(address) { checksum(&raw) } else { [0; SUM] };
        Self::finish(address, network, raw, sum)
    }

    pub(super) fn finish(address: &Address, network: Network, mut raw: Raw, sum: [u8; SUM]) -> Self {
        let mut text = Self { bytes: [0; MAX_TEXT + 1], len: 0 };
        text.push(if network == Network::Mainnet { b"f" } else { b"t" });
        match address.payload() {
            Payload::ID(id) => {
                text.push(b"0");
                text.push_decimal(*id);
                return text;
            }
            Payload::Secp256k1(_) => text.push(b"1"),
            Payload::Actor(_) => text.push(b"2"),
            Payload::BLS(_) => text.push(b"3"),
            Payload::Delegated(to) => {
                text.push(b"4");
                text.push_decimal(to.namespace());
                text.push(b"f");
            }
        }
        raw = raw.with(&sum);
        let body = raw.as_slice().get(raw.body..).unwrap_or_default();
        text.len += base32::encode(body, text.bytes.get_mut(text.len..).unwrap_or_default());
        text
    }

    fn push(&mut self, part: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        }
    }

    fn push_decimal(&mut self, mut value: u64) {
        let mut digits = [b'0'; 20];
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (value % 10) as u8;
            value /= 10;
            used += 1;
            if value == 0 {
                break;
            }
        }
        self.push(digits.get(digits.len() - used..).unwrap_or_default());
    }

    pub(crate) fn as_str(&self) -> &str {
        // All that is pushed is ASCII.
        std::str::from_utf8(self.bytes.get(..self.len).unwrap_or_default()).unwrap_or_default()
    }
}

/// Whether the text ends with a checksum: all but actor IDs.
pub(super) fn has_sum(address: &Address) -> bool {
    !matches!(address.payload(), Payload::ID(_))
}

pub(super) fn checksum(raw: &Raw) -> [u8; SUM] {
    crate::crypto::hash::blake2b_32(raw.as_slice())
}

/// The checksums of up to [`TOGETHER`] addresses; zeros where there is nothing to hash.
pub(super) fn checksums<'a>(raws: impl Iterator<Item = Option<&'a Raw>>) -> [[u8; SUM]; TOGETHER] {
    let mut params = Params::new();
    params.hash_length(SUM);
    let mut jobs: [Option<HashManyJob<'_>>; TOGETHER] = [const { None }; TOGETHER];
    for (job, raw) in jobs.iter_mut().zip(raws) {
        *job = raw.map(|raw| HashManyJob::new(&params, raw.as_slice()));
    }
    hash_many(jobs.iter_mut().flatten());
    jobs.map(|job| job.and_then(|job| job.to_hash().as_bytes().first_chunk().copied()).unwrap_or_default())
}
