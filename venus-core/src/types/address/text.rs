//! The two halves of reading and of writing an address, before and after its checksum is known: many checksums at
//! once are far cheaper than one by one.

use blake2b_simd::Params;
use blake2b_simd::many::{HashManyJob, hash_many};
use fvm_shared::address::{Address, Network, Payload};

use super::{AddressError, MAX_TEXT};
use crate::crypto::blake2b_short::blake2b_32 as short_checksum;
use crate::crypto::hash::blake2b_32;
use crate::types::base32;

/// Room for the longest text, whose namespace has one digit more than is read, and for a last group of eight symbols.
const ROOM: usize = MAX_TEXT + 1 + 8;
/// Bytes of a checksum.
const SUM: usize = 4;
/// Longest address as bytes: protocol, namespace in LEB128, 54 bytes.
const MAX_RAW: usize = 1 + 10 + 54;
/// Addresses whose checksums are computed together. They and their hash states should stay in the first cache.
pub(super) const TOGETHER: usize = 64;

/// An address as bytes, as it stands in CBOR, with room for a checksum behind it.
pub(crate) struct Raw {
    bytes: [u8; MAX_RAW + SUM],
    len: usize,
    /// Where the part that is written in base32 begins.
    body: usize,
}

impl Raw {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; MAX_RAW + SUM], len: 0, body: 0 }
    }

    #[inline]
    fn begin(&mut self, protocol: u8) {
        if let Some(first) = self.bytes.first_mut() {
            *first = protocol;
        }
        (self.len, self.body) = (1, 1);
    }

    #[inline]
    pub(crate) fn of(address: &Address) -> Self {
        let mut raw = Self::new();
        raw.begin(address.protocol() as u8);
        match address.payload() {
            Payload::ID(id) => raw.push_varint(*id),
            Payload::Secp256k1(hash) | Payload::Actor(hash) => raw.push(hash),
            Payload::BLS(key) => raw.push(key),
            Payload::Delegated(to) => {
                raw.push_varint(to.namespace());
                raw.push(to.subaddress());
            }
        }
        raw
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// What does not fit is left out; nothing that is an address is longer.
    #[inline]
    fn push(&mut self, part: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + part.len()) {
            room.copy_from_slice(part);
            self.len += part.len();
        }
    }

    fn push_varint(&mut self, mut value: u64) {
        for byte in self.bytes.iter_mut().skip(self.len) {
            self.len += 1;
            if value <= 0x7f {
                *byte = value as u8;
                break;
            }
            *byte = value as u8 | 0x80;
            value >>= 7;
        }
        self.body = self.len;
    }

    /// Decodes payload and checksum, and gives the checksum.
    #[inline]
    fn read(&mut self, text: &[u8]) -> Option<[u8; SUM]> {
        let read = base32::decode(text, self.bytes.get_mut(self.len..)?)?;
        self.len = (self.len + read).checked_sub(SUM).filter(|len| *len >= self.body)?;
        self.bytes.get(self.len..)?.first_chunk().copied()
    }
}

/// What a text says besides the bytes that are left in a [`Raw`].
#[derive(Clone, Copy)]
pub(super) struct Draft {
    pub(super) network: Network,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Kind {
    Id(u64),
    /// With the checksum that the text claims.
    Key([u8; SUM]),
    /// With the namespace and the checksum that the text claims.
    Delegated(u64, [u8; SUM]),
}

impl Draft {
    /// Reads all but whether the checksum is right. The buffer is the caller's, as moving it would cost as much as
    /// filling it.
    #[inline]
    pub(super) fn read(text: &str, raw: &mut Raw) -> Result<Self, AddressError> {
        if text.len() < 3 || text.len() > MAX_TEXT {
            return Err(AddressError::Length(text.len()));
        }
        let (network, rest) = match text.as_bytes() {
            [b'f', rest @ ..] => (Network::Mainnet, rest),
            [b't', rest @ ..] => (Network::Testnet, rest),
            _ => return Err(AddressError::Network),
        };
        let kind = match rest {
            [b'0', ..] => read_id(text.get(2..).unwrap_or_default())?,
            [b'1', body @ ..] => read_key(raw, 1, body, 20)?,
            [b'2', body @ ..] => read_key(raw, 2, body, 20)?,
            [b'3', body @ ..] => read_key(raw, 3, body, 48)?,
            [b'4', ..] => read_delegated(raw, text.get(2..).unwrap_or_default())?,
            _ => return Err(AddressError::Malformed("unknown protocol")),
        };
        Ok(Self { network, kind })
    }

