//! CBOR of the types that come from `fvm_shared`, `cid` and `num-bigint`.
//!
//! Their own serde decoders let long integers and leading zeros pass, so they are not used.

use cid::Cid;
use fvm_ipld_encoding::RawBytes;
use fvm_shared::address::{Address, Payload};
use fvm_shared::econ::TokenAmount;
use fvm_shared::error::ExitCode;
use num_bigint::{BigInt, Sign};

use super::{CborError, CborErrorKind as Kind, Decode, Encode, MAX_BIGINT, Reader, Writer};
use crate::types::address::Raw;

/// Longest address in bytes: Go refuses more, whatever the protocol.
const MAX_ADDRESS: u64 = 64;

impl Encode for Cid {
    fn encode(&self, w: &mut Writer) {
        w.cid(self);
    }
}

impl Decode for Cid {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.cid()
    }
}

impl Encode for Address {
    fn encode(&self, w: &mut Writer) {
        match self.payload() {
            // Pieces of known length, which most addresses of messages have, are cheaper to write.
            Payload::Secp256k1(hash) => w.bytes2(&[1], hash),
            Payload::Actor(hash) => w.bytes2(&[2], hash),
            Payload::BLS(key) => w.bytes2(&[3], key),
            Payload::ID(_) | Payload::Delegated(_) => w.bytes(Raw::of(self).as_slice()),
        }
    }
}

impl Decode for Address {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let bytes = r.bytes_up_to(MAX_ADDRESS)?;
        let address =
            Self::from_bytes(bytes).map_err(|_| CborError::new(start, Kind::Invalid("not an address")))?;
        if matches!(address.payload(), Payload::ID(id) if *id > i64::MAX as u64) {
            return Err(CborError::new(start, Kind::Invalid("actor ID exceeds 63 bits")));
        }
        if Raw::of(&address).as_slice() != bytes {
            return Err(CborError::new(start, Kind::NotCanonical("address")));
        }
        Ok(address)
    }
}

impl Encode for BigInt {
    fn encode(&self, w: &mut Writer) {
        let sign = match self.sign() {
            Sign::NoSign => return w.bytes(&[]),
            Sign::Plus => 0,
            Sign::Minus => 1,
        };
        // Amounts and weights have 128 bits at most, and need no allocation.
        let mut digits = self.iter_u64_digits();
        match (digits.next(), digits.next(), digits.next()) {
            (Some(low), None, None) => magnitude(w, sign, low.leading_zeros(), &low.to_be_bytes()),
            (Some(low), Some(high), None) => {
                let both = u128::from(high) << 64 | u128::from(low);
                magnitude(w, sign, both.leading_zeros(), &both.to_be_bytes());
            }
            _ => w.bytes2(&[sign], &self.magnitude().to_bytes_be()),
        }
    }
}

#[inline]
fn magnitude(w: &mut Writer, sign: u8, leading_zeros: u32, bytes: &[u8]) {
    w.bytes2(&[sign], bytes.get(leading_zeros as usize / 8..).unwrap_or_default());
}

impl Decode for BigInt {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let bytes = r.bytes_up_to(MAX_BIGINT as u64)?;
        let sign = match bytes.first() {
            None => return Ok(Self::ZERO),
            Some(0) => Sign::Plus,
            Some(1) => Sign::Minus,
            Some(_) => return Err(CborError::new(start, Kind::Invalid("sign byte of a big integer"))),
        };
        let magnitude = bytes.get(1..).unwrap_or_default();
        if matches!(magnitude.first(), None | Some(0)) {
            return Err(CborError::new(start, Kind::NotCanonical("leading zero in a big integer")));
        }
        Ok(Self::from_bytes_be(sign, magnitude))
    }
}

impl Encode for TokenAmount {
    fn encode(&self, w: &mut Writer) {
        self.atto().encode(w);
    }
}

impl Decode for TokenAmount {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        BigInt::decode(r).map(Self::from_atto)
    }
}

impl Encode for RawBytes {
    fn encode(&self, w: &mut Writer) {
        w.bytes(self.bytes());
    }
}

impl Decode for RawBytes {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.bytes().map(|bytes| Self::new(bytes.to_vec()))
    }
}

impl Encode for ExitCode {
    fn encode(&self, w: &mut Writer) {
        w.uint(u64::from(self.value()));
    }
}

impl Decode for ExitCode {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        let start = r.offset();
        let value = u32::try_from(r.uint()?);
        value.map(Self::new).map_err(|_| CborError::new(start, Kind::Invalid("exit code exceeds 32 bits")))
    }
}
