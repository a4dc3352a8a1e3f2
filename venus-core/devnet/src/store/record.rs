//! A block with the bodies of its messages, as the log holds it.

use venus_core::cbor::{CborError, Decode, Encode, FieldContext, Reader, Writer};
use venus_core::types::{BlockHeader, SignedMessage};

use crate::chain::StoredBlock;

/// `[header, [BLS messages], [other messages]]`. BLS messages keep their own signatures, which the block itself
/// holds only as a sum: after a restart a reverted message can still go back to the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) header: BlockHeader,
    pub(crate) bls: Vec<SignedMessage>,
    pub(crate) secp: Vec<SignedMessage>,
}

impl Record {
    pub(crate) fn of(block: &StoredBlock) -> Self {
        let (bls, secp) = block
            .messages
            .iter()
            .map(|m| m.signed.clone())
            .partition(|m| m.signature.sig_type == venus_core::types::SignatureType::Bls);
        Self { header: block.header.clone(), bls, secp }
    }
}

impl Encode for Record {
    fn encode(&self, w: &mut Writer) {
        w.array(3);
        self.header.encode(w);
        self.bls.encode(w);
        self.secp.encode(w);
    }
}

impl Decode for Record {
    fn decode(r: &mut Reader<'_>) -> Result<Self, CborError> {
        r.tuple(3).in_field("Record")?;
        Ok(Self {
            header: Decode::decode(r).in_field("Header")?,
            bls: Decode::decode(r).in_field("BlsMessages")?,
            secp: Decode::decode(r).in_field("SecpkMessages")?,
        })
    }
}