    /// Whether the text has a checksum.
    pub(super) fn is_hashed(&self) -> bool {
        !matches!(self.kind, Kind::Id(_))
    }

    #[inline]
    pub(super) fn finish(&self, raw: &Raw, computed: [u8; SUM]) -> Result<Address, AddressError> {
        let claimed = match self.kind {
            Kind::Id(id) => return Ok(Address::new_id(id)),
            Kind::Key(sum) | Kind::Delegated(_, sum) => sum,
        };
        if claimed != computed {
            return Err(AddressError::Malformed("wrong checksum"));
        }
        let body = raw.bytes.get(raw.body..raw.len).unwrap_or_default();
        let address = match self.kind {
            Kind::Delegated(namespace, _) => Address::new_delegated(namespace, body),
            _ if raw.bytes.first() == Some(&3) => Address::new_bls(body),
            _ => Address::from_bytes(raw.as_slice()),
        };
        address.map_err(|_| AddressError::Malformed("wrong length of the payload"))
    }
}

fn read_id(digits: &str) -> Result<Kind, AddressError> {
    let id = decimal(digits).filter(|id| *id <= i64::MAX as u64);
    id.map(Kind::Id).ok_or(AddressError::Id)
}

#[inline]
fn read_key(raw: &mut Raw, protocol: u8, body: &[u8], payload: usize) -> Result<Kind, AddressError> {
    if body.len() != base32::symbols_for(payload + SUM) {
        return Err(AddressError::Malformed("wrong length of the payload"));
    }
    raw.begin(protocol);
    read_body(raw, body).map(Kind::Key)
}

fn read_delegated(raw: &mut Raw, text: &str) -> Result<Kind, AddressError> {
    let (namespace, body) = text.split_once('f').ok_or(AddressError::Malformed("no namespace"))?;
    let namespace = decimal(namespace).ok_or(AddressError::Malformed("namespace is no canonical number"))?;
    raw.begin(4);
    raw.push_varint(namespace);
    read_body(raw, body.as_bytes()).map(|sum| Kind::Delegated(namespace, sum))
}

#[inline]
fn read_body(raw: &mut Raw, body: &[u8]) -> Result<[u8; SUM], AddressError> {
    raw.read(body).ok_or(AddressError::Malformed("payload is no canonical base32"))
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
    bytes: [u8; ROOM],
    len: usize,
}

impl Text {
    pub(crate) fn of(address: &Address, network: Network) -> Self {
        let mut raw = Raw::of(address);
        let sum = if has_sum(address) { checksum(&raw) } else { [0; SUM] };
        Self::finish(address, network, &mut raw, sum)
    }

    #[inline]
    pub(super) fn finish(address: &Address, network: Network, raw: &mut Raw, sum: [u8; SUM]) -> Self {
        let mut text = Self { bytes: [0; ROOM], len: 0 };
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
        raw.push(&sum);
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

#[inline]
pub(super) fn checksum(raw: &Raw) -> [u8; SUM] {
    let bytes = raw.as_slice();
    // 21 bytes of most addresses have three words, 49 of a BLS key seven. Only long `f4` addresses have more.
    let short = if bytes.len() <= 24 { short_checksum::<3>(bytes) } else { short_checksum::<7>(bytes) };
    short.unwrap_or_else(|| blake2b_32(bytes))
}

/// The checksums of several addresses at once.
pub(super) fn checksums<'a>(raws: impl Iterator<Item = &'a Raw>) -> Vec<[u8; SUM]> {
    let mut params = Params::new();
    params.hash_length(SUM);
    let mut jobs = Vec::with_capacity(TOGETHER);
    jobs.extend(raws.map(|raw| HashManyJob::new(&params, raw.as_slice())));
    hash_many(&mut jobs);
    jobs.iter().map(|job| job.to_hash().as_bytes().first_chunk().copied().unwrap_or_default()).collect()
}
